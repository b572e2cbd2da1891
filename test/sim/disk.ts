// Owns: the simulated disk: a journal over journal-memory's semantics whose appends are slow, fail, lose their answer, arrive
// after nobody waits any more, find no room, or die half-way with their process; some are taken long before they are durable, and a power
// cut takes those. What it acknowledged, and what it was told to forget, it remembers, for the checkers. Blobs are in blobs.ts.
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { Appended, Expectation, Journal, Room } from '../../src/ports/journal.ts';
import type { Prng } from '../../src/testing/prng.ts';
import { Blobs } from './blobs.ts';
import type { SimClock } from './clock.ts';
import type { SimProcess } from './process.ts';
import type { Weather } from './weather.ts';

/** An entry somebody was told is durable. */
export interface Acknowledged {
  readonly seq: number;
  readonly text: string;
}

/** Entries before `beforeSeq` were forgotten when `lastSeq` was the last; `stands`: a whole snapshot stands for them. */
export interface Trim {
  readonly beforeSeq: number;
  readonly lastSeq: number;
  readonly stands: boolean;
}

export interface DiskOptions {
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly weather: () => Weather;
  readonly trace: (text: string) => void;
  /** The crash of a process takes what the disk has only said to have kept. For a mutation. */
  readonly dropsFsync: boolean;
  /** Every blob is gone when a process starts. For the canary. */
  readonly rots: boolean;
  /** The process is to die now. */
  readonly crash: (process: SimProcess, where: string) => void;
}

const textOf = ({ seq: _, ...entry }: NewEntry & { readonly seq?: number }): string => JSON.stringify(entry);

export class Disk {
  readonly #options: DiskOptions;
  #inner: Journal = memoryJournal();
  readonly #blobs: Blobs;
  /** All that was ever taken and not lost, forgotten or not: the first is number 1; and who appended it. */
  #all: Entry[] = [];
  #epochs: number[] = [];
  /** The last entry of each append. */
  #ends: number[] = [];
  #first = 1;
  readonly trims: Trim[] = [];
  /** The last entry that outlives a power cut. */
  #synced = 0;
  /** Entries taken that nobody was told are durable. */
  #taken: Acknowledged[] = [];
  readonly acknowledged: Acknowledged[] = [];
  /** Entry → true time at which it was taken, and at which it was durable. */
  readonly takenAt = new Map<number, number>();
  readonly durableAt = new Map<number, number>();
  full = false;

  constructor(options: DiskOptions) {
    this.#options = options;
    this.#blobs = new Blobs(options);
  }

  /** The journal as one process has it open. */
  openedBy(process: SimProcess): Journal {
    return {
      append: (batch, expect) => process.answer(() => this.#append(process, batch, expect)),
      read: (fromSeq) => this.#read(process, fromSeq),
      ofKind: (kind, fromSeq) => this.#inner.ofKind(kind, fromSeq),
      tail: () => process.answer(() => this.#inner.tail()),
      trim: (beforeSeq) => process.answer(() => this.#trim(process, beforeSeq)),
      putBlob: (bytes) => process.answer(() => this.#blobs.put(process, bytes)),
      getBlob: (digest) => process.answer(async () => this.#blobs.get(digest)),
      deleteBlob: (digest) => process.answer(() => this.#blobs.delete(process, digest)),
      blobs: () => process.answer(async () => this.#blobs.digests()),
      room: () => process.answer(() => this.#room()),
      close: async () => undefined,
    };
  }

  /** All that ever was taken and not lost, forgotten or not. */
  entries(): readonly Entry[] {
    return this.#all;
  }

  get blobs(): number {
    return this.#blobs.size;
  }

  /** Nobody runs: a blob may be found torn, or gone. */
  spoil(): void {
    if (this.#options.rots) this.#blobs.clear();
    else if (this.#options.prng.chance(this.#options.weather().spoiltBlob)) this.#blobs.spoil(this.#first);
  }

  /** The machine lost its power: of what was never synced some appends are left, the first ones. */
  loseUnsynced(): void {
    const { prng, trace } = this.#options;
    const kept = prng.pick([this.#synced, ...this.#ends.filter((seq) => seq > this.#synced)]);
    if (kept === this.#all.length) return;
    trace(`disk: entries from ${kept + 1} on are lost`);
    const left = this.#all.slice(0, kept);
    const epoch = this.#epochs[kept - 1] ?? 0;
    [this.#all, this.#epochs, this.#inner] = [left, this.#epochs.slice(0, kept), memoryJournal()];
    this.#taken = this.#taken.filter(({ seq }) => seq <= kept);
    this.#ends = this.#ends.filter((seq) => seq <= kept);
    this.#blobs.unname(kept);
    // What it does it has done when it returns.
    void this.#inner.append(
      left.map(({ seq: _, ...entry }) => entry as NewEntry),
      { epoch, lastSeq: 0 },
    );
    void this.#inner.trim(this.#first);
  }

  async #room(): Promise<Room> {
    const { usedBytes } = await this.#inner.room();
    return { usedBytes: usedBytes + this.#blobs.bytes, freeBytes: this.full ? 0 : Number.POSITIVE_INFINITY };
  }

  async #trim(process: SimProcess, beforeSeq: number): Promise<void> {
    const { clock, prng, crash, trace } = this.#options;
    await clock.base.sleep(prng.fraction() * 20);
    const crashes = prng.chance(this.#options.weather().crashAtTrim);
    if (crashes && prng.chance(50)) return crash(process, 'before the journal was trimmed');
    const { lastSeq } = await this.#inner.tail();
    if (beforeSeq <= this.#first) return;
    await this.#inner.trim(beforeSeq);
    this.#first = Math.max(this.#first, beforeSeq);
    trace(`disk: entries before ${beforeSeq} are forgotten`);
    this.trims.push({ beforeSeq, lastSeq, stands: this.#blobs.stands(beforeSeq) });
    if (crashes) crash(process, 'after the journal was trimmed');
  }

  async #append(process: SimProcess, batch: readonly NewEntry[], expect: Expectation): Promise<Appended> {
    const { clock, prng, crash, trace } = this.#options;
    const weather = this.#options.weather();
    await clock.base.sleep(prng.chance(weather.slowDisk) ? prng.between(50, 3_000) : prng.fraction() * 4);
    if (prng.chance(weather.crashAtAppend)) {
      crash(process, 'before an append was durable');
      return new Promise(() => undefined);
    }
    if (this.full) {
      throw new RuntimeFault('[disk] no space left', { code: 'journal-full', remedy: 'Make room.' });
    }
    const fault = prng.chance(weather.badAppend) ? prng.pick(['request lost', 'answer lost', 'late']) : undefined;
    if (fault) trace(`disk: ${fault}`);
    if (fault === 'request lost') throw new Error('the disk does not answer');
    if (fault === 'late') {
      const arrive = async () => this.#sync((await this.#keep(batch, expect)).firstSeq + batch.length - 1);
      clock.base.after(prng.between(1, 400), () => void arrive().catch(() => undefined));
      throw new Error('the disk does not answer in time');
    }
    const answer = await this.#keep(batch, expect);
    const through = answer.firstSeq + batch.length - 1;
    const isEarly = prng.chance(50);
    if (!isEarly || fault === 'answer lost') this.#sync(through);
    if (fault === 'answer lost') throw new Error('the disk did not say whether it took it');
    if (prng.chance(weather.crashAtAppend)) {
      crash(process, isEarly ? 'after an append was taken' : 'after an append was durable, before its answer');
      return new Promise(() => undefined);
    }
    if (!process.alive) return answer;
    if (isEarly) return { ...answer, durable: () => process.answer(() => this.#durable(process, through)) };
    this.#acknowledge(through);
    return answer;
  }

  async #durable(process: SimProcess, through: number): Promise<void> {
    const { clock, prng, crash } = this.#options;
    const weather = this.#options.weather();
    await clock.base.sleep(prng.chance(weather.slowDisk) ? prng.between(50, 3_000) : prng.fraction() * 4);
    if (prng.chance(weather.crashAtAppend)) {
      crash(process, 'before what was taken was durable');
      return new Promise(() => undefined);
    }
    if (!process.alive) return undefined;
    this.#sync(through);
    this.#acknowledge(through);
    return undefined;
  }

  async #keep(batch: readonly NewEntry[], expect: Expectation): Promise<{ readonly firstSeq: number }> {
    const answer = await this.#inner.append(batch, expect);
    for (const [index, entry] of batch.entries()) {
      const text = textOf(entry);
      const numbered: Entry = { ...JSON.parse(text), seq: answer.firstSeq + index };
      this.#all.push(numbered);
      this.#epochs.push(expect.epoch);
      this.#taken.push({ seq: numbered.seq, text });
      this.takenAt.set(numbered.seq, this.#options.clock.time);
      if (numbered.kind === 'snapshot') this.#blobs.name(numbered);
    }
    this.#ends.push(this.#all.length);
    return answer;
  }

  /** All up to an entry outlives a power cut; or so it says. */
  #sync(through: number): void {
    for (let seq = through; seq > 0 && !this.durableAt.has(seq); seq -= 1) this.durableAt.set(seq, this.#options.clock.time);
    if (!this.#options.dropsFsync || this.#options.prng.chance(50)) this.#synced = Math.max(this.#synced, through);
  }

  #acknowledge(through: number): void {
    this.acknowledged.push(...this.#taken.filter(({ seq }) => seq <= through));
    this.#taken = this.#taken.filter(({ seq }) => seq > through);
  }

  async *#read(process: SimProcess, fromSeq: number): AsyncIterable<readonly Entry[]> {
    const batches = this.#inner.read(fromSeq)[Symbol.asyncIterator]();
    for (;;) {
      const next = await process.answer(() => batches.next());
      if (next.done) return;
      yield next.value;
    }
  }
}

/** As it was acknowledged: without its number. */
export const entryText = textOf;
