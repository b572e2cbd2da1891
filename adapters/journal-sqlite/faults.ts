// Owns: what journal-sqlite says when it refuses, and which of SQLite's own errors are refusals.
import { OperatorError, RuntimeFault } from '../../src/model/errors.ts';
import type { JournalRefusal } from '../../src/ports/journal.ts';

/** No refusals of one append: what is stored is not what was stored; what was taken may not outlive a power cut. */
export type SqliteJournalFault = JournalRefusal | 'journal-damaged' | 'journal-unsynced';

export const fault = (code: SqliteJournalFault, message: string, remedy: string, cause?: unknown) =>
  new RuntimeFault(`[journal-sqlite] ${message}`, { code, remedy, cause });

export const damaged = (path: string, what: string, cause?: unknown) =>
  fault(
    'journal-damaged',
    `${path} is damaged: ${what}`,
    'Keep a copy of it with its -wal file and put back the newest backup; nothing has been changed.',
    cause,
  );

export const operatorFault = (code: string, message: string, remedy: string, cause?: unknown) =>
  new OperatorError(`[journal-sqlite] ${message}`, { code, remedy, cause });

/** Primary result codes, https://sqlite.org/rescode.html: the low byte of the extended one. */
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/**
 * SQLite's error as ours where it is certain that nothing was taken; otherwise as it is, which means "the answer was lost"
 * (an I/O error in the middle of a commit may leave it on the disk).
 */
export function translated(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  const text = error instanceof Error ? error.message : String(error);
  if (code === SQLITE_FULL) {
    return fault(
      'journal-full',
      `${path} has no room: ${text}`,
      'Free disk space or trim the journal; nothing is acted on until it can be written.',
      error,
    );
  }
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return damaged(path, text, error);
  // `syscall`: Node's own word for a file system error; only opening meets one.
  if (code === SQLITE_CANTOPEN || (error instanceof Error && 'syscall' in error)) {
    return operatorFault(
      'journal-unreachable',
      `cannot open ${path}: ${text}`,
      'Check that its directory can be made or is there, and that this user may write in it.',
      error,
    );
  }
  return error;
}
