// What of a journal may go, and what never may.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forgetting } from '../../src/runtime/retention.ts';
import type { KeptSnapshot } from '../../src/runtime/snapshots.ts';

const hour = 3_600_000;
const snapshotsEvery = (ms: number, count: number): KeptSnapshot[] =>
  Array.from({ length: count }, (_, index) => ({
    seq: index * 100 + 101,
    through: index * 100 + 100,
    at: index * ms,
    digest: `d${index}`,
    unsettled: false,
  }));
const nothing = { seqs: [], since: [] };

test('what is older than asked for goes, up to a snapshot that stays', () => {
  const kept = snapshotsEvery(hour, 100);
  const { upTo, snapshots } = forgetting(kept, nothing, 40 * hour + 1, 100 * hour);
  expect(upTo).toBe(kept[40]);
  expect(snapshots).not.toContain(kept[40]);
  expect(snapshots).toEqual(expect.arrayContaining(kept.slice(0, 40)));
});

test('nothing goes that is open, held, or needed by the next start', () => {
  const snapshot = fc.record({ unsettled: fc.boolean(), gap: fc.nat(3 * hour) });
  fc.assert(
    fc.property(
      fc.array(snapshot),
      fc.array(fc.nat(4_000)),
      fc.array(fc.nat(90 * hour)),
      fc.nat(90 * hour),
      (made, seqs, since, old) => {
        let at = 0;
        const kept = made.map(({ unsettled, gap }, index): KeptSnapshot => {
          at += gap;
          return { seq: index * 100 + 101, through: index * 100 + 100, at, digest: '', unsettled };
        });
        for (const keepSince of [old, Number.POSITIVE_INFINITY]) {
          const { upTo, snapshots } = forgetting(kept, { seqs, since }, keepSince, at);
          const stay = kept.filter((one) => !snapshots.includes(one));
          // A start: the newest, and the newest from which every policy can be put back, with every entry after it.
          expect(stay.slice(-1)).toEqual(kept.slice(-1));
          const whole = kept.findLast(({ unsettled }) => !unsettled);
          if (whole) expect(stay).toContain(whole);
          if (!upTo) continue;
          expect(stay).toContain(upTo);
          expect(whole!.through).toBeGreaterThanOrEqual(upTo.through);
          for (const seq of seqs) expect(seq).toBeGreaterThan(upTo.through);
          for (const time of since) expect(upTo.at).toBeLessThanOrEqual(time);
          if (keepSince === old) expect(upTo.at).toBeLessThanOrEqual(old);
        }
      },
    ),
  );
});

test('of snapshots the newest stay, then one an hour, then one a day', () => {
  const kept = snapshotsEvery(hour / 12, 12 * 24 * 10);
  const { snapshots } = forgetting(kept, nothing, -1, kept.at(-1)!.at);
  const stay = kept.length - snapshots.length;
  expect(stay).toBeGreaterThan(30);
  expect(stay).toBeLessThan(24 + 10 + 6);
});
