// Owns: the checker: once a device has taken a line of one lease's epoch, it takes none of an older one; and neither does the
// journal.
import type { Finished } from '../simulate.ts';

export function neverTwoWriters({ devices }: Finished): readonly string[] {
  return [...devices.values()].flatMap(({ name, log }) => {
    let newest = 0;
    return log.flatMap(({ by, epoch, line, time }) => {
      if (by !== 'offbox') return [];
      if (epoch < newest) return [`${name} took "${line}" of epoch ${epoch} at ${time}, after one of epoch ${newest}`];
      newest = epoch;
      return [];
    });
  });
}
