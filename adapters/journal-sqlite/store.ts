// Owns: the journal's transactions, synchronous, on one connection: rows in, rows out. Which thread it runs in is not its
// business (thread.ts for the writer, the caller's own for a reader).
//
// S1 Rows are contiguous: each one's first_seq is the one's before plus one. A hole is damage, not a gap.
// S2 The newest row is never deleted (trim empties it), so the tail outlives whatever it numbered.
// S3 No statement stays open between calls: an open read would keep the log (-wal) from starting over, and it would grow.
// S4 The log is brought into the file by checkpoint(), which the caller runs when nobody waits for it.
// S5 Nothing is taken, and nothing is durable, where the file or its log has been deleted, moved or replaced: SQLite goes on writing what
//    nobody can open any more.
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, fsyncSync, openSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { journalBlobBytesMax, journalRowBytesMax } from '../../src/model/limits.ts';
import { entryJson } from '../../src/model/written-event.ts';
import type { Expectation, Room, Tail } from '../../src/ports/journal.ts';
import { damaged, fault, translated } from './faults.ts';
import { entriesOf, type PlainRow, type Row, rowOf, sealed } from './rows.ts';

/** Rows deleted in one transaction by trim: at 4 MiB a row at most it stays under 64 MiB of log. */
const trimRows = 16;
/** Rows read at once, unless they are journalRowBytesMax together before. */
const readRows = 256;
/** What an append writes beside its entries: the page it begins in and the one that points to it. */
export const appendOverheadBytes = 2 * 4_096;

const emptyTail: Tail = { lastSeq: 0, lastAt: 0, epoch: 0 };

export interface Store {
  /** All rows or none. They are consecutive and begin with the seq after `expect.lastSeq`. */
  append(rows: readonly PlainRow[], expect: Expectation): void;
  /** Some rows that hold entries `fromSeq` and on, not beyond `throughSeq`; none when there are no more. */
  read(fromSeq: number, throughSeq: number): readonly Row[];
  tail(): Tail;
  /** Deletes some of what is before `beforeSeq`; true when all of it is gone. */
  trimSome(beforeSeq: number): boolean;
  putBlob(bytes: Uint8Array): string;
  getBlob(digest: string): Uint8Array<ArrayBuffer> | undefined;
  deleteBlob(digest: string): void;
  blobs(): readonly string[];
  room(): Room;
  /** Brings the log to the disk, with so many bytes that were appended on another connection. */
  sync(bytes: number): void;
  /** Brings the log into the file where so much was written since the last time. */
  checkpoint(fromBytes: number): void;
  close(): void;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Runs work on an open journal; SQLite's refusals become ours. */
function guard(db: DatabaseSync, path: string) {
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
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } finally {
        // SQLite ends the transaction itself on some errors (full, I/O), not on others.
        if (db.isTransaction) db.exec('ROLLBACK');
      }
    });
  }

  return { guarded, inTransaction };
}

type Guard = ReturnType<typeof guard>;

export function tailStatement(db: DatabaseSync): () => Tail {
  const statement = db.prepare('SELECT last_seq AS lastSeq, at AS lastAt, epoch FROM batch ORDER BY first_seq DESC LIMIT 1');
  return () => ({ ...emptyTail, ...(statement.get() as Tail | undefined) });
}

/** The statement returns how many bytes of body it stored. */
export function insertStatement(db: DatabaseSync): (row: PlainRow) => number {
  const statement = db.prepare('INSERT INTO batch(first_seq, last_seq, at, epoch, crc, body) VALUES(?, ?, ?, ?, ?, ?)');
  return (plain) => {
    const { first_seq, last_seq, at, epoch, crc, body } = sealed(plain);
    statement.run(first_seq, last_seq, at, epoch, crc, body);
    return body.length;
  };
}

function readOn(db: DatabaseSync, path: string): Store['read'] {
  // One statement, one snapshot: another process may trim meanwhile.
  const rowsFrom = db.prepare(
    `SELECT * FROM batch WHERE first_seq >= coalesce((SELECT max(first_seq) FROM batch WHERE first_seq <= $from), $from)
     AND first_seq <= $through ORDER BY first_seq LIMIT ${readRows}`,
  );
  const missing = (from: number, through: number) => damaged(path, `entries ${from} to ${through} are missing`);

  return (from, through) => {
    const rows: Row[] = [];
    let bytes = 0;
    let seen = 0;
    let next: number | undefined;
    for (const row of rowsFrom.iterate({ from, through }) as Iterable<unknown> as Iterable<Row>) {
      // S1; before the first row numbers may be missing: trim took them.
      if (next !== undefined && row.first_seq !== next) throw missing(next, row.first_seq - 1);
      next = row.last_seq + 1;
      seen += 1;
      if (row.last_seq >= from) rows.push(row);
      bytes += row.body.length;
      if (bytes >= journalRowBytesMax && rows.length > 0) return rows;
    }
    // S2: the row that holds `through` is there as long as the file is whole.
    if (seen < readRows && from <= through && (next ?? from) <= through) throw missing(next ?? from, through);
    return rows;
  };
}

function trimOn(db: DatabaseSync, path: string, tail: () => Tail): (beforeSeq: number) => boolean {
  const lastBefore = db.prepare('SELECT * FROM batch WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1');
  const removeOne = db.prepare('DELETE FROM batch WHERE first_seq = ?');
  const removeSome = db.prepare(
    'DELETE FROM batch WHERE first_seq IN (SELECT first_seq FROM batch WHERE first_seq < ? ORDER BY first_seq LIMIT ?)',
  );
  const insert = insertStatement(db);

  return (beforeSeq) => {
    const last = lastBefore.get(beforeSeq) as unknown as Row | undefined;
    if (last === undefined) return true;
    if (Number(removeSome.run(last.first_seq, trimRows).changes) === trimRows) return false;
    const keeps = last.last_seq >= beforeSeq || last.last_seq === tail().lastSeq;
    removeOne.run(last.first_seq);
    if (keeps) {
      const kept = entriesOf(path, last).filter((entry) => entry.seq >= beforeSeq);
      const lines = kept.map(({ seq: _, ...entry }) => entryJson(entry));
      insert(rowOf(Math.min(beforeSeq, last.last_seq), last.last_seq, last.at, last.epoch, lines));
    }
    return true;
  };
}

function blobsOn(
  db: DatabaseSync,
  path: string,
  { guarded, inTransaction }: Guard,
): Pick<Store, 'putBlob' | 'getBlob' | 'deleteBlob' | 'blobs'> {
  const get = db.prepare('SELECT bytes FROM blob WHERE digest = ?');
  const remove = db.prepare('DELETE FROM blob WHERE digest = ?');
  const digests = db.prepare('SELECT digest FROM blob');
  const put = db.prepare('INSERT OR IGNORE INTO blob(digest, bytes) VALUES(?, ?)');
  return {
    putBlob(bytes) {
      if (bytes.length > journalBlobBytesMax) {
        throw fault(
          'entry-too-large',
          `refused a blob of ${bytes.length} bytes, the limit is ${journalBlobBytesMax}`,
          'Store less in one blob.',
        );
      }
      const digest = sha256(bytes);
      inTransaction(() => put.run(digest, bytes));
      return digest;
    },
    getBlob: (digest) =>
      guarded(() => {
        const found = get.get(digest) as { bytes: Uint8Array<ArrayBuffer> } | undefined;
        if (found && sha256(found.bytes) !== digest) throw damaged(path, `blob ${digest} does not match its digest`);
        return found?.bytes;
      }),
    deleteBlob: (digest) => inTransaction(() => void remove.run(digest)),
    blobs: () => guarded(() => (digests.all() as { digest: string }[]).map(({ digest }) => digest)),
  };
}

/** Pages that trim or a blob left are used again before the file grows. */
function roomOn(db: DatabaseSync, path: string): () => Room {
  const number = (sql: string) => {
    const statement = db.prepare(sql);
    return (): number => Number(Object.values(statement.get() ?? {})[0]);
  };
  const [pages, free, most] = [number('PRAGMA page_count'), number('PRAGMA freelist_count'), number('PRAGMA max_page_count')];
  const pageBytes = number('PRAGMA page_size')();
  return () => {
    const used = pages() - free();
    const { bavail, bsize } = statfsSync(dirname(path));
    const onDisk = bavail * bsize + free() * pageBytes;
    return { usedBytes: used * pageBytes, freeBytes: Math.min((most() - used) * pageBytes, onDisk) };
  };
}

/** Throws where one of these files is not the one any more that it was at the first call that found it (S5). */
function stillThere(paths: readonly string[]): () => void {
  const seen = new Map<string, Pick<BigIntStats, 'dev' | 'ino'>>();
  return () => {
    for (const path of paths) {
      const now = statSync(path, { bigint: true, throwIfNoEntry: false });
      const before = seen.get(path);
      if (now && !before) seen.set(path, now);
      if (!before || (now?.ino === before.ino && now.dev === before.dev)) continue;
      throw fault(
        'journal-closed',
        `${path} is not the file any more that was opened: it was deleted, moved or replaced`,
        'Put it back with its -wal file, as it was, then start Offbox again; never touch them while it runs.',
      );
    }
  };
}

/** Throws where the journal is not as its caller knows it. */
function refuseOther(found: Tail, expect: Expectation, path: string): void {
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
}

export function storeOn(db: DatabaseSync, path: string): Store {
  const guards = guard(db, path);
  const { guarded, inTransaction } = guards;
  const tail = tailStatement(db);
  const insert = insertStatement(db);
  const read = readOn(db, path);
  const trim = trimOn(db, path, tail);
  const { putBlob, getBlob, deleteBlob, blobs } = blobsOn(db, path, guards);
  const room = roomOn(db, path);
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const check = stillThere([path, `${path}-wal`]);
  check();
  let writtenBytes = 0;
  /** It stays the same file for as long as a connection is open. */
  let log: number | undefined;

  function append(rows: readonly PlainRow[], expect: Expectation): void {
    inTransaction(() => {
      check();
      refuseOther(tail(), expect, path);
      for (const row of rows) writtenBytes += insert(row) + appendOverheadBytes;
    });
  }

  return {
    append,
    read: (from, through) => guarded(() => read(from, through)),
    tail: () => guarded(tail),
    trimSome: (beforeSeq) => inTransaction(() => trim(beforeSeq)),
    putBlob(bytes) {
      writtenBytes += bytes.length;
      return putBlob(bytes);
    },
    getBlob,
    deleteBlob,
    blobs,
    room: () => guarded(room),
    sync(bytes) {
      check();
      log ??= openSync(`${path}-wal`, 'r');
      fsyncSync(log);
      writtenBytes += bytes;
    },
    checkpoint(fromBytes) {
      if (writtenBytes < fromBytes) return;
      writtenBytes = 0;
      try {
        // PASSIVE waits for nobody: what a reader still needs is left for the next time.
        passive.get();
      } catch {
        // The log keeps what the file could not take: nothing is lost, and the append that has no room left says so.
      }
    },
    close() {
      if (db.isOpen) db.close();
      if (log !== undefined) closeSync(log);
      log = undefined;
    },
  };
}
