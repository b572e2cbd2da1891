import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import { appendTriesMax } from '../../src/model/limits.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { appendSettled } from '../../src/runtime/append-settled.ts';
import { allOf, anyBatch, batchOf, numbered, tick } from './entries.ts';
import { faultyJournal } from './faulty-journal.ts';

/** Batches that are easily taken for one another: an equal one may follow, and one may begin as the one before. */
const confusableBatch = fc.oneof(
  anyBatch,
  fc.integer({ min: 1, max: 3 }).map((count) => Array.from({ length: count }, () => tick(1))),
);

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => new Error('nothing thrown'),
    (thrown: unknown) => thrown,
  );
  return error instanceof RuntimeFault ? error.code : String(error);
};

/** So much is lost that one append is given up: by chance alone some runs of the test meet none. */
const unsettling: [{ seed: number; appendPercent: number; readPercent: number }, NewEntry[][]] = [
  { seed: 1, appendPercent: 90, readPercent: 60 },
  Array.from({ length: 12 }, () => [tick(1)]),
];

test('loses no entry and doubles none, whatever is lost on the way', async () => {
  const seen = { 'request-lost': 0, 'answer-lost': 0, late: 0, 'cut-off': 0, unsettled: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.record({ seed: fc.nat(), appendPercent: fc.integer({ min: 0, max: 90 }), readPercent: fc.integer({ min: 0, max: 60 }) }),
      fc.array(confusableBatch, { maxLength: 12 }),
      async (options, batches) => {
        const inner = memoryJournal();
        const { journal, settled, faults } = faultyJournal(inner, options);
        const told: Entry[] = [];
        let unsettled: readonly NewEntry[] | undefined;
        for (const batch of batches) {
          const lastSeq = told.length;
          const result = await appendSettled(journal, batch, { epoch: 1, lastSeq }).catch((error: RuntimeFault) => error.code);
          if (typeof result === 'string') {
            expect(result).toBe('append-unsettled');
            unsettled = batch;
            seen.unsettled += 1;
            break;
          }
          expect(result.firstSeq).toBe(lastSeq + 1);
          told.push(...numbered(batch, result.firstSeq));
        }
        await settled();
        const kept = await allOf(inner);
        expect(kept.slice(0, told.length)).toEqual(told);
        // Of the one nobody knows of: all or nothing, and once.
        const rest = kept.slice(told.length);
        if (rest.length > 0) expect(rest).toEqual(numbered(unsettled ?? [], told.length + 1));
        for (const [kind, count] of Object.entries(faults)) seen[kind as keyof typeof faults] += count;
      },
    ),
    { numRuns: 300, examples: [unsettling] },
  );
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(0);
});

test('tells two rivals apart: each entry belongs to the one who was told so', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (seed, appendPercent, rounds) => {
        const inner = memoryJournal();
        const { journal, settled } = faultyJournal(inner, { seed, appendPercent, readPercent: 0 });
        const told: { firstSeq: number; by: string }[] = [];
        const rival = async (epoch: number) => {
          for (let round = 1; round <= rounds; round += 1) {
            const by = `${epoch}/${round}`;
            const { lastSeq } = await inner.tail();
            const entry: NewEntry = { kind: 'command', by, verb: 'note', arguments: [], at: 1 };
            const result = await appendSettled(journal, [entry], { epoch, lastSeq }).catch((error: RuntimeFault) => error.code);
            if (typeof result !== 'string') told.push({ ...result, by });
            else if (result === 'stale-epoch') return;
          }
        };
        await Promise.all([rival(1), rival(2)]);
        await settled();
        const kept = await allOf(inner);
        for (const { firstSeq, by } of told) expect(kept[firstSeq - 1]).toMatchObject({ seq: firstSeq, by });
        expect(new Set(kept.map((entry) => (entry.kind === 'command' ? entry.by : ''))).size).toBe(kept.length);
      },
    ),
    { numRuns: 200 },
  );
});

test('hands a refusal on at once, without asking again', async () => {
  const inner = memoryJournal();
  await inner.append(batchOf(2), { epoch: 2, lastSeq: 0 });
  let appends = 0;
  const journal: Journal = {
    ...inner,
    append(batch, expectation) {
      appends += 1;
      return inner.append(batch, expectation);
    },
  };
  expect(await codeOf(appendSettled(journal, [tick(1)], { epoch: 1, lastSeq: 2 }))).toBe('stale-epoch');
  expect(await codeOf(appendSettled(journal, [tick(1)], { epoch: 2, lastSeq: 1 }))).toBe('not-the-tail');
  // Not even where the tail holds the very same entries: they may be another's.
  expect(await codeOf(appendSettled(journal, batchOf(2), { epoch: 2, lastSeq: 0 }))).toBe('not-the-tail');
  expect(appends).toBe(3);
});

test('finds what it appended where the journal leaves gaps in the numbers', async () => {
  const inner = memoryJournal();
  let lost = 0;
  const journal: Journal = {
    ...inner,
    async append(batch, expectation) {
      await inner.append(batch, { ...expectation, lastSeq: expectation.lastSeq });
      lost += 1;
      throw new Error('connection reset');
    },
    async *read(fromSeq) {
      for await (const batch of inner.read(fromSeq)) yield batch.map((entry) => ({ ...entry, seq: entry.seq + 1_000 }));
    },
  };
  expect(await appendSettled(journal, batchOf(3), { epoch: 1, lastSeq: 0 })).toEqual({ firstSeq: 1_001 });
  expect(lost).toBe(1);
});

test('gives up after its tries, waiting longer between them, and says what to do', async () => {
  const waits: number[] = [];
  const wall = {
    async sleep(ms: number) {
      waits.push(ms);
    },
  };
  const journal: Journal = { ...memoryJournal(), append: () => Promise.reject(new Error('no route to host')) };
  const given = appendSettled(journal, [tick(1)], { epoch: 1, lastSeq: 0 }, wall);
  await expect(given).rejects.toThrow('no answer from the journal in 8 tries: no route to host. Restart Offbox');
  expect(await codeOf(given)).toBe('append-unsettled');
  expect(waits).toEqual([20, 40, 80, 160, 320, 640, 1_280]);
  expect(waits).toHaveLength(appendTriesMax - 1);
});
