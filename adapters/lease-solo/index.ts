// Owns: the lease of a node that stands alone: an exclusive lock on the data directory and an epoch that rises with every
// holder. Node has no flock, so the lock is SQLite's on lock.sqlite (POSIX fcntl): the kernel drops it with the process,
// however that ends. The epoch is kept in the same file, so that lock and number can never disagree.
//
// Who deletes lock.sqlite under a running Offbox gets a second one; the newer epoch then ends the older one at the
// journal (`stale-epoch`). On a network file system the lock is as good as that system's fcntl locks.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, OperatorError, RuntimeFault } from '../../src/model/errors.ts';
import type { Lease, LeaseHolder } from '../../src/ports/lease.ts';

export interface SoloLeaseOptions {
  /** The data directory; made if it is not there. */
  readonly directory: string;
  /** What this Offbox is, for the one who is refused: `offbox start in /srv/offbox`. Its pid, host and start are added. */
  readonly describe: () => string;
  /** The newest epoch known elsewhere (the journal's), asked under the lock: a lost lock file then costs nothing. */
  readonly seenEpoch?: () => Promise<number>;
}

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
/** Two that start at the same instant may meet each other's look at the lock; a holder keeps it far longer. */
const busyMs = 500;
const holderCharactersMax = 500;

const operatorError = (code: string, message: string, remedy: string, cause: unknown) =>
  new OperatorError(`[lease-solo] ${message}`, { code, remedy, cause });

const hasCode = (error: unknown, code: number): boolean =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === code;

/** The holder's own words, and since when: the file's time serves, so that no clock is needed here. */
function holderIn(file: string): string {
  try {
    const text = readFileSync(file, 'utf8')
      .slice(0, holderCharactersMax)
      .replace(/\p{C}+/gu, ' ')
      .trim();
    const since = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'UTC' }).format(
      statSync(file).mtimeMs,
    );
    return `${text}, since ${since} UTC`;
  } catch {
    return 'another Offbox that has not said its name yet';
  }
}

/** Takes the lock and keeps it: `locking_mode` EXCLUSIVE holds on to it after the commit, until the connection closes. */
async function lockedEpoch(db: DatabaseSync, seenEpoch: () => Promise<number>): Promise<number> {
  // EXTRA also syncs the directory after the rollback journal: else a power cut could bring back the epoch before.
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = EXTRA; BEGIN EXCLUSIVE;');
  db.exec('CREATE TABLE IF NOT EXISTS lease(epoch INTEGER NOT NULL) STRICT');
  const kept = db.prepare('SELECT max(epoch) AS epoch FROM lease').get() as { epoch: number | null };
  const epoch = Math.max(kept.epoch ?? 0, await seenEpoch()) + 1;
  db.exec('DELETE FROM lease');
  db.prepare('INSERT INTO lease(epoch) VALUES(?)').run(epoch);
  db.exec('COMMIT');
  return epoch;
}

function refusal(directory: string, lock: string, holder: string, error: unknown): OperatorError {
  if (hasCode(error, SQLITE_BUSY)) {
    return operatorError(
      'already-running',
      `${directory} is in use: ${holderIn(holder)}`,
      'Stop that one first, or give this one a data directory of its own.',
      error,
    );
  }
  return operatorError(
    'no-lease',
    `cannot lock ${lock}: ${messageOf(error)}`,
    hasCode(error, SQLITE_FULL)
      ? 'Free disk space, then start again.'
      : 'Check that this user may write there; if the file is damaged and no Offbox runs on it, delete it.',
    error,
  );
}

export function soloLease({ directory, describe, seenEpoch = async () => 0 }: SoloLeaseOptions): LeaseHolder {
  const lock = join(directory, 'lock.sqlite');
  const holder = join(directory, 'holder.txt');

  async function acquire(): Promise<Lease> {
    let db: DatabaseSync | undefined;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      db = new DatabaseSync(lock, { timeout: busyMs });
      const epoch = await lockedEpoch(db, seenEpoch);
      writeFileSync(`${holder}.new`, `pid ${process.pid} on ${hostname()} (${describe()})\n`);
      renameSync(`${holder}.new`, holder);
      return { epoch, release: async () => release(db!) };
    } catch (error) {
      if (db?.isOpen) db.close();
      throw error instanceof OperatorError || error instanceof RuntimeFault ? error : refusal(directory, lock, holder, error);
    }
  }

  function release(db: DatabaseSync): void {
    if (!db.isOpen) return;
    rmSync(holder, { force: true });
    db.close();
  }

  return { acquire };
}
