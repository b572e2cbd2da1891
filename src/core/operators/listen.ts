// Owns: how an operator listens to what it stands behind.
import type { Observable, Subscriber } from 'rxjs';
import type { Scope } from '../scope.ts';

/**
 * Gives `take` each value. Not those that a pipe gives as soon as it is subscribed to while it is built from a snapshot: in what the
 * operator remembers they are already. What `take` throws ends the pipe: RxJS would throw it again from a timer, past every guard (law E7).
 */
export function listen<T, R>(scope: Scope, source: Observable<T>, subscriber: Subscriber<R>, take: (value: T) => void): void {
  const error = (thrown: unknown): void => subscriber.error(thrown);
  const next = (value: T): void => {
    if (scope.puttingBack) return;
    try {
      take(value);
    } catch (thrown) {
      error(thrown);
    }
  };
  subscriber.add(source.subscribe({ next, error, complete: () => subscriber.complete() }));
}
