// Owns: threshold: lets an event through when it is the `count`-th within `window`, then counts afresh. EEM's
// `occurs n period s`; SEC's SingleWithThreshold, but with a sliding window.
//
// Cell: the times of the events still in the window, at most `count` - 1 of them.
import { Observable, type OperatorFunction } from 'rxjs';
import { OperatorError } from '../../model/errors.ts';
import { cellEventsMax } from '../../model/limits.ts';
import { type Duration, durationMs, secondsText } from '../../model/time.ts';
import { currentScope } from '../scope.ts';

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
      const cells = scope.cells<readonly number[]>(scope.place('threshold'), () => cells.delete(''));
      const next = (value: T): void => {
        const now = scope.now();
        const times = [...(cells.get('') ?? []).filter((time) => now - time < windowMs), now];
        if (times.length < count) {
          cells.set('', times);
          cells.setAlarm('', now + windowMs);
          scope.say(
            'threshold',
            '',
            'waiting',
            () => `${times.length} of ${count} within ${window}; the oldest leaves in ${secondsText(times[0]! + windowMs - now)}`,
          );
          return;
        }
        cells.delete('');
        scope.say('threshold', '', 'fired', () => `${count} within ${window}: the first was ${secondsText(now - times[0]!)} ago`);
        subscriber.next(value);
      };
      subscriber.add(() => cells.close());
      subscriber.add(
        source.subscribe({ next, error: (error) => subscriber.error(error), complete: () => subscriber.complete() }),
      );
    });
}
