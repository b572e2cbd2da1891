// Offbox is killed again and again while requests come in: what it said it has, it has, and once.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { printed, runOffbox, startOffbox } from '../cli/offbox.ts';

const token = 'a-token-of-some-length';
const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f';
const kills = 3;
/** Requests waiting for their answer at once: some are acknowledged, some under way when it dies. */
const atOnce = 8;

async function folderOf(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'offbox-http-kill-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'policies'));
  await writeFile(join(folder, 'token'), token, { mode: 0o600 });
  await writeFile(join(folder, 'offbox.yaml'), 'sources: { http: { listen: "127.0.0.1:0", token: { file: token } } }\n');
  const targets = 'a: { platform: frr, address: 192.0.2.1 }, b: { platform: frr, address: 192.0.2.2 }';
  await writeFile(join(folder, 'inventory.yaml'), `targets: { ${targets} }\n`);
  return folder;
}

async function begin(folder: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = startOffbox(folder, 'start');
  onTestFinished(() => void child.kill('SIGKILL'));
  const out = await printed(child, /http http \S+/);
  return { child, url: /http (http:\/\/\S+|http \S+?)(?=,|\s|$)/.exec(out)![1]!.replace(/^http /, 'http://') };
}

/** The seq, or undefined where there was no answer. */
async function send(url: string, request: string): Promise<number | undefined> {
  const body = JSON.stringify({ kind: 'migration-requested', request, vm: 'web1', uuid, from: 'a', to: 'b' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  try {
    const response = await fetch(`${url}/requests`, { method: 'POST', headers, body });
    if (response.status !== 202) throw new Error(`answered ${response.status}`);
    return ((await response.json()) as { readonly seq: number }).seq;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

it(`what is acknowledged is in the journal, once, though Offbox is killed ${kills} times`, async () => {
  const folder = await folderOf();
  const acknowledged = new Map<string, number>();
  const unanswered: string[] = [];
  let count = 0;
  for (let round = 0; round < kills; round += 1) {
    const { child, url } = await begin(folder);
    // Whoever got no answer asks again, under the same id.
    for (const request of unanswered.splice(0)) acknowledged.set(request, (await send(url, request))!);
    const killAfter = acknowledged.size + 30 + round * 17;
    const worker = async (): Promise<void> => {
      for (;;) {
        count += 1;
        const request = `r-${count}`;
        const seq = await send(url, request);
        if (seq === undefined) {
          unanswered.push(request);
          return;
        }
        acknowledged.set(request, seq);
        if (acknowledged.size === killAfter) child.kill('SIGKILL');
      }
    };
    const ended = once(child, 'exit');
    await Promise.all(Array.from({ length: atOnce }, worker));
    await ended;
  }
  const journal = await readSqliteJournal({ path: join(folder, '.offbox', 'journal.sqlite') });
  const found = new Map<string, number>();
  for await (const entries of journal.read(0)) {
    for (const entry of entries) {
      if (entry.kind !== 'event' || entry.event.meaning?.kind !== 'vm.migration-requested') continue;
      expect(found.has(entry.event.meaning.request), entry.event.meaning.request).toBe(false);
      found.set(entry.event.meaning.request, entry.seq);
    }
  }
  await journal.close();
  expect(acknowledged.size).toBeGreaterThan(100);
  for (const [request, seq] of acknowledged) expect([request, found.get(request)]).toEqual([request, seq]);
  const { out } = await runOffbox(folder, ['show', 'requests', '--json', '--last', '100000']);
  const shown = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly request: string; readonly seq: number });
  expect(new Map(shown.map(({ request, seq }) => [request, seq]))).toEqual(found);
});
