import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { absent } from '../../../src/core/operators/absent.ts';
import { play, playBroken } from '../marbles.ts';
import { afterAnHourDown, caseless, is, isCapital, isSmall, said, spelling } from './correlating.ts';

const text = map(({ text }: { readonly text: string }) => text);
const ofTwo = spelling((letters) => letters.pipe(absent(is('b'), { after: is('a', 'A'), within: '300ms' }), text));
const keyed = spelling((letters) => letters.pipe(absent(isCapital, { after: isSmall, within: '300ms', key: caseless }), text));
const heartbeat = spelling((letters) => letters.pipe(absent(is('h'), { after: is('h'), within: '300ms' }), text));

describe('absent', () => {
  test.each([
    ['gives the event that nothing followed', ofTwo, 'a--------', '---a-----'],
    ['is silenced by what is expected', ofTwo, 'a-b------', '---------'],
    ['is too late for one that comes as the time ends', ofTwo, 'a--b-----', '---a-----'],
    ['gives one alarm an outage, of the first', ofTwo, 'aA-------', '---a-----'],
    ['begins anew after an alarm', ofTwo, 'a---A----', '---a---A-'],
    ['begins anew after silence', ofTwo, 'ab-A-----', '------A--'],
    ['waits for nothing where nothing began', ofTwo, 'b--------', '---------'],
    ['keeps each key apart', keyed, 'abA-----', '----b---'],
    ['hears that a heartbeat stops', heartbeat, 'h-h-h-------', '-------h----'],
  ] as const)('%s', (_, subject, input, output) => {
    expect(play(subject, input)).toBe(output);
    expect([...playBroken(subject, input)]).toEqual([output]);
  });

  test('rings, once, an alarm that came due while Offbox was down', () => {
    expect(afterAnHourDown(ofTwo, 'a')).toEqual(['present a']);
    expect(afterAnHourDown(ofTwo, 'ab')).toEqual([]);
  });

  test('rings it at its own due time: what follows counts from then', () => {
    const settled = spelling((letters, { settle }) =>
      letters.pipe(absent(is('b'), { after: is('a'), within: '300ms' }), settle({ quiet: '1s' }), text),
    );
    expect(afterAnHourDown(settled, 'a')).toEqual(['present a']);
  });

  test('says until when it waits, and by how much too late one came', () => {
    expect(
      said(ofTwo, [
        [0, 'a'],
        [100, 'a'],
        [200, 'b'],
        [1_000, 'a'],
        [1_350, 'b'],
        [1_400, 'b'],
        [1_500, 'x'],
      ]),
    ).toEqual([
      '0 waiting: waits for what is expected until 300',
      '100 stopped: it waits for what is expected already, for 100 ms',
      '200 stopped: what is expected came after 200 ms, in time',
      '1000 waiting: waits for what is expected until 1300',
      '1300 fired: what is expected did not come within 300ms',
      '1350 missed: what is expected came 50 ms late',
      '1350 stopped: what is expected; nothing waits for it',
      '1400 stopped: what is expected; nothing waits for it',
      '1500 stopped: neither what it follows nor what is expected',
    ]);
  });

  test('says that the key differed', () => {
    const named = spelling((letters) =>
      letters.pipe(
        absent(({ text }) => text.startsWith('up'), {
          after: ({ text }) => text.startsWith('down'),
          within: '1s',
          key: ({ text }) => text.split(' ')[1]!,
        }),
        text,
      ),
    );
    const heard = said(named, [
      [0, 'down Te1/1'],
      [10, 'up TenGigabitEthernet1/1'],
    ]);
    expect(heard).toContain('10 missed: key differed: TenGigabitEthernet1/1, Te1/1');
  });
});
