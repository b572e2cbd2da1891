import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs, durationSchema, secondsText } from '../../src/model/time.ts';

describe('a length of time', () => {
  test.each([
    ['250ms', 250],
    ['2s', 2_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['0.0004s', 0],
    ['0.0005s', 1],
    ['007s', 7_000],
  ])('%s is %d ms', (written, ms) => {
    expect(durationMs(written)).toBe(ms);
    expect(durationSchema.safeParse(written).success).toBe(true);
  });

  test.each([
    '',
    's',
    '5',
    '-1s',
    '+1s',
    '1e3s',
    '1.s',
    '.5s',
    '1 s',
    ' 1s',
    '1s ',
    '1s\n',
    '1S',
    '1w',
    '1s2s',
    'NaNs',
    'Infinitys',
    '１s',
  ])('"%s" is none, and the form wanted is shown', (written) => {
    expect(() => durationMs(written)).toThrow('Write a number and a unit, such as 250ms, 2s, 5m, 1h or 7d.');
    expect(durationSchema.safeParse(written).success).toBe(false);
  });

  test('ends before JSON and the clock lose count of it', () => {
    expect(durationMs('36600d')).toBe(36_600 * 86_400_000);
    expect(() => durationMs('36601d')).toThrow('longer than 100 years');
    expect(() => durationMs(`${'9'.repeat(400)}d`)).toThrow('longer than 100 years');
  });

  test('is a whole number of milliseconds or an error, whatever is written', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{0,30}\.?\d{0,30}(ms|s|m|h|d|x)?$/)), (written) => {
        try {
          expect(Number.isSafeInteger(durationMs(written))).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

test.each([
  [0, '0.000 s'],
  [1, '0.001 s'],
  [1_234, '1.234 s'],
  [61_000, '61.000 s'],
])('%d ms are shown as %s', (ms, text) => {
  expect(secondsText(ms)).toBe(text);
});
