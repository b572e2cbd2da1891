// Owns: the simulated disk: a journal over journal-memory's semantics whose appends are slow, fail, lose their answer, arrive
// after nobody waits any more, find no room, or die half-way with their process. What it acknowledged it remembers, for the
// checkers.
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { Expectation, Journal } from '../../src/ports/journal.ts';
import type { Prng } from '../../src/testing/prng.ts';
import type { SimClock } from './clock.ts';
import type { SimProcess } from './process.ts';
import type { Weather } from './weather.ts';

/** An entry somebody was told is durable. */
export interface Acknowledged {
  readonly seq: number;
  readonly text: string;
}

export interface DiskOptions {
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly weather: () => Weather;
  readonly trace: (text: string) => void;
  /** The crash of a process takes what the disk has only said to have kept. For a mutation. */
  readonly dropsFsync: boolean;
  /** The process is to die now. */
  readonly crash: (process: SimProcess, where: string) => void;
}

const textOf = ({ seq: _, ...entry }: NewEntry & { readonly seq?: number }): string => JSON.stringify(entry);

export class Disk {
  readonly #options: DiskOptions;
  #inner: Journal = memoryJournal();
  /** How many entries are on the platter where fsync is dropped. */
  #synced = 0;
  readonly acknowledged: Acknowledged[] = [];
  /** Entry → true time at which it was durable. */
  readonly durableAt = new Map<number, number>();
  full = false;

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  /** The journal as one process has it open. */
  openedBy(process: SimProcess): Journal {
    return {
      append: (batch, expect) => process.answer(() => this.#append(process, batch, expect)),
      read: (fromSeq) => this.#read(process, fromSeq),
      tail: () => process.answer(() => this.#inner.tail()),
      trim: (beforeSeq) => process.answer(() => this.#inner.trim(beforeSeq)),
      putBlob: (bytes) => process.answer(() => this.#inner.putBlob(bytes)),
      getBlob: (digest) => process.answer(() => this.#inner.getBlob(digest)),
      deleteBlob: (digest) => process.answer(() => this.#inner.deleteBlob(digest)),
      room: () => process.answer(() => this.#inner.room()),
      close: async () => undefined,
    };
  }

  async entries(): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for await (const batch of this.#inner.read(0)) entries.push(...batch);
    return entries;
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
