import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { suppress } from '../../../src/core/operators/suppress.ts';
import { play, playBroken } from '../marbles.ts';
import { Rig, textEvent } from '../rig.ts';
import { caseless, said, spelling } from './correlating.ts';

const counted = map(({ event, suppressed }: { readonly event: { readonly text: string }; readonly suppressed: number }) =>
  suppressed === 0 ? event.text : `${event.text}${suppressed}`,
);
const throttled = spelling((letters) => letters.pipe(suppress('300ms'), counted));
const keyed = spelling((letters) => letters.pipe(suppress('300ms', { key: caseless }), counted));

describe('suppress', () => {
  test.each([
    ['lets the first through, then nothing for the time', throttled, 'abc------', 'a--------'],
    ['says with the next how many it kept back', throttled, 'abcd-----', 'a--(d2)-----'],
    ['lets one through as the time ends', throttled, 'a--b-----', 'a--b-----'],
    ['is not made longer by what it keeps back', throttled, 'abbbbbb--', 'a--(b2)--(b2)--'],
    ['keeps the count until one passes, however late', throttled, 'ab--------c', 'a---------(c1)'],
    ['keeps each key apart', keyed, 'abA-AB---', 'ab--(A1)B---'],
  ] as const)('%s', (_, subject, input, output) => {
    expect(play(subject, input)).toBe(output);
    expect([...playBroken(subject, input)]).toEqual([output]);
  });

  test('forgets a key of which nothing was suppressed: quiet costs no memory', () => {
    const rig = new Rig([throttled]);
    rig.event(textEvent('a'));
    rig.pass(300);
    expect(rig.engine.cells.remembered('marbles')).toEqual([]);
  });

  test('says until when nothing passes, and how many did not', () => {
    expect(
      said(throttled, [
        [0, 'a'],
        [100, 'b'],
        [350, 'c'],
      ]),
    ).toEqual([
      '0 fired: passes, 0 suppressed before it; nothing more passes until 300',
      '100 stopped: 1 suppressed: one passed 100 ms ago, nothing more passes until 300',
      '350 fired: passes, 1 suppressed before it; nothing more passes until 650',
    ]);
  });

  test('refuses a time that is none', () => {
    expect(() => suppress('0s')).toThrow('Use at least 1ms');
  });
});
