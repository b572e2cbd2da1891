// Owns: what is said between the main thread and the one that runs policies. Entries cross as JSON text, those of an append as one:
// a string is copied as it is, many are copied one by one, and an object is taken to pieces and built again.

import type { Remembered } from '../../core/cells.ts';
import type { PolicyFault } from '../../core/engine.ts';
import type { Policy } from '../../core/policy.ts';
import type { Selector } from '../../core/selector.ts';
import type { EntryBody } from '../../model/entry.ts';
import type { Divergence, EndedPolicy } from '../recovery.ts';
import type { KeptSnapshot } from '../snapshots.ts';

/** A policy as one module of text; it is evaluated where policies run and nowhere else. */
export interface BundledPolicy {
  /** As people name it, and where it lies: `offbox` and rxjs are looked for from there. */
  readonly file: string;
  readonly path: string;
  readonly bundle: string;
  /** From a place in the bundle to one in the files it was made of. */
  readonly map?: string;
  readonly version: string;
  readonly revision?: string;
}

/** What of a policy is plain data. */
export interface PolicyFace extends Pick<Policy, 'name' | 'describe' | 'on' | 'late' | 'horizonMs'> {
  /** What ends its hold. */
  readonly until: readonly Selector[];
}

export interface ThreadData {
  readonly journal: string;
  readonly calls: SharedArrayBuffer;
}

export type Order =
  | { readonly kind: 'load'; readonly policies: readonly BundledPolicy[] }
  /** Up to the entry `through`, from what the journal has. `now`: what came due long before it is late. */
  | { readonly kind: 'recover'; readonly through: number; readonly ended: readonly EndedPolicy[]; readonly now: number }
  /** Entries of one append, as one JSON array: the ith is entry seqs[i], or null where nothing but its time concerns anybody. */
  | {
      readonly kind: 'step';
      readonly at: number;
      readonly seqs: readonly number[];
      readonly entries: string;
      /** The append's last entry. */
      readonly through: number;
    }
  /** What was not sent, to be read in the journal. */
  | { readonly kind: 'read-on'; readonly through: number }
  /** The same, and then it decides in place of another thread: it tells all that is wanted and not recorded. */
  | { readonly kind: 'take-over'; readonly through: number }
  | {
      readonly kind: 'snapshot';
      readonly id: number;
      readonly through: number;
      readonly at: number;
      readonly older: readonly KeptSnapshot[];
      /** The book of requests, JSON. */
      readonly requests: string;
    }
  | { readonly kind: 'ask'; readonly id: number; readonly what: 'remembered' | 'cells' | 'held' };

/** How things stand after an entry. */
export interface Standing {
  readonly through: number;
  /** Event time of the next alarm. */
  readonly nextDue: number | undefined;
  /** When the oldest hold that is on began. */
  readonly heldSince: number | undefined;
  /** Policies that wait for an answer in a pipe. */
  readonly unsettled: readonly string[];
}

/** What policies want up to an entry; intents as JSON. */
export interface Decision extends Standing {
  readonly intents: readonly string[];
  readonly faults: readonly PolicyFault[];
}

/** What a recovery of policies tells. */
export interface RecoveredPolicies extends Decision {
  readonly entries: number;
  readonly restored: number;
  readonly divergences: readonly Divergence[];
  readonly said: readonly string[];
  /** What came due while nobody was there. */
  readonly late: readonly EntryBody[];
  /** What policies hold, or have still to let go of, for people. */
  readonly held: Readonly<Record<string, readonly string[]>>;
}

export interface WrittenSnapshot {
  readonly through: number;
  readonly at: number;
  readonly policies: Readonly<Record<string, string>>;
  readonly unsettled: readonly string[];
  readonly blob: Uint8Array<ArrayBuffer>;
  /** The longest that deciding was kept from its work at once, milliseconds. */
  readonly longestMs: number;
}

/** What a policy's operators remember, by policy; or of each operator's cells the digest, by path. */
export type Told =
  | { readonly what: 'remembered'; readonly remembered: Readonly<Record<string, readonly Remembered[]>> }
  /** What policies hold, or have still to let go of, for people. */
  | { readonly what: 'held'; readonly held: Readonly<Record<string, readonly string[]>> }
  | { readonly what: 'cells'; readonly cells: Readonly<Record<string, string>> };

export type Report =
  | { readonly kind: 'loaded'; readonly faces: readonly PolicyFace[] }
  /** Each fault in its own words. */
  | { readonly kind: 'refused'; readonly faults: readonly string[] }
  | { readonly kind: 'recovered'; readonly recovered: RecoveredPolicies }
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'written'; readonly id: number; readonly snapshot: WrittenSnapshot | string }
  | { readonly kind: 'told'; readonly id: number; readonly told: Told }
  /** Memory runs out, and this policy keeps the most of it. */
  | { readonly kind: 'heavy'; readonly policy: number; readonly seq: number; readonly keptBytes: number }
  /** It cannot go on: the journal cannot be read, or an invariant broke. */
  | { readonly kind: 'failed'; readonly reason: string };
