import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { openSqliteJournal, readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import type { Entry } from '../../src/model/entry.ts';
import { allOf, numbered } from '../contract/entries.ts';
import { folder, variedBatch } from './images.ts';

const files = folder();
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  files.remove();
});

type Way = 'thread' | 'beside';

function appender(path: string, epoch: number, way: Way = 'thread') {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'append-forever.ts'), path, String(epoch), way],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout }) };
}

/** Appends until `acknowledgements` were printed, is killed there, and what it printed until it was dead. */
async function appendUntilKilled(path: string, epoch: number, acknowledgements: number, way: Way): Promise<string[]> {
  const { child, lines } = appender(path, epoch, way);
  const printed: string[] = [];
  lines.on('line', (line) => {
    printed.push(line);
    if (printed.length === acknowledgements) child.kill('SIGKILL');
  });
  await once(lines, 'close');
  return printed;
}

test.each<Way>(['thread', 'beside'])(
  'has every entry it took after each of twenty kills, and goes on from there: %s',
  { timeout: 120_000 },
  async (way) => {
    const path = files.fresh();
    const acknowledged: Entry[] = [];
    /** What is kept of the acknowledged. A torn append is cut and its numbers are given up: seqs may jump. */
    const keptOf = (kept: readonly Entry[]): readonly (Entry | undefined)[] => {
      const bySeq = new Map(kept.map((entry) => [entry.seq, entry]));
      return acknowledged.map(({ seq }) => bySeq.get(seq));
    };
    for (let kill = 1; kill <= 20; kill += 1) {
      const printed = await appendUntilKilled(path, kill, 1 + Math.floor(Math.random() * 150), way);
      expect(printed.length).toBeGreaterThan(0);
      for (const line of printed.filter((text) => !text.startsWith('cut '))) {
        const [index, lastSeq] = line.split(' ').map(Number) as [number, number];
        const batch = variedBatch(index);
        acknowledged.push(...numbered(batch, lastSeq - batch.length + 1));
      }
      const reader = await readSqliteJournal({ path });
      expect(keptOf(await allOf(reader))).toEqual(acknowledged);
      await reader.close();
    }
    const journal = await openSqliteJournal({ path });
    expect(keptOf(await allOf(journal))).toEqual(acknowledged);
    await journal.close();
  },
);

test('is read whole by another process while it is written', { timeout: 60_000 }, async () => {
  const path = files.fresh();
  const { child, lines } = appender(path, 1);
  const iterator = lines[Symbol.asyncIterator]();
  let seen = 0;
  for (let round = 0; round < 30; round += 1) {
    const lastSeq = Number(String((await iterator.next()).value).split(' ')[1]);
    const reader = await readSqliteJournal({ path });
    const { lastSeq: through } = await reader.tail();
    const seqs = (await allOf(reader)).map((entry) => entry.seq);
    await reader.close();
    expect(through).toBeGreaterThanOrEqual(lastSeq);
    expect(seqs.length).toBeGreaterThanOrEqual(Math.max(through, seen));
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    seen = seqs.length;
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
});

test('lets a process end that forgot to close, but not before its append is answered', async () => {
  const path = files.fresh();
  const script = join(import.meta.dirname, 'append-and-end.ts');
  for (const seq of [1, 2]) {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const exit = once(child, 'exit');
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    expect(line).toBe(String(seq));
    expect(await exit).toEqual([0, null]);
  }
});
