// Owns: what is read ahead: while an intent is being journaled, what will be read for it first is asked for already. Nothing is journaled
// of that and nothing changed; where the intent is not taken in time, or something else goes first, it is forgotten.
import { readingFreshMs } from '../model/limits.ts';
import type { Wall } from '../ports/wall.ts';

export interface ReadAhead<T> {
  readonly result: Promise<T>;
  /** On the monotonic clock. */
  readonly askedAt: number;
}

export class Ahead<T> {
  readonly #wall: Wall;
  /** By target: the first intent for it, and no other. */
  readonly #begun = new Map<string, ReadAhead<T> & { readonly intent: string }>();

  constructor(wall: Wall) {
    this.#wall = wall;
  }

  begin(target: string, intent: string, read: () => Promise<T>): void {
    if (this.#isFresh(this.#begun.get(target))) return;
    const result = read();
    // Whoever takes it hears of it.
    result.catch(() => undefined);
    this.#begun.set(target, { intent, result, askedAt: this.#wall.monotonic() });
  }

  /** What was begun for this intent, if it is still fresh. Whatever else was begun for the target is void from now on. */
  take(target: string, intent: string): ReadAhead<T> | undefined {
    const begun = this.#begun.get(target);
    this.#begun.delete(target);
    return begun?.intent === intent && this.#isFresh(begun) ? begun : undefined;
  }

  #isFresh(begun: ReadAhead<T> | undefined): boolean {
    return begun !== undefined && this.#wall.monotonic() - begun.askedAt < readingFreshMs;
  }
}
