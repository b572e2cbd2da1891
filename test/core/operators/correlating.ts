// Owns: what the tests of the correlation operators share: letters told apart by their case, what comes out as text, a time
// during which Offbox was down, and what an operator says.
import { map, type Observable } from 'rxjs';
import { type PipeTools, type Policy, policy } from '../../../src/core/policy.ts';
import type { Verdict } from '../../../src/core/scope.ts';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { syslog } from '../../../src/core/selectors.ts';
import { type Letters, mark } from '../marbles.ts';
import { lines, Rig, textEvent } from '../rig.ts';

/** Whether it is one of these letters. */
export const is =
  (...letters: string[]) =>
  ({ text }: SyslogEvent): boolean =>
    letters.includes(text);

/** What belongs together: a letter and its capital. */
export const caseless = ({ text }: SyslogEvent): string => text.toLowerCase();
export const isSmall = (event: SyslogEvent): boolean => event.text === caseless(event);
export const isCapital = (event: SyslogEvent): boolean => !isSmall(event);

/** A policy that wants what the pipe gives, as text: of several events their letters. */
export const correlating = (pipe: (letters: Letters, tools: PipeTools) => Observable<readonly SyslogEvent[]>): Policy =>
  spelling((letters, tools) => pipe(letters, tools).pipe(map((events) => events.map(({ text }) => text).join(''))));

export const spelling = (pipe: (letters: Letters, tools: PipeTools) => Observable<string>): Policy =>
  policy({ name: 'marbles', on: syslog(), pipe: (letters, tools) => pipe(letters, tools).pipe(map((text) => mark({ text }))) });

/** What is wanted at the first event after an hour in which Offbox was down, and the first letter of which nobody hears. */
export function afterAnHourDown(subject: Policy, letters: string): readonly string[] {
  const rig = new Rig([subject]);
  for (const letter of letters) {
    rig.event(textEvent(letter));
    rig.pass(99);
    rig.now += 1;
  }
  rig.restart();
  rig.now += 3_600_000;
  return lines(rig.event(textEvent('-')));
}

/** What the operators say of letters that come at these times (ms): `waiting 1 of 3 within 60s; …`, until as ms. */
export function said(subject: Policy, letters: readonly (readonly [at: number, letter: string])[], endAt = 0): readonly string[] {
  const heard: Verdict[] = [];
  const rig = new Rig([subject], { trace: (verdict) => heard.push(verdict) });
  const begin = rig.now;
  for (const [at, letter] of letters) {
    rig.pass(begin + at - rig.now);
    rig.event(textEvent(letter));
  }
  if (endAt > 0) rig.pass(begin + endAt - rig.now);
  return heard
    .filter(({ step }) => step !== 'on')
    .map(
      ({ at, verdict, detail, until }) =>
        `${at - begin} ${verdict}: ${detail}${until === undefined ? '' : ` until ${until - begin}`}`,
    );
}
