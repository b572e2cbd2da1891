import { filter, map, mergeMap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type Policy, policy } from '../../src/core/policy.ts';
import { syslog } from '../../src/core/selectors.ts';
import { type Explanation, explain } from '../../src/runtime/explain.ts';
import { timeText } from '../../src/runtime/wall.ts';
import { mark } from '../core/marbles.ts';
import { caseless, is, isCapital, isSmall } from '../core/operators/correlating.ts';
import { Rig, start, textEvent } from '../core/rig.ts';

type Letters = readonly (readonly [at: number, letter: string])[];

/** Plays letters at these times (ms), then explains the `nth`, lines as `+4.1s ✔ pair: …`. */
async function explained(subject: Policy, letters: Letters, nth: number, endAt = 0): Promise<readonly string[]> {
  const { policies } = await explanationOf(subject, letters, nth, endAt);
  const [{ steps, conclusion }] = policies as [Explanation['policies'][number]];
  return [...steps.map(({ step, verdict, detail, afterMs }) => `+${afterMs} ${verdict} ${step}: ${detail}`), conclusion];
}

function explanationOf(subject: Policy, letters: Letters, nth: number, endAt: number): Promise<Explanation> {
  const rig = new Rig([subject]);
  const seqs: number[] = [];
  for (const [at, letter] of letters) {
    rig.pass(start + at - rig.now);
    rig.event(textEvent(letter));
    seqs.push(rig.entries.findLast(({ kind }) => kind === 'event')!.seq);
  }
  if (endAt > 0) rig.pass(start + endAt - rig.now);
  const journal = {
    async *ofKind() {
      yield [];
    },
    async *read() {
      yield rig.entries;
    },
  };
  return explain(journal as never, [{ policy: subject, version: 'v1' }], seqs[nth - 1]!);
}

const clock = (at: number): string =>
  timeText(start + at)
    .slice(11)
    .replace(/\.000$/, '');

describe('explain', () => {
  const three = policy({
    name: 'p',
    on: syslog(),
    pipe: (letters, { threshold }) => letters.pipe(threshold(3, '60s'), map(mark)),
  });

  test('shows the window that an event filled, and what came of it', async () => {
    const letters: Letters = [
      [0, 'a'],
      [1_000, 'b'],
      [2_000, 'c'],
    ];
    expect(await explained(three, letters, 3)).toEqual([
      '+0 passed on: syslog of r1',
      '+0 fired threshold: 3 within 60s: the first was 2 s ago',
      expect.stringContaining('+0 fired wants: c '),
      'It fired and went through.',
    ]);
    // Ahead: the one that made it fire.
    expect(await explained(three, letters, 1)).toEqual([
      '+0 passed on: syslog of r1',
      `+0 waiting threshold: 1 of 3 within 60s; the oldest counts until ${clock(60_000)}`,
      '+2000 fired threshold: 3 within 60s: the first was 2 s ago',
      expect.stringContaining('+2000 fired wants: c '),
      'It fired and went through.',
    ]);
  });

  test('looks ahead for the one that came too late, and behind from it', async () => {
    const letters: Letters = [
      [0, 'a'],
      [50_000, 'b'],
      [64_100, 'c'],
      [200_000, 'd'],
    ];
    const missed = 'missed threshold: 2 of 3 within 60s; the third came 4.1 s late';
    expect(await explained(three, letters, 1)).toEqual([
      '+0 passed on: syslog of r1',
      `+0 waiting threshold: 1 of 3 within 60s; the oldest counts until ${clock(60_000)}`,
      `+64100 ${missed}`,
      'It did not fire. The nearest miss: 2 of 3 within 60s; the third came 4.1 s late.',
    ]);
    expect(await explained(three, letters, 3)).toEqual([
      '+0 passed on: syslog of r1',
      `+0 ${missed}`,
      `+0 waiting threshold: 2 of 3 within 60s; the oldest counts until ${clock(110_000)}`,
      '+60000 stopped threshold: 2 of 3 within 60s; no more came',
      'It did not fire. The nearest miss: 2 of 3 within 60s; the third came 4.1 s late.',
    ]);
  });

  test('leaves out a window that went on without the event', async () => {
    const letters: Letters = [
      [0, 'a'],
      [50_000, 'b'],
      [70_000, 'c'],
      [71_000, 'd'],
    ];
    expect((await explained(three, letters, 1)).at(-1)).toBe(
      'It did not fire. The nearest miss: 2 of 3 within 60s; the third came 10 s late.',
    );
    expect((await explained(three, letters, 2)).at(-1)).toBe('It fired and went through.');
  });

  const ports = policy({
    name: 'p',
    on: syslog(),
    pipe: (letters, { pair }) =>
      letters.pipe(
        pair(
          ({ text }) => text.startsWith('+'),
          ({ text }) => text.startsWith('-'),
          { within: '5s', key: ({ text }) => text.slice(1) },
        ),
        map(([one]) => mark(one)),
      ),
  });

  test('says that the key differed, of both', async () => {
    const letters: Letters = [
      [0, '+Gi1/0/1'],
      [0, '+Gi1/0/2'],
      [1_000, '-GigabitEthernet1/0/1'],
    ];
    const missed = 'key differed: GigabitEthernet1/0/1, Gi1/0/1';
    expect(await explained(ports, letters, 1, 10_000)).toEqual([
      '+0 passed on: syslog of r1',
      `+0 waiting pair: 1 of 2: waits for the second until ${clock(5_000)}`,
      `+1000 missed pair: ${missed}`,
      '+5000 stopped pair: 1 of 2 within 5s: the second did not come',
      `It did not fire. The nearest miss: ${missed}.`,
    ]);
    expect((await explained(ports, letters, 3, 10_000)).filter((line) => line.includes(missed))).toHaveLength(2);
    expect((await explained(ports, letters, 2, 10_000)).at(-1)).toBe('It was stopped at pair.');
  });

  test('says that the group differed where the window is below a perKey', async () => {
    const grouped = policy({
      name: 'p',
      on: syslog(),
      pipe: (letters, { perKey, threshold }) =>
        letters.pipe(
          perKey(
            ({ text }) => text,
            (group) => group.pipe(threshold(2, '5s')),
          ),
          map(mark),
        ),
    });
    const lines = await explained(
      grouped,
      [
        [0, 'sw1 Vl10'],
        [0, 'sw2 Vl10'],
        [1_000, 'SW1.lab.example Vlan10'],
      ],
      1,
      9_000,
    );
    expect(lines).toEqual([
      '+0 passed on: syslog of r1',
      '+0 passed perKey: sw1 Vl10',
      `+0 waiting threshold: 1 of 2 within 5s; the oldest counts until ${clock(5_000)}`,
      '+1000 missed perKey: key differed: SW1.lab.example Vlan10, sw1 Vl10',
      '+5000 stopped threshold: 1 of 2 within 5s; no more came',
      'It did not fire. The nearest miss: key differed: SW1.lab.example Vlan10, sw1 Vl10.',
    ]);
  });

  const missing = policy({
    name: 'p',
    on: syslog(),
    pipe: (letters, { absent, suppress, notice }) =>
      letters.pipe(
        absent(isCapital, { after: isSmall, within: '5s', key: caseless }),
        suppress('1m'),
        mergeMap(({ event }) => notice('missing', `${event.text} is alone`, [event.target])),
      ),
  });

  test('says until when it waits, and follows the alarm to what it set off, and to what came too late', async () => {
    expect((await explained(missing, [[0, 'a']], 1)).slice(1)).toEqual([
      `+0 waiting absent: waits for what is expected until ${clock(5_000)}`,
      'It still waits at absent.',
    ]);
    const letters: Letters = [
      [0, 'a'],
      [0, 'b'],
      [6_000, 'A'],
      [7_000, 'x'],
    ];
    expect(await explained(missing, letters, 1, 60_000)).toEqual([
      '+0 passed on: syslog of r1',
      `+0 waiting absent: waits for what is expected until ${clock(5_000)}`,
      '+5000 fired absent: what is expected did not come within 5s',
      `+5000 fired suppress: passes, 0 suppressed before it; nothing more passes until ${clock(65_000)}`,
      '+5000 fired notice: p a is alone',
      '+6000 missed absent: what is expected came 1 s late',
      'It fired and went through.',
    ]);
    // The same instant, another key: what it set off is its own.
    expect((await explained(missing, letters, 2, 60_000)).slice(2)).toEqual([
      '+5000 fired absent: what is expected did not come within 5s',
      `+5000 stopped suppress: 1 suppressed: one passed 0 ms ago, nothing more passes until ${clock(65_000)}`,
      expect.any(String),
      expect.any(String),
    ]);
  });

  test('says that what was expected came in time', async () => {
    const letters: Letters = [
      [0, 'a'],
      [3_200, 'A'],
    ];
    expect((await explained(missing, letters, 1, 10_000)).slice(2)).toEqual([
      '+3200 stopped absent: what is expected came after 3.2 s, in time',
      'It was stopped at absent.',
    ]);
  });

  test('tells a sequence step by step, and what reset it', async () => {
    const steps = policy({
      name: 'p',
      on: syslog(),
      pipe: (letters, { sequence }) =>
        letters.pipe(
          sequence([is('a'), is('b'), is('c')], { within: '5s', unless: is('x') }),
          map(([, , last]) => mark(last)),
        ),
    });
    expect(
      (
        await explained(
          steps,
          [
            [0, 'a'],
            [1_000, 'b'],
            [2_000, 'x'],
            [3_000, 'c'],
          ],
          2,
          9_000,
        )
      ).slice(1),
    ).toEqual([
      `+0 waiting sequence: 2 of 3: waits for the third until ${clock(6_000)}`,
      '+1000 stopped sequence: 2 of 3: reset, as this is not the third',
      'It was stopped at sequence.',
    ]);
  });

  test('says when what was dampened is reused', async () => {
    const flapping = policy({
      name: 'p',
      on: syslog(),
      pipe: (letters, { dampening }) =>
        letters.pipe(
          dampening({ halfLife: '1s' }),
          filter(({ kind }) => kind === 'reused'),
          map(({ event }) => mark(event)),
        ),
    });
    const letters: Letters = [
      [0, 'a'],
      [0, 'b'],
      [0, 'c'],
      [500, 'd'],
    ];
    expect((await explained(flapping, letters, 3, 9_000)).slice(1)).toEqual([
      `+0 waiting dampening: penalty 3000 is above 2000: suppressed until ${clock(2_000)}`,
      '+2558 fired dampening: reused: the penalty is down to 750; 2 did not pass',
      '+2558 fired wants: d mark present, says p',
      'It fired and went through.',
    ]);
  });

  test('says that a pipe wanted nothing', async () => {
    const nothing = policy({ name: 'p', on: syslog(), pipe: (letters) => letters.pipe(filter(() => false)) });
    expect(await explained(nothing, [[0, 'a']], 1)).toEqual(['+0 passed on: syslog of r1', 'It wanted nothing.']);
  });

  test('is the same whether or not anybody asks: what is said changes no intent', () => {
    for (const subject of [three, ports, missing]) {
      const plain = new Rig([subject]);
      const traced = new Rig([subject], { trace: () => undefined });
      for (let index = 0; index < 200; index += 1) {
        for (const rig of [plain, traced]) {
          rig.pass((index * 7_919) % 9_000);
          rig.event(textEvent(['a', 'A', 'b', '+Gi1', '-Gi1', '-GigabitEthernet1'][(index * 31) % 6]!));
        }
      }
      expect(traced.intents).toEqual(plain.intents);
      expect(traced.engine.cells.snapshot()).toEqual(plain.engine.cells.snapshot());
    }
  });
});
