import { describe, expect, test } from 'vitest';
import { countMiss, keyDiffered, lapses, lengthText, nearKeys, ordinal } from '../../../src/core/operators/nearest-miss.ts';
import type { Scope } from '../../../src/core/scope.ts';
import { explainedKeysMax } from '../../../src/model/limits.ts';

const traced = { traced: true } as Scope;

describe('the nearest miss', () => {
  test.each([
    ['Gi1/0/1', 'GigabitEthernet1/0/1'],
    ['sw1 Vl20', 'sw1 vlan20'],
    ['SW1 Te1/1', 'sw1.lab.example TenGigabitEthernet1/1'],
    ['0011.2233.44aa', '00:11:22:33:44:AA'],
    ['00-11-22-33-44-aa', '0011223344aa'],
  ])('takes %s and %s for two spellings of one thing', (one, other) => {
    const keys = nearKeys(traced);
    expect(keys.near(one)).toBeUndefined();
    expect(keys.near(one)).toBeUndefined();
    expect(keys.near(other)).toBe(one);
    expect(keys.near(one)).toBe(other);
  });

  test.each([
    ['Gi1/0/1', 'Gi1/0/2'],
    ['Gi1/0/1', 'Te1/0/1'],
    ['eth0.100', 'eth0'],
    ['10.0.0.1', '10.0.0.2'],
    ['sw1 Gi1', 'sw2 Gi1'],
    ['a', 'b'],
  ])('takes %s and %s for two things', (one, other) => {
    const keys = nearKeys(traced);
    keys.near(one);
    expect(keys.near(other)).toBeUndefined();
  });

  test('remembers nothing unless somebody explains, and never more than its bound', () => {
    const deaf = { traced: false } as Scope;
    const [keys, gone] = [nearKeys(deaf), lapses<number>(deaf)];
    keys.near('Gi1');
    gone.set('a', 1);
    expect([keys.near('GigabitEthernet1'), gone.get('a')]).toEqual([undefined, undefined]);
    const [few, last] = [nearKeys(traced), lapses<number>(traced)];
    for (let index = 0; index <= explainedKeysMax; index += 1) {
      few.near(`Gi${index}`);
      last.set(String(index), index);
    }
    expect([few.near('GigabitEthernet0'), few.near('GigabitEthernet5')]).toEqual([undefined, 'Gi5']);
    expect([last.get('0'), last.get('1')]).toEqual([undefined, 1]);
  });

  test.each([
    [[], 100, undefined],
    [[0], 59, undefined],
    [[0, 50], 64, { together: 2, since: 0, lateMs: 4 }],
    [[0, 50], 60, { together: 2, since: 0, lateMs: 0 }],
    // The first had left before the second came: the second alone is what this came too late for.
    [[0, 70], 135, { together: 1, since: 70, lateMs: 5 }],
    // Further off than another whole window: it did not nearly count.
    [[0, 10], 120, undefined],
  ] as const)('of a count of 3 within 60: %j, then %d', (before, now, miss) => {
    expect(countMiss(before, now, 3, 60)).toEqual(miss);
  });

  test('is said as one would say it', () => {
    expect([1, 3, 10, 11, 12, 13, 21, 22, 101, 111].map(ordinal)).toEqual([
      'the first',
      'the third',
      'the tenth',
      'the 11th',
      'the 12th',
      'the 13th',
      'the 21st',
      'the 22nd',
      'the 101st',
      'the 111th',
    ]);
    expect([0, 250, 1_000, 4_100, 4_123, 60_000, 100_000].map(lengthText)).toEqual([
      '0 ms',
      '250 ms',
      '1 s',
      '4.1 s',
      '4.123 s',
      '60 s',
      '100 s',
    ]);
    expect(keyDiffered('a', 'b')).toBe('key differed: a, b');
  });
});
