import fc from 'fast-check';
import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { within } from '../../../src/core/operators/within.ts';
import { cellEventsMax } from '../../../src/model/limits.ts';
import { play, playBroken } from '../marbles.ts';
import { Rig, textEvent } from '../rig.ts';
import { caseless, correlating, said, spelling } from './correlating.ts';

const counting = (count: number) => correlating((letters) => letters.pipe(within(count, '500ms')));

describe('within', () => {
  test.each([
    ['gives all that lie in the window, oldest first', 3, 'a-b-c---', '----(abc)---'],
    ['slides on after it gave them', 2, 'abc-d---', '-(ab)(abc)-(abcd)---'],
    ['gives nothing while the window holds too few', 3, 'a---b---c', '---------'],
    ['does not count one that comes as the window ends', 2, 'a----b----', '----------'],
    ['gives every event at one', 1, 'ab------c', 'a(ab)------c'],
    ['counts several of one instant', 2, '(abc)---', '(ababc)---'],
  ] as const)('%s', (_, count, input, output) => {
    expect(play(counting(count), input)).toBe(output);
    expect([...playBroken(counting(count), input)]).toEqual([output]);
  });

  test('counts each key for itself', () => {
    const keyed = correlating((letters) => letters.pipe(within(2, '500ms', { key: caseless })));
    expect(play(keyed, 'abA---B---')).toBe('--(aA)-------');
    expect([...playBroken(keyed, 'abBA------')]).toEqual(['--(bB)(aA)------']);
  });

  test('gives what a look at all that came gives', () => {
    const times = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 40 }).map((gaps) => {
      let at = 0;
      return gaps.map((gap) => (at += gap));
    });
    const counted = spelling((letters) =>
      letters.pipe(
        within(3, '500ms'),
        map((list) => String(list.length)),
      ),
    );
    fc.assert(
      fc.property(times, (all) => {
        const rig = new Rig([counted]);
        const begin = rig.now;
        for (const [index, at] of all.entries()) {
          rig.pass(begin + at - rig.now);
          const lie = all.slice(0, index + 1).filter((time) => at - time < 500).length;
          expect(rig.event(textEvent('a')).map(({ want }) => want.kind === 'ensure' && want.resource.target)).toEqual(
            lie >= 3 ? [String(lie)] : [],
          );
        }
      }),
    );
  });

  test('keeps no more events of a key than there is room for, and counts what it dropped', () => {
    const sizes = spelling((letters) =>
      letters.pipe(
        within(2, '1d'),
        map((list) => String(list.length)),
      ),
    );
    const rig = new Rig([sizes]);
    const { engine } = rig;
    let last: unknown;
    for (let index = 0; index < cellEventsMax + 5; index += 1)
      last = engine.step({ kind: 'event', event: textEvent('a'), at: rig.now, seq: 10 + index }).intents[0]?.want;
    expect(last).toMatchObject({ resource: { target: String(cellEventsMax) } });
    expect(engine.cells.remembered('marbles')).toEqual([
      { place: 'marbles/3.within', keys: 1, droppedKeys: 0, droppedEvents: 5 },
    ]);
  });

  test('forgets what has left its window: quiet costs no memory', () => {
    const rig = new Rig([counting(3)]);
    rig.event(textEvent('a'));
    rig.pass(1_000);
    expect(rig.engine.cells.remembered('marbles')).toEqual([]);
  });

  test('says how far it is, and by how much too late one came', () => {
    const minute = correlating((letters) => letters.pipe(within(3, '60s')));
    expect(
      said(minute, [
        [0, 'a'],
        [50_000, 'b'],
        [64_100, 'c'],
        [65_000, 'd'],
      ]),
    ).toEqual([
      '0 waiting: 1 of 3 within 60s; the oldest counts until 60000',
      '50000 waiting: 2 of 3 within 60s; the oldest counts until 60000',
      '64100 missed: 2 of 3 within 60s; the third came 4.1 s late',
      '64100 waiting: 2 of 3 within 60s; the oldest counts until 110000',
      '65000 fired: 3 within 60s: the first was 15 s ago',
    ]);
  });

  test.each([
    [() => within(0, '1s'), `Use a whole number from 1 to ${cellEventsMax}.`],
    [() => within(cellEventsMax + 1, '1s'), 'cannot be counted'],
    [() => within(5, '0s'), 'Use at least 1ms'],
    [() => within(5, 'soon' as '1s'), 'Write a number and a unit'],
  ])('refuses what it cannot count %#', (make, text) => {
    expect(make).toThrow(text);
  });
});
