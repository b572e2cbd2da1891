// Owns: when snapshots are taken, and their way into the journal.
//
// T1. A snapshot is of one moment: after an append whose entries have all been stepped. It is written in pieces, and the host goes on
//     in between: what is about to change is written first (core/sweep.ts).
// T2. Its blob is durable BEFORE the entry that names it.
// T3. Without one nothing is lost but time at the next start: what goes wrong with it is told, and it is tried again later.
import type { Engine } from '../core/engine.ts';
import type { EntryBody } from '../model/entry.ts';
import { messageOf } from '../model/errors.ts';
import { free } from '../model/free.ts';
import { snapshotEntries, snapshotHurryMs, snapshotMs, snapshotPatienceMs, snapshotSliceMs } from '../model/limits.ts';
import type { Journal } from '../ports/journal.ts';
import type { Wall } from '../ports/wall.ts';
import type { WrittenSnapshot } from './apart/messages.ts';
import type { Requests } from './requests.ts';
import { fits, type KeptSnapshot, packed, type SnapshotEntry } from './snapshots.ts';
import { runtimeVersion } from './version.ts';
import { turn } from './wall.ts';
import { writtenSnapshot } from './written.ts';

/** How it is done; a simulated process has ways of its own. */
export interface SnapshotWays {
  /** Entries between two snapshots. */
  readonly entries: number;
  /** Lets others work between two pieces. */
  readonly turn: () => Promise<void>;
  readonly pack: (json: Buffer) => Promise<Uint8Array<ArrayBuffer>>;
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
  /** Where policies run apart: their end of it, and the policies that wait for an answer. */
  readonly apart?: SnapshotsApart | undefined;
  /** After one has been named by an entry. */
  readonly onTaken?: (taken: TakenSnapshot) => void;
}

/** What it needs of where policies run. */
export interface SnapshotsApart {
  readonly unsettled: readonly string[];
  snapshot(through: number, at: number, older: readonly KeptSnapshot[], requests: string): Promise<WrittenSnapshot>;
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
    const { apart, engine } = this.#options;
    return !isPatient || (apart ? apart.unsettled : engine().unsettled()).length === 0;
  }

  #start(moment: Moment): void {
    const { wall, warn } = this.#options;
    const from = wall.monotonic();
    this.#takenAt = from;
    this.#entries = 0;
    this.#hurried = false;
    this.#writing = this.#written(moment)
      .then((snapshot) => this.#name(snapshot, from))
      .catch((thrown: unknown) => warn(`no snapshot was taken at entry ${moment.seq}: ${messageOf(thrown)}`))
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** All of it is of now: what is written later is what was there now. */
  #written(moment: Moment): Promise<WrittenSnapshot> {
    const { apart, requests } = this.#options;
    if (!apart) return this.#writtenHere(moment);
    const { wall } = this.#options;
    const from = wall.monotonic();
    const written = apart.snapshot(moment.seq, moment.at, this.#kept, [...requests.save()].join(''));
    const tookMs = wall.monotonic() - from;
    // How long deciding was kept from its work is told there; this is what the host was.
    return written.then((snapshot) => ({ ...snapshot, longestMs: tookMs }));
  }

  #writtenHere({ seq: through, at, derived }: Moment): Promise<WrittenSnapshot> {
    const { wall, engine, requests } = this.#options;
    const parts = { older: this.#kept, derived: [...derived], requests: requests.save() };
    return writtenSnapshot(engine(), { through, at }, parts, { wall, sliceMs: snapshotSliceMs, ...this.#ways });
  }

  async #name({ blob, longestMs, through, at, policies, unsettled }: WrittenSnapshot, from: number): Promise<void> {
    const { wall, journal, submit, onTaken } = this.#options;
    if (!fits(blob)) throw new RangeError(`it is ${blob.length} bytes, compressed`);
    const bytes = blob.length;
    const digest = await journal.putBlob(blob);
    free(blob);
    const previous = this.#previous;
    const what = { policies, unsettled: [...unsettled] };
    const named = { kind: 'snapshot', through, digest, runtime: runtimeVersion, ...what } as const;
    const seq = await submit({ ...named, ...(previous === undefined ? {} : { previous }) });
    this.#previous = seq;
    const kept = { seq, through, at, digest, unsettled: unsettled.length > 0 };
    this.#kept = [...this.#kept, kept];
    onTaken?.({ ...kept, bytes, tookMs: wall.monotonic() - from, longestMs });
  }
}
