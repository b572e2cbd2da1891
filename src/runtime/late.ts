// Owns: what came due while Offbox was down: which policies it concerns, said in one entry before anything rings.
import type { Engine } from '../core/engine.ts';
import type { Policy } from '../core/policy.ts';
import type { EntryBody } from '../model/entry.ts';
import { lateMs } from '../model/limits.ts';

/** Nothing where nothing is late: what came due within `lateMs` rings as it would have. */
export function lateEntries(engine: Engine, policies: readonly Policy[], now: number): readonly EntryBody[] {
  const until = now - lateMs;
  const late = policies.flatMap(({ name, late: how }) => {
    const alarms = engine.cells.overdue(name, until);
    return alarms === 0 ? [] : [{ policy: name, late: how, alarms }];
  });
  return late.length === 0 ? [] : [{ kind: 'late', until, policies: late }];
}

/** For people: `2 of its alarms came due while Offbox was down: they ring now`. */
export function lateText(alarms: number, late: Policy['late']): string {
  const [subject, they] = alarms === 1 ? ['1 of its alarms', 'it'] : [`${alarms} of its alarms`, 'they'];
  const what = late === 'drop' ? (alarms === 1 ? 'is forgotten' : 'are forgotten') : alarms === 1 ? 'rings now' : 'ring now';
  return `${subject} came due while Offbox was down: ${they} ${what} (late: '${late}')`;
}
