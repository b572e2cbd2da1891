// Owns: what every journal does. Each adapter runs all of it; one it cannot run is skipped with its reason.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import { journalEntryBytesMax, journalRowBytesMax } from '../../src/model/limits.ts';
import type { Expectation, Journal } from '../../src/ports/journal.ts';
import { allOf, anyBatch, batchOf, entryOfBytes, numbered, tick } from './entries.ts';

export interface JournalUnderTest {
  readonly journal: Journal;
  /** As the runtime appends: settles a lost answer where the adapter can lose one. */
  append(batch: readonly NewEntry[], expectation: Expectation): Promise<{ readonly firstSeq: number }>;
  dispose(): Promise<void>;
}

export interface ContractOptions {
  /** Test name → why this adapter cannot run it. */
  readonly skip?: Readonly<Record<string, string>>;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => 'nothing thrown',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RuntimeFault);
  const { code, message, remedy } = error as RuntimeFault;
  expect(message).toMatch(/^\[journal-[a-z]+\] /);
  expect(remedy).not.toBe('');
  return code;
}

const runs = { numRuns: 30 };

export function journalContract(name: string, make: () => Promise<JournalUnderTest>, options: ContractOptions = {}): void {
  describe(`${name} keeps the journal's contract`, () => {
    let subject: JournalUnderTest;
    let journal: Journal;
    const append: JournalUnderTest['append'] = (batch, expectation) => subject.append(batch, expectation);

    beforeEach(async () => {
      subject = await make();
      journal = subject.journal;
    });
    afterEach(() => subject.dispose());

    const seen = new Set<string>();
    const test = (title: string, body: () => Promise<void>) => {
      seen.add(title);
      const reason = options.skip?.[title];
      if (reason === undefined) it(title, body, 60_000);
      else it.skip(`${title} (${reason})`, body);
    };

    appending(test, append, () => journal);
    refusing(test, append, () => journal);
    reading(test, append, () => journal);
    trimming(test, append, () => journal);
    blobs(test, () => journal);
    anything(test, () => make());

    it('skips only tests that exist', () => {
      for (const title of Object.keys(options.skip ?? {})) expect(seen).toContain(title);
    });
  });
}

type Test = (title: string, body: () => Promise<void>) => void;
type Append = JournalUnderTest['append'];

function appending(test: Test, append: Append, journal: () => Journal): void {
  test('is empty at first', async () => {
    expect(await journal().tail()).toEqual({ lastSeq: 0, lastAt: 0, epoch: 0 });
    expect(await allOf(journal())).toEqual([]);
  });

  test('numbers a batch consecutively and gives it back as it was', async () => {
    expect(await append([tick(5), tick(7)], { epoch: 1, lastSeq: 0 })).toEqual({ firstSeq: 1 });
    expect(await append([tick(9)], { epoch: 1, lastSeq: 2 })).toEqual({ firstSeq: 3 });
    expect(await allOf(journal())).toEqual(numbered([tick(5), tick(7), tick(9)], 1));
    expect(await journal().tail()).toEqual({ lastSeq: 3, lastAt: 9, epoch: 1 });
  });

  test('takes an empty batch as nothing', async () => {
    await append([tick(1)], { epoch: 3, lastSeq: 0 });
    expect(await append([], { epoch: 3, lastSeq: 1 })).toEqual({ firstSeq: 2 });
    expect(await journal().tail()).toEqual({ lastSeq: 1, lastAt: 1, epoch: 3 });
  });

  test('keeps what was appended whatever the caller does to it afterwards', async () => {
    const entry = { kind: 'command' as const, by: 'ada', verb: 'pause', arguments: ['all'], at: 1 };
    await append([entry], { epoch: 1, lastSeq: 0 });
    entry.arguments[0] = 'none';
    const [first] = await allOf(journal());
    expect(first).toMatchObject({ arguments: ['all'] });
    (first as unknown as { arguments: string[] }).arguments[0] = 'none';
    expect((await allOf(journal()))[0]).toMatchObject({ arguments: ['all'] });
  });

  test('takes an entry of exactly the limit, and a batch far larger than one', async () => {
    const batch = Array.from({ length: 40 }, () => entryOfBytes(journalEntryBytesMax));
    await append(batch, { epoch: 1, lastSeq: 0 });
    expect(await allOf(journal())).toEqual(numbered(batch, 1));
  });
}

function refusing(test: Test, append: Append, journal: () => Journal): void {
  test('refuses an older epoch and takes none of the batch', async () => {
    await append([tick(1)], { epoch: 2, lastSeq: 0 });
    expect(await codeOf(append([tick(2)], { epoch: 1, lastSeq: 1 }))).toBe('stale-epoch');
    await append([tick(3)], { epoch: 3, lastSeq: 1 });
    expect(await codeOf(append([tick(4)], { epoch: 2, lastSeq: 2 }))).toBe('stale-epoch');
    expect(await allOf(journal())).toEqual(numbered([tick(1), tick(3)], 1));
  });

  test('refuses a caller who does not know the tail', async () => {
    await append(batchOf(3), { epoch: 1, lastSeq: 0 });
    for (const lastSeq of [0, 2, 4, 1_000]) {
      expect(await codeOf(append([tick(9)], { epoch: 1, lastSeq }))).toBe('not-the-tail');
    }
    expect(await allOf(journal())).toEqual(numbered(batchOf(3), 1));
  });

  test('refuses an entry over the limit by name and takes none of its batch', async () => {
    for (const huge of [
      entryOfBytes(journalEntryBytesMax + 1),
      { ...tick(1), kind: 'command' as const, by: '€'.repeat(100_000), verb: '', arguments: [] },
    ]) {
      const refused = append([tick(1), huge, tick(1)], { epoch: 1, lastSeq: 0 });
      await expect(refused).rejects.toThrow('entry 2 of 3 (command)');
      expect(await codeOf(refused)).toBe('entry-too-large');
    }
    expect(await journal().tail()).toEqual({ lastSeq: 0, lastAt: 0, epoch: 0 });
  });

  test('refuses everything once closed, and closes twice', async () => {
    await append([tick(1)], { epoch: 1, lastSeq: 0 });
    await journal().close();
    await journal().close();
    expect(await codeOf(append([tick(1)], { epoch: 1, lastSeq: 1 }))).toBe('journal-closed');
    expect(await codeOf(allOf(journal()))).toBe('journal-closed');
    expect(await codeOf(journal().tail())).toBe('journal-closed');
    expect(await codeOf(journal().trim(1))).toBe('journal-closed');
    expect(await codeOf(journal().putBlob(new Uint8Array()))).toBe('journal-closed');
    expect(await codeOf(journal().getBlob(''))).toBe('journal-closed');
  });

  test('lets one of two who append at once win', async () => {
    const results = await Promise.allSettled([1, 2, 3, 4].map((at) => append([tick(at)], { epoch: 1, lastSeq: 0 })));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    const winner = results.findIndex((result) => result.status === 'fulfilled');
    expect(await allOf(journal())).toEqual(numbered([tick(winner + 1)], 1));
  });
}

function reading(test: Test, append: Append, journal: () => Journal): void {
  test('reads from any seq, in the middle of a batch too', async () => {
    await append(batchOf(5), { epoch: 1, lastSeq: 0 });
    await append(batchOf(4, 6), { epoch: 1, lastSeq: 5 });
    for (let from = 0; from <= 11; from += 1) {
      const expected = numbered(batchOf(9), 1).filter((entry) => entry.seq >= from);
      expect(await allOf(journal(), from)).toEqual(expected);
    }
  });

  test('reads up to the tail as it was at the call', async () => {
    await append(batchOf(3), { epoch: 1, lastSeq: 0 });
    const batches = journal().read(2);
    await append([tick(9)], { epoch: 1, lastSeq: 3 });
    const entries: Entry[] = [];
    for await (const batch of batches) entries.push(...batch);
    expect(entries.map((entry) => entry.seq)).toEqual([2, 3]);
  });

  test('goes on reading while batches are appended, and can be left in the middle', async () => {
    for (let lastSeq = 0; lastSeq < 30; lastSeq += 10) await append(batchOf(10), { epoch: 1, lastSeq });
    let lastSeq = 30;
    for await (const batch of journal().read(1)) {
      expect(batch.length).toBeGreaterThan(0);
      await append([tick(1)], { epoch: 1, lastSeq });
      lastSeq += 1;
      if (batch[0]!.seq > 5) break;
    }
    expect((await journal().tail()).lastSeq).toBe(lastSeq);
  });

  test('hands out no more at once than a reader can hold', async () => {
    const batch = Array.from({ length: 64 }, () => entryOfBytes(journalEntryBytesMax));
    await append(batch, { epoch: 1, lastSeq: 0 });
    let pieces = 0;
    for await (const piece of journal().read(1)) {
      expect(JSON.stringify(piece).length).toBeLessThanOrEqual(2 * journalRowBytesMax);
      pieces += 1;
    }
    expect(pieces).toBeGreaterThan(1);
  });
}

function trimming(test: Test, append: Append, journal: () => Journal): void {
  test('forgets exactly what is before the seq it is told, and keeps its tail', async () => {
    for (let lastSeq = 0; lastSeq < 100; lastSeq += 5) await append(batchOf(5, lastSeq + 1), { epoch: 4, lastSeq });
    for (const before of [0, 1, 2, 6, 8, 8, 3, 96, 99, 101]) {
      await journal().trim(before);
      const kept = (await allOf(journal())).map((entry) => entry.seq);
      expect(kept.at(0) ?? 101).toBe(Math.max(before, 1) < 8 && before === 3 ? 8 : Math.max(before, 1));
      expect(kept).toHaveLength(101 - (kept.at(0) ?? 101));
    }
    expect(await journal().tail()).toEqual({ lastSeq: 100, lastAt: 100, epoch: 4 });
  });

  test('numbers on after everything was trimmed', async () => {
    await append(batchOf(5), { epoch: 2, lastSeq: 0 });
    await journal().trim(1_000);
    expect(await allOf(journal())).toEqual([]);
    expect(await codeOf(append([tick(9)], { epoch: 1, lastSeq: 5 }))).toBe('stale-epoch');
    expect(await append([tick(9)], { epoch: 2, lastSeq: 5 })).toEqual({ firstSeq: 6 });
    expect(await allOf(journal())).toEqual(numbered([tick(9)], 6));
  });

  test('takes a trim of an empty journal as nothing', async () => {
    await journal().trim(10);
    expect(await journal().tail()).toEqual({ lastSeq: 0, lastAt: 0, epoch: 0 });
  });

  test('loses a reader nothing that was not trimmed', async () => {
    for (let lastSeq = 0; lastSeq < 50; lastSeq += 5) await append(batchOf(5, lastSeq + 1), { epoch: 1, lastSeq });
    const seqs: number[] = [];
    for await (const batch of journal().read(1)) {
      seqs.push(...batch.map((entry) => entry.seq));
      if (seqs.length === 5) await journal().trim(33);
    }
    expect(seqs).toEqual(expect.arrayContaining(Array.from({ length: 18 }, (_, index) => 33 + index)));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });
}

function blobs(test: Test, journal: () => Journal): void {
  test('gives back a blob under its SHA-256', async () => {
    const digest = await journal().putBlob(new TextEncoder().encode('abc'));
    expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(await journal().putBlob(new TextEncoder().encode('abc'))).toBe(digest);
    expect(await journal().getBlob(digest)).toEqual(Uint8Array.from([97, 98, 99]));
    expect(await journal().getBlob('0'.repeat(64))).toBeUndefined();
    const before = (await journal().room()).usedBytes;
    const large = await journal().putBlob(new Uint8Array(100_000).fill(7));
    expect((await journal().room()).usedBytes).toBeGreaterThan(before + 90_000);
    await journal().deleteBlob(large);
    await journal().deleteBlob(large);
    expect(await journal().getBlob(large)).toBeUndefined();
    expect(await journal().room()).toMatchObject({ usedBytes: expect.any(Number), freeBytes: expect.any(Number) });
    expect((await journal().room()).usedBytes).toBeLessThan(before + 90_000);
  });

  test('has a blob of its own: whoever handed it over may use its memory for something else', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const digest = await journal().putBlob(bytes);
    bytes.fill(0);
    expect(await journal().getBlob(digest)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('lists the blobs there are, each once, and those forgotten no more', async () => {
    expect(await journal().blobs()).toEqual([]);
    const digests: string[] = [];
    for (const byte of [1, 2, 3]) digests.push(await journal().putBlob(Uint8Array.of(byte)));
    await journal().putBlob(Uint8Array.of(1));
    expect([...(await journal().blobs())].sort()).toEqual([...digests].sort());
    await journal().deleteBlob(digests[1]!);
    expect([...(await journal().blobs())].sort()).toEqual([digests[0]!, digests[2]!].sort());
  });

  test('gives back any bytes, none and a megabyte included', async () => {
    const large = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 256);
    for (const bytes of [new Uint8Array(), large, large.subarray(5, 9)]) {
      const back = await journal().getBlob(await journal().putBlob(bytes));
      expect(Buffer.compare(back!, bytes)).toBe(0);
    }
  });
}

/** One step of a random life, and what a journal that is a plain array would do. */
const anyStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      batch: anyBatch,
      newEpoch: fc.boolean(),
      behind: fc.integer({ min: 0, max: 4 }).map((roll) => roll === 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('trim' as const), percent: fc.integer({ min: 0, max: 120 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('read' as const), percent: fc.integer({ min: 0, max: 120 }) }),
  },
);

function anything(test: Test, make: () => Promise<JournalUnderTest>): void {
  test('is a numbered list of whatever was appended, in any order of appends, trims, epochs and reads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        const { journal, append, dispose } = await make();
        let model: Entry[] = [];
        let tail = { lastSeq: 0, lastAt: 0, epoch: 1 };
        for (const step of steps) {
          if (step.kind === 'append') {
            const expectation = { epoch: tail.epoch + (step.newEpoch ? 1 : 0), lastSeq: tail.lastSeq };
            if (step.behind && tail.lastSeq > 0) {
              // Never equal to what is there: an equal batch at that place would pass for this one.
              const batch: NewEntry[] = [...step.batch, { kind: 'command', by: 'behind', verb: 'nowhere', arguments: [], at: 1 }];
              expect(await codeOf(append(batch, { ...expectation, lastSeq: tail.lastSeq - 1 }))).toBe('not-the-tail');
              continue;
            }
            const { firstSeq } = await append(step.batch, expectation);
            expect(firstSeq).toBeGreaterThan(tail.lastSeq);
            model.push(...numbered(step.batch, firstSeq));
            tail = { lastSeq: firstSeq + step.batch.length - 1, lastAt: step.batch.at(-1)!.at, epoch: expectation.epoch };
            expect(await journal.tail()).toEqual(tail);
          } else {
            const seq = Math.floor((step.percent * (tail.lastSeq + 1)) / 100);
            if (step.kind === 'trim') {
              await journal.trim(seq);
              model = model.filter((entry) => entry.seq >= seq);
            }
            expect(await allOf(journal, seq)).toEqual(model.filter((entry) => entry.seq >= seq));
          }
        }
        expect(await allOf(journal)).toEqual(model);
        await dispose();
      }),
      runs,
    );
  });
}
