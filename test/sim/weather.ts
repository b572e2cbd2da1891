// Owns: the weather of a simulated world: how often what goes wrong, drawn from the seed once, so that one world is calm but
// for crashes and the next one's devices lie all day. In percent of the occasions.
import type { Prng } from '../../src/testing/prng.ts';

export interface Weather {
  /** Each time an append becomes durable, before and after. */
  readonly crashAtAppend: number;
  readonly crashAtCommand: number;
  /** Each time a blob is written, before it is whole or before an entry names it. */
  readonly crashAtBlob: number;
  /** Each time something is forgotten. */
  readonly crashAtTrim: number;
  /** Before each start: a snapshot is torn, or gone. */
  readonly spoiltBlob: number;
  /** Request or answer of an append lost, or late. */
  readonly badAppend: number;
  readonly slowDisk: number;
  readonly slowAnswer: number;
  /** The session ends before the device took a command, in the middle of it, or before its answer came. */
  readonly cutSession: number;
  /** The session ends, and the device takes what was sent up to some seconds later. */
  readonly lateCommand: number;
  /** The answer is cut at some byte, or is other text. */
  readonly garbage: number;
  /** The answer tells another state than there is. */
  readonly lie: number;
  readonly refusal: number;
  readonly lostDatagram: number;
  readonly doubledDatagram: number;
  readonly lateDatagram: number;
  readonly forgedDatagram: number;
  /** Each second. */
  readonly clockJump: number;
  readonly unreachable: number;
  readonly hand: number;
  /** Each second, of each host. */
  readonly cutStream: number;
  /** A migration that does not come to its end. */
  readonly brokenMigration: number;
  readonly crash: number;
  readonly freeze: number;
  readonly diskFull: number;
  /** Other versions of policies come into their folder. */
  readonly reload: number;
  /** How fast the wall clock runs. */
  readonly clockRate: number;
  readonly nodes: 1 | 2;
  /** Entries between two snapshots; 0: none are taken. */
  readonly snapshotEntries: number;
  /** How long entries stay, milliseconds. */
  readonly keepMs: number;
  /** How large the journal may get, bytes. */
  readonly journalBytes: number;
  /** Guests migrate, beside the gateways. */
  readonly migrations: boolean;
}

type Settings = 'snapshotEntries' | 'keepMs' | 'journalBytes' | 'migrations';

/** What does not change when the weather does: how Offbox is set up. */
export function settings({ snapshotEntries, keepMs, journalBytes, migrations }: Weather): Pick<Weather, Settings> {
  return { snapshotEntries, keepMs, journalBytes, migrations };
}

export const fair: Omit<Weather, Settings> = {
  crashAtAppend: 0,
  crashAtCommand: 0,
  crashAtBlob: 0,
  crashAtTrim: 0,
  spoiltBlob: 0,
  badAppend: 0,
  slowDisk: 0,
  slowAnswer: 0,
  cutSession: 0,
  lateCommand: 0,
  garbage: 0,
  lie: 0,
  refusal: 0,
  lostDatagram: 0,
  doubledDatagram: 0,
  lateDatagram: 0,
  forgedDatagram: 0,
  clockJump: 0,
  unreachable: 0,
  hand: 0,
  cutStream: 0,
  brokenMigration: 0,
  crash: 0,
  freeze: 0,
  diskFull: 0,
  reload: 0,
  clockRate: 1,
  nodes: 1,
};

export function weatherOf(prng: Prng): Weather {
  /** Half of the worlds know nothing of it. */
  const upTo = (percent: number): number => (prng.chance(50) ? 0 : prng.fraction() * percent);
  return {
    crashAtAppend: upTo(4),
    crashAtCommand: upTo(6),
    badAppend: upTo(25),
    slowDisk: upTo(5),
    slowAnswer: upTo(10),
    cutSession: upTo(15),
    lateCommand: upTo(25),
    garbage: upTo(10),
    lie: upTo(8),
    refusal: upTo(10),
    lostDatagram: upTo(40),
    doubledDatagram: upTo(20),
    lateDatagram: upTo(30),
    forgedDatagram: upTo(20),
    clockJump: upTo(5),
    unreachable: upTo(8),
    hand: upTo(5),
    crash: upTo(5),
    freeze: upTo(4),
    diskFull: upTo(2),
    clockRate: prng.chance(50) ? 1 : 0.98 + prng.fraction() * 0.04,
    nodes: prng.chance(40) ? 2 : 1,
    crashAtBlob: upTo(20),
    crashAtTrim: upTo(20),
    spoiltBlob: upTo(40),
    reload: upTo(4),
    snapshotEntries: prng.chance(20) ? 0 : prng.between(10, 200),
    keepMs: prng.pick([5_000, 30_000, 120_000, 30 * 86_400_000]),
    journalBytes: prng.chance(30) ? prng.between(100_000, 400_000) : Number.MAX_SAFE_INTEGER,
    migrations: prng.chance(40),
    cutStream: upTo(5),
    brokenMigration: upTo(50),
  };
}
