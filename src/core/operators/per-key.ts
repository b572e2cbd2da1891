// Owns: perKey: one pipeline of its own for every key. The keys are remembered, so that a restart builds the pipelines
// again with what their operators remember.
//
// Cell per key: its place in the order of use. A group whose operators remember nothing more is not worth much; beyond
// cellKeysMax the oldest is dropped (cells.ts) and, when its key comes again, built anew.
import { Observable, type OperatorFunction, Subject, type Subscription } from 'rxjs';
import { currentScope } from '../scope.ts';

export function perKey<T, R>(
  keyOf: (value: T) => string,
  build: (group: Observable<T>) => Observable<R>,
): OperatorFunction<T, R> {
  const scope = currentScope('perKey');
  return (source) =>
    new Observable((subscriber) => {
      const place = scope.place('perKey');
      const cells = scope.cells<true>(place, () => undefined);
      const groups = new Map<string, { values: Subject<T>; subscription: Subscription }>();
      const error = (thrown: unknown): void => subscriber.error(thrown);

      const group = (key: string): Subject<T> => {
        const known = groups.get(key);
        if (known && cells.get(key)) return known.values;
        known?.subscription.unsubscribe();
        cells.set(key, true);
        const values = new Subject<T>();
        const below = scope.below(place, key);
        // The operators place themselves when subscribed, so the subscription too is made inside the group's scope.
        const subscription = below.build(() => build(values).subscribe({ next: (value) => subscriber.next(value), error }));
        groups.set(key, { values, subscription });
        return values;
      };

      for (const key of cells.keys()) group(key);
      const outer = source.subscribe({
        next: (value) => group(keyOf(value)).next(value),
        error,
        complete: () => subscriber.complete(),
      });
      return () => {
        outer.unsubscribe();
        for (const { subscription } of groups.values()) subscription.unsubscribe();
      };
    });
}
