import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextOnGrid } from '../../src/core/schedule.ts';

const anyTime = fc.integer({ min: 0, max: 4_000_000_000_000 });
const anyPeriod = fc.integer({ min: 1_000, max: 7 * 86_400_000 });

test('the next time lies after now, at most a period away, and on the grid', () => {
  fc.assert(
    fc.property(anyTime, anyPeriod, fc.string(), (after, periodMs, name) => {
      const next = nextOnGrid(after, periodMs, name);
      expect(Number.isSafeInteger(next)).toBe(true);
      expect(next - after).toBeGreaterThan(0);
      expect(next - after).toBeLessThanOrEqual(periodMs);
      expect((next - nextOnGrid(0, periodMs, name)) % periodMs).toBe(0);
    }),
  );
});

test('the grid needs no memory: from any time before it comes the same next', () => {
  fc.assert(
    fc.property(
      anyTime,
      anyPeriod,
      fc.string(),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (after, periodMs, name, part) => {
        const next = nextOnGrid(after, periodMs, name);
        expect(nextOnGrid(next - 1 - Math.floor(part * (periodMs - 1)), periodMs, name)).toBe(next);
        expect(nextOnGrid(next, periodMs, name)).toBe(next + periodMs);
      },
    ),
  );
});

test('names spread over the period', () => {
  const tenths = new Set(
    Array.from({ length: 200 }, (_, number) => Math.floor(nextOnGrid(0, 300_000, `policy-${number}`) / 30_000)),
  );
  expect(tenths.size).toBeGreaterThanOrEqual(10);
});

test('the phase of a name is its FNV-1a, the same everywhere and for ever', () => {
  // The published vectors of 32-bit FNV-1a for '', 'a' and 'foobar'.
  const phases = [0x811c9dc5, 0xe40c292c, 0xbf9cf968].map((hash) => hash % 300_000);
  expect(['', 'a', 'foobar'].map((name) => nextOnGrid(-1, 300_000, name))).toEqual(phases);
});
