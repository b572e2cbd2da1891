// Owns: the checker: no device was sent what it already had. Its own log judges; a line is excused where the device itself
// had told otherwise shortly before, or where a person was faster.
import { applyDeadlineMs } from '../../../src/model/limits.ts';
import type { Device, Hand } from '../device.ts';
import type { Finished } from '../simulate.ts';

export function nothingTwice({ devices }: Finished): readonly string[] {
  return [...devices.values()].flatMap(twiceOn);
}

/** A lie told this long ago cannot be behind a line any more: it was sent within its attempt's deadline. */
const believedMs = 2 * applyDeadlineMs;

function twiceOn({ name, log, lies }: Device): readonly string[] {
  const found: string[] = [];
  const last = new Map<string, Hand>();
  for (const { time, by, line, place, before, after } of log) {
    const misled = lies.some((lie) => lie.place === place && lie.time <= time && lie.time > time - believedMs);
    const redundant = by === 'offbox' && before === after && !misled && last.get(place) === 'offbox';
    if (redundant) found.push(`${name} took "${line}" at ${time} and had it already`);
    if (before !== after) last.set(place, by);
  }
  return found;
}
