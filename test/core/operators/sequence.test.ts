import fc from 'fast-check';
import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { sequence } from '../../../src/core/operators/sequence.ts';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { sequenceStepsMax } from '../../../src/model/limits.ts';
import { play, playBroken } from '../marbles.ts';
import { Rig, textEvent } from '../rig.ts';
import { afterAnHourDown, caseless, correlating, is, isCapital, isSmall, said, spelling } from './correlating.ts';

const steps = [is('a', 'A'), is('b', 'B'), is('c')] as const;
const loose = correlating((letters) => letters.pipe(sequence(steps, { within: '300ms' })));
const unlessX = correlating((letters) => letters.pipe(sequence(steps, { within: '300ms', unless: is('x') })));
const strict = correlating((letters) => letters.pipe(sequence(steps, { within: '300ms', unless: 'anything-else' })));
const keyed = correlating((letters) => letters.pipe(sequence([isSmall, isCapital], { within: '300ms', key: caseless })));
const twice = correlating((letters) => letters.pipe(sequence([is('a'), is('a')], { within: '300ms' })));

describe('sequence', () => {
  test.each([
    ['gives all of them, in order', loose, 'a-b-c---', '----(abc)---'],
    ['counts each time from the one before', loose, 'a-b-c---a--b-', '----(abc)--------'],
    ['hears nothing in another order', loose, 'b-a-c-cba-', '----------'],
    ['is not disturbed by what comes between', loose, 'axbxc---', '----(abc)---'],
    ['takes the latest of several', loose, 'aAbBc---', '----(ABc)---'],
    ['finds one that begins while another is under way', loose, 'a-bA-B-c---', '-------(ABc)---'],
    ['uses up all that came', loose, 'aAbccbc---', '---(Abc)------'],
    ['is too late as the time ends', loose, 'a--b-c----', '----------'],
    ['is reset by what contradicts', unlessX, 'a-bxc---', '--------'],
    ['begins anew after what contradicts', unlessX, 'abxabc---', '-----(abc)---'],
    ['is reset by anything else', strict, 'abyc--abc', '--------(abc)'],
    ['begins anew where the first is what came instead', strict, 'aAbc----', '---(Abc)----'],
    ['keeps each key apart', keyed, 'abAB----', '--(aA)(bB)----'],
    ['takes two of the same kind', twice, 'aaaa---a--a', '-(aa)-(aa)-------'],
  ] as const)('%s', (_, subject, input, output) => {
    expect(play(subject, input)).toBe(output);
    expect([...playBroken(subject, input)]).toEqual([output]);
  });

  test('forgets what ended while Offbox was down', () => {
    const rig = new Rig([loose]);
    rig.event(textEvent('a'));
    rig.restart();
    rig.now += 3_600_000;
    expect(rig.event(textEvent('b'))).toEqual([]);
    expect(rig.event(textEvent('c'))).toEqual([]);
    expect(afterAnHourDown(loose, 'ab')).toEqual([]);
    rig.pass(10_000);
    expect(rig.engine.cells.remembered('marbles')).toEqual([]);
  });

  test('finds what a search through all that came finds', () => {
    const letter = fc.tuple(fc.integer({ min: 0, max: 200 }), fc.constantFrom('a', 'b', 'c', 'x'));
    const found = spelling((letters) => letters.pipe(sequence(steps, { within: '300ms', unless: is('x') }), map(times)));
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 40 }), (letters) => {
        const rig = new Rig([found]);
        const begin = rig.now;
        /** Every run there is, by its letters' times. */
        let runs: readonly (readonly number[])[] = [];
        let at = 0;
        for (const [gap, text] of letters) {
          at += gap;
          rig.pass(begin + at - rig.now);
          const alive = text === 'x' ? [] : runs.filter((run) => at - run.at(-1)! < 300);
          const longer = alive.filter((run) => 'abc'[run.length] === text).map((run) => [...run, at]);
          const whole = longer.filter((run) => run.length === 3).sort((one, other) => compared(other, one));
          runs = whole.length > 0 ? [] : [...alive, ...longer, ...(text === 'a' ? [[at]] : [])];
          const wanted = rig.event(textEvent(text)).map(({ want }) => want.kind === 'ensure' && want.resource.target);
          expect(wanted).toEqual(whole.slice(0, 1).map((run) => run.map((time) => begin + time).join()));
        }
      }),
    );
  });

  test('says how far it is, what resets it, and by how much too late one came', () => {
    expect(
      said(unlessX, [
        [0, 'a'],
        [100, 'b'],
        [450, 'c'],
        [500, 'a'],
        [600, 'x'],
        [700, 'b'],
        [800, 'a'],
        [850, 'b'],
        [900, 'c'],
        [950, '?'],
      ]),
    ).toEqual([
      '0 waiting: 1 of 3: waits for the second until 300',
      '100 waiting: 2 of 3: waits for the third until 400',
      '300 stopped: 1 of 3: the second did not come within 300ms of the first',
      '400 stopped: 2 of 3: the third did not come within 300ms of the second',
      '450 missed: 2 of 3; the third came 50 ms late, more than 300ms after the second',
      '450 stopped: the third without the first before it',
      '500 waiting: 1 of 3: waits for the second until 800',
      '600 stopped: 1 of 3: reset, as this is not the second',
      '600 stopped: something else without the first before it',
      '700 stopped: the second without the first before it',
      '800 waiting: 1 of 3: waits for the second until 1100',
      '850 waiting: 2 of 3: waits for the third until 1150',
      '900 fired: 3 of 3 in 100 ms',
      '950 stopped: none of the first, the second, the third',
    ]);
  });

  test.each([
    [() => sequence<SyslogEvent, [typeof isSmall, typeof isSmall]>([isSmall] as never, { within: '1s' }), 'Name 2 to 32.'],
    [
      () => sequence<SyslogEvent, never>(Array.from({ length: sequenceStepsMax + 1 }, () => isSmall) as never, { within: '1s' }),
      '33 cannot follow each other',
    ],
    [() => sequence<SyslogEvent, [typeof isSmall, typeof isSmall]>([isSmall, isSmall], { within: '0ms' }), 'at least 1ms'],
  ])('refuses what can be no sequence %#', (make, text) => {
    expect(make).toThrow(text);
  });
});

const times = (events: readonly SyslogEvent[]): string => events.map(({ at }) => at).join();

/** By the last time, then the one before: which is the later run. */
function compared(one: readonly number[], other: readonly number[]): number {
  for (let index = one.length - 1; index >= 0; index -= 1) if (one[index] !== other[index]) return one[index]! - other[index]!;
  return 0;
}
