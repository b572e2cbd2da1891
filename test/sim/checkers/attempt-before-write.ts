// Owns: the checker: every line a device took from us stands in an attempt that was durable before, and in as many attempts
// as it was taken (law E3).
import type { Finished } from '../simulate.ts';

export function attemptBeforeWrite({ entries, disk, devices }: Finished): readonly string[] {
  /** Line → when its attempts were durable, in order. */
  const attempts = new Map<string, number[]>();
  for (const entry of entries) {
    if (entry.kind !== 'attempt') continue;
    for (const line of entry.plan) attempts.set(line, [...(attempts.get(line) ?? []), disk.durableAt.get(entry.seq)!]);
  }
  const found: string[] = [];
  for (const { name, log } of devices.values()) {
    const taken = new Map<string, number>();
    for (const { by, line, time } of log) {
      if (by !== 'offbox') continue;
      const times = (taken.get(line) ?? 0) + 1;
      taken.set(line, times);
      const before = (attempts.get(line) ?? []).filter((at) => at <= time).length;
      if (before < times) found.push(`${name} took "${line}" at ${time} for the ${times}. time; there were ${before} attempts`);
    }
  }
  return found;
}
