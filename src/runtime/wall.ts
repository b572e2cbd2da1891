// Owns: the one real clock. Date, timers and `performance` are used here and nowhere else.
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Wall } from '../ports/wall.ts';

export const realWall: Wall = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep: (ms, signal) => sleepFor(ms, undefined, { ref: true, ...(signal ? { signal } : {}) }),
};

/** Lets everything that is ready to run, run: promises settle until nothing but timers is left. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
