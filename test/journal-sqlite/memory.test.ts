// What a flood leaves behind in the journal's thread: bytes that wait for a collection, which there is hardly ever one of.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { entryOfBytes } from '../contract/entries.ts';

const folder = mkdtempSync(join(tmpdir(), 'offbox-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

const mib = 2 ** 20;
const batch = Array.from({ length: 200 }, () => entryOfBytes(300));

it('keeps neither what it compressed into nor the blobs that it was handed', async () => {
  const started = new Promise<Worker>((resolve) => process.once('worker', resolve));
  const journal = await openSqliteJournal({ path: join(folder, 'journal.sqlite') });
  const thread = await started;
  const waiting = async (): Promise<number> => (await thread.getHeapStatistics()).external_memory / mib;
  try {
    const before = await waiting();
    let lastSeq = 0;
    // 100 outputs of a quarter of a megabyte.
    for (let count = 0; count < 100; count += 1, lastSeq += batch.length) await journal.append(batch, { epoch: 1, lastSeq });
    expect(await waiting()).toBeLessThan(before + 5);
    for (let count = 0; count < 20; count += 1) await journal.putBlob(randomBytes(mib));
    expect(await waiting()).toBeLessThan(before + 5);
  } finally {
    await journal.close();
  }
});
