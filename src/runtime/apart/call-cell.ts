// Owns: a few words of memory that two threads share: which policy is running, at which entry, and how many calls there have been. The
// one that runs policies writes; the other looks, and sees that a call does not end.
import type { CallWatch } from '../../core/slot.ts';

/** Words: the policy's place plus one while it runs (0: none), the entry's seq in two halves, calls so far (modulo 2^32). */
const running = 0;
const seqLow = 1;
const seqHigh = 2;
const calls = 3;
const words = 4;

// Taken at once: while a policy runs there is no `Atomics` (no-world.ts).
const { add, load, store } = Atomics;

export function callMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
}

/** The writer's end. */
export class CallCell implements CallWatch {
  readonly #words: Int32Array;
  #inside = false;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** Whether a policy is running. */
  get inside(): boolean {
    return this.#inside;
  }

  enter(policy: number, seq: number): void {
    this.#inside = true;
    store(this.#words, seqLow, seq | 0);
    store(this.#words, seqHigh, Math.floor(seq / 2 ** 32));
    add(this.#words, calls, 1);
    store(this.#words, running, policy + 1);
  }

  leave(): void {
    this.#inside = false;
    store(this.#words, running, 0);
  }
}

export interface RunningCall {
  /** The policy's place among those deployed. */
  readonly policy: number;
  readonly seq: number;
  /** Which call it is: another number, another call. */
  readonly call: number;
}

/** What the other thread sees: the call that is on, if one is. */
export function runningCall(memory: SharedArrayBuffer): RunningCall | undefined {
  const words = new Int32Array(memory);
  const policy = load(words, running) - 1;
  if (policy < 0) return undefined;
  const seq = load(words, seqHigh) * 2 ** 32 + (load(words, seqLow) >>> 0);
  return { policy, seq, call: load(words, calls) };
}
