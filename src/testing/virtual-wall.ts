// Owns: a wall clock that stands still until it is moved: stories run the real runtime on it, hours in milliseconds.
import type { Wall } from '../ports/wall.ts';
import { turn } from '../runtime/wall.ts';

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly ring: () => void;
}

export class VirtualWall implements Wall {
  #now: number;
  readonly #startedAt: number;
  #order = 0;
  #timers: Timer[] = [];

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
    this.#now = startedAt;
  }

  now(): number {
    return Math.floor(this.#now);
  }

  monotonic(): number {
    return this.#now - this.#startedAt;
  }

  after(ms: number, ring: () => void): () => void {
    const timer: Timer = { dueAt: this.#now + Math.max(ms, 0), order: this.#order++, ring };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Forgets every timer: what ran on it is dead. */
  clear(): void {
    this.#timers = [];
  }

  /** Moves on by `ms`, stopping at every timer on the way and letting all that follows from it happen there. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await turn();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.dueAt);
      next.ring();
      await turn();
    }
    this.#now = until;
  }

  #next(until: number): Timer | undefined {
    return this.#timers.filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];
  }
}
