import { existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteJournal, readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import type { Entry } from '../../src/model/entry.ts';
import { allOf, batchOf } from '../contract/entries.ts';
import { copyOf, type Found, flip, folder, type Image, imageOf, lookInto } from './images.ts';

const files = folder();
const images = new Map<string, Image>();
const imageNames = ['never brought into the file', 'in a later round of the log', 'trimmed on the way'] as const;

beforeAll(() => {
  images.set(
    imageNames[0],
    imageOf(files, (_, append) => {
      for (let index = 0; index < 40; index += 1) append(index);
    }),
  );
  images.set(
    imageNames[1],
    imageOf(files, (store, append) => {
      for (let index = 0; index < 150; index += 1) {
        append(index);
        store.checkpoint(1024 * 1024);
      }
      for (let index = 0; index < 5; index += 1) append(index);
    }),
  );
  images.set(
    imageNames[2],
    imageOf(files, (store, append) => {
      for (let index = 0; index < 100; index += 1) {
        append(index);
        store.checkpoint(1024 * 1024);
        if (index % 20 === 19) while (!store.trimSome(store.tail().lastSeq - 7));
      }
    }),
  );
});
afterAll(() => files.remove());

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const someShare = fc.oneof(
  fc.nat(1_000_000).map((millionth) => millionth / 1_000_001),
  share,
);
/** The first bytes are the header's: the most is lost there. */
const anyPlace = fc.oneof(
  { weight: 1, arbitrary: fc.record({ near: fc.nat(120) }) },
  { weight: 3, arbitrary: fc.record({ part: someShare }) },
);
const offsetIn = (size: number, place: { near: number } | { part: number }) =>
  'near' in place ? Math.min(place.near, size - 1) : Math.floor(place.part * size);

/** The entries are those that were, in order, and none but at the end is missing. */
function expectTrue(entries: readonly Entry[], image: Image): void {
  expect(entries).toEqual(entries.map((entry) => image.history[entry.seq - 1]));
  const first = entries[0]?.seq ?? 1;
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => first + index));
  expect(first).toBeLessThanOrEqual(image.entries[0]!.seq);
}

function expectNothingSilent(found: Found, image: Image): void {
  if (found.kind === 'refused') {
    expect(['journal-damaged', 'journal-version', 'not-a-journal']).toContain(found.code);
    return;
  }
  expectTrue(found.entries, image);
  if (found.entries.at(-1)?.seq !== image.entries.at(-1)!.seq) {
    expect(found.cut).toMatch(new RegExp(`ends at entry ${found.entries.at(-1)?.seq ?? 0}: .* cannot be read`));
  }
}

function remove(path: string, firstSeq: number): void {
  const db = new DatabaseSync(path);
  db.exec(`DELETE FROM batch WHERE first_seq = ${firstSeq}`);
  db.close();
}

async function collected(batches: AsyncIterable<readonly Entry[]>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of batches) entries.push(...batch);
  return entries;
}

describe.each(imageNames)('a journal %s', (name) => {
  test('is whole when the process dies with its log unread', () => {
    const image = images.get(name)!;
    const path = copyOf(files, image);
    expect(lookInto(path)).toEqual({ kind: 'opened', entries: image.entries, cut: undefined });
  });

  test('never loses or changes an entry silently, whichever byte of its log is damaged', () => {
    const image = images.get(name)!;
    fc.assert(
      fc.property(anyPlace, fc.integer({ min: 1, max: 255 }), (place, bits) => {
        const path = copyOf(files, image);
        flip(`${path}-wal`, offsetIn(statSync(`${path}-wal`).size, place), bits);
        expectNothingSilent(lookInto(path), image);
        rmSync(dirname(path), { recursive: true });
      }),
      { numRuns: 60 },
    );
  });

  test('never loses or changes an entry silently, whichever byte of its file is damaged', () => {
    const image = images.get(name)!;
    fc.assert(
      fc.property(anyPlace, fc.integer({ min: 1, max: 255 }), (place, bits) => {
        const path = copyOf(files, image);
        flip(path, offsetIn(statSync(path).size, place), bits);
        expectNothingSilent(lookInto(path), image);
        rmSync(dirname(path), { recursive: true });
      }),
      { numRuns: 60 },
    );
  });

  test('keeps a clean beginning wherever its log is cut off', () => {
    const image = images.get(name)!;
    fc.assert(
      fc.property(anyPlace, (place) => {
        const path = copyOf(files, image);
        truncateSync(`${path}-wal`, offsetIn(statSync(`${path}-wal`).size, place));
        const found = lookInto(path);
        // A log cut off cannot be told from an older one, so that nothing need be said; what is there is right all the same.
        if (found.kind === 'opened') expectTrue(found.entries, image);
        else expect(found.code).toBe('journal-damaged');
        rmSync(dirname(path), { recursive: true });
      }),
      { numRuns: 60 },
    );
  });
});

test('keeps every append that ended before the damage, byte for byte and cut by cut', () => {
  const image = images.get(imageNames[0])!;
  const size = statSync(`${image.path}-wal`).size;
  const survives = (found: Found, offset: number) => {
    const { lastSeq } = image.appends.filter(({ logBytes }) => logBytes <= offset).at(-1) ?? { lastSeq: 0 };
    expect(found.kind === 'opened' ? (found.entries.at(-1)?.seq ?? 0) : found.code).toBe(lastSeq);
  };
  for (let offset = 9_000; offset < size; offset += 13_577) {
    for (const damage of [(log: string) => flip(log, offset, 0x40), (log: string) => truncateSync(log, offset)]) {
      const path = copyOf(files, image);
      damage(`${path}-wal`);
      survives(lookInto(path), offset);
    }
  }
});

test('says what was cut, keeps the log it could not read, and uses no number twice', async () => {
  const image = images.get(imageNames[0])!;
  const path = copyOf(files, image);
  const { lastSeq, logBytes } = image.appends[29]!;
  flip(`${path}-wal`, logBytes + 30, 0xff);
  const unread = readFileSync(`${path}-wal`);
  const told: string[] = [];
  const journal = await openSqliteJournal({ path, onCut: (what) => told.push(what) });
  expect(told).toEqual([
    `[journal-sqlite] ${path} ends at entry ${lastSeq}: 10 appends after it cannot be read (what a crash took before anybody was told of it looks the same). Their numbers are not used again. The log is kept as ${path}-wal.damaged-1.`,
  ]);
  expect(readFileSync(`${path}-wal.damaged-1`).equals(unread)).toBe(true);
  expect(await allOf(journal)).toEqual(image.entries.slice(0, lastSeq));
  const tail = await journal.tail();
  expect(tail.lastSeq).toBeGreaterThan(image.entries.at(-1)!.seq);
  await journal.append([{ kind: 'tick', at: 50 }], { epoch: 1, lastSeq: tail.lastSeq });
  expect((await allOf(journal)).at(-1)).toEqual({ kind: 'tick', at: 50, seq: tail.lastSeq + 1 });
  await journal.close();
  const again = await openSqliteJournal({ path, onCut: (what) => told.push(what) });
  expect(told).toHaveLength(1);
  await again.close();
});

test('says so when the very last append is spoilt, were it in the mark that tells rounds of the log apart', () => {
  const image = images.get(imageNames[0])!;
  const lastFrame = statSync(`${image.path}-wal`).size - 4_120;
  for (const offset of [8, 12, 16, 23, 24, 4_119]) {
    const path = copyOf(files, image);
    flip(`${path}-wal`, lastFrame + offset, 0x10);
    expect(lookInto(path)).toMatchObject({
      cut: expect.stringMatching(/: 1 append after it cannot be read \(what a crash took before anybody was told/),
    });
  }
});

test('takes a batch that is missing for damage, not for a gap', async () => {
  const path = files.fresh();
  const journal = await openSqliteJournal({ path });
  for (let lastSeq = 0; lastSeq < 40; lastSeq += 4) await journal.append(batchOf(4), { epoch: 1, lastSeq });
  const reader = await readSqliteJournal({ path });
  const before = reader.read(30);
  remove(path, 37);
  await expect(collected(before)).rejects.toThrow('is damaged: entries 37 to 40 are missing');
  remove(path, 9);
  await expect(allOf(reader)).rejects.toMatchObject({
    code: 'journal-damaged',
    message: expect.stringContaining('entries 9 to 12 are missing'),
  });
  await expect(allOf(reader, 10)).rejects.toThrow('entries 9 to 12 are missing');
  expect((await allOf(journal, 13)).map(({ seq }) => seq)).toEqual(Array.from({ length: 24 }, (_, index) => 13 + index));
  await reader.close();
  await journal.close();
});

test('says when the whole log cannot be read', () => {
  const image = images.get(imageNames[0])!;
  const path = copyOf(files, image);
  flip(`${path}-wal`, 17, 0x01);
  expect(lookInto(path)).toMatchObject({ cut: expect.stringContaining('an unknown number of appends') });
});

test('refuses a log whose file is gone, and leaves it where it is', async () => {
  for (const loss of [(path: string) => rmSync(path), (path: string) => truncateSync(path, 0)]) {
    const path = copyOf(files, images.get(imageNames[0])!);
    loss(path);
    await expect(openSqliteJournal({ path })).rejects.toMatchObject({ code: 'journal-damaged' });
    expect(existsSync(`${path}-wal`)).toBe(true);
  }
});

test('reads what can be read of a damaged file and names what cannot', async () => {
  const image = images.get(imageNames[1])!;
  const path = copyOf(files, image);
  const body = Buffer.from('"by":"77/0');
  const offset = readFileSync(path).indexOf(body);
  flip(path, offset + 7, 0x01);
  const reader = await readSqliteJournal({ path });
  const from = image.history.find((entry) => entry.kind === 'command' && entry.by.startsWith('78/0'))!.seq;
  await expect(allOf(reader)).rejects.toMatchObject({
    code: 'journal-damaged',
    message: expect.stringMatching(/entries \d+ to \d+ do not match their checksum/),
  });
  expect(await allOf(reader, from)).toEqual(image.history.slice(from - 1));
  await reader.close();
});
