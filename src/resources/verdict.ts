// Owns: what a verification says: effective, or what is missing, in one sentence.

export type Verdict =
  | { readonly effective: true }
  /** `final`: waiting longer changes nothing. */
  | { readonly effective: false; readonly missing: string; readonly final?: true };
