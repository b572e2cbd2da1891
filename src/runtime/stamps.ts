// Owns: the time that entries are stamped with: the wall's, never below the last one (laws E2 and E8). While the wall is behind the last
// entry (it was set back) half as fast, so that alarms ring and the wall comes abreast again.
import type { Wall } from '../ports/wall.ts';

export class Stamps {
  readonly #wall: Wall;
  #lastAt = 0;
  #clockOffset: number;
  /** When the wall was last not behind the entries: both clocks. */
  #abreast = { at: 0, monotonic: 0 };

  constructor(wall: Wall) {
    this.#wall = wall;
    this.#clockOffset = wall.now() - wall.monotonic();
  }

  /** After entries up to this time. */
  begin(lastAt: number): void {
    this.#lastAt = lastAt;
    this.#abreast = { at: lastAt, monotonic: this.#wall.monotonic() };
  }

  /** Of the next append. `jumpedMs`: by how much the wall went ahead while the monotonic clock did not: something slept, or somebody set the time. */
  next(): { readonly at: number; readonly jumpedMs: number } {
    const offset = this.#wall.now() - this.#wall.monotonic();
    const jumpedMs = offset - this.#clockOffset;
    this.#clockOffset = offset;
    this.#lastAt = this.now();
    return { at: this.#lastAt, jumpedMs };
  }

  now(): number {
    const [now, monotonic] = [this.#wall.now(), this.#wall.monotonic()];
    if (now >= this.#lastAt) {
      this.#abreast = { at: now, monotonic };
      return now;
    }
    const { at, monotonic: since } = this.#abreast;
    return Math.max(this.#lastAt, at + Math.floor((monotonic - since) / 2));
  }
}
