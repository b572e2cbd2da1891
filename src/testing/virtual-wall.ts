// Owns: a wall clock that stands still until it is moved: stories run the real runtime on it, hours in milliseconds.
import type { Wall } from '../ports/wall.ts';
import { turn } from '../runtime/wall.ts';

interface Timer {
  readonly dueAt: number;
  /** Of whom: what a process waits for dies with it, the network lives on. */
  readonly of: 'process' | 'network';
  readonly order: number;
  readonly ring: () => void;
}

export type NetworkWall = Omit<Wall, 'sleep'>;

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
    return this.#after(ms, ring, 'process');
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

  /** The same time for the network: what waits on it outlives a `clear`. */
  readonly network: NetworkWall = {
    now: () => this.now(),
    monotonic: () => this.monotonic(),
    after: (ms, ring) => this.#after(ms, ring, 'network'),
  };

  /** Forgets every timer of the process: what ran on it is dead. */
  clear(): void {
    this.#timers = this.#timers.filter((timer) => timer.of === 'network');
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

  #after(ms: number, ring: () => void, of: Timer['of']): () => void {
    const timer: Timer = { dueAt: this.#now + Math.max(ms, 0), of, order: this.#order++, ring };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  #next(until: number): Timer | undefined {
    return this.#timers.filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];
  }
}
