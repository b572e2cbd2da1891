// Owns: the embedded default journal: one SQLite file in WAL mode, synchronous FULL, one row a batch. The port over store.ts.
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Entry } from '../../src/model/entry.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { translated } from './faults.ts';
import { openForReading, openForWriting, type Store, storeOn } from './store.ts';

export type JournalReader = Pick<Journal, 'read' | 'tail' | 'getBlob' | 'close'>;

/** A file just made is only there after a power cut if its directory, and each one made for it, is on the disk too. */
function syncDirectories(path: string, madeFrom: string | undefined): void {
  const top = madeFrom === undefined ? dirname(path) : dirname(madeFrom);
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const handle = openSync(directory, 'r');
    fsyncSync(handle);
    closeSync(handle);
    if (directory === top || directory === dirname(directory)) return;
  }
}

async function* read(store: Store, fromSeq: number, throughSeq: number): AsyncIterable<readonly Entry[]> {
  for (let next = Math.max(fromSeq, 1); ; ) {
    const found = store.read(next, throughSeq);
    if (!found) return;
    next = found.next;
    yield found.entries;
  }
}

function readerOf(store: Store): JournalReader {
  return {
    read: (fromSeq) => read(store, fromSeq, store.isOpen() ? store.tail().lastSeq : Number.MAX_SAFE_INTEGER),
    tail: async () => store.tail(),
    getBlob: async (digest) => store.getBlob(digest),
    close: async () => store.close(),
  };
}

export async function openSqliteJournal(options: { readonly path: string }): Promise<Journal> {
  const path = resolve(options.path);
  try {
    const madeFrom = mkdirSync(dirname(path), { recursive: true });
    const store = storeOn(openForWriting(path), path);
    syncDirectories(path, madeFrom);
    return {
      ...readerOf(store),
      append: async (batch, expect) => store.append(batch, expect),
      async trim(beforeSeq) {
        while (!store.trimSome(beforeSeq));
      },
      putBlob: async (bytes) => store.putBlob(bytes),
    };
  } catch (error) {
    throw translated(path, error);
  }
}

/** Reads a journal, also while another process writes it. */
export async function readSqliteJournal(options: { readonly path: string }): Promise<JournalReader> {
  const path = resolve(options.path);
  try {
    return readerOf(storeOn(openForReading(path), path));
  } catch (error) {
    throw translated(path, error);
  }
}
