// Owns: sequence: one event after another in the given order, each within a time of the one before. Gives all of them.
// What comes between does no harm, unless it contradicts.
//
// Cell per key: for each length the latest run that long; only the latest can be overtaken by no other, so that A A B C and
// A B B C are found. At most 32 x 31 / 2 events. Its alarm is the earliest end of a run. A sequence found uses all of them up.
import type { OperatorFunction } from 'rxjs';
import { sequenceStepsMax } from '../../model/limits.ts';
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

export interface SequenceOptions<T> extends KeyOption<T> {
  /** Each comes less than this after the one before. */
  readonly within: Duration;
  /** What contradicts: it resets all that has come. `anything-else`: whatever is not the next step. */
  readonly unless?: Which<NoInfer<T>> | 'anything-else';
}

interface Run<T> {
  readonly events: readonly T[];
  readonly firstAt: number;
  readonly lastAt: number;
}
/** Index 0: one step has come. */
type Runs<T> = readonly (Run<T> | null)[];

/** `sequence([interfaces.down(), bgp.neighborChanged({ to: 'down' })], { within: '5s', key: (event) => event.target })` */
export function sequence<T, const S extends readonly [Which<T>, Which<T>, ...Which<T>[]]>(
  steps: S,
  options: SequenceOptions<T>,
): OperatorFunction<T, { readonly [I in keyof S]: Chosen<T, S[I]> }> {
  if (steps.length < 2 || steps.length > sequenceStepsMax)
    throw refusal('sequence', 'steps', `${steps.length} cannot follow each other`, `Name 2 to ${sequenceStepsMax}.`);
  const withinMs = spanMs('sequence', 'within', options.within);
  const { unless } = options;
  const names = steps.map((step, index) => nameOf(step, ordinal(index + 1)));
  const strict = unless === 'anything-else';
  return correlation<T, { readonly [I in keyof S]: Chosen<T, S[I]> }>('sequence', (site) => {
    const cells = site.cells<Runs<T>>((key) => {
      const now = site.scope.now();
      const runs = cells.get(key)!;
      keep(
        key,
        runs.map((run) => (run && run.lastAt + withinMs > now ? run : null)),
      );
      for (const [index, run] of runs.entries()) if (run && run.lastAt + withinMs <= now) voice.lapsed(key, index + 1, run);
    });
    const voice = sequenceVoice(site, names, options.within, withinMs);
    const keep = (key: string, runs: Runs<T>): void => {
      const ends = runs.flatMap((run) => (run ? [run.lastAt + withinMs] : []));
      if (ends.length === 0) cells.delete(key);
      else {
        cells.set(key, runs);
        cells.setAlarm(key, Math.min(...ends));
      }
    };
    return (event) => {
      const is = steps.map((step) => isMeant(step, event));
      const contradicts = unless !== undefined && unless !== 'anything-else' && isMeant(unless, event);
      if (!strict && !contradicts && !is.includes(true)) {
        site.say('', 'stopped', () => `none of ${names.join(', ')}`);
        return;
      }
      const key = keyOf(options, event);
      const known = cells.get(key);
      // Taken by its length: an edit of the policy may have named more steps, or fewer.
      const before: Runs<T> = names.slice(1).map((_, index) => known?.[index] ?? null);
      const { runs, found } = advance(
        contradicts ? before.map(() => null) : before,
        is,
        site.keep(event),
        site.scope.now(),
        strict,
      );
      keep(key, found ? [] : runs);
      voice.tell(key, before, runs, found, is);
      if (found) site.emit(found.events as unknown as { readonly [I in keyof S]: Chosen<T, S[I]> });
    };
  });
}

/** The runs after one more event, longest first: one event is one step of a run. */
function advance<T>(
  before: Runs<T>,
  is: readonly boolean[],
  event: T,
  now: number,
  strict: boolean,
): { readonly runs: Runs<T>; readonly found: Run<T> | undefined } {
  const runs: (Run<T> | null)[] = strict ? before.map(() => null) : [...before];
  let found: Run<T> | undefined;
  for (let step = before.length; step > 0; step -= 1) {
    const run = before[step - 1];
    if (!run || !is[step]) continue;
    const longer = { events: [...run.events, event], firstAt: run.firstAt, lastAt: now };
    if (step === before.length) found = longer;
    else runs[step] = longer;
  }
  if (is[0] && !found) runs[0] = { events: [event], firstAt: now, lastAt: now };
  return { runs, found };
}

function longestOf<T>(runs: Runs<T>): { readonly run: Run<T>; readonly length: number } | undefined {
  const index = runs.findLastIndex((run) => run !== null);
  return index < 0 ? undefined : { run: runs[index]!, length: index + 1 };
}

/** What it says, and remembers to say, of runs that did not end. */
function sequenceVoice<T, R>(site: Site<R>, names: readonly string[], within: string, withinMs: number) {
  const gone = lapses<{ readonly length: number; readonly firstAt: number; readonly lastAt: number }>(site.scope);
  const far = (length: number): string => `${length} of ${names.length}`;
  return {
    lapsed: (key: string, length: number, { firstAt, lastAt }: Run<T>): void => {
      gone.set(key, { length, firstAt, lastAt });
      site.say(key, 'stopped', () => `${far(length)}: ${names[length]} did not come within ${within} of ${names[length - 1]}`, {
        since: firstAt,
      });
    },
    tell: (key: string, before: Runs<T>, runs: Runs<T>, found: Run<T> | undefined, is: readonly boolean[]): void => {
      const now = site.scope.now();
      if (found) {
        site.say(key, 'fired', () => `${far(names.length)} in ${lengthText(now - found.firstAt)}`, { since: found.firstAt });
        return;
      }
      const [was, longest] = [longestOf(before), longestOf(runs)];
      const late = gone.get(key);
      const lateMs = late ? now - late.lastAt - withinMs : withinMs;
      if (late && is[late.length] && lateMs < withinMs) {
        gone.delete(key);
        site.say(
          key,
          'missed',
          () =>
            `${far(late.length)}; ${names[late.length]} came ${lengthText(lateMs)} late, more than ${within} after ${names[late.length - 1]}`,
          { since: late.firstAt },
        );
      }
      if (was && (longest?.run.firstAt ?? now) > was.run.firstAt && (longest?.length ?? 0) <= was.length)
        site.say(key, 'stopped', () => `${far(was.length)}: reset, as this is not ${names[was.length]}`, {
          since: was.run.firstAt,
        });
      if (!longest || longest.run.lastAt !== now)
        site.say(key, 'stopped', () =>
          longest
            ? `${far(longest.length)}; this is not ${names[longest.length]}`
            : `${firstOf(is, names)} without ${names[0]} before it`,
        );
      else
        site.say(key, 'waiting', () => `${far(longest.length)}: waits for ${names[longest.length]}`, {
          since: longest.run.firstAt,
          until: longest.run.lastAt + withinMs,
        });
    },
  };
}

function firstOf(is: readonly boolean[], names: readonly string[]): string {
  return names[is.indexOf(true)] ?? 'something else';
}
