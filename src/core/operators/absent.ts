// Owns: absent: what should have come after an event did not come in time. The alarm gives the event that it should have
// followed; what is expected silences it.
//
// Cell per key: the event waited after, and its alarm. While it waits another such event begins no second wait: one alarm
// an outage. An event that is both (a heartbeat after a heartbeat) silences first, then begins anew.
import type { OperatorFunction } from 'rxjs';
import type { Duration } from '../../model/time.ts';
import {
  type Chosen,
  correlation,
  isMeant,
  type KeyOption,
  keyOf,
  nameOf,
  type Site,
  spanMs,
  type Which,
} from './correlation.ts';
import { keyDiffered, lapses, lengthText, nearKeys } from './nearest-miss.ts';

export interface AbsentOptions<T, A extends Which<T>> extends KeyOption<T> {
  /** What it should have followed. */
  readonly after: A;
  /** It comes less than this later, or it is absent. */
  readonly within: Duration;
}

interface Waiting<T> {
  readonly at: number;
  readonly event: T;
}

/** `absent(interfaces.up(), { after: interfaces.down(), within: '30s', key: (event) => event.target })` */
export function absent<T, A extends Which<T>, B extends Which<T>>(
  expected: B,
  options: AbsentOptions<T, A>,
): OperatorFunction<T, Chosen<T, A>> {
  const withinMs = spanMs('absent', 'within', options.within);
  const awaited = nameOf(expected, 'what is expected');
  const begun = nameOf(options.after, 'what it follows');
  return correlation<T, Chosen<T, A>>('absent', (site) => {
    const cells = site.cells<Waiting<T>>((key) => {
      const { at, event } = cells.get(key)!;
      cells.delete(key);
      misses.rung(key, at);
      site.say(key, 'fired', () => `${awaited} did not come within ${options.within}`, { since: at });
      site.emit(event as unknown as Chosen<T, A>);
    });
    const misses = absentMisses(site, awaited, withinMs);
    return (event) => {
      const [silences, begins] = [isMeant(expected, event), isMeant(options.after, event)];
      if (!silences && !begins) {
        site.say('', 'stopped', () => `neither ${begun} nor ${awaited}`);
        return;
      }
      const key = keyOf(options, event);
      const now = site.scope.now();
      const waiting = cells.get(key);
      if (silences && waiting) {
        cells.delete(key);
        site.say(key, 'stopped', () => `${awaited} came after ${lengthText(now - waiting.at)}, in time`, { since: waiting.at });
      } else if (silences) misses.tell(key, now, (other) => cells.get(other)?.at);
      if (begins && !cells.get(key)) {
        misses.begun(key);
        cells.set(key, { at: now, event: site.keep(event) });
        cells.setAlarm(key, now + withinMs);
        site.say(key, 'waiting', () => `waits for ${awaited}`, { since: now, until: now + withinMs });
      } else if (begins && waiting)
        site.say(key, 'stopped', () => `it waits for ${awaited} already, for ${lengthText(now - waiting.at)}`);
      else if (!waiting && !begins) site.say(key, 'stopped', () => `${awaited}; nothing waits for it`);
    };
  });
}

/** What it says of one that came, but too late or for another key. */
function absentMisses<R>(site: Site<R>, awaited: string, withinMs: number) {
  const gone = lapses<number>(site.scope);
  const near = nearKeys(site.scope);
  return {
    begun: (key: string): void => {
      gone.delete(key);
      near.near(key);
    },
    rung: (key: string, at: number): void => gone.set(key, at),
    tell: (key: string, now: number, waitsSince: (key: string) => number | undefined): void => {
      const at = gone.get(key);
      gone.delete(key);
      const lateMs = at === undefined ? withinMs : now - at - withinMs;
      if (at !== undefined && lateMs < withinMs)
        site.say(key, 'missed', () => `${awaited} came ${lengthText(lateMs)} late`, { since: at });
      const other = near.near(key);
      const since = other === undefined ? undefined : waitsSince(other);
      if (other === undefined || since === undefined) return;
      site.say(key, 'missed', () => keyDiffered(key, other), { since });
      site.say(other, 'missed', () => keyDiffered(key, other), { since });
    },
  };
}
