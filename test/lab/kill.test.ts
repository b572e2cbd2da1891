// Offbox is killed with -9 at random moments during failovers and started again, over and over, beside the simulated
// network in a process of its own. The devices' own logs are the judge: no change written twice, the network right at
// the end; and no entry that was acknowledged is missing from the journal.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { labCommand } from '../../lab/control.ts';
import { ask } from '../../src/cli/client.ts';
import type { Entry } from '../../src/model/entry.ts';
import { controlSocket } from '../../src/runtime/api.ts';
import { exited, offbox, until as waitUntil } from './offbox-process.ts';

const kills = Number(process.env.OFFBOX_KILLS ?? 50);
const net = 77;
const directory = mkdtempSync(join(tmpdir(), 'offbox-kill-'));
const data = join(directory, 'data');
const prefix = '23.0.0.0/8';

const until = (what: string, holds: () => Promise<boolean>): Promise<void> =>
  waitUntil(what, holds, () => labCommand(directory, 'state', []));

async function via(): Promise<string> {
  const routes = (await labCommand(directory, 'external', [])) as readonly { prefix: string; via: readonly string[] }[];
  return routes.find((route) => route.prefix === prefix)?.via.join(' ') ?? '';
}

/** Emits a harmless event; resolves with its seq once it is acknowledged. */
async function acknowledge(): Promise<number | undefined> {
  const origin = { source: 'emit', peer: 'local', transport: 'local', trust: 'claimed', raw: 'acknowledged' };
  const answer = await ask(controlSocket(data), 'POST', '/emit', { event: { meaning: null, origin } }).catch(() => undefined);
  return (answer as { seq: number } | undefined)?.seq;
}

async function journal(): Promise<readonly Entry[]> {
  const reader = await readSqliteJournal({ path: join(data, 'journal.sqlite') });
  const entries: Entry[] = [];
  for await (const batch of reader.read(0)) entries.push(...batch);
  await reader.close();
  return entries;
}

interface Write {
  readonly line: string;
  /** False where the configuration already was so: the change was written twice. */
  readonly changed: boolean;
}

/** The network lines that reached a device, from its own log. */
function networkLines(name: string): readonly Write[] {
  const log = readFileSync(join(directory, 'devices', `${name}.log`), 'utf8');
  const writes = log.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Write]));
  return writes.filter(({ line }) => /network/.test(line));
}

describe(`killed with -9 ${kills} times during failovers`, () => {
  let lab: ChildProcess;
  /** One that lives on where the test fails would have the ports of the next. */
  let running: ChildProcess | undefined;

  beforeAll(async () => {
    lab = offbox('lab', 'up', '--dir', directory, '--net', String(net));
    await until('the lab is up', async () => (await labCommand(directory, 'state', [])) !== undefined);
  });

  afterAll(async () => {
    running?.kill('SIGKILL');
    lab.kill('SIGTERM');
    await exited(lab);
  });

  it('ends right each time, loses nothing acknowledged, and writes no change twice', async () => {
    const acknowledged: number[] = [];
    for (let round = 0; round < kills; round += 1) {
      running = offbox('start', '--config', join(directory, 'offbox.yaml'));
      await until('Offbox answers', async () => (await ask(controlSocket(data), 'GET', '/show/gateways')) !== undefined);
      const failing = round % 2 === 0;
      await labCommand(directory, failing ? 'fail' : 'restore', ['gw-a']);
      const stopEmitting = new AbortController();
      const emitting = (async () => {
        while (!stopEmitting.signal.aborted) {
          const seq = await acknowledge();
          if (seq !== undefined) acknowledged.push(seq);
          await pause(20);
        }
      })();
      // From the HSRP change (a second after the failure) over the settling (2 s) to the last verification.
      await pause(500 + Math.random() * 4_500);
      running.kill('SIGKILL');
      await exited(running);
      stopEmitting.abort();
      await emitting;
    }
    await labCommand(directory, 'restore', ['gw-a']).catch(() => undefined);
    running = offbox('start', '--config', join(directory, 'offbox.yaml'));
    await until('the network ends right', async () => (await via()) === 'gw-a');
    running.kill('SIGTERM');
    await exited(running);

    const entries = new Set((await journal()).map(({ seq }) => seq));
    const missing = acknowledged.filter((seq) => !entries.has(seq));
    const writes = { 'gw-a': networkLines('gw-a'), 'gw-b': networkLines('gw-b') };
    console.log(
      `${kills} kills, ${acknowledged.length} acknowledged entries, ${entries.size} in the journal; writes: gw-a ${writes['gw-a'].length}, gw-b ${writes['gw-b'].length}`,
    );
    expect(missing).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(kills);
    for (const [name, lines] of Object.entries(writes)) {
      expect(lines.length, name).toBeGreaterThan(0);
      expect(
        lines.filter(({ changed }) => !changed),
        `written twice to ${name}`,
      ).toEqual([]);
    }
  }, 1_200_000);
});
