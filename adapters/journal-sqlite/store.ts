// Owns: the journal's file: its tables, its format version, its transactions. Synchronous, on one connection; index.ts
// makes the port of it.
//
// S1 Rows are contiguous: each one's first_seq is the one's before plus one. A hole is damage, not a gap.
// S2 The newest row is never deleted (trim empties it), so the tail outlives whatever it numbered.
// S3 No statement stays open between calls: an open read would keep the log (-wal) from starting over, and it would grow.
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { journalBlobBytesMax } from '../../src/model/limits.ts';
import type { Expectation, Tail } from '../../src/ports/journal.ts';
import { damaged, fault, operatorFault, translated } from './faults.ts';
import { entriesOf, type Row, rowOf, rowsOf } from './rows.ts';

/** `Offb` in the file's header, so that no other program's database is taken for a journal. */
const applicationId = 0x4f666662;
export const formatVersion = 1;
/** How long a transaction of another process is waited for: there is none but a mistaken one (the lease sees to that). */
const busyMs = 2_000;
/** Rows deleted in one transaction by trim: at 4 MiB a row at most it stays under 64 MiB of log. */
const trimRows = 16;

const schema = `
  CREATE TABLE batch(
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
    crc INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE blob(digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`;

const emptyTail: Tail = { lastSeq: 0, lastAt: 0, epoch: 0 };

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

function checkFormat(db: DatabaseSync, path: string): 'new' | 'ours' {
  const version = pragma(db, 'user_version');
  const id = pragma(db, 'application_id');
  if (version === 0 && id === 0 && db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined) return 'new';
  if (id !== applicationId) {
    throw operatorFault('not-a-journal', `${path} is a database of another program`, 'Name another path for the journal.');
  }
  if (version > formatVersion) {
    throw fault(
      'journal-version',
      `${path} has format ${version}; this Offbox reads formats up to ${formatVersion}`,
      'Run the Offbox that wrote it, or a newer one.',
    );
  }
  return 'ours';
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  try {
    if (checkFormat(db, path) === 'new')
      throw operatorFault('not-a-journal', `${path} is empty`, 'Start Offbox once; it makes its journal.');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function openForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busyMs });
  try {
    const found = checkFormat(db, path);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (found === 'new') db.exec(`BEGIN EXCLUSIVE; ${schema} COMMIT;`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export interface Store {
  append(batch: readonly NewEntry[], expect: Expectation): { firstSeq: number };
  /** The first row with entries from `fromSeq` on, not beyond `throughSeq`; `next` is where to go on. */
  read(fromSeq: number, throughSeq: number): { readonly entries: readonly Entry[]; readonly next: number } | undefined;
  tail(): Tail;
  /** Deletes some of what is before `beforeSeq`; true when all of it is gone. */
  trimSome(beforeSeq: number): boolean;
  putBlob(bytes: Uint8Array): string;
  getBlob(digest: string): Uint8Array | undefined;
  isOpen(): boolean;
  close(): void;
}

export function storeOn(db: DatabaseSync, path: string): Store {
  const tailOf = db.prepare('SELECT last_seq AS lastSeq, at AS lastAt, epoch FROM batch ORDER BY first_seq DESC LIMIT 1');
  const insert = db.prepare('INSERT INTO batch(first_seq, last_seq, at, epoch, crc, body) VALUES(?, ?, ?, ?, ?, ?)');
  const rowBefore = db.prepare('SELECT * FROM batch WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1');
  const rowFrom = db.prepare('SELECT * FROM batch WHERE first_seq >= ? ORDER BY first_seq LIMIT 1');
  const removeOne = db.prepare('DELETE FROM batch WHERE first_seq = ?');
  const removeSome = db.prepare(
    'DELETE FROM batch WHERE first_seq IN (SELECT first_seq FROM batch WHERE first_seq < ? ORDER BY first_seq LIMIT ?)',
  );
  const getBytes = db.prepare('SELECT bytes FROM blob WHERE digest = ?');
  const putBytes = db.prepare('INSERT OR IGNORE INTO blob(digest, bytes) VALUES(?, ?)');
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');

  const tail = () => (tailOf.get() as Tail | undefined) ?? emptyTail;
  const write = (row: Row) => insert.run(row.first_seq, row.last_seq, row.at, row.epoch, row.crc, row.body);

  function guarded<T>(work: () => T): T {
    if (!db.isOpen) throw fault('journal-closed', `${path} is closed`, 'Nothing may be appended or read after close().');
    try {
      return work();
    } catch (error) {
      throw translated(path, error);
    }
  }

  function inTransaction<T>(work: () => T): T {
    return guarded(() => {
      begin.run();
      try {
        const result = work();
        commit.run();
        return result;
      } finally {
        // SQLite ends the transaction itself on some errors (full, I/O), not on others.
        if (db.isTransaction) rollback.run();
      }
    });
  }

  function append(batch: readonly NewEntry[], expect: Expectation) {
    const rows = rowsOf(batch, expect.lastSeq + 1, expect.epoch);
    return inTransaction(() => {
      const found = tail();
      if (expect.epoch < found.epoch) {
        throw fault(
          'stale-epoch',
          `refused epoch ${expect.epoch}: epoch ${found.epoch} has written to ${path} since`,
          'Stop acting: another Offbox holds the lease.',
        );
      }
      if (expect.lastSeq !== found.lastSeq) {
        throw fault(
          'not-the-tail',
          `expected seq ${expect.lastSeq} last in ${path} and found ${found.lastSeq}`,
          'Read on from there before appending.',
        );
      }
      for (const row of rows) write(row);
      return { firstSeq: expect.lastSeq + 1 };
    });
  }

  /** S1: only at the front may numbers be missing, where trim took them (perhaps just now, in another process). */
  function following(before: Row | undefined, next: number): Row | undefined {
    const row = rowFrom.get(next) as Row | undefined;
    const trimmedTo = (before === undefined || rowBefore.get(next) === undefined) && row !== undefined;
    if (trimmedTo || (before && row?.first_seq === before.last_seq + 1)) return row;
    throw damaged(path, `entries from ${next} on are missing${row ? ` up to ${row.first_seq - 1}` : ''}`);
  }

  function read(fromSeq: number, throughSeq: number) {
    return guarded(() => {
      for (let next = fromSeq; next <= throughSeq; ) {
        const before = rowBefore.get(next + 1) as Row | undefined;
        const row = before && before.last_seq >= next ? before : following(before, next);
        if (row === undefined) return undefined;
        const entries = entriesOf(path, row).filter((entry) => entry.seq >= next && entry.seq <= throughSeq);
        next = row.last_seq + 1;
        if (entries.length > 0) return { entries, next };
      }
      return undefined;
    });
  }

  function trimSome(beforeSeq: number): boolean {
    return inTransaction(() => {
      const last = rowBefore.get(beforeSeq) as Row | undefined;
      if (last === undefined) return true;
      const { changes } = removeSome.run(last.first_seq, trimRows);
      if (Number(changes) === trimRows) return false;
      const isTail = last.last_seq === tail().lastSeq;
      if (last.last_seq >= beforeSeq || isTail) {
        const kept = entriesOf(path, last).filter((entry) => entry.seq >= beforeSeq);
        const lines = kept.map(({ seq: _, ...entry }) => JSON.stringify(entry));
        removeOne.run(last.first_seq);
        write(rowOf(Math.min(beforeSeq, last.last_seq), last.last_seq, last.at, last.epoch, lines));
      } else {
        removeOne.run(last.first_seq);
      }
      return true;
    });
  }

  function putBlob(bytes: Uint8Array): string {
    if (bytes.length > journalBlobBytesMax) {
      throw fault(
        'entry-too-large',
        `refused a blob of ${bytes.length} bytes, the limit is ${journalBlobBytesMax}`,
        'Store less in one blob.',
      );
    }
    const digest = createHash('sha256').update(bytes).digest('hex');
    inTransaction(() => putBytes.run(digest, bytes));
    return digest;
  }

  function getBlob(digest: string): Uint8Array | undefined {
    return guarded(() => {
      const found = getBytes.get(digest) as { bytes: Uint8Array } | undefined;
      if (!found) return undefined;
      if (createHash('sha256').update(found.bytes).digest('hex') !== digest)
        throw damaged(path, `blob ${digest} does not match its digest`);
      return found.bytes;
    });
  }

  return {
    append,
    read,
    tail: () => guarded(tail),
    trimSome,
    putBlob,
    getBlob,
    isOpen: () => db.isOpen,
    close: () => db.isOpen && db.close(),
  };
}
