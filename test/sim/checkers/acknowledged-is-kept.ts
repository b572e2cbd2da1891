// Owns: the checker: what was acknowledged is in the journal, where and as it was: entries to the host, events to their senders.
import { entryText } from '../disk.ts';
import type { Finished } from '../simulate.ts';

export function acknowledgedIsKept({ entries, disk, workload }: Finished): readonly string[] {
  const kept = new Map(entries.map((entry) => [entry.seq, entry]));
  const found: string[] = [];
  for (const { seq, text } of disk.acknowledged) {
    const entry = kept.get(seq);
    if (!entry || entryText(entry) !== text) found.push(`entry ${seq} was acknowledged and is ${entry ? 'another' : 'gone'}`);
  }
  for (const { seq, raw } of workload.informed) {
    const entry = kept.get(seq);
    if (entry?.kind !== 'event' || entry.event.origin.raw !== raw)
      found.push(`"${raw}" was acknowledged as ${seq} and is not there`);
  }
  return found.slice(0, 3);
}
