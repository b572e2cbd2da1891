// What is appended while the journal is quiet: taken at once, durable when it is asked for.
import { fstatSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { Beside } from '../../adapters/journal-sqlite/beside.ts';
import type { Client } from '../../adapters/journal-sqlite/client.ts';
import { openBeside, openForWriting } from '../../adapters/journal-sqlite/file.ts';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { rowsOf } from '../../adapters/journal-sqlite/rows.ts';
import { storeOn } from '../../adapters/journal-sqlite/store.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { allOf, batchOf, entryOfBytes, numbered, tick } from '../contract/entries.ts';
import { folder } from './images.ts';

const synced = vi.hoisted((): { file: number; inode: number }[] => []);
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const fsyncSync: typeof fs.fsyncSync = (file) => {
    synced.push({ file, inode: fs.fstatSync(file).ino });
    fs.fsyncSync(file);
  };
  return { ...fs, fsyncSync };
});

const files = folder();
const opened: Journal[] = [];
afterEach(() => Promise.all(opened.splice(0).map((journal) => journal.close())));
afterAll(() => files.remove());

async function journalOn(path = files.fresh(), bytesMax?: number) {
  const wall = { at: 0, after: () => () => undefined, monotonic: () => wall.at };
  const journal = await openSqliteJournal({ path, wall, ...(bytesMax === undefined ? {} : { bytesMax }) });
  opened.push(journal);
  await journal.append([tick(0)], { epoch: 1, lastSeq: 0 });
  let lastSeq = 1;
  /** Whether so many entries were taken at once. */
  const isTaken = async (entries: number, bytes = 0): Promise<boolean> => {
    const batch = bytes > 0 ? [entryOfBytes(bytes)] : batchOf(entries);
    const { durable } = await journal.append(batch, { epoch: 1, lastSeq });
    lastSeq += batch.length;
    return durable !== undefined;
  };
  return { path, wall, journal, isTaken };
}

test('takes at once what is little, until too much comes, and again once it is quiet', async () => {
  const { wall, isTaken } = await journalOn();
  wall.at += 1_000;
  expect(await isTaken(1)).toBe(true);
  expect(await isTaken(30)).toBe(true);
  expect(await isTaken(2)).toBe(false);
  wall.at += 5;
  expect(await isTaken(1)).toBe(true);
  for (let appends = 0; appends < 50; appends += 1) await isTaken(16);
  wall.at += 10;
  expect(await isTaken(1)).toBe(false);
  wall.at += 32;
  expect(await isTaken(1)).toBe(true);
  wall.at += 1_000;
  expect(await isTaken(1, 20_000)).toBe(false);
  expect(await isTaken(33)).toBe(false);
});

test('is asked through its thread while that has something else to do', async () => {
  const { wall, journal, isTaken } = await journalOn();
  wall.at += 1_000;
  const tail = journal.tail();
  expect(await isTaken(1)).toBe(false);
  await tail;
  expect(await isTaken(1)).toBe(true);
});

test('lets its thread wait where somebody else writes', async () => {
  const { path, wall, isTaken } = await journalOn();
  wall.at += 1_000;
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  setTimeout(() => other.exec('COMMIT'), 50);
  expect(await isTaken(1)).toBe(false);
  other.close();
});

test('has what it took for every reader, before it is durable', async () => {
  const { path, wall, journal } = await journalOn();
  wall.at += 1_000;
  const { durable } = await journal.append(batchOf(3), { epoch: 1, lastSeq: 1 });
  expect(durable).toBeDefined();
  const other = new DatabaseSync(path, { readOnly: true });
  expect(other.prepare('SELECT max(last_seq) AS last FROM batch').get()).toEqual({ last: 4 });
  other.close();
  expect(await allOf(journal)).toEqual(numbered([tick(0), ...batchOf(3)], 1));
  await durable!();
});

test('is durable AFTER its log is on the disk', async () => {
  const path = files.fresh();
  const store = storeOn(openForWriting(path, Number.MAX_SAFE_INTEGER).db, path);
  store.append(rowsOf([tick(1)], 1, 1), { epoch: 1, lastSeq: 0 });
  synced.length = 0;
  store.sync(100);
  expect(synced.map(({ inode }) => inode)).toEqual([statSync(`${path}-wal`).ino]);
  store.close();
  expect(() => fstatSync(synced[0]!.file)).toThrow('EBADF');
});

test('does not sync by itself what it takes', () => {
  const path = files.fresh();
  openForWriting(path, Number.MAX_SAFE_INTEGER).db.close();
  const db = openBeside(path, Number.MAX_SAFE_INTEGER);
  expect({ ...db.prepare('PRAGMA synchronous').get() }).toEqual({ synchronous: 1 });
  expect({ ...db.prepare('PRAGMA wal_autocheckpoint').get() }).toEqual({ wal_autocheckpoint: 0 });
  db.close();
});

test('says so where what it took cannot be brought to the disk', async () => {
  const path = files.fresh();
  const store = storeOn(openForWriting(path, Number.MAX_SAFE_INTEGER).db, path);
  store.append(rowsOf([tick(1)], 1, 1), { epoch: 1, lastSeq: 0 });
  const client = { isFree: true, call: () => Promise.reject(new Error('EIO: i/o error, fsync')) } as unknown as Client;
  const beside = new Beside({ db: openBeside(path, Number.MAX_SAFE_INTEGER), path, client, wall: { monotonic: () => 0 } });
  const durable = beside.append(rowsOf([tick(2)], 2, 1), 1, { epoch: 1, lastSeq: 1 });
  await expect(durable!()).rejects.toMatchObject({
    code: 'journal-unsynced',
    message: expect.stringContaining('EIO: i/o error, fsync'),
    remedy: expect.stringContaining('Look after the disk'),
  });
  await beside.close();
  store.close();
});

test('keeps its log short where nearly all of it is taken at once', async () => {
  const { path, wall, journal } = await journalOn();
  for (let lastSeq = 1; lastSeq < 1_000; lastSeq += 1) {
    wall.at += 1_000;
    const { durable } = await journal.append([tick(lastSeq)], { epoch: 1, lastSeq });
    await durable?.();
  }
  expect(statSync(`${path}-wal`).size).toBeLessThan(1024 * 1024);
  expect(statSync(path).size).toBeGreaterThan(20_000);
});

test('is no larger than it may be, whoever writes', async () => {
  const { wall, journal } = await journalOn(undefined, 60 * 4_096);
  const full = async (): Promise<never> => {
    for (let { lastSeq } = await journal.tail(); ; lastSeq += 1) {
      wall.at += 1_000;
      await journal.append([entryOfBytes(10_000)], { epoch: 1, lastSeq });
    }
  };
  await expect(full()).rejects.toMatchObject({ code: 'journal-full' });
  wall.at += 1_000;
  await expect(full()).rejects.toMatchObject({ code: 'journal-full' });
});
