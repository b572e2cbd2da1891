// Owns: threshold: lets an event through when it is the `count`-th within `window`, then counts afresh. EEM's
// `occurs n period s`; SEC's SingleWithThreshold, but with a sliding window.
//
// Cell: the times of the events still in the window, at most `count` - 1 of them.
import { Observable, type OperatorFunction } from 'rxjs';
import { OperatorError } from '../../model/errors.ts';
import { cellEventsMax } from '../../model/limits.ts';
import { type Duration, durationMs } from '../../model/time.ts';
import { currentScope } from '../scope.ts';
import { listen } from './listen.ts';
import { countMiss, lapses, lengthText, ordinal } from './nearest-miss.ts';

export function threshold<T>(count: number, window: Duration): OperatorFunction<T, T> {
  if (!Number.isInteger(count) || count < 1 || count > cellEventsMax) {
    throw new OperatorError(`threshold(${count}, …) cannot count`, {
      code: 'threshold-count',
      remedy: `Use a whole number from 1 to ${cellEventsMax}.`,
    });
  }
  const windowMs = durationMs(window);
  if (windowMs < 1) {
    throw new OperatorError(`threshold(${count}, '${window}') has no window`, {
      code: 'threshold-window',
      remedy: 'Use at least 1ms; nothing would ever be counted in less.',
    });
  }
  return (source) =>
    new Observable((subscriber) => {
      const scope = currentScope('threshold');
      const place = scope.place('threshold');
      const recent = lapses<readonly number[]>(scope);
      const cells = scope.cells<readonly number[]>(place, () => {
        const { length, 0: since = 0 } = cells.get('')!;
        cells.delete('');
        scope.say('threshold', '', 'stopped', () => `${length} of ${count} within ${window}; no more came`, { place, since });
      });
      const tellMiss = (now: number): void => {
        const before = recent.get('') ?? [];
        recent.set('', [...before, now].slice(-count));
        const miss = countMiss(before, now, count, windowMs);
        if (!miss) return;
        const { together, lateMs, since } = miss;
        const detail = `${together} of ${count} within ${window}; ${ordinal(together + 1)} came ${lengthText(lateMs)} late`;
        scope.say('threshold', '', 'missed', () => detail, { place, since });
      };
      const take = (value: T): void => {
        const now = scope.now();
        const times = [...(cells.get('') ?? []).filter((time) => now - time < windowMs), now];
        if (times.length < count) {
          cells.set('', times);
          cells.setAlarm('', now + windowMs);
          if (scope.traced) tellMiss(now);
          const since = times[0]!;
          scope.say('threshold', '', 'waiting', () => `${times.length} of ${count} within ${window}; the oldest counts`, {
            place,
            since,
            until: since + windowMs,
          });
          return;
        }
        cells.delete('');
        recent.delete('');
        const since = times[0]!;
        scope.say('threshold', '', 'fired', () => `${count} within ${window}: the first was ${lengthText(now - since)} ago`, {
          place,
          since,
        });
        subscriber.next(value);
      };
      subscriber.add(() => cells.close());
      listen(scope, source, subscriber, take);
    });
}
