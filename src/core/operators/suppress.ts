// Owns: suppress: a throttle. The first passes, then nothing for a time; the next that passes says how many did not.
//
// Cell per key: until when nothing passes, and how many did not; its alarm forgets a key of which nothing was suppressed.
import type { OperatorFunction } from 'rxjs';
import type { Duration } from '../../model/time.ts';
import { correlation, type KeyOption, keyOf, spanMs } from './correlation.ts';
import { lengthText } from './nearest-miss.ts';

export interface Unsuppressed<T> {
  readonly event: T;
  /** How many did not pass since the one before. */
  readonly suppressed: number;
}

interface Quiet {
  readonly since: number;
  readonly suppressed: number;
}

/** `suppress('5m', { key: (event) => event.target })` gives `{ event, suppressed }`. */
export function suppress<T>(quiet: Duration, options: KeyOption<T> = {}): OperatorFunction<T, Unsuppressed<T>> {
  const quietMs = spanMs('suppress', 'quiet', quiet);
  return correlation<T, Unsuppressed<T>>('suppress', (site) => {
    const cells = site.cells<Quiet>((key) => {
      // The count waits for the next that passes.
      if (cells.get(key)!.suppressed === 0) cells.delete(key);
    });
    return (event) => {
      const key = keyOf(options, event);
      const now = site.scope.now();
      const cell = cells.get(key);
      if (cell && now - cell.since < quietMs) {
        cells.set(key, { ...cell, suppressed: cell.suppressed + 1 });
        site.say(
          key,
          'stopped',
          () => `${cell.suppressed + 1} suppressed: one passed ${lengthText(now - cell.since)} ago, nothing more passes`,
          { since: cell.since, until: cell.since + quietMs },
        );
        return;
      }
      const suppressed = cell?.suppressed ?? 0;
      cells.set(key, { since: now, suppressed: 0 });
      cells.setAlarm(key, now + quietMs);
      site.say(key, 'fired', () => `passes, ${suppressed} suppressed before it; nothing more passes`, {
        since: now,
        until: now + quietMs,
      });
      site.emit({ event, suppressed });
    };
  });
}
