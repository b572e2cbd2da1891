// RFC 3414 section 3.2 step 7, and replay, in numbers.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timeWindow } from '../../adapters/source-snmp/window.ts';

const roomy = { engines: 100, digests: 1_000 };
const stamp = (time: number, digest: string, boots = 4) => ({ key: 'engine user', boots, time, digest });

describe('where the sender is authoritative', () => {
  test('time may go on as it likes and back by 150 s', () => {
    const window = timeWindow(roomy);
    expect(window.check(stamp(1_000, 'a'), 0)).toBe('new');
    expect(window.check(stamp(850, 'b'), 0)).toBe('new');
    expect(window.check(stamp(849, 'c'), 0)).toBe('not-in-time-window');
    expect(window.check(stamp(500_000, 'd'), 0)).toBe('new');
    expect(window.check(stamp(1_001, 'e'), 0)).toBe('not-in-time-window');
  });

  test('a message kept back for 150 s is refused although nothing newer came', () => {
    const window = timeWindow(roomy);
    window.check(stamp(1_000, 'a'), 0);
    expect(window.check(stamp(999, 'b'), 149_000)).toBe('new');
    expect(window.check(stamp(999, 'c'), 151_000)).toBe('not-in-time-window');
  });

  test('a slow clock of the sender, heard again after a month, is no reason to refuse', () => {
    const window = timeWindow(roomy);
    window.check(stamp(1_000, 'a'), 0);
    const month = 30 * 86_400;
    expect(window.check(stamp(1_000 + month - 300, 'b'), month * 1_000)).toBe('new');
    expect(window.check(stamp(1_000 + month - 301, 'c'), month * 1_000)).toBe('new');
  });

  test('boots may rise, never fall, and never reach their end', () => {
    const window = timeWindow(roomy);
    window.check(stamp(1_000, 'a', 4), 0);
    expect(window.check(stamp(5, 'b', 5), 0)).toBe('new');
    expect(window.check(stamp(2_000, 'c', 4), 0)).toBe('not-in-time-window');
    expect(window.check(stamp(5, 'd', 2_147_483_647), 0)).toBe('not-in-time-window');
  });

  test('a message seen is known for as long as it could be taken again', () => {
    const window = timeWindow(roomy);
    expect(window.check(stamp(1_000, 'a'), 0)).toBe('new');
    expect(window.check(stamp(1_000, 'a'), 0)).toBe('seen');
    expect(window.check(stamp(1_000, 'a'), 1_000_000)).toBe('seen');
    window.check(stamp(1_150, 'b'), 150_000);
    expect(window.check(stamp(1_000, 'a'), 150_000)).toBe('seen');
    window.check(stamp(1_151, 'c'), 151_000);
    expect(window.check(stamp(1_000, 'a'), 151_000)).toBe('not-in-time-window');
  });
});

test('where we are authoritative boots are ours and time is within 150 s of ours', () => {
  const window = timeWindow(roomy);
  const check = (time: number, digest: string, boots = 7) =>
    window.check(stamp(time, digest, boots), 0, { boots: 7, time: 1_000 });
  expect(['a', 'b', 'c', 'd'].map((digest, at) => check([850, 1_150, 849, 1_151][at]!, digest))).toEqual([
    'new',
    'new',
    'not-in-time-window',
    'not-in-time-window',
  ]);
  expect(check(1_000, 'e', 6)).toBe('not-in-time-window');
  expect(check(850, 'a')).toBe('seen');
});

test('where there is no room for digests the oldest messages are refused, and none is taken twice', () => {
  const window = timeWindow({ engines: 100, digests: 3 });
  for (const [at, digest] of ['a', 'b', 'c', 'd', 'e'].entries()) expect(window.check(stamp(1_000 + at, digest), 0)).toBe('new');
  const again = ['a', 'b', 'c', 'd', 'e'].map((digest, at) => window.check(stamp(1_000 + at, digest), 0));
  expect(again).toEqual(['not-in-time-window', 'not-in-time-window', 'seen', 'seen', 'seen']);
  expect(window.check(stamp(1_005, 'f'), 0)).toBe('new');
});

test('no message is ever taken twice, whatever order and delay it comes in', () => {
  const message = fc.record({ time: fc.nat(600), boots: fc.integer({ min: 3, max: 5 }), waitedMs: fc.nat(120_000) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (messages, digests) => {
      const window = timeWindow({ engines: 3, digests });
      const taken = new Set<string>();
      let nowMs = 0;
      // Each is its own digest: the same boots and time is the same message, so lists with repeats are replays.
      for (const { time, boots, waitedMs } of messages) {
        nowMs += waitedMs;
        const digest = `${boots}/${time}`;
        if (window.check(stamp(time, digest, boots), nowMs) !== 'new') continue;
        expect(taken.has(digest)).toBe(false);
        taken.add(digest);
      }
    }),
    { numRuns: 2_000 },
  );
});
