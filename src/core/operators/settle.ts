// Owns: settle: true debounce. Lets the last event through after `quiet` without another, and, so that flapping cannot
// starve it, at the latest `atMost` after the first.
//
// Cell per key: { firstAt, last }; its alarm is the earlier of the two times.
import { Observable, type OperatorFunction } from 'rxjs';
import { type Duration, durationMs, secondsText } from '../../model/time.ts';
import { currentScope, type Scope } from '../scope.ts';
import { writable } from './correlation.ts';
import { listen } from './listen.ts';

export interface SettleOptions {
  /** Without another event for this long, it is settled. */
  readonly quiet: Duration;
  /** At the latest this long after the first event. */
  readonly atMost?: Duration;
}

interface SettleCell<T> {
  readonly firstAt: number;
  readonly count: number;
  readonly last: T;
}

interface Settling<T> {
  readonly take: (key: string, value: T) => void;
  /** Forgets what waits. */
  readonly close: () => void;
}

/** The keyed form, for a policy's own `settle`: `emit` is called with the key and the last event. */
export function settleByKey<T>(scope: Scope, options: SettleOptions, emit: (key: string, value: T) => void): Settling<T> {
  const quietMs = durationMs(options.quiet);
  const atMostMs = options.atMost === undefined ? Number.POSITIVE_INFINITY : durationMs(options.atMost);
  const place = scope.place('settle');
  const cells = scope.cells<SettleCell<T>>(place, (key) => {
    const { last, firstAt, count } = cells.get(key)!;
    cells.delete(key);
    scope.say(
      'settle',
      key,
      'fired',
      () => `${count} event${count === 1 ? '' : 's'}, settled ${secondsText(scope.now() - firstAt)} after the first`,
      { place, since: firstAt },
    );
    emit(key, last);
  });
  const take = (key: string, value: T): void => {
    const now = scope.now();
    const before = cells.get(key);
    const cell = { firstAt: before?.firstAt ?? now, count: (before?.count ?? 0) + 1, last: value };
    cells.set(key, cell);
    const dueAt = Math.min(now + quietMs, cell.firstAt + atMostMs);
    cells.setAlarm(key, dueAt);
    scope.say(
      'settle',
      key,
      'waiting',
      () => `event ${cell.count}; fires in ${secondsText(dueAt - now)} unless another comes before`,
      { place, since: cell.firstAt },
    );
  };
  return { take, close: () => cells.close() };
}

/** In a pipe: `events.pipe(settle({ quiet: '2s', atMost: '6s' }))`; per key inside a perKey. */
export function settle<T>(options: SettleOptions): OperatorFunction<T, T> {
  return (source) =>
    new Observable((subscriber) => {
      const scope = currentScope('settle');
      const { take, close } = settleByKey<T>(scope, options, (_, value) => subscriber.next(value));
      subscriber.add(close);
      listen(scope, source, subscriber, (value) => take('', writable('settle', value)));
    });
}
