// Port: the append-only sequence of entries; the only truth.
//
// Ordering law: append() resolves AFTER the whole batch is taken, or rejects with none of it taken. What is taken has its place, is read
// by everybody and outlives the process; until it is durable a power cut may take it, with all that follows. Who is told of it, and what
// changes anything outside, waits for `durable`; thinking and looking need not. An append whose answer was lost is settled by reading the
// tail. Nothing of SQL, files or streams leaks through here.
import type { Entry, EntryBody, EntryOf, NewEntry } from '../model/entry.ts';

export interface Expectation {
  /** The lease's epoch: an append with an older one than the journal has seen is refused (`stale-epoch`). */
  readonly epoch: number;
  /** The caller's last known seq; 0 for an empty journal. Another value in the journal refuses (`not-the-tail`). */
  readonly lastSeq: number;
}

export interface Tail {
  readonly lastSeq: number;
  /** `at` of the last entry; 0 for an empty journal. */
  readonly lastAt: number;
  readonly epoch: number;
}

export interface Room {
  readonly usedBytes: number;
  /** What may still be written, by the journal's own limit and by the disk; Infinity where nothing limits it. */
  readonly freeBytes: number;
}

export interface Appended {
  readonly firstSeq: number;
  /**
   * Asks for it: resolves AFTER the batch, and all before it, is durable, and rejects where it cannot be any more. Left out where it is
   * durable already.
   */
  readonly durable?: (() => Promise<void>) | undefined;
}

export interface Journal {
  /** All or nothing. The batch gets consecutive numbers from `firstSeq`; between batches gaps are allowed. */
  append(batch: readonly NewEntry[], expect: Expectation): Promise<Appended>;
  /** Every entry from `fromSeq` on up to the tail as it was at the call, in order, in batches. */
  read(fromSeq: number): AsyncIterable<readonly Entry[]>;
  /** The same, but only entries of one kind: what is between them need not be read whole. */
  ofKind<K extends EntryBody['kind']>(kind: K, fromSeq: number): AsyncIterable<readonly EntryOf<K>[]>;
  tail(): Promise<Tail>;
  /** Forgets entries before `beforeSeq`. */
  trim(beforeSeq: number): Promise<void>;
  /** Stores a copy of the bytes under their SHA-256 (hex, returned): snapshots, bundles. */
  putBlob(bytes: Uint8Array): Promise<string>;
  /** Undefined where it is not there; rejects with `journal-damaged` where it is not what was stored. */
  getBlob(digest: string): Promise<Uint8Array | undefined>;
  /** Forgets a blob; one that is not there is forgotten already. */
  deleteBlob(digest: string): Promise<void>;
  /** The digests of all blobs there are, in no order. */
  blobs(): Promise<readonly string[]>;
  room(): Promise<Room>;
  close(): Promise<void>;
}

/** Refusals are RuntimeFault with one of these codes; whatever else an adapter throws means "the answer was lost". */
export type JournalRefusal =
  | 'stale-epoch'
  | 'not-the-tail'
  | 'entry-too-large'
  | 'journal-full'
  | 'journal-version'
  | 'journal-closed';
