import fc from 'fast-check';
import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { cellKeysMax } from '../../../src/model/limits.ts';
import { mark, piped, play, playBroken } from '../marbles.ts';
import { lines, Rig, textEvent } from '../rig.ts';

const keyOf = ({ text }: SyslogEvent): string => text.toLowerCase();

describe('perKey', () => {
  test('gives every key a pipeline of its own', () => {
    const counting = piped((letters, { perKey, threshold }) =>
      letters.pipe(perKey(keyOf, (group) => group.pipe(threshold(2, '1s')))),
    );
    expect(play(counting, 'abA-cB---')).toBe('--A--B---');
    expect([...playBroken(counting, 'abA-cB---')]).toEqual(['--A--B---']);
  });

  test('remembers every operator of every group', () => {
    const both = piped((letters, { perKey, threshold, settle }) =>
      letters.pipe(perKey(keyOf, (group) => group.pipe(threshold(2, '1s'), settle({ quiet: '300ms' })))),
    );
    expect(play(both, 'aAbaB-A-b----')).toBe('----A--B-A---');
    expect([...playBroken(both, 'aAbaB-A-b----')]).toEqual(['----A--B-A---']);
  });

  test('rings groups that are due together in the order they were set, after a restart too', () => {
    const settled = piped((letters, { perKey, settle }) =>
      letters.pipe(perKey(keyOf, (group) => group.pipe(settle({ quiet: '300ms' })))),
    );
    // The keys were first seen as a, b, c; their alarms are set as c, a, b.
    expect(play(settled, '(abc)-(cab)---')).toBe('-----(cab)');
    expect([...playBroken(settled, '(abc)-(cab)---')]).toEqual(['-----(cab)']);
  });

  test('may stand in another, and beside another', () => {
    const nested = piped((letters, { perKey, threshold }) =>
      letters.pipe(
        perKey(keyOf, (group) =>
          group.pipe(
            perKey(
              ({ text }) => text,
              (inner) => inner.pipe(threshold(2, '1s')),
            ),
          ),
        ),
        perKey(keyOf, (group) => group.pipe(threshold(2, '5s'))),
      ),
    );
    expect(play(nested, 'aAaA--aa-aa')).toBe('---A------a');
    expect([...playBroken(nested, 'aAaA--aa-aa')]).toEqual(['---A------a']);
  });

  test('keeps keys apart that hold what separates them', () => {
    const part = (number: number) => (letter: SyslogEvent) => (JSON.parse(letter.text) as readonly string[])[number]!;
    const counting = piped((letters, { perKey, threshold }) =>
      letters.pipe(perKey(part(0), (group) => group.pipe(perKey(part(1), (inner) => inner.pipe(threshold(2, '1s')))))),
    );
    const anyKey = fc.array(fc.constantFrom('a', '\u0000', '\u0001', '0'), { maxLength: 3 }).map((units) => units.join(''));
    const anyKeys = fc.uniqueArray(
      fc.tuple(anyKey, anyKey).map((keys) => JSON.stringify(keys)),
      { maxLength: 30, size: 'max' },
    );
    fc.assert(
      fc.property(anyKeys, (keys) => {
        const rig = new Rig([counting]);
        for (const key of keys) expect(rig.event(textEvent(key))).toEqual([]);
        for (const key of keys) expect(rig.event(textEvent(key))).toHaveLength(1);
      }),
      { examples: [[['["a","\\u0000b"]', '["a\\u0000","b"]']]] },
    );
  });

  test('stops the policy, at once, where its key or a group throws', () => {
    for (const bad of ['key', 'build', 'inside'] as const) {
      const throws = (when: typeof bad): void => {
        if (when === bad) throw new Error(`no ${bad}`);
      };
      const subject = piped((letters, { perKey }) =>
        letters.pipe(
          perKey(
            (letter) => {
              throws('key');
              return letter.text;
            },
            (group) => {
              throws('build');
              return group.pipe(
                map((letter) => {
                  throws('inside');
                  return letter;
                }),
              );
            },
          ),
        ),
      );
      const rig = new Rig([subject]);
      expect(rig.feed({ kind: 'event', event: textEvent('a') }).faults).toEqual([
        { policy: 'marbles', cause: 3, reason: `no ${bad}` },
      ]);
    }
  });

  test('beyond the bound drops the oldest key with its pipeline and all it remembers', () => {
    const opened: string[] = [];
    const counting = piped((letters, { perKey, threshold }) =>
      letters.pipe(
        perKey(
          ({ text }) => text,
          (group) => {
            opened.push('');
            return group.pipe(threshold(2, '1d'));
          },
        ),
      ),
    );
    const rig = new Rig([counting]);
    const { engine } = rig;
    const feed = (text: string, seq: number) => engine.step({ kind: 'event', event: textEvent(text), at: rig.now, seq }).intents;
    let passed = 0;
    for (let index = 0; index <= cellKeysMax; index += 1) passed += feed(String(index), 10 + index).length;
    expect(passed).toBe(0);
    expect(Object.values(engine.cells.dropped())).toEqual([1]);
    // Key 0 begins anew, in place of key 1; key 2 still knows its first.
    expect(feed('0', 200_000)).toHaveLength(0);
    expect(lines(feed('2', 200_001))).toEqual([`present ${mark({ text: '2' }).resource.target}`]);
    expect(opened).toHaveLength(cellKeysMax + 2);
    expect(engine.clock.size).toBeLessThanOrEqual(2 * cellKeysMax + 64);
  });
});
