import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { pair } from '../../../src/core/operators/pair.ts';
import { policy } from '../../../src/core/policy.ts';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { interfaces, syslog } from '../../../src/core/selectors.ts';
import { cellKeysMax } from '../../../src/model/limits.ts';
import { mark, play, playBroken } from '../marbles.ts';
import { eventOf, lines, Rig, textEvent } from '../rig.ts';
import { caseless, correlating, is, isCapital, isSmall, said } from './correlating.ts';

const ofTwo = (order: 'either' | 'given' = 'either') =>
  correlating((letters) => letters.pipe(pair(is('a', 'c'), is('b', 'd'), { within: '500ms', order })));

describe('pair', () => {
  test.each([
    ['gives both, in the order they are named', 'either', 'a-b-----', '--(ab)-----'],
    ['takes them in either order', 'either', 'b-a-----', '--(ab)-----'],
    ['takes them in the given order only', 'given', 'b-a--------b', '------------'],
    ['finds the given order after the other one', 'given', 'b-ab-----', '---(ab)-----'],
    ['gives up when the time is over', 'either', 'a----b-----', '-----------'],
    ['takes one that comes just in time', 'either', 'a---b-----', '----(ab)-----'],
    ['pairs with the latest where several wait', 'either', 'a-c-b-----', '----(cb)-----'],
    ['waits as long as the latest does', 'either', 'a---c---d---', '--------(cd)---'],
    ['uses both up', 'either', 'a-b-d-c---', '--(ab)---(cd)---'],
    ['hears nothing else', 'either', 'axb---', '--(ab)---'],
  ] as const)('%s', (_, order, input, output) => {
    expect(play(ofTwo(order), input)).toBe(output);
    expect([...playBroken(ofTwo(order), input)]).toEqual([output]);
  });

  test('pairs what has the same key', () => {
    const keyed = correlating((letters) => letters.pipe(pair(isSmall, isCapital, { within: '500ms', key: caseless })));
    expect(play(keyed, 'abBcA-----')).toBe('--(bB)-(aA)-----');
    expect([...playBroken(keyed, 'abBcA-----')]).toEqual(['--(bB)-(aA)-----']);
  });

  test('takes selectors, of meanings and of messages', () => {
    const selecting = policy({
      name: 'p',
      on: [interfaces.stateChanged(), syslog()],
      pipe: (events) =>
        events.pipe(
          pair(interfaces.down({ interface: 'Gi0/1' }), syslog({ mnemonic: 'LETTER', matches: /^x/ }), { within: '5s' }),
          map(([{ target }, { text }]) => mark({ text: `${target} ${text}` })),
        ),
    });
    const rig = new Rig([selecting]);
    const down = (name: string) => eventOf('r1', { kind: 'interface.state-changed', interface: name, layer: 'link', to: 'down' });
    expect(rig.event(down('GigabitEthernet0/2'))).toEqual([]);
    expect(rig.event(textEvent('x'))).toEqual([]);
    expect(
      rig.event(eventOf('r1', { kind: 'interface.state-changed', interface: 'GigabitEthernet0/1', layer: 'link', to: 'up' })),
    ).toEqual([]);
    expect(rig.event(textEvent('y'))).toEqual([]);
    expect(lines(rig.event(down('GigabitEthernet0/1')))).toEqual(['present r1 x']);
  });

  test('remembers no more keys than there is room for, and counts what it dropped', () => {
    const keyed = correlating((letters) =>
      letters.pipe(pair(isSmall, isCapital, { within: '1d', key: ({ text }: SyslogEvent) => text.toLowerCase() })),
    );
    const rig = new Rig([keyed]);
    const { engine } = rig;
    for (let index = 0; index <= cellKeysMax; index += 1)
      engine.step({ kind: 'event', event: textEvent(`k${index}`), at: rig.now, seq: 10 + index });
    expect(engine.cells.remembered('marbles')).toEqual([
      { place: 'marbles/3.pair', keys: cellKeysMax, droppedKeys: 1, droppedEvents: 0 },
    ]);
    const ask = (text: string, seq: number) => engine.step({ kind: 'event', event: textEvent(text), at: rig.now, seq }).intents;
    expect(lines(ask('K5', 200_000))).toEqual(['present k5K5']);
    expect(ask('K0', 200_001)).toEqual([]);
  });

  test('stops the policy, at once, where its key throws', () => {
    const bad = correlating((letters) =>
      letters.pipe(
        pair(isSmall, isCapital, {
          within: '1s',
          key: () => {
            throw new Error('no key');
          },
        }),
      ),
    );
    expect(new Rig([bad]).feed({ kind: 'event', event: textEvent('a') }).faults).toEqual([
      { policy: 'marbles', cause: 3, reason: 'no key' },
    ]);
  });

  test('says what it waits for, and what was missing', () => {
    const keyed = correlating((letters) =>
      letters.pipe(
        pair(
          ({ text }) => text.startsWith('+'),
          ({ text }) => text.startsWith('-'),
          { within: '5s', key: ({ text }) => text.slice(1) },
        ),
      ),
    );
    expect(
      said(
        keyed,
        [
          [0, '+Gi1/0/1'],
          [1_000, '-GigabitEthernet1/0/1'],
          [9_100, '-Gi1/0/1'],
          [10_000, '+Gi1/0/1'],
          [10_500, '?'],
        ],
        30_000,
      ),
    ).toEqual([
      '0 waiting: 1 of 2: waits for the second until 5000',
      '1000 missed: key differed: GigabitEthernet1/0/1, Gi1/0/1',
      '1000 missed: key differed: GigabitEthernet1/0/1, Gi1/0/1',
      '1000 waiting: 1 of 2: waits for the first until 6000',
      '5000 stopped: 1 of 2 within 5s: the second did not come',
      '6000 stopped: 1 of 2 within 5s: the first did not come',
      '9100 missed: 1 of 2 within 5s; the second came 4.1 s late',
      '9100 waiting: 1 of 2: waits for the first until 14100',
      '10000 fired: 2 of 2 within 5s: 900 ms apart',
      '10500 stopped: neither the first nor the second',
    ]);
    const ordered = ofTwo('given');
    expect(
      said(ordered, [
        [0, 'b'],
        [100, 'a'],
      ]),
    ).toEqual([
      '0 stopped: the second without the first before it',
      '100 missed: order differed: the second came 100 ms before the first',
      '100 waiting: 1 of 2: waits for the second until 600',
    ]);
  });

  test.each([
    [() => pair<SyslogEvent, typeof isSmall, typeof isSmall>(isSmall, isCapital, { within: '0s' }), 'Use at least 1ms'],
    [
      () => pair<SyslogEvent, typeof isSmall, typeof isSmall>(isSmall, isCapital, { within: 'soon' as '1s' }),
      'Write a number and a unit',
    ],
  ])('refuses a time that is none %#', (make, text) => {
    expect(make).toThrow(text);
  });
});
