// Owns: marbles: a policy's stream as a line of text, played through the real engine in event time.
//
//   'a--b----'   one character is one unit of time (100 ms unless said otherwise); a letter is an event, its own name its text
//   '(ab)'       one instant, one unit: a, then b
//   '|'          nothing: the time up to here is played too. Spaces are for the eye.
//
// What comes out is written the same way: the letter a desire was made of, at the time of its intent.
import type { Observable } from 'rxjs';
import { map } from 'rxjs';
import { present } from '../../src/core/desire.ts';
import { type PipeTools, type Policy, policy } from '../../src/core/policy.ts';
import type { SyslogEvent } from '../../src/core/selector.ts';
import { syslog } from '../../src/core/selectors.ts';
import { Rig, textEvent } from './rig.ts';

export type Letters = Observable<SyslogEvent>;

/** The desire of a letter. */
export const mark = ({ text }: Pick<SyslogEvent, 'text'>) => present({ kind: 'mark', target: text });

/** A policy that is nothing but this pipe. */
export const piped = (pipe: (letters: Letters, tools: PipeTools) => Letters): Policy =>
  policy({ name: 'marbles', on: syslog(), pipe: (letters, tools) => pipe(letters, tools).pipe(map(mark)) });

export interface Play {
  readonly unitMs?: number;
  /** Before the frame of this number: a crash, and back from the snapshot. */
  readonly restartAt?: number;
}

export function play(subject: Policy, marbles: string, { unitMs = 100, restartAt = -1 }: Play = {}): string {
  const frames = framesOf(marbles);
  const rig = new Rig([subject]);
  const begin = rig.now;
  const out: string[] = [];
  const show = (seen: number): void => {
    for (const intent of rig.intents.slice(seen)) {
      const at = (rig.entries[intent.cause - 1]!.at - begin) / unitMs;
      if (!Number.isInteger(at)) throw new RangeError(`an intent came ${at} units after the beginning; choose a smaller unit`);
      if (intent.want.kind === 'ensure') out[at] = (out[at] ?? '') + intent.want.resource.target;
    }
  };
  for (const [index, letters] of frames.entries()) {
    if (index === restartAt) rig.restart();
    // What is due at this instant rings before what happens at it: the host may stamp a tick, or the event itself brings it.
    const seen = rig.intents.length;
    rig.pass(begin + index * unitMs - rig.now - (letters === '' ? 0 : 1));
    rig.now = begin + index * unitMs;
    for (const letter of letters) rig.event(textEvent(letter));
    show(seen);
    if (rig.faults.length > 0) throw new Error(`the policy threw: ${rig.faults[0]!.reason}`);
  }
  return Array.from(frames, (_, index) => shown(out[index])).join('');
}

/** The same with a crash before each frame in turn: what comes out, and nothing else, must always be the same. */
export function playBroken(subject: Policy, marbles: string, options: Play = {}): ReadonlySet<string> {
  return new Set(framesOf(marbles).map((_, restartAt) => play(subject, marbles, { ...options, restartAt })));
}

function framesOf(marbles: string): string[] {
  const found = marbles.replaceAll(' ', '').match(/\([^)]*\)|./g) ?? [];
  return found.map((frame) => frame.replace(/[-|()]/g, ''));
}

function shown(letters = ''): string {
  return letters === '' ? '-' : letters.length === 1 ? letters : `(${letters})`;
}
