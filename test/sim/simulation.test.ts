import { describe, expect, test } from 'vitest';
import { simulate } from './simulate.ts';

/** Some seconds' worth; `npm run sim` runs ten thousand. */
const seeds = 150;

describe('the simulated world', () => {
  test(`comes to rest as the policies say in every one of ${seeds} seeds, nothing lost and nothing done twice`, {
    timeout: 120_000,
  }, async () => {
    const failed: string[] = [];
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { violations } = await simulate({ seed });
      failed.push(...violations.map((violation) => `SEED=${seed} npm run sim: ${violation}`));
    }
    expect(failed).toEqual([]);
  });

  test('comes to rest in the worlds that once did not', async () => {
    for (const seed of [532, 605, 795, 944, 1006, 1021, 1327, 1343, 1985, 2396])
      expect(await simulate({ seed, weather: { migrations: false } })).toMatchObject({ seed, violations: [] });
  });

  test('comes to rest in the worlds of migrations that once did not', async () => {
    for (const seed of [2405, 3487, 4022, 6026, 6153, 6968])
      expect(await simulate({ seed })).toMatchObject({ seed, violations: [] });
  });

  test('is the same for the same seed, line for line', async () => {
    const traces = await Promise.all([17, 17, 18].map(trace));
    expect(traces[0]).toEqual(traces[1]);
    expect(traces[0]).not.toEqual(traces[2]);
    expect(traces[0]!.length).toBeGreaterThan(100);
  });

  test('fails where devices take every line twice: the canary', async () => {
    const { violations } = await simulate({ seed: 1, stutters: true });
    expect(violations.some((violation) => violation.startsWith('nothingTwice: '))).toBe(true);
    expect(violations.some((violation) => violation.startsWith('attemptBeforeWrite: '))).toBe(true);
  });
});

async function trace(seed: number): Promise<readonly string[]> {
  const lines: string[] = [];
  await simulate({ seed, onTrace: (line) => lines.push(line) });
  return lines;
}
