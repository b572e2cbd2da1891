// Owns: pair: two different events with the same key, in either or the given order, within a time of each other. Gives both.
//
// Cell per key: the one that came and waits for the other, the latest where there were several; its alarm ends the wait.
// A pair is used up: what comes next begins anew.
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

export interface PairOptions<T> extends KeyOption<T> {
  /** The other comes less than this later. */
  readonly within: Duration;
  /** `given`: the first comes first. By default either may. */
  readonly order?: 'either' | 'given';
}

interface Waiting<T> {
  /** Which of the two it is. */
  readonly side: 0 | 1;
  readonly at: number;
  readonly event: T;
}

/** `pair(interfaces.down(), bgp.neighborChanged({ to: 'down' }), { within: '5s', key: (event) => event.target })` */
export function pair<T, A extends Which<T>, B extends Which<T>>(
  first: A,
  second: B,
  options: PairOptions<T>,
): OperatorFunction<T, readonly [Chosen<T, A>, Chosen<T, B>]> {
  const withinMs = spanMs('pair', 'within', options.within);
  const both = [first, second] as const;
  const names = [nameOf(first, 'the first'), nameOf(second, 'the second')] as const;
  return correlation<T, readonly [Chosen<T, A>, Chosen<T, B>]>('pair', (site) => {
    const cells = site.cells<Waiting<T>>((key) => {
      const { side, at } = cells.get(key)!;
      cells.delete(key);
      misses.lapsed(key, side, at);
      site.say(key, 'stopped', () => `1 of 2 within ${options.within}: ${names[side === 0 ? 1 : 0]} did not come`, { since: at });
    });
    const misses = pairMisses(site, names, { ...options, withinMs });
    return (event) => {
      const is = [isMeant(both[0], event), isMeant(both[1], event)] as const;
      if (!is[0] && !is[1]) {
        site.say('', 'stopped', () => `neither ${names[0]} nor ${names[1]}`);
        return;
      }
      const key = keyOf(options, event);
      const now = site.scope.now();
      const waiting = cells.get(key);
      if (waiting && is[waiting.side === 0 ? 1 : 0]) {
        cells.delete(key);
        site.say(key, 'fired', () => `2 of 2 within ${options.within}: ${lengthText(now - waiting.at)} apart`, {
          since: waiting.at,
        });
        const [a, b] = waiting.side === 0 ? [waiting.event, event] : [event, waiting.event];
        site.emit([a, b] as unknown as readonly [Chosen<T, A>, Chosen<T, B>]);
        return;
      }
      const side = is[0] ? 0 : 1;
      misses.tell(key, side, now, (other) => cells.get(other));
      if (side === 1 && options.order === 'given') {
        site.say(key, 'stopped', () => `${names[1]} without ${names[0]} before it`);
        return;
      }
      cells.set(key, { side, at: now, event: site.keep(event) });
      cells.setAlarm(key, now + withinMs);
      site.say(key, 'waiting', () => `1 of 2: waits for ${names[side === 0 ? 1 : 0]}`, { since: now, until: now + withinMs });
    };
  });
}

/** What it says of an event that found no other. */
function pairMisses<T, R>(
  site: Site<R>,
  names: readonly [string, string],
  { within, withinMs, order }: PairOptions<T> & { readonly withinMs: number },
) {
  const gone = lapses<{ readonly side: 0 | 1; readonly at: number }>(site.scope);
  const near = nearKeys(site.scope);
  const tell = (key: string, side: 0 | 1, now: number, waitingOf: (key: string) => Waiting<T> | undefined): void => {
    const before = gone.get(key);
    const lateMs = before ? now - before.at - withinMs : 0;
    if (before && before.side !== side) {
      gone.delete(key);
      if (before.side === 1 && order === 'given') {
        if (lateMs < 0)
          site.say(key, 'missed', () => `order differed: ${names[1]} came ${lengthText(now - before.at)} before ${names[0]}`, {
            since: before.at,
          });
      } else if (lateMs < withinMs)
        site.say(key, 'missed', () => `1 of 2 within ${within}; ${names[side]} came ${lengthText(lateMs)} late`, {
          since: before.at,
        });
    }
    if (side === 1 && order === 'given') gone.set(key, { side, at: now });
    const other = near.near(key);
    const waiting = other === undefined ? undefined : waitingOf(other);
    if (other === undefined || !waiting || waiting.side === side) return;
    // Said of both: whichever of them is explained.
    site.say(key, 'missed', () => keyDiffered(key, other), { since: waiting.at });
    site.say(other, 'missed', () => keyDiffered(key, other), { since: waiting.at });
  };
  return { tell, lapsed: (key: string, side: 0 | 1, at: number) => gone.set(key, { side, at }) };
}
