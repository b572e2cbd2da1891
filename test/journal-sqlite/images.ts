// Owns: journals as a crash leaves them: the file and its log copied while the writer is still open, and damage done to them.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openForWriting } from '../../adapters/journal-sqlite/file.ts';
import { entriesOf, rowsOf } from '../../adapters/journal-sqlite/rows.ts';
import { type Store, storeOn } from '../../adapters/journal-sqlite/store.ts';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { OperatorError, RuntimeFault } from '../../src/model/errors.ts';

export interface Folder {
  readonly path: string;
  fresh(): string;
  remove(): void;
}

/** A temporary folder for a test's files. */
export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'offbox-journal-'));
  let number = 0;
  return {
    path,
    fresh() {
      number += 1;
      const directory = join(path, String(number));
      mkdirSync(directory);
      return join(directory, 'journal.sqlite');
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}

/** Batches of 1 to 9 entries, small and beyond a page, so that an append takes one page or several. */
export function variedBatch(index: number): NewEntry[] {
  return Array.from({ length: 1 + (index % 9) }, (_, place) => ({
    kind: 'command',
    by: `${index}/${place} ${'x'.repeat(((index * 7) % 11) * 300)}`,
    verb: 'note',
    arguments: [],
    at: index,
  }));
}

/** So slow a time that nothing is a flood: whatever is small is taken beside the thread. */
export function slowTime() {
  let now = 0;
  return { after: () => () => undefined, monotonic: () => (now += 1_000) };
}

export interface Image {
  readonly path: string;
  /** As it was when copied. */
  readonly entries: readonly Entry[];
  /** All there ever was, trimmed or not. */
  readonly history: readonly Entry[];
  /** After each append: the last seq, and where the log ended in its file. */
  readonly appends: readonly { readonly lastSeq: number; readonly logBytes: number }[];
}

/** What `life` does to a journal, copied while it is still open. */
export function imageOf(files: Folder, life: (store: Store, append: (index: number) => void) => void): Image {
  const from = files.fresh();
  const store = storeOn(openForWriting(from, Number.MAX_SAFE_INTEGER).db, from);
  const history: Entry[] = [];
  const appends: { lastSeq: number; logBytes: number }[] = [];
  life(store, (index) => {
    const { lastSeq } = store.tail();
    const batch = variedBatch(index);
    store.append(rowsOf(batch, lastSeq + 1, 1), { epoch: 1, lastSeq });
    history.push(...batch.map((entry, place) => ({ ...entry, seq: lastSeq + 1 + place })));
    appends.push({ lastSeq: lastSeq + batch.length, logBytes: statSync(`${from}-wal`).size });
  });
  const path = files.fresh();
  copyFileSync(from, path);
  copyFileSync(`${from}-wal`, `${path}-wal`);
  const entries = allIn(store, from);
  store.close();
  return { path, entries, history, appends };
}

export function copyOf(files: Folder, image: Image): string {
  const path = files.fresh();
  copyFileSync(image.path, path);
  copyFileSync(`${image.path}-wal`, `${path}-wal`);
  return path;
}

export function flip(file: string, offset: number, bits: number): void {
  const bytes = readFileSync(file);
  bytes[offset] = bytes[offset]! ^ bits;
  writeFileSync(file, bytes);
}

export const cutOff = truncateSync;

export function allIn(store: Store, path: string): Entry[] {
  const { lastSeq } = store.tail();
  const entries: Entry[] = [];
  for (let next = 1; next <= lastSeq; ) {
    const rows = store.read(next, lastSeq);
    if (rows.length === 0) break;
    entries.push(...rows.flatMap((row) => entriesOf(path, row)));
    next = rows.at(-1)!.last_seq + 1;
  }
  return entries;
}

export type Found =
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'opened'; readonly entries: readonly Entry[]; readonly cut: string | undefined };

/** Opens for writing, reads everything, appends one entry more and reads that back. Throws what is no fault of ours. */
export function lookInto(path: string): Found {
  let store: Store | undefined;
  try {
    const { db, cut } = openForWriting(path, Number.MAX_SAFE_INTEGER);
    store = storeOn(db, path);
    const entries = allIn(store, path);
    const { lastSeq } = store.tail();
    store.append(rowsOf([{ kind: 'tick', at: 9 }], lastSeq + 1, 2), { epoch: 2, lastSeq });
    const after = allIn(store, path);
    if (after.length !== entries.length + 1 || after.at(-1)?.seq !== lastSeq + 1) throw new Error(`${path} does not go on`);
    return { kind: 'opened', entries, cut };
  } catch (error) {
    if (error instanceof RuntimeFault || error instanceof OperatorError) return { kind: 'refused', code: error.code };
    const errstr = error instanceof Error && 'errcode' in error ? `SQLite ${String(error.errcode)}` : undefined;
    if (errstr) return { kind: 'refused', code: errstr };
    throw error;
  } finally {
    store?.close();
  }
}

export const logOf = (path: string): Buffer => (existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0));
