// Owns: the journal's file: whether it is one of ours, its format and tables, its directory, and what of it a crash or a
// bad disk has made unreadable.
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { damaged, fault, operatorFault } from './faults.ts';
import { rowOf } from './rows.ts';
import { insertStatement, tailStatement } from './store.ts';
import { inspectLog, keepCopy, type LogInspection } from './wal.ts';

/** `Offb` in the file's header, so that no other program's database is taken for a journal. */
const applicationId = 0x4f666662;
const formatVersion = 1;
/** How long a transaction of another process is waited for: there is none but a mistaken one (the lease sees to that). */
const busyMs = 2_000;
/** What the log may keep on the disk after a large blob went through it. */
const logBytesKept = 16 * 1024 * 1024;
/** Appends that may be in the log and not on the disk (beside.ts), of which nobody has been told. */
const untoldMax = 32;
/** SQLite's own limit. */
const pagesMax = 0xfffffffe;

const schema = `
  CREATE TABLE batch(
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
    crc INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE blob(digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`;

const firstColumn = (db: DatabaseSync, sql: string): unknown => Object.values(db.prepare(sql).get() ?? {})[0];

function checkFormat(db: DatabaseSync, path: string): 'new' | 'ours' {
  const version = Number(firstColumn(db, 'PRAGMA user_version'));
  const id = Number(firstColumn(db, 'PRAGMA application_id'));
  if (version === 0 && id === 0 && firstColumn(db, 'SELECT 1 FROM sqlite_schema LIMIT 1') === undefined) return 'new';
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

/** The connection if `use` does not refuse it; else it is closed. */
function opened<T>(db: DatabaseSync, use: () => T): T {
  try {
    return use();
  } catch (error) {
    db.close();
    throw error;
  }
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  return opened(db, () => {
    if (checkFormat(db, path) === 'ours') return db;
    throw operatorFault('not-a-journal', `${path} is empty`, 'Start Offbox once; it makes its journal.');
  });
}

interface UnreadableLog extends LogInspection {
  /** Frames that SQLite can read. */
  readonly readable: number;
}

/**
 * What of the log cannot be read, found before anything writes over it. Read only, and so without the checkpoint that
 * closing a writer would do: if the file is refused, it is left as it was found.
 */
function unreadableLog(path: string): UnreadableLog | undefined {
  const log = inspectLog(`${path}-wal`);
  if (log === undefined || log.frames === 0) return undefined;
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) throw damaged(path, 'its log (-wal) is there and it is not');
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  try {
    // NOOP asks for the counts alone; the first column is `busy`.
    const counts = db.prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number };
    const readable = log.headless ? 0 : counts.log;
    // Frames behind the last commit alone are an append that a crash cut short: nobody was told of it.
    if (!log.commits.some((place) => place > readable)) return undefined;
    const found = String(firstColumn(db, 'PRAGMA quick_check(1)'));
    if (found !== 'ok')
      throw damaged(
        path,
        `${log.frames - readable} pages of its log cannot be read, and the rest does not hold together (${found})`,
      );
    return { ...log, readable };
  } finally {
    db.close();
  }
}

/** Gives up as many numbers as entries can have been lost (each took a byte at least), so that none is ever used twice. */
function skipLost(db: DatabaseSync, lostBytes: number): number {
  const { lastSeq, lastAt, epoch } = tailStatement(db)();
  insertStatement(db)(rowOf(lastSeq + 1, lastSeq + lostBytes, lastAt, epoch, []));
  return lastSeq;
}

function cut(path: string, db: DatabaseSync, log: UnreadableLog, copy: string | undefined): string {
  const lastSeq = skipLost(db, (log.frames - log.readable) * log.pageBytes);
  const commits = log.commits.filter((place) => place > log.readable).length;
  const appends = log.headless ? 'an unknown number of appends' : `${commits} append${commits === 1 ? '' : 's'}`;
  const innocent =
    commits <= untoldMax && !log.headless ? ' (what a crash took before anybody was told of it looks the same)' : '';
  const kept = copy ? `The log is kept as ${copy}.` : 'No copy of the log was kept: there are too many already.';
  return `[journal-sqlite] ${path} ends at entry ${lastSeq}: ${appends} after it cannot be read${innocent}. Their numbers are not used again. ${kept}`;
}

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

function limitPages(db: DatabaseSync, bytesMax: number): void {
  db.exec(`PRAGMA max_page_count = ${Math.min(Math.floor(bytesMax / Number(firstColumn(db, 'PRAGMA page_size'))), pagesMax)}`);
}

/**
 * A second connection of the process that writes it already. It waits for nobody, for no disk either (NORMAL: a commit is in the log, and
 * not synced), and leaves the log where it is.
 */
export function openBeside(path: string, bytesMax: number): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 0 });
  return opened(db, () => {
    db.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${logBytesKept};`);
    limitPages(db, bytesMax);
    return db;
  });
}

export interface OpenedFile {
  readonly db: DatabaseSync;
  /** What was cut, in sentences for the operator. */
  readonly cut: string | undefined;
}

export function openForWriting(path: string, bytesMax: number): OpenedFile {
  const madeFrom = mkdirSync(dirname(path), { recursive: true });
  const lost = unreadableLog(path);
  const copy = lost && keepCopy(`${path}-wal`);
  const db = new DatabaseSync(path, { timeout: busyMs });
  return opened(db, () => {
    const found = checkFormat(db, path);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${logBytesKept};`);
    if (found === 'new') db.exec(`BEGIN EXCLUSIVE; ${schema} COMMIT;`);
    limitPages(db, bytesMax);
    syncDirectories(path, madeFrom);
    return { db, cut: lost && cut(path, db, lost, copy) };
  });
}
