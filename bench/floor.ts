// Owns: the floor: the least that can be called receiving and remembering. TCP → lines → one Map look-up → SQLite, WAL,
// synchronous FULL, one commit for what one read brought (64 KiB, some 450 lines). One thread; no parser, no events, no
// policies.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ruleMnemonic } from './lines.ts';
import { clockMs, serve } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'offbox-bench-floor-'));
const db = new DatabaseSync(join(folder, 'floor.sqlite'));
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE line(id INTEGER PRIMARY KEY, text TEXT NOT NULL)');
const insert = db.prepare('INSERT INTO line(text) VALUES(?)');

const rules = new Map<string, { matched: number }>();
let matched = 0;
let taken = 0;
let expected = Number.POSITIVE_INFINITY;
let done: ((at: number) => void) | undefined;

function look(line: string): void {
  const from = line.indexOf('%') + 1;
  const rule = rules.get(line.slice(from, line.indexOf(':', from)));
  if (rule) {
    rule.matched += 1;
    matched += 1;
  }
}

function commit(batch: readonly string[]): void {
  db.exec('BEGIN IMMEDIATE');
  for (const line of batch) insert.run(line);
  db.exec('COMMIT');
  taken += batch.length;
  if (taken >= expected) done?.(clockMs());
}

const server = createServer((socket) => {
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) look(line);
    commit(lines);
  });
});

export type FloorCalls = typeof calls;
const calls = serve(
  {
    start: (count: number): Promise<number> => {
      for (let rule = 0; rule < count; rule += 1) rules.set(ruleMnemonic(rule), { matched: 0 });
      return new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
      });
    },
    /** Resolves when this many more lines are durable. */
    async take(lines: number): Promise<{ readonly at: number; readonly matched: number; readonly cpuMs: number }> {
      const cpu = process.cpuUsage();
      matched = 0;
      taken = 0;
      expected = lines;
      const at = await new Promise<number>((resolve) => {
        done = resolve;
      });
      const { user, system } = process.cpuUsage(cpu);
      return { at, matched, cpuMs: (user + system) / 1000 };
    },
  },
  () => {
    db.close();
    rmSync(folder, { recursive: true });
  },
);
