// Owns: the checker: once a device has taken a line of one lease's epoch, nobody of an older one sends it any; and of what was sent
// before and is taken late none comes to a place where a newer one has written. A line is excused there where the device had told
// that it had taken it, and took it only then.
import { applyDeadlineMs } from '../../../src/model/limits.ts';
import type { Finished } from '../simulate.ts';

export function neverTwoWriters({ devices }: Finished): readonly string[] {
  return [...devices.values()].flatMap(({ name, log, lies }) => {
    const ours = log.filter(({ by }) => by === 'offbox');
    return ours.flatMap(({ epoch, line, place, time, sent }, index) => {
      const newer = ours.slice(0, index).filter((one) => one.epoch > epoch);
      const misled = lies.some((lie) => lie.place === place && lie.time <= time && lie.time > time - applyDeadlineMs);
      if (!newer.some((one) => one.time <= sent || (one.place === place && !misled))) return [];
      return [`${name} took "${line}" of epoch ${epoch} at ${time}, after one of epoch ${newer[0]!.epoch}`];
    });
  });
}
