// Owns: in a flood of events, waiting a little before the next append: one of twice as many entries costs two threads and the disk half as
// much. Only events that sources offer wait, and only behind an append of many: the first of a flood does not, nor what comes alone, nor
// what policies want or what comes of acting.
import type { Wall } from '../ports/wall.ts';

/** An append of so many, and what comes next is more of them. */
const floodEntriesMin = 16;
/** So many are enough for one. */
const enoughEntries = 256;
/** From the beginning of one append to that of the next, milliseconds. */
const gatherMs = 3;
/** A timer is no finer. */
const waitMsMin = 0.5;

export class Gathering {
  readonly #wall: Wall;
  #begunAt = 0;
  #entries = 0;
  #hurry: (() => void) | undefined;
  #ended = false;

  constructor(wall: Wall) {
    this.#wall = wall;
  }

  /** An append begins. */
  appending(entries: number): void {
    this.#begunAt = this.#wall.monotonic();
    this.#entries = entries;
  }

  /** Resolves when the next append may begin, with what came until then; undefined: now. `hurries` is asked where few enough wait. */
  wait(waiting: number, hurries: () => boolean): Promise<void> | undefined {
    if (this.#ended || this.#entries < floodEntriesMin || waiting >= enoughEntries) return undefined;
    const leftMs = this.#begunAt + gatherMs - this.#wall.monotonic();
    if (leftMs < waitMsMin || hurries()) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#wall.after(leftMs, resolve);
    this.#hurry = () => {
      cancel();
      resolve();
    };
    return promise.finally(() => {
      this.#hurry = undefined;
    });
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#ended = true;
    this.hurry();
  }

  /** What must not wait has come. */
  hurry(): void {
    this.#hurry?.();
  }
}
