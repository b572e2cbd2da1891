// Owns: the checker: once a device has taken a line of one lease's epoch, it takes none of an older one; and neither does the
// journal. A line is excused where the device had told that it had taken it, and took it only then.
import { applyDeadlineMs } from '../../../src/model/limits.ts';
import type { Finished } from '../simulate.ts';

export function neverTwoWriters({ devices }: Finished): readonly string[] {
  return [...devices.values()].flatMap(({ name, log, lies }) => {
    let newest = 0;
    return log.flatMap(({ by, epoch, line, place, time }) => {
      if (by !== 'offbox') return [];
      const misled = lies.some((lie) => lie.place === place && lie.time <= time && lie.time > time - applyDeadlineMs);
      if (epoch < newest && misled) return [];
      if (epoch < newest) return [`${name} took "${line}" of epoch ${epoch} at ${time}, after one of epoch ${newest}`];
      newest = epoch;
      return [];
    });
  });
}
