// The journal's file is deleted, moved or replaced under a running Offbox: what is written then is nowhere to be found afterwards.
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import { slowTime } from './images.ts';

const ways: Readonly<Record<string, (path: string) => void>> = {
  deleted: (path) => rmSync(path),
  'deleted with its folder': (path) => rmSync(dirname(path), { recursive: true }),
  moved: (path) => renameSync(path, `${path}.old`),
  replaced: (path) => {
    copyFileSync(path, `${path}.new`);
    renameSync(`${path}.new`, path);
  },
  'without its log': (path) => rmSync(`${path}-wal`),
};

describe.each([
  ['through the thread', {}],
  ['beside it', { wall: slowTime() }],
])('written %s', (_, how) => {
  test.each(Object.keys(ways))('nothing is durable in a file that is %s', async (way) => {
    const path = join(mkdtempSync(join(tmpdir(), 'offbox-taken-')), 'data', 'j.db');
    const journal = await openSqliteJournal({ path, ...how });
    const append = async (lastSeq: number): Promise<void> => {
      const { durable } = await journal.append([{ kind: 'tick', at: 1 }], { epoch: 1, lastSeq });
      await durable?.();
    };
    await append(0);
    await append(1);
    ways[way]!(path);
    const refusal = await append(2).catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(RuntimeFault);
    expect((refusal as RuntimeFault).code).toMatch(/^journal-(closed|unsynced)$/);
    expect((refusal as RuntimeFault).message).toContain('is not the file any more that was opened');
    await journal.close();
  });
});
