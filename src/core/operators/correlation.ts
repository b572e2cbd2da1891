// Owns: what the correlation operators share: which event is meant, what it belongs to, how long, and the wiring between
// the stream, the operator's cells and its voice. An operator is what it does with one event and with one alarm.
import { Observable, type OperatorFunction } from 'rxjs';
import { messageOf, OperatorError } from '../../model/errors.ts';
import { type Duration, durationMs } from '../../model/time.ts';
import type { Cells } from '../cells.ts';
import { currentScope, type Scope, type Verdict, type VerdictFrame } from '../scope.ts';
import { type EventFrame, type Selector, selectorText, takesEvent } from '../selector.ts';
import { listen } from './listen.ts';

/** Which of the stream's events is meant: a selector such as `interfaces.down()`, or a function that says yes or no. */
export type Which<T> = Selector<T> | ((event: T) => boolean);

type Guard<T, E extends T> = (event: T) => event is E;
/** The type of event that a `Which` means. */
export type Chosen<T, W> = W extends Selector<infer E> ? E : W extends Guard<T, infer E> ? E : T;

export interface KeyOption<T> {
  /** What belongs together; without it all that comes does. */
  readonly key?: (event: T) => string;
}

export function keyOf<T>({ key }: KeyOption<T>, event: T): string {
  return key ? String(key(event)) : '';
}

/** Whether this event is meant. */
export function isMeant<T>(which: Which<T>, event: T): boolean {
  return typeof which === 'function' ? which(event) === true : takesEvent(which, event as EventFrame & { readonly kind: string });
}

/** How explanations name it: a function has no words of its own. */
export function nameOf<T>(which: Which<T>, otherwise: string): string {
  return typeof which === 'function' ? otherwise : selectorText(which);
}

/** Milliseconds of an operator's length of time; OperatorError where nothing could happen within it. */
export function spanMs(operator: string, what: string, duration: Duration): number {
  let ms: number;
  try {
    ms = durationMs(duration);
  } catch (thrown) {
    throw refusal(operator, what, messageOf(thrown), 'Mend it there.');
  }
  if (ms < 1) throw refusal(operator, what, `${duration} is no time`, 'Use at least 1ms; nothing could happen in less.');
  return ms;
}

/** An operator's arguments cannot mean what they say: `pair-within`. */
export function refusal(operator: string, what: string, why: string, remedy: string): OperatorError {
  return new OperatorError(`${operator}(): ${what}: ${why}`, { code: `${operator}-${what}`, remedy });
}

/** Deeper than any event; what contains itself has no end. */
const depthMax = 100;

/** What an operator is about to remember. OperatorError where JSON cannot write it: no snapshot could be taken then, of anybody. */
export function writable<T>(operator: string, value: T): T {
  refuseUnwritable(operator, value, 0);
  return value;
}

function refuseUnwritable(operator: string, value: unknown, depth: number): void {
  const refuse = (what: string): never => {
    throw refusal(
      operator,
      'remembers',
      `it was given ${what}`,
      'Give it plain data, as JSON has it: it must outlive a restart.',
    );
  };
  if (typeof value === 'bigint') refuse('a bigint');
  if (typeof value !== 'object' || value === null) return;
  if (depth === depthMax) refuse('an object that contains itself, or is deeper than 100');
  for (const each of Object.values(value)) refuseUnwritable(operator, each, depth + 1);
}

/** Where an operator stands: what it may do. */
export interface Site<R> {
  readonly scope: Scope;
  readonly emit: (value: R) => void;
  /** Opens its one table of cells; `ring` is called with the key whose alarm is due. */
  readonly cells: <C>(ring: (key: string) => void) => Cells<C>;
  /** An event that it is about to remember: throws where no snapshot could have it. */
  readonly keep: <E>(event: E) => E;
  readonly say: (key: string, verdict: Verdict['verdict'], detail: () => string, frame?: Omit<VerdictFrame, 'place'>) => void;
}

/** Makes the operator `name`: `build` opens its cells and returns what is done with each event. */
export function correlation<T, R>(name: string, build: (site: Site<R>) => (event: T) => void): OperatorFunction<T, R> {
  return (source) =>
    new Observable((subscriber) => {
      const scope = currentScope(name);
      const place = scope.place(name);
      const take = build({
        scope,
        emit: (value) => subscriber.next(value),
        cells: <C>(ring: (key: string) => void) => {
          const cells = scope.cells<C>(place, ring);
          subscriber.add(() => cells.close());
          return cells;
        },
        keep: (event) => writable(name, event),
        say: (key, verdict, detail, frame) => scope.say(name, key, verdict, detail, frame && { place, ...frame }),
      });
      listen(scope, source, subscriber, take);
    });
}
