// Owns: what a verification says: effective, or what is missing, in one sentence.

export type Verdict = { readonly effective: true } | { readonly effective: false; readonly missing: string };
