// Owns: the checker: whoever asked for a migration has been told how that ended, once; or, where it is for somebody else to
// perform, that it may begin.
import type { Finished } from '../simulate.ts';

export function requestsAreAnswered({ entries }: Finished): readonly string[] {
  const asked = new Set<string>();
  const last = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === 'event' && entry.event.meaning?.kind === 'vm.migration-requested') asked.add(entry.event.meaning.request);
    if (entry.kind !== 'intent' || entry.intent.want.kind !== 'report') continue;
    const { request, state, final } = entry.intent.want;
    if (final || state === 'accepted') last.set(request, (last.get(request) ?? 0) + 1);
  }
  return [...asked].flatMap((request) => {
    const times = last.get(request) ?? 0;
    return times === 1 ? [] : [`${request} got ${times} last words`];
  });
}
