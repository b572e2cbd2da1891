// Owns: allOf: all of several events, in any order, within a time from the first to the last. Gives one of each.
//
// Cell per key: of each the latest; its alarm is the time at which the oldest no longer counts. When all are there they are
// used up.
import type { OperatorFunction } from 'rxjs';
import { allOfMax } from '../../model/limits.ts';
import type { Duration } from '../../model/time.ts';
import {
  type Chosen,
  correlation,
  isMeant,
  type KeyOption,
  keyOf,
  nameOf,
  refusal,
  type Site,
  spanMs,
  type Which,
} from './correlation.ts';
import { lapses, lengthText, ordinal } from './nearest-miss.ts';

export interface AllOfOptions<T> extends KeyOption<T> {
  /** The last comes less than this after the first. */
  readonly within: Duration;
}

/** null: it has not come, or no longer counts. */
type Come<T> = readonly ({ readonly at: number; readonly event: T } | null)[];

/** `allOf([interfaces.down({ interface: 'Gi0/1' }), interfaces.down({ interface: 'Gi0/2' })], { within: '10s' })` */
export function allOf<T, const S extends readonly [Which<T>, Which<T>, ...Which<T>[]]>(
  events: S,
  options: AllOfOptions<T>,
): OperatorFunction<T, { readonly [I in keyof S]: Chosen<T, S[I]> }> {
  if (events.length < 2 || events.length > allOfMax)
    throw refusal('allOf', 'events', `${events.length} cannot come together`, `Name 2 to ${allOfMax}.`);
  const withinMs = spanMs('allOf', 'within', options.within);
  const names = events.map((one, index) => nameOf(one, ordinal(index + 1)));
  return correlation<T, { readonly [I in keyof S]: Chosen<T, S[I]> }>('allOf', (site) => {
    const cells = site.cells<Come<T>>((key) => {
      const now = site.scope.now();
      const come = cells.get(key)!;
      voice.lapsed(key, come);
      keep(
        key,
        come.map((one) => (one && now - one.at < withinMs ? one : null)),
      );
    });
    const voice = allOfVoice(site, names, options.within, withinMs);
    const keep = (key: string, come: Come<T>): void => {
      if (come.every((one) => one === null)) cells.delete(key);
      else {
        cells.set(key, come);
        cells.setAlarm(key, oldestOf(come) + withinMs);
      }
    };
    return (event) => {
      const is = events.map((one) => isMeant(one, event));
      if (!is.includes(true)) {
        site.say('', 'stopped', () => `none of ${names.join(', ')}`);
        return;
      }
      const key = keyOf(options, event);
      const now = site.scope.now();
      const known = cells.get(key);
      // Taken by its length: an edit of the policy may have named more events, or fewer.
      const before: Come<T> = names.map((_, index) => known?.[index] ?? null);
      const come: Come<T> = before.map((one, index) => (is[index] ? { at: now, event: site.keep(event) } : one));
      const whole = come.every((one) => one !== null);
      keep(key, whole ? [] : come);
      voice.tell(key, come, is, whole);
      if (whole) site.emit(come.map((one) => one!.event) as unknown as { readonly [I in keyof S]: Chosen<T, S[I]> });
    };
  });
}

function oldestOf(come: Come<unknown>): number {
  return Math.min(...come.flatMap((one) => (one ? [one.at] : [])));
}

/** What it says, and remembers to say, of what did not come together. */
function allOfVoice<T, R>(site: Site<R>, names: readonly string[], within: string, withinMs: number) {
  /** When each came last, counting or not. */
  const last = lapses<readonly (number | null)[]>(site.scope);
  const missing = (come: Come<T>): string => names.filter((_, index) => come[index] === null).join(', ');
  const far = (come: Come<T>): string => `${come.filter(Boolean).length} of ${names.length}`;
  return {
    lapsed: (key: string, come: Come<T>): void =>
      site.say(key, 'stopped', () => `${far(come)} within ${within}; ${missing(come)} did not come`, { since: oldestOf(come) }),
    tell: (key: string, come: Come<T>, is: readonly boolean[], whole: boolean): void => {
      const now = site.scope.now();
      if (whole) {
        last.delete(key);
        const since = oldestOf(come);
        site.say(
          key,
          'fired',
          () => `${names.length} of ${names.length} within ${within}: the first was ${lengthText(now - since)} ago`,
          { since },
        );
        return;
      }
      const times = (last.get(key) ?? names.map(() => null)).map((at, index) => (is[index] ? now : at));
      last.set(key, times);
      const first = times.includes(null) ? Number.NEGATIVE_INFINITY : Math.min(...(times as readonly number[]));
      const lateMs = now - first - withinMs;
      if (lateMs < withinMs)
        site.say(
          key,
          'missed',
          () =>
            `${far(come)} within ${within}; ${names[is.indexOf(true)]} came ${lengthText(lateMs)} late for ${names[times.indexOf(first)]}`,
          { since: first },
        );
      const since = oldestOf(come);
      site.say(key, 'waiting', () => `${far(come)}: waits for ${missing(come)}`, { since, until: since + withinMs });
    },
  };
}
