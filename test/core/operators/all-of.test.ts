import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allOf } from '../../../src/core/operators/all-of.ts';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { play, playBroken } from '../marbles.ts';
import { Rig, textEvent } from '../rig.ts';
import { caseless, correlating, is, isCapital, isSmall, said } from './correlating.ts';

const three = correlating((letters) => letters.pipe(allOf([is('a', 'A'), is('b'), is('c')], { within: '500ms' })));
const keyed = correlating((letters) => letters.pipe(allOf([isSmall, isCapital], { within: '300ms', key: caseless })));

describe('allOf', () => {
  test.each([
    ['gives one of each, as they are named', three, 'a-b-c----', '----(abc)----'],
    ['takes them in any order', three, 'cba------', '--(abc)------'],
    ['takes the latest of each', three, 'a-bA--c--', '------(Abc)--'],
    ['counts from the first to the last', three, 'a-b--c---', '---------'],
    ['lets one that came anew take the place of what is too old', three, 'a-b-Ac---', '-----(Abc)---'],
    ['uses all of them up', three, 'abcab-c--', '--(abc)---(abc)--'],
    ['gives nothing while one is missing', three, 'aabbaabb--', '----------'],
    ['keeps each key apart', keyed, 'aBAb-----', '--(aA)(bB)-----'],
  ] as const)('%s', (_, subject, input, output) => {
    expect(play(subject, input)).toBe(output);
    expect([...playBroken(subject, input)]).toEqual([output]);
  });

  test('finds what a look at all that came finds', () => {
    const letter = fc.tuple(fc.integer({ min: 0, max: 250 }), fc.constantFrom('a', 'b', 'c'));
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 40 }), (letters) => {
        const rig = new Rig([three]);
        const begin = rig.now;
        let came: { readonly at: number; readonly text: string }[] = [];
        let at = 0;
        for (const [gap, text] of letters) {
          at += gap;
          rig.pass(begin + at - rig.now);
          came.push({ at, text });
          const all = ['a', 'b', 'c'].every((each) => came.some((one) => one.text === each && at - one.at < 500));
          if (all) came = [];
          expect(rig.event(textEvent(text))).toHaveLength(all ? 1 : 0);
        }
        rig.pass(1_000);
        expect(rig.engine.cells.remembered('marbles')).toEqual([]);
      }),
    );
  });

  test('says which it waits for, and by how much too late one came', () => {
    expect(
      said(
        three,
        [
          [0, 'a'],
          [200, 'b'],
          [550, 'c'],
          [600, 'a'],
          [601, '?'],
        ],
        1_000,
      ),
    ).toEqual([
      '0 waiting: 1 of 3: waits for the second, the third until 500',
      '200 waiting: 2 of 3: waits for the third until 500',
      '500 stopped: 2 of 3 within 500ms; the third did not come',
      '550 missed: 2 of 3 within 500ms; the third came 50 ms late for the first',
      '550 waiting: 2 of 3: waits for the first until 700',
      '600 fired: 3 of 3 within 500ms: the first was 400 ms ago',
      '601 stopped: none of the first, the second, the third',
    ]);
  });

  test('refuses what cannot come together', () => {
    const make = (...events: unknown[]) => allOf<SyslogEvent, never>(events as never, { within: '1s' });
    expect(() => make(isSmall)).toThrow('Name 2 to 32.');
    expect(() => make(...Array.from({ length: 33 }, () => isSmall))).toThrow('33 cannot come together');
    expect(() => allOf<SyslogEvent, never>([isSmall, isSmall] as never, { within: '0s' })).toThrow('at least 1ms');
  });
});
