// Owns: snapshots as they are kept: pieces of JSON to a compressed blob and back, and which of those that entries name can be used.
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import type { SavedEngine } from '../core/saved-engine.ts';
import type { Entry, EntryBody, EntryOf } from '../model/entry.ts';
import { messageOf, RuntimeFault } from '../model/errors.ts';
import { free } from '../model/free.ts';
import { journalBlobBytesMax, snapshotJsonBytesMax } from '../model/limits.ts';
import { snapshotFormat, snapshotSchema } from '../model/snapshot.ts';
import type { Journal } from '../ports/journal.ts';
import type { SavedRequests } from './requests.ts';
import { runtimeVersion } from './version.ts';

export type SnapshotEntry = EntryOf<'snapshot'>;

/** One that is still there: its entry's seq and time, what it is of, its blob. */
export interface KeptSnapshot {
  readonly seq: number;
  readonly through: number;
  readonly at: number;
  readonly digest: string;
  /** Some policy cannot be put back from it alone. */
  readonly unsettled: boolean;
}

export interface Snapshot {
  readonly older: readonly KeptSnapshot[];
  readonly derived: readonly EntryBody[];
  readonly requests: SavedRequests;
  readonly engine: SavedEngine;
}

/** What goes into a snapshot; each generator yields pieces of JSON. */
export interface SnapshotParts {
  readonly older: readonly KeptSnapshot[];
  readonly derived: readonly EntryBody[];
  readonly requests: Iterable<string>;
  readonly engine: Generator<string>;
}

export function* piecesOf({ older, derived, requests, engine }: SnapshotParts): Generator<string> {
  const head = { format: snapshotFormat, runtime: runtimeVersion, older, derived };
  yield `${JSON.stringify(head).slice(0, -1)},"requests":`;
  yield* requests;
  yield ',"engine":';
  yield* engine;
  yield '}';
}

const compress = promisify(zstdCompress);
const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Compressed beside the host, in a thread of Node's own. */
export async function packed(json: Buffer): Promise<Uint8Array<ArrayBuffer>> {
  const output = await compress(json, fast);
  const blob = new Uint8Array(output);
  free(output);
  return blob;
}

/** Throws what is wrong with it. */
export function unpacked(blob: Uint8Array): Snapshot {
  const json = zstdDecompressSync(blob, { maxOutputLength: snapshotJsonBytesMax, chunkSize: 1024 * 1024 });
  const found: unknown = JSON.parse(json.toString('utf8'));
  const checked = snapshotSchema.safeParse(found);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new RuntimeFault(`it is not a snapshot: ${issue?.path.join('.')}: ${issue?.message}`, {
      code: 'snapshot-invalid',
      remedy: 'Entries are replayed instead.',
    });
  }
  return found as Snapshot;
}

/** Whether its blob is there and what was stored, which the journal knows by its digest. Rejects where the journal does not tell. */
export async function isWhole(journal: Pick<Journal, 'getBlob'>, { digest }: Pick<KeptSnapshot, 'digest'>): Promise<boolean> {
  try {
    return (await journal.getBlob(digest)) !== undefined;
  } catch (thrown) {
    if (thrown instanceof RuntimeFault && thrown.code === 'journal-damaged') return false;
    throw thrown;
  }
}

export type SnapshotJournal = Pick<Journal, 'read' | 'ofKind' | 'tail' | 'getBlob'>;

/** The snapshot that an entry names, or in a sentence why it cannot be used. */
export async function snapshotOf(
  journal: SnapshotJournal,
  { seq, digest }: Pick<SnapshotEntry, 'seq' | 'digest'>,
): Promise<Snapshot | string> {
  try {
    const blob = await journal.getBlob(digest);
    return blob ? unpacked(blob) : `the snapshot of entry ${seq} is not there`;
  } catch (thrown) {
    return `the snapshot of entry ${seq} cannot be used: ${messageOf(thrown)}`;
  }
}

/** Entries looked through at once for the newest one, doubled each time. */
const firstLook = 4_096;

/** Entries that name snapshots, the newest first. */
export async function* snapshotEntries(journal: SnapshotJournal): AsyncGenerator<SnapshotEntry> {
  let before = (await journal.tail()).lastSeq + 1;
  let begin: number | undefined;
  for (let span = firstLook; before > 1; span *= 2) {
    const from = Math.max(1, before - span);
    const newest = await newestIn(journal, from, before);
    if (newest) {
      yield newest;
      yield* chain(journal, newest);
      return;
    }
    // Where a log was damaged thousands of numbers are nobody's: only before the first entry of all there is nothing more.
    begin ??= await firstSeq(journal);
    if (begin === undefined || begin >= from) return;
    before = from;
  }
}

async function newestIn(journal: SnapshotJournal, from: number, before: number): Promise<SnapshotEntry | undefined> {
  let newest: SnapshotEntry | undefined;
  for await (const batch of journal.ofKind('snapshot', from)) for (const entry of batch) if (entry.seq < before) newest = entry;
  return newest;
}

async function* chain(journal: SnapshotJournal, newest: SnapshotEntry): AsyncGenerator<SnapshotEntry> {
  for (let { previous } = newest; previous !== undefined; ) {
    const entry: Entry | undefined = await entryAt(journal, previous);
    if (entry?.kind !== 'snapshot') return;
    yield entry;
    previous = entry.previous;
  }
}

async function entryAt(journal: SnapshotJournal, seq: number): Promise<Entry | undefined> {
  for await (const batch of journal.read(seq)) {
    const [entry] = batch;
    return entry?.seq === seq ? entry : undefined;
  }
  return undefined;
}

/** The seq of the first entry there is from `from` on; undefined where there is none. */
export async function firstSeq(journal: SnapshotJournal, from = 0): Promise<number | undefined> {
  for await (const batch of journal.read(from)) if (batch[0]) return batch[0].seq;
  return undefined;
}

/** Bytes that fit into a blob. */
export const fits = (blob: Uint8Array): boolean => blob.length <= journalBlobBytesMax;
