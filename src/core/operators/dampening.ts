// Owns: dampening: what flaps is suppressed until it has been quiet, as BGP dampens routes (RFC 2439). Each event adds to a
// penalty that halves with every half-life. Above the suppress limit nothing passes; at the reuse limit it passes again, and
// both are told. The penalty has the ceiling at which it takes `maxSuppress` to decay to the reuse limit.
//
// Cell per key: the penalty, when it was that, and while suppressed the last event and how many did not pass. Its alarm is
// the time of reuse; of what is not suppressed the time at which the penalty is half the reuse limit: then it is forgotten.
import type { OperatorFunction } from 'rxjs';
import type { Duration } from '../../model/time.ts';
import { correlation, type KeyOption, keyOf, refusal, spanMs } from './correlation.ts';

export interface DampeningOptions<T> extends KeyOption<T> {
  /** What an event adds (default 1000), or a function that says what this one adds. */
  readonly penalty?: number | ((event: T) => number);
  /** In this time the penalty halves (default '15m'). */
  readonly halfLife?: Duration;
  /** A penalty above this suppresses (default 2000). */
  readonly suppress?: number;
  /** A penalty that has decayed to this frees again (default 750). */
  readonly reuse?: number;
  /** At most this long after the last event it is free again (default four half-lives). */
  readonly maxSuppress?: Duration;
}

/** `passed`; `suppressed` once, with the event that was too many; `reused` with the last event and how many did not pass. */
export type Dampened<T> =
  | { readonly kind: 'passed'; readonly event: T; readonly penalty: number }
  | { readonly kind: 'suppressed'; readonly event: T; readonly penalty: number; readonly reusedAt: number }
  | { readonly kind: 'reused'; readonly event: T; readonly penalty: number; readonly suppressed: number };

interface Penalty<T> {
  readonly penalty: number;
  /** When it was that. */
  readonly at: number;
  /** null: not suppressed. */
  readonly suppressed: { readonly since: number; readonly last: T; readonly count: number } | null;
}

/** Milliseconds and penalties; `ceiling` is what the penalty never passes. */
interface Figures {
  readonly halfLifeMs: number;
  readonly suppress: number;
  readonly reuse: number;
  readonly maxSuppressMs: number;
  readonly ceiling: number;
}

/** `dampening({ halfLife: '1m', key: (event) => event.target })`; the defaults are those that routers have for BGP. */
export function dampening<T>(options: DampeningOptions<T> = {}): OperatorFunction<T, Dampened<T>> {
  const figures = figuresOf(options);
  const { penalty: penaltyOf = 1_000 } = options;
  return correlation<T, Dampened<T>>('dampening', (site) => {
    const cells = site.cells<Penalty<T>>((key) => {
      const { penalty, at, suppressed } = cells.get(key)!;
      if (!suppressed) {
        cells.delete(key);
        return;
      }
      const now = site.scope.now();
      const left = decayed(penalty, now - at, figures.halfLifeMs);
      keep(key, { penalty: left, at: now, suppressed: null });
      site.say(key, 'fired', () => `reused: the penalty is down to ${round(left)}; ${suppressed.count} did not pass`, {
        since: suppressed.since,
      });
      site.emit({ kind: 'reused', event: suppressed.last, penalty: round(left), suppressed: suppressed.count });
    });
    const keep = (key: string, cell: Penalty<T>): number => {
      const untilMs = decayMs(cell.penalty, cell.suppressed ? figures.reuse : figures.reuse / 2, figures.halfLifeMs);
      // At the ceiling it is maxSuppress but for the last bit of a root.
      const until = cell.at + (cell.suppressed ? Math.min(untilMs, figures.maxSuppressMs) : untilMs);
      cells.set(key, cell);
      cells.setAlarm(key, until);
      return until;
    };
    return (event) => {
      const key = keyOf(options, event);
      const now = site.scope.now();
      const added = typeof penaltyOf === 'function' ? penaltyOf(event) : penaltyOf;
      if (!Number.isFinite(added) || added < 0)
        throw refusal('dampening', 'penalty', `${added} is none`, 'Give a number of 0 or more.');
      const before = cells.get(key);
      const decayedTo = before ? decayed(before.penalty, now - before.at, figures.halfLifeMs) : 0;
      const penalty = Math.min(decayedTo + added, figures.ceiling);
      if (!before?.suppressed && penalty <= figures.suppress) {
        if (penalty > 0) keep(key, { penalty, at: now, suppressed: null });
        site.say(key, 'passed', () => `penalty ${round(penalty)}; above ${figures.suppress} it is suppressed`, { since: now });
        site.emit({ kind: 'passed', event, penalty: round(penalty) });
        return;
      }
      const { since, count } = before?.suppressed ?? { since: now, count: 0 };
      const reusedAt = keep(key, { penalty, at: now, suppressed: { since, last: site.keep(event), count: count + 1 } });
      const still = count > 0 ? ': still' : ` is above ${figures.suppress}:`;
      site.say(key, 'waiting', () => `penalty ${round(penalty)}${still} suppressed`, { since, until: reusedAt });
      if (count === 0) site.emit({ kind: 'suppressed', event, penalty: round(penalty), reusedAt });
    };
  });
}

function figuresOf<T>(options: DampeningOptions<T>): Figures {
  const { penalty = 1_000, suppress = 2_000, reuse = 750 } = options;
  const halfLifeMs = spanMs('dampening', 'halfLife', options.halfLife ?? '15m');
  const maxSuppressMs =
    options.maxSuppress === undefined ? 4 * halfLifeMs : spanMs('dampening', 'maxSuppress', options.maxSuppress);
  const numbers = [reuse, suppress, ...(typeof penalty === 'function' ? [] : [penalty])];
  if (!numbers.every((number) => Number.isFinite(number) && number > 0) || reuse >= suppress)
    throw refusal(
      'dampening',
      'limits',
      `reuse ${reuse}, suppress ${suppress} and a penalty of ${typeof penalty === 'function' ? 'its own' : penalty}`,
      'Use numbers above 0, and a reuse limit below the suppress limit.',
    );
  // Infinity would never decay.
  const ceiling = Math.min(growth(reuse, maxSuppressMs, halfLifeMs), Number.MAX_VALUE);
  if (ceiling <= suppress)
    throw refusal(
      'dampening',
      'maxSuppress',
      `within it a penalty can decay to ${reuse} from ${round(ceiling)} only, so nothing would ever be suppressed`,
      'Make maxSuppress longer, halfLife shorter, or the suppress limit lower.',
    );
  return { halfLifeMs, suppress, reuse, maxSuppressMs, ceiling };
}

/** As printed and given: a whole number. The cell keeps the rest of it. */
const round = (penalty: number): number => Math.round(penalty);
/** Bits of a half-life: a millionth. */
const halfLifeBits = 20;

/**
 * A penalty after some time. By halving and square roots alone, which are exact by IEEE 754: `2 ** x` need not be the same in
 * the next version of Node, and a replay must be (law E1).
 */
function decayed(penalty: number, elapsedMs: number, halfLifeMs: number): number {
  let left = penalty;
  for (let halvings = Math.floor(elapsedMs / halfLifeMs); halvings > 0 && left > 0; halvings -= 1) left /= 2;
  let part = elapsedMs % halfLifeMs;
  let root = Math.SQRT1_2;
  for (let bit = 0; bit < halfLifeBits && part > 0; bit += 1) {
    part *= 2;
    if (part >= halfLifeMs) {
      left *= root;
      part -= halfLifeMs;
    }
    root = Math.sqrt(root);
  }
  return left;
}

/** What would have decayed to `penalty` by now. */
function growth(penalty: number, elapsedMs: number, halfLifeMs: number): number {
  return penalty / decayed(1, elapsedMs, halfLifeMs);
}

/** The first whole millisecond by which `penalty` has decayed to `to`. */
function decayMs(penalty: number, to: number, halfLifeMs: number): number {
  let high = 1;
  while (decayed(penalty, high, halfLifeMs) > to) high *= 2;
  let low = 0;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (decayed(penalty, middle, halfLifeMs) > to) low = middle + 1;
    else high = middle;
  }
  return high;
}
