import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { openForWriting } from '../../adapters/journal-sqlite/file.ts';
import { openSqliteJournal, readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { allOf, batchOf, entryOfBytes, numbered, tick } from '../contract/entries.ts';
import { folder } from './images.ts';

const files = folder();
afterAll(() => files.remove());

const other = (path: string, sql: string) => {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
};

/** Compresses to half of its 30,000 bytes at most. */
const noise = () => ({
  ...tick(1),
  kind: 'command' as const,
  by: '',
  verb: 'note' as const,
  arguments: [randomBytes(15_000).toString('hex')],
});

/** Appends until the journal is full; the last seq it took. */
async function fill(journal: Journal): Promise<number> {
  for (let { lastSeq } = await journal.tail(); ; lastSeq += 3) {
    const full = await journal.append([tick(lastSeq), entryOfBytes(30_000), tick(lastSeq)], { epoch: 1, lastSeq }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (full === undefined) continue;
    expect(full).toMatchObject({ name: 'RuntimeFault', code: 'journal-full' });
    return lastSeq;
  }
}

describe('the file', () => {
  test('is made with its directories, and is there again after closing', async () => {
    const path = join(dirname(files.fresh()), 'a', 'b', 'journal.sqlite');
    const journal = await openSqliteJournal({ path });
    await journal.append(batchOf(3), { epoch: 7, lastSeq: 0 });
    const digest = await journal.putBlob(Uint8Array.from([1, 2, 3]));
    await journal.close();
    const again = await openSqliteJournal({ path });
    expect(await again.tail()).toEqual({ lastSeq: 3, lastAt: 3, epoch: 7 });
    expect(await allOf(again)).toEqual(numbered(batchOf(3), 1));
    expect(await again.getBlob(digest)).toEqual(Uint8Array.from([1, 2, 3]));
    await again.close();
  });

  test('syncs each commit: WAL, synchronous FULL', () => {
    const { db } = openForWriting(files.fresh(), Number.MAX_SAFE_INTEGER);
    expect({ ...db.prepare('PRAGMA journal_mode').get() }).toEqual({ journal_mode: 'wal' });
    expect({ ...db.prepare('PRAGMA synchronous').get() }).toEqual({ synchronous: 2 });
    db.close();
  });

  test('brings its log into the file while nobody appends, where it can tell the time', async () => {
    const sizes = [];
    for (const wall of [realWall, undefined]) {
      const path = files.fresh();
      const journal = await openSqliteJournal({ path, ...(wall ? { wall } : {}) });
      for (let lastSeq = 0; lastSeq < 10; lastSeq += 1) await journal.append([noise()], { epoch: 1, lastSeq });
      if (wall) await vi.waitFor(() => expect(statSync(path).size).toBeGreaterThan(200_000), { timeout: 10_000 });
      sizes.push(statSync(path).size);
      await journal.close();
    }
    expect(sizes[1]).toBeLessThan(50_000);
  });

  test('keeps its log short, however much goes through it', async () => {
    const path = files.fresh();
    const journal = await openSqliteJournal({ path });
    const batch = Array.from({ length: 10 }, () => entryOfBytes(20_000));
    let largest = 0;
    for (let lastSeq = 0; lastSeq < 1_000; lastSeq += batch.length) {
      await journal.append(batch, { epoch: 1, lastSeq });
      largest = Math.max(largest, statSync(`${path}-wal`).size);
    }
    // 20 MB went through; beyond 1 MiB it is brought into the file, one append later at the most.
    expect(largest).toBeLessThan(2 * 1024 * 1024);
    await journal.close();
  });

  test('is refused when a newer Offbox wrote it, by name and unchanged', async () => {
    const path = files.fresh();
    await (await openSqliteJournal({ path })).close();
    other(path, 'PRAGMA user_version = 99');
    const before = readFileSync(path);
    for (const open of [openSqliteJournal, readSqliteJournal]) {
      await expect(open({ path })).rejects.toMatchObject({
        name: 'RuntimeFault',
        code: 'journal-version',
        message: `[journal-sqlite] ${path} has format 99; this Offbox reads formats up to 1. Run the Offbox that wrote it, or a newer one.`,
      });
    }
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('is refused when it belongs to another program', async () => {
    const path = files.fresh();
    other(path, 'CREATE TABLE bookmarks(url TEXT)');
    for (const open of [openSqliteJournal, readSqliteJournal]) {
      await expect(open({ path })).rejects.toMatchObject({ name: 'OperatorError', code: 'not-a-journal' });
    }
    const text = files.fresh();
    writeFileSync(text, 'targets:\n  edge1: {}\n'.repeat(100));
    await expect(openSqliteJournal({ path: text })).rejects.toMatchObject({ code: 'journal-damaged' });
    expect(readFileSync(text, 'utf8')).toContain('edge1');
  });

  test('is refused to a reader before it exists, and is not made by one', async () => {
    const path = files.fresh();
    await expect(readSqliteJournal({ path })).rejects.toMatchObject({ name: 'OperatorError', code: 'journal-unreachable' });
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test('names the path that cannot be written', async () => {
    const directory = dirname(files.fresh());
    mkdirSync(join(directory, 'journal.sqlite'));
    await expect(openSqliteJournal({ path: join(directory, 'journal.sqlite') })).rejects.toThrow(
      join(directory, 'journal.sqlite'),
    );
    writeFileSync(join(directory, 'file'), '');
    await expect(openSqliteJournal({ path: join(directory, 'file', 'journal.sqlite') })).rejects.toThrow('journal.sqlite');
  });

  test.skipIf(process.getuid?.() === 0)('says that it may not write', async () => {
    const path = files.fresh();
    chmodSync(dirname(path), 0o500);
    await expect(openSqliteJournal({ path })).rejects.toMatchObject({ name: 'OperatorError', code: 'journal-unreachable' });
    chmodSync(dirname(path), 0o700);
  });
});

describe('a full journal', () => {
  test('refuses the append whole, keeps what it has, and takes more once trimmed', async () => {
    const path = files.fresh();
    const journal = await openSqliteJournal({ path, bytesMax: 1024 * 1024 });
    const lastSeq = await fill(journal);
    expect(lastSeq).toBeGreaterThan(60);
    expect((await journal.tail()).lastSeq).toBe(lastSeq);
    expect((await allOf(journal)).map((entry) => entry.seq)).toEqual(Array.from({ length: lastSeq }, (_, index) => index + 1));
    await expect(journal.putBlob(new Uint8Array(100_000))).rejects.toMatchObject({ code: 'journal-full' });
    await journal.trim(lastSeq - 10);
    const further = await fill(journal);
    expect(further).toBeGreaterThan(lastSeq + 60);
    expect(statSync(path).size).toBeLessThanOrEqual(1024 * 1024);
    await journal.close();
  });
});

describe('two writers on one file', () => {
  test('see each other: the one behind is refused', async () => {
    const path = files.fresh();
    const [first, second] = [await openSqliteJournal({ path }), await openSqliteJournal({ path })];
    await first.append(batchOf(2), { epoch: 1, lastSeq: 0 });
    await expect(second.append(batchOf(1), { epoch: 1, lastSeq: 0 })).rejects.toMatchObject({ code: 'not-the-tail' });
    await second.append(batchOf(1), { epoch: 2, lastSeq: 2 });
    await expect(first.append(batchOf(1), { epoch: 1, lastSeq: 3 })).rejects.toMatchObject({ code: 'stale-epoch' });
    await Promise.all([first.close(), second.close()]);
  });

  test('answers what was asked before it was closed', async () => {
    const journal = await openSqliteJournal({ path: files.fresh() });
    const appended = journal.append(batchOf(2), { epoch: 1, lastSeq: 0 });
    const closed = journal.close();
    expect(await appended).toEqual({ firstSeq: 1 });
    await closed;
  });
});

describe('a reader', () => {
  test('refuses once closed, and follows trims', async () => {
    const path = files.fresh();
    const journal = await openSqliteJournal({ path });
    for (let lastSeq = 0; lastSeq < 2_000; lastSeq += 2) await journal.append(batchOf(2), { epoch: 1, lastSeq });
    const reader = await readSqliteJournal({ path });
    const seqs: number[] = [];
    for await (const batch of reader.read(1)) {
      seqs.push(...batch.map((entry) => entry.seq));
      if (batch[0]!.seq === 1) await journal.trim(1_800);
    }
    expect(seqs.filter((seq) => seq >= 1_800)).toEqual(Array.from({ length: 201 }, (_, index) => 1_800 + index));
    expect(seqs.length).toBeLessThan(1_000);
    await reader.close();
    await expect(allOf(reader)).rejects.toMatchObject({ code: 'journal-closed' });
    await expect(reader.tail()).rejects.toMatchObject({ code: 'journal-closed' });
    await journal.close();
  });
});
