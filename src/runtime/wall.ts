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

/** `2026-11-23 03:31:09.857`, in the terminal's time zone. */
export function timeText(at: number): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** Keeps the process alive until it is called off: sources and timers do not by themselves. */
export function stayAlive(): () => void {
  const timer = setInterval(() => undefined, 2 ** 30);
  return () => clearInterval(timer);
}

/** A time as people write it (`2026-11-23T03:00:00Z`), milliseconds since 1970; undefined where it is none. */
export function timeOf(written: string): number | undefined {
  const time = /^\d{4}-\d{2}-\d{2}/.test(written) ? Date.parse(written) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
