// Owns: within: the general count: whenever `count` or more events lie within `window`, all of them. `threshold` is its
// short form: it gives the last event alone, and counts afresh after it; this goes on sliding.
//
// Cell per key: the events still in the window, the oldest first, at most cellEventsMax; the oldest beyond are dropped and
// counted. Its alarm clears a window that has emptied.
import type { OperatorFunction } from 'rxjs';
import { cellEventsMax } from '../../model/limits.ts';
import type { Duration } from '../../model/time.ts';
import { correlation, type KeyOption, keyOf, refusal, spanMs } from './correlation.ts';
import { countMiss, lapses, lengthText, ordinal } from './nearest-miss.ts';

interface Counted<T> {
  readonly at: number;
  readonly event: T;
}

/** `within(3, '60s', { key: (event) => event.target })` gives `[oldest, …, newest]` for every event that finds 3 or more. */
export function within<T>(count: number, window: Duration, options: KeyOption<T> = {}): OperatorFunction<T, readonly T[]> {
  if (!Number.isInteger(count) || count < 1 || count > cellEventsMax)
    throw refusal('within', 'count', `${count} cannot be counted`, `Use a whole number from 1 to ${cellEventsMax}.`);
  const windowMs = spanMs('within', 'window', window);
  return correlation<T, readonly T[]>('within', (site) => {
    const gone = lapses<readonly number[]>(site.scope);
    const cells = site.cells<readonly Counted<T>[]>((key) => {
      const { length, 0: oldest } = cells.get(key)!;
      cells.delete(key);
      if (length < count)
        site.say(key, 'stopped', () => `${length} of ${count} within ${window}; no more came`, { since: oldest!.at });
    });
    return (event) => {
      const key = keyOf(options, event);
      const now = site.scope.now();
      const still = (cells.get(key) ?? []).filter(({ at }) => now - at < windowMs);
      const room = cellEventsMax - 1;
      if (still.length > room) cells.drop(still.length - room);
      const counted = [...still.slice(-room), { at: now, event: site.keep(event) }];
      cells.set(key, counted);
      cells.setAlarm(key, now + windowMs);
      const before = gone.get(key) ?? [];
      if (site.scope.traced) gone.set(key, [...before, now].slice(-count));
      const since = counted[0]!.at;
      if (counted.length >= count) {
        site.say(key, 'fired', () => `${counted.length} within ${window}: the first was ${lengthText(now - since)} ago`, {
          since,
        });
        site.emit(counted.map((each) => each.event));
        return;
      }
      const miss = countMiss(before, now, count, windowMs);
      if (miss)
        site.say(
          key,
          'missed',
          () =>
            `${miss.together} of ${count} within ${window}; ${ordinal(miss.together + 1)} came ${lengthText(miss.lateMs)} late`,
          { since: miss.since },
        );
      site.say(key, 'waiting', () => `${counted.length} of ${count} within ${window}; the oldest counts`, {
        since,
        until: since + windowMs,
      });
    };
  });
}
