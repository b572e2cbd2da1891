import fc from 'fast-check';
import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type Dampened, type DampeningOptions, dampening } from '../../../src/core/operators/dampening.ts';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { play, playBroken } from '../marbles.ts';
import { lines, Rig, textEvent } from '../rig.ts';
import { caseless, said, spelling } from './correlating.ts';

/** `a` passes, `!c` is the one too many, `=d` the last one when it is reused. */
const told = map((one: Dampened<SyslogEvent>) => ({ passed: '', suppressed: '!', reused: '=' })[one.kind] + one.event.text);
const dampened = (options: DampeningOptions<SyslogEvent>) => spelling((letters) => letters.pipe(dampening(options), told));

// A penalty of 1000 each, halved every 10 units of 100 ms; at 2000 it takes 1.415 half-lives to 750.
const second = dampened({ halfLife: '1s' });
const upsAreFree = dampened({ halfLife: '1s', penalty: ({ text }) => (text === text.toLowerCase() ? 1_000 : 0) });
const keyed = dampened({ halfLife: '1s', key: caseless });

describe('dampening', () => {
  test.each([
    ['lets through what comes seldom', second, 'a---------b---------c----', 'a---------b---------c----'],
    ['suppresses the third of a burst, and tells', second, '(ab)c---', '(ab)(!c)---'],
    ['tells when it is reused', second, '(abc)-------------------|-a', '(ab!c)-------------------(=c)-a'],
    ['suppresses nothing at the limit itself', second, '(ab)----', '(ab)----'],
    ['counts an event that costs nothing as no flap', upsAreFree, '(aA)(bB)C---', '(aA)(bB)C---'],
    ['keeps each key apart', keyed, '(aAb)(aB)---', '(aAb)(!aB)---'],
  ] as const)('%s', (_, subject, input, output) => {
    expect(play(subject, input)).toBe(output);
    expect([...playBroken(subject, input)]).toEqual([output]);
  });

  const times = spelling((letters) =>
    letters.pipe(
      dampening({ halfLife: '1s' }),
      map((one) => `${one.kind} ${one.event.text} ${one.penalty}${one.kind === 'reused' ? ` ${one.suppressed}` : ''}`),
    ),
  );

  test('frees at the reuse limit, with the last event and how many did not pass', () => {
    const rig = new Rig([times]);
    expect(lines(['a', 'b', 'c', 'd'].flatMap((letter) => rig.event(textEvent(letter))))).toEqual([
      'present passed a 1000',
      'present passed b 2000',
      'present suppressed c 3000',
    ]);
    // 4000 → 750: 1 s x log2(4000 / 750) = 2.4150 s.
    expect(rig.pass(2_415)).toEqual([]);
    expect(lines(rig.pass(1))).toEqual(['present reused d 750 2']);
    expect(lines(rig.event(textEvent('e')))).toEqual(['present passed e 1750']);
    // Forgotten at half the reuse limit: log2(1750 / 375) = 2.222 s.
    rig.pass(2_223);
    expect(rig.engine.cells.remembered('marbles')).toEqual([]);
  });

  test('suppresses no longer than maxSuppress after the last event, however many there were', () => {
    const rig = new Rig([times]);
    for (let index = 0; index < 1_000; index += 1) rig.event(textEvent('x'));
    expect(rig.pass(3_999)).toEqual([]);
    expect(lines(rig.pass(1))).toEqual(['present reused x 750 998']);
  });

  test('takes any number for a penalty, also where no ceiling can be reckoned', () => {
    const costly = dampened({ halfLife: '1s', maxSuppress: '1h', penalty: () => Number.MAX_VALUE });
    const rig = new Rig([costly]);
    for (const letter of ['a', 'b', 'c']) rig.event(textEvent(letter));
    expect(rig.faults).toEqual([]);
    expect(lines(rig.pass(3_600_000))).toEqual(['present =c']);
  });

  test('frees at the due time, though Offbox was down then', () => {
    const rig = new Rig([times]);
    for (const letter of ['a', 'b', 'c']) rig.event(textEvent(letter));
    rig.restart();
    rig.now += 3_600_000;
    expect(lines(rig.event(textEvent('d')))).toEqual(['present reused c 750 1', 'present passed d 1000']);
  });

  test('decays as 2 to the power of minus time by half-life, to a thousandth', () => {
    const shown = spelling((letters) =>
      letters.pipe(
        dampening({ halfLife: '15m', penalty: ({ text }) => Number(text), suppress: 1e9, maxSuppress: '1d' }),
        map(({ penalty }) => String(penalty)),
      ),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1_000_000, max: 100_000_000 }), fc.integer({ min: 0, max: 3_600_000 }), (penalty, ms) => {
        const rig = new Rig([shown]);
        rig.event(textEvent(String(penalty)));
        rig.pass(ms);
        const [intent] = rig.event(textEvent('0'));
        const left = Number(intent!.want.kind === 'ensure' && intent!.want.resource.target);
        const right = penalty * 2 ** (-ms / 900_000);
        expect(Math.abs(left - right)).toBeLessThan(right / 1_000 + 1);
      }),
    );
  });

  test('says the penalty, and until when it suppresses', () => {
    expect(
      said(
        second,
        [
          [0, 'a'],
          [0, 'b'],
          [0, 'c'],
          [1_000, 'd'],
        ],
        4_000,
      ),
    ).toEqual([
      '0 passed: penalty 1000; above 2000 it is suppressed',
      '0 passed: penalty 2000; above 2000 it is suppressed',
      '0 waiting: penalty 3000 is above 2000: suppressed until 2000',
      '1000 waiting: penalty 2500: still suppressed until 2737',
      '2737 fired: reused: the penalty is down to 750; 2 did not pass',
    ]);
  });

  test.each([
    [{ suppress: 700 }, 'a reuse limit below the suppress limit'],
    [{ penalty: -1 }, 'Use numbers above 0'],
    [{ penalty: Number.NaN }, 'Use numbers above 0'],
    [{ halfLife: '0s' }, 'Use at least 1ms'],
    [{ maxSuppress: '15m' }, 'from 1500 only, so nothing would ever be suppressed'],
  ] as const)('refuses what cannot dampen: %o', (options, text) => {
    expect(() => dampening(options as DampeningOptions<SyslogEvent>)).toThrow(text);
  });

  test('stops the policy whose penalty is none', () => {
    const rig = new Rig([dampened({ penalty: () => Number.NaN })]);
    expect(rig.feed({ kind: 'event', event: textEvent('a') }).faults[0]?.reason).toContain('NaN is none');
  });
});
