import { mergeMap, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { settle } from '../../../src/core/operators/settle.ts';
import { policy } from '../../../src/core/policy.ts';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { interfaces, syslog } from '../../../src/core/selectors.ts';
import { mark, piped, play, playBroken } from '../marbles.ts';
import { eventOf, lines, Rig } from '../rig.ts';

const declared = (quiet: '300ms', atMost?: '300ms' | '500ms' | '600ms') =>
  policy({ name: 'marbles', on: syslog(), settle: { quiet, ...(atMost ? { atMost } : {}) }, ensure: mark });
const asPipe = (quiet: '300ms', atMost?: '300ms' | '500ms' | '600ms') =>
  piped((letters) => letters.pipe(settle({ quiet, ...(atMost ? { atMost } : {}) })));

const cases: readonly (readonly [
  what: string,
  atMost: '300ms' | '500ms' | '600ms' | undefined,
  input: string,
  output: string,
])[] = [
  ['lets the last event through after quiet', undefined, 'a--------|', '---a------'],
  ['begins the wait anew with each event', undefined, 'ab-c-----|', '------c---'],
  ['fires twice for two bursts', undefined, 'ab----cd------|', '----b-----d----'],
  ['rings before an event of the same time, which begins anew', undefined, 'a--b------|', '---a--b----'],
  ['takes the last of several at one instant', undefined, '(abc)-----|', '---c---'],
  ['is not starved by flapping', '600ms', 'abababababababab-----|', '------b-----b-----b---'],
  ['fires at the latest after atMost, though the last came just before', '500ms', 'a--b-----|', '---a--b---'],
  ['fires once where quiet and atMost end at the same time', '500ms', 'a-b-------|', '-----b-----'],
  ['fires at atMost before an event of that time, which begins anew', '500ms', 'a-b--c----|', '-----b--c--'],
  ['takes equal quiet and atMost as a window from the first', '300ms', 'abc-d-----|', '---c---d---'],
];

describe.each([
  ['declared', declared],
  ['in a pipe', asPipe],
] as const)('settle %s', (_, make) => {
  test.each(cases)('%s', (_what, atMost, input, output) => {
    expect(play(make('300ms', atMost), input)).toBe(output);
  });

  test.each(cases)('%s, wherever it is cut by a restart', (_what, atMost, input, output) => {
    expect([...playBroken(make('300ms', atMost), input)]).toEqual([output]);
  });
});

describe('settle', () => {
  test('keeps each key apart where the policy has a key', () => {
    const keyed = policy({
      name: 'marbles',
      on: syslog(),
      key: ({ text }) => text.toLowerCase(),
      settle: { quiet: '300ms' },
      ensure: mark,
    });
    expect(play(keyed, 'abA------|')).toBe('----bA----');
    expect([...playBroken(keyed, 'abA---Bba---|')]).toEqual(['----bA----ba-']);
  });

  test('keeps several in one pipe apart', () => {
    const twice = piped((letters) => letters.pipe(settle({ quiet: '200ms' }), settle({ quiet: '300ms' })));
    expect(play(twice, 'ab---------|')).toBe('------b-----');
    expect([...playBroken(twice, 'ab---------|')]).toEqual(['------b-----']);
  });

  test('keeps each interface apart where a trap could not name it', () => {
    const keyless = policy({
      name: 'p',
      on: interfaces.down(),
      settle: { quiet: '1s' },
      ensure: ({ ifIndex }) => mark({ text: String(ifIndex) }),
    });
    const rig = new Rig([keyless]);
    for (const ifIndex of [3, 4])
      rig.event(eventOf('r1', { kind: 'interface.state-changed', ifIndex, layer: 'link', to: 'down' }));
    expect(lines(rig.pass(1_000))).toEqual(['present 3', 'present 4']);
  });

  test('may be made anywhere, and belongs to the pipeline it is subscribed in', () => {
    const shared = settle<SyslogEvent>({ quiet: '300ms' });
    const grouped = piped((letters, { perKey }) =>
      letters.pipe(
        perKey(
          ({ text }) => text.toLowerCase(),
          (group) => group.pipe(shared),
        ),
      ),
    );
    expect(play(grouped, 'abA------|')).toBe('----bA----');
    expect([...playBroken(grouped, 'abA------|')]).toEqual(['----bA----']);
  });

  test('is refused where it is subscribed to later than the pipeline is built', () => {
    const late = piped((letters) => letters.pipe(mergeMap((letter) => of(letter).pipe(settle({ quiet: '300ms' })))));
    expect(() => play(late, 'a|')).toThrow('settle() was called outside a pipeline');
  });
});
