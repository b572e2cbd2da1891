// Owns: how long each thread of this process has run.
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds each thread has run, by its name: Linux only, elsewhere nothing. */
export function threads(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  try {
    for (const task of readdirSync('/proc/self/task')) {
      const name = readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
      const ran = Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      found.set(name, (found.get(name) ?? 0) + ran);
    }
  } catch {
    // No /proc, or a thread that ended while we looked.
  }
  return found;
}

/** Milliseconds each thread has run since. */
export function ranSince(before: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...threads()].map(([name, ran]) => [name, (ran - (before.get(name) ?? 0)) / 1e6]));
}
