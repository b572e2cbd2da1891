// A journal cut or spoilt at any byte of its last write, a snapshot's blob among it: it opens, and what was acknowledged before is there.
// OFFBOX_EVERY_BYTE=1 tries each byte of the pages too, and not one in 67; the frames' headers are always tried whole. That takes
// minutes: OFFBOX_EVERY_BYTE=3/8 is the third of eight slices.
import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { openForWriting } from '../../adapters/journal-sqlite/file.ts';
import { rowsOf } from '../../adapters/journal-sqlite/rows.ts';
import { storeOn } from '../../adapters/journal-sqlite/store.ts';
import { allIn, flip, folder, variedBatch } from './images.ts';

const files = folder();
afterAll(() => files.remove());

const frameBytes = 24 + 4_096;
const asked = process.env.OFFBOX_EVERY_BYTE;
const stride = asked ? 1 : 67;
const [slice = 1, slices = 1] = asked?.includes('/') ? asked.split('/').map(Number) : [];

/** A journal whose last write is of this kind, copied while it is open; from where on in its log that write lies. */
function lastWrite(kind: 'append' | 'blob'): {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly entries: number;
  readonly blob: string;
} {
  const made = files.fresh();
  const store = storeOn(openForWriting(made, Number.MAX_SAFE_INTEGER).db, made);
  for (let index = 0; index < 5; index += 1) {
    const { lastSeq } = store.tail();
    store.append(rowsOf(variedBatch(index), lastSeq + 1, 1), { epoch: 1, lastSeq });
  }
  const blob = new Uint8Array(5_000).map((_, index) => (index * 7) % 251);
  const { lastSeq } = store.tail();
  const entries = lastSeq;
  let from = statSync(`${made}-wal`).size;
  const digest = store.putBlob(blob);
  if (kind === 'append') {
    from = statSync(`${made}-wal`).size;
    store.append(rowsOf(variedBatch(2), lastSeq + 1, 1), { epoch: 1, lastSeq });
  }
  const path = files.fresh();
  copyFileSync(made, path);
  copyFileSync(`${made}-wal`, `${path}-wal`);
  store.close();
  return { path, from, to: statSync(`${path}-wal`).size, entries, blob: digest };
}

const damages = { cut: truncateSync, spoilt: (log: string, offset: number) => flip(log, offset, 0x40) } as const;

test.each([
  ['append', 'cut'],
  ['append', 'spoilt'],
  ['blob', 'cut'],
  ['blob', 'spoilt'],
] as const)(
  'whose last write is an %s, %s at any byte',
  (kind, damage) => {
    const image = lastWrite(kind);
    const path = files.fresh();
    for (let offset = image.from; offset < image.to; offset += 1) {
      if (((offset - 32) % frameBytes >= 24 && offset % stride !== 0) || offset % slices !== slice % slices) continue;
      copyFileSync(image.path, path);
      copyFileSync(`${image.path}-wal`, `${path}-wal`);
      damages[damage](`${path}-wal`, offset);
      const { db, cut } = openForWriting(path, Number.MAX_SAFE_INTEGER);
      const store = storeOn(db, path);
      const found = allIn(store, path).length;
      const blob = store.getBlob(image.blob);
      store.close();
      expect(found, `at ${offset}`).toBe(image.entries);
      expect(blob === undefined, `at ${offset}`).toBe(kind === 'blob');
      // What a crash alone cannot leave behind is said: whole frames that do not hold together.
      if (damage === 'spoilt') expect(cut, `at ${offset}`).toContain('cannot be read');
    }
  },
  asked ? 600_000 : 60_000,
);
