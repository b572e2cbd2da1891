// Owns: a simulated process: what it waits for comes to it only while it lives and is not frozen. Killed, none of its
// continuations ever runs again; frozen, all of them wait, in order.
import type { Wall } from '../../src/ports/wall.ts';
import type { SimClock } from './clock.ts';

export class SimProcess {
  readonly name: string;
  readonly epoch: number;
  readonly wall: Wall;
  readonly #clock: SimClock;
  readonly #startedAt: number;
  readonly #dying = new Set<() => void>();
  #backlog: (() => void)[] = [];
  #timers = 0;
  alive = true;
  frozen = false;
  /** True time. */
  frozenAt = 0;

  constructor(name: string, epoch: number, clock: SimClock) {
    this.name = name;
    this.epoch = epoch;
    this.#clock = clock;
    this.#startedAt = clock.time;
    this.wall = {
      now: () => clock.now(),
      monotonic: () => clock.time - this.#startedAt,
      after: (ms, ring) => this.#after(ms, ring),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  /** Timers set and not rung. */
  get timers(): number {
    return this.#timers;
  }

  /** Hands on what the outside answers. */
  answer<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      work().then(
        (value) => this.#comes(() => resolve(value)),
        (thrown: unknown) => this.#comes(() => reject(thrown)),
      );
    });
  }

  /** Calls into the process, as a datagram does. */
  enter(call: () => void): void {
    this.#comes(call);
  }

  onDeath(tell: () => void): void {
    this.#dying.add(tell);
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#backlog = [];
    for (const tell of this.#dying) tell();
  }

  freeze(): void {
    this.frozen = true;
    this.frozenAt = this.#clock.time;
  }

  thaw(): void {
    this.frozen = false;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const each of backlog) this.#comes(each);
  }

  #comes(what: () => void): void {
    if (!this.alive) return;
    if (this.frozen) this.#backlog.push(what);
    else what();
  }

  #after(ms: number, ring: () => void): () => void {
    if (!this.alive) return () => undefined;
    let over = false;
    this.#timers += 1;
    const end = (): void => {
      if (!over) this.#timers -= 1;
      over = true;
    };
    const cancel = this.#clock.base.after(ms, () =>
      this.#comes(() => {
        if (over) return;
        end();
        ring();
      }),
    );
    return () => {
      end();
      cancel();
    };
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.#after(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
