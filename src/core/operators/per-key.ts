// Owns: perKey: one pipeline of its own for every key. The keys are remembered, so that a restart builds the pipelines
// again with what their operators remember.
//
// Cell per key: that it is there. Beyond cellKeysMax the key first seen longest ago is dropped with its pipeline and all
// that remembers; when it comes again it begins anew.
import { Observable, type OperatorFunction, Subject, type Subscription } from 'rxjs';
import { currentScope } from '../scope.ts';
import { listen } from './listen.ts';
import { keyDiffered, nearKeys } from './nearest-miss.ts';

export function perKey<T, R>(
  keyOf: (value: T) => string,
  build: (group: Observable<T>) => Observable<R>,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable((subscriber) => {
      const scope = currentScope('perKey');
      const place = scope.place('perKey');
      const groups = new Map<string, { readonly values: Subject<T>; readonly subscription: Subscription }>();
      const error = (thrown: unknown): void => subscriber.error(thrown);
      const spellings = nearKeys(scope);

      const tell = (key: string): void => {
        scope.say('perKey', key, 'passed', () => key, { place });
        // Said of both groups: whichever has the event that is explained.
        const other = spellings.near(key);
        if (other === undefined || !groups.has(other)) return;
        for (const one of [key, other]) scope.say('perKey', one, 'missed', () => keyDiffered(key, other), { place });
      };
      const close = (key: string): void => {
        groups.get(key)?.subscription.unsubscribe();
        groups.delete(key);
      };
      const open = (key: string): Subject<T> => {
        const values = new Subject<T>();
        const below = scope.below(place, key);
        // The operators place themselves when subscribed, so the subscription too is made inside the group's scope.
        const subscription = below.build(() => build(values).subscribe({ next: (value) => subscriber.next(value), error }));
        groups.set(key, { values, subscription });
        return values;
      };
      const take = (value: T): void => {
        const key = String(keyOf(value));
        if (!groups.has(key)) cells.set(key, true);
        if (scope.traced) tell(key);
        (groups.get(key)?.values ?? open(key)).next(value);
      };

      const cells = scope.cells<true>(place, () => undefined, close);
      subscriber.add(() => {
        for (const key of [...groups.keys()]) close(key);
        cells.close();
      });
      for (const key of cells.keys()) open(key);
      listen(scope, source, subscriber, take);
    });
}
