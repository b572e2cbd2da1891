// Owns: the simulated disk: a journal over journal-memory's semantics whose appends are slow, fail, lose their answer, arrive
// after nobody waits any more, find no room, or die half-way with their process. What it acknowledged, and what it was told to
// forget, it remembers, for the checkers. Blobs are in blobs.ts.
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { Expectation, Journal, Room } from '../../src/ports/journal.ts';
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
  #forgotten: readonly Entry[] = [];
  readonly trims: Trim[] = [];
  /** How many entries are on the platter where fsync is dropped. */
  #synced = 0;
  readonly acknowledged: Acknowledged[] = [];
  /** Entry → true time at which it was durable. */
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

  /** All that ever was durable, forgotten or not. */
  async entries(): Promise<readonly Entry[]> {
    const entries: Entry[] = [...this.#forgotten];
    for await (const batch of this.#inner.read(0)) entries.push(...batch);
    return entries;
  }

  get blobs(): number {
    return this.#blobs.size;
  }

  /** Nobody runs: a blob may be found torn, or gone. */
  spoil(): void {
    if (this.#options.rots) this.#blobs.clear();
    else if (this.#options.prng.chance(this.#options.weather().spoiltBlob)) this.#blobs.spoil(this.#first);
  }

  get #first(): number {
    return (this.#forgotten.at(-1)?.seq ?? 0) + 1;
  }

  /** The machine lost its power: what was never synced is gone. */
  async loseUnsynced(): Promise<void> {
    if (!this.#options.dropsFsync) return;
    const entries = await this.entries();
    const kept = entries.slice(0, Math.max(this.#synced, entries.length - this.#options.prng.below(8)));
    if (kept.length === entries.length) return;
    const { epoch } = await this.#inner.tail();
    this.#inner = memoryJournal();
    await this.#inner.append(
      kept.map(({ seq: _, ...entry }) => entry as NewEntry),
      { epoch, lastSeq: 0 },
    );
    await this.#inner.trim(this.#first);
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
    const kept = await this.entries();
    await this.#inner.trim(beforeSeq);
    // Another process may have forgotten more meanwhile.
    if (beforeSeq > this.#first) this.#forgotten = kept.filter(({ seq }) => seq < beforeSeq);
    trace(`disk: entries before ${beforeSeq} are forgotten`);
    this.trims.push({ beforeSeq, lastSeq, stands: this.#blobs.stands(beforeSeq) });
    if (crashes) crash(process, 'after the journal was trimmed');
  }

  async #append(process: SimProcess, batch: readonly NewEntry[], expect: Expectation): Promise<{ readonly firstSeq: number }> {
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
      clock.base.after(prng.between(1, 400), () => void this.#keep(batch, expect).catch(() => undefined));
      throw new Error('the disk does not answer in time');
    }
    const answer = await this.#keep(batch, expect);
    if (fault === 'answer lost') throw new Error('the disk did not say whether it took it');
    if (prng.chance(weather.crashAtAppend)) {
      crash(process, 'after an append was durable, before its answer');
      return new Promise(() => undefined);
    }
    if (process.alive) this.#acknowledge(batch, answer.firstSeq);
    return answer;
  }

  async #keep(batch: readonly NewEntry[], expect: Expectation): Promise<{ readonly firstSeq: number }> {
    const answer = await this.#inner.append(batch, expect);
    for (let index = 0; index < batch.length; index += 1) this.durableAt.set(answer.firstSeq + index, this.#options.clock.time);
    for (const [index, entry] of batch.entries())
      if (entry.kind === 'snapshot') this.#blobs.name({ ...entry, seq: answer.firstSeq + index });
    if (this.#options.prng.chance(50)) this.#synced = answer.firstSeq + batch.length - 1;
    return answer;
  }

  #acknowledge(batch: readonly NewEntry[], firstSeq: number): void {
    for (const [index, entry] of batch.entries()) this.acknowledged.push({ seq: firstSeq + index, text: textOf(entry) });
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
