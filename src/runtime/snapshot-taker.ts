// Owns: when snapshots are taken, and their way into the journal.
//
// T1. A snapshot is of one moment: after an append whose entries have all been stepped. It is written in pieces, and the host goes on
//     in between: what is about to change is written first (core/sweep.ts).
// T2. Its blob is durable BEFORE the entry that names it.
// T3. Without one nothing is lost but time at the next start: what goes wrong with it is told, and it is tried again later.
import type { Engine } from '../core/engine.ts';
import type { EntryBody } from '../model/entry.ts';
import { messageOf } from '../model/errors.ts';
import {
  snapshotEntries,
  snapshotHurryMs,
  snapshotJsonBytesMax,
  snapshotMs,
  snapshotPatienceMs,
  snapshotSliceMs,
} from '../model/limits.ts';
import type { Journal } from '../ports/journal.ts';
import type { Wall } from '../ports/wall.ts';
import type { Requests } from './requests.ts';
import { fits, type KeptSnapshot, packed, piecesOf, type SnapshotEntry } from './snapshots.ts';
import { runtimeVersion } from './version.ts';
import { turn } from './wall.ts';

/** How it is done; a simulated process has ways of its own. */
export interface SnapshotWays {
  /** Entries between two snapshots. */
  readonly entries: number;
  /** Lets others work between two pieces. */
  readonly turn: () => Promise<void>;
  readonly pack: (json: Buffer) => Promise<Uint8Array>;
}

const everyday: SnapshotWays = { entries: snapshotEntries, turn, pack: packed };

export interface SnapshotTakerOptions {
  readonly wall: Wall;
  readonly journal: Pick<Journal, 'putBlob'>;
  readonly engine: () => Engine;
  readonly requests: Requests;
  /** Resolves with the entry's seq AFTER it is durable. */
  readonly submit: (body: EntryBody) => Promise<number>;
  readonly warn: (text: string) => void;
  readonly ways?: SnapshotWays | undefined;
  /** After one has been named by an entry. */
  readonly onTaken?: (taken: TakenSnapshot) => void;
}

export interface TakenSnapshot extends KeptSnapshot {
  readonly bytes: number;
  /** From the moment to its entry, milliseconds. */
  readonly tookMs: number;
  /** The longest that the host was kept from its work at once, milliseconds. */
  readonly longestMs: number;
}

/** What an append tells: what is wanted and not yet recorded, by reference to no more than the moment. */
interface Moment {
  readonly seq: number;
  readonly at: number;
  readonly derived: readonly EntryBody[];
}

export class SnapshotTaker {
  readonly #options: SnapshotTakerOptions;
  readonly #ways: SnapshotWays;
  #kept: readonly KeptSnapshot[] = [];
  #previous: number | undefined;
  #entries = 0;
  #takenAt: number;
  #moment: Moment | undefined;
  #writing: Promise<void> | undefined;
  #stopped = false;
  #hurried = false;

  constructor(options: SnapshotTakerOptions) {
    this.#options = options;
    this.#ways = options.ways ?? everyday;
    this.#takenAt = options.wall.monotonic();
  }

  /** Goes on from what recovery found; `entries` were replayed since. */
  begin(newest: SnapshotEntry | undefined, kept: readonly KeptSnapshot[], entries: number): void {
    this.#kept = kept;
    this.#previous = newest?.seq;
    this.#entries = entries;
  }

  /** Those that are still there, the oldest first. */
  get kept(): readonly KeptSnapshot[] {
    return this.#kept;
  }

  forget(gone: ReadonlySet<number>): void {
    this.#kept = this.#kept.filter(({ seq }) => !gone.has(seq));
  }

  /** The next one is taken as soon as anything comes: the journal must get shorter. */
  hurry(): void {
    this.#hurried = true;
  }

  /** After each append: `entries` were stepped, and this is wanted. Takes one where it is time. */
  appended(entries: number, moment: Moment): void {
    this.#entries += entries;
    this.#moment = moment;
    if (this.#writing || this.#stopped || !this.#isDue()) return;
    this.#start(moment);
  }

  /** The last one, when nothing more comes: the next start has nothing to replay. */
  async stop(): Promise<void> {
    await this.#writing;
    this.#stopped = true;
    const moment = this.#moment;
    // The entries of a snapshot itself, and what decides on it, are not worth another.
    if (!moment || this.#entries <= 2) return;
    this.#start(moment);
    await this.#writing;
  }

  #isDue(): boolean {
    const sinceMs = this.#options.wall.monotonic() - this.#takenAt;
    const isTime =
      this.#entries >= this.#ways.entries || (sinceMs >= (this.#hurried ? snapshotHurryMs : snapshotMs) && this.#entries > 2);
    if (!isTime) return false;
    const waitedMs = Math.max(sinceMs - snapshotMs, 0);
    const isPatient = this.#entries < 2 * this.#ways.entries && waitedMs < snapshotPatienceMs;
    return !isPatient || this.#options.engine().unsettled().length === 0;
  }

  #start(moment: Moment): void {
    const { wall, engine, requests, warn } = this.#options;
    const from = wall.monotonic();
    this.#takenAt = from;
    this.#entries = 0;
    this.#hurried = false;
    const now = engine();
    const policies = Object.fromEntries(now.policies().map(({ name, version }) => [name, version]));
    const unsettled = now.unsettled();
    const older = this.#kept;
    const pieces = piecesOf({ older, derived: [...moment.derived], requests: requests.save(), engine: now.save() });
    this.#writing = this.#write(moment, pieces, { policies, unsettled: [...unsettled] }, from)
      .catch((thrown: unknown) => warn(`no snapshot was taken at entry ${moment.seq}: ${messageOf(thrown)}`))
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #write(
    { seq: through, at }: Moment,
    pieces: Generator<string>,
    what: Pick<SnapshotEntry, 'policies' | 'unsettled'>,
    from: number,
  ): Promise<void> {
    const { wall, journal, submit, onTaken } = this.#options;
    let longestMs = wall.monotonic() - from;
    const chunks: Buffer[] = [];
    let jsonBytes = 0;
    for (let done = false; !done; ) {
      const sliceFrom = wall.monotonic();
      let text = '';
      // At least one piece: a wall that stands still ends no slice.
      for (let count = 0; !done && (wall.monotonic() - sliceFrom < snapshotSliceMs || count === 0); count += 1) {
        const next = pieces.next();
        if (next.done) done = true;
        else text += next.value;
      }
      const chunk = Buffer.from(text);
      chunks.push(chunk);
      jsonBytes += chunk.length;
      if (jsonBytes > snapshotJsonBytesMax) throw new RangeError(`it is more than ${snapshotJsonBytesMax} bytes`);
      longestMs = Math.max(longestMs, wall.monotonic() - sliceFrom);
      await this.#ways.turn();
    }
    const blob = await this.#ways.pack(Buffer.concat(chunks, jsonBytes));
    if (!fits(blob)) throw new RangeError(`it is ${blob.length} bytes, compressed`);
    const digest = await journal.putBlob(blob);
    const previous = this.#previous;
    const named = { kind: 'snapshot', through, digest, runtime: runtimeVersion, ...what } as const;
    const seq = await submit({ ...named, ...(previous === undefined ? {} : { previous }) });
    this.#previous = seq;
    const kept = { seq, through, at, digest, unsettled: what.unsettled.length > 0 };
    this.#kept = [...this.#kept, kept];
    onTaken?.({ ...kept, bytes: blob.length, tookMs: wall.monotonic() - from, longestMs });
  }
}
