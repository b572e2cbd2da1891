// An operator's answers, as they are given: on the command line, to an Offbox in a process of its own that has found in its journal
// intents of which nobody can tell what became, and beside which a simulated gateway stands.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteJournal, readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { ask } from '../../src/cli/client.ts';
import type { EntryBody } from '../../src/model/entry.ts';
import type { Intent } from '../../src/model/intent.ts';
import { controlSocket } from '../../src/runtime/api.ts';
import type { ShownIntent } from '../../src/runtime/view.ts';
import { openPrivileged, type TestLab, testLab } from '../lab-sim/helpers.ts';
import { linkOffbox } from '../linked.ts';
import { ended, printed, runOffbox, startOffbox } from './offbox.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-resolve-'));
const data = join(home, '.offbox');
const socket = controlSocket(data);
const prefixes = ['10.1.0.0/16', '10.2.0.0/16', '23.0.0.0/8'] as const;

const intentOf = (prefix: string, number: number): Intent => ({
  id: `wanting@old/2/${number}`,
  policy: 'wanting',
  version: 'old',
  cause: 2,
  key: 'gw-a',
  want: {
    kind: 'ensure',
    resource: { kind: 'bgp-network', target: 'gw-a', prefix, vrf: 'default' },
    desired: 'present',
    requires: [],
    validForMs: 60_000,
  },
});
const [asDone, asFailed, asAgain] = prefixes.map((prefix, number) => intentOf(prefix, number).id) as [string, string, string];

/** As an Offbox leaves it that died half-way three times, and could not find out afterwards what it had done. */
async function journalBefore({ inventory }: TestLab): Promise<void> {
  mkdirSync(data, { mode: 0o700 });
  const journal = await openSqliteJournal({ path: join(data, 'journal.sqlite') });
  const intents = prefixes.map(intentOf);
  const bodies: EntryBody[] = [
    { kind: 'inventory', inventory },
    { kind: 'deploy', policy: 'wanting', version: 'old', runtime: 'old' },
    { kind: 'decided', through: 2 },
    ...intents.map((intent): EntryBody => ({ kind: 'intent', intent })),
    ...intents.map(({ id }): EntryBody => ({ kind: 'attempt', intent: id, deadlineMs: 100, plan: ['network'] })),
    ...intents.map(({ id }): EntryBody => ({ kind: 'outcome', intent: id, outcome: { kind: 'unknown', reason: 'a test' } })),
  ];
  await journal.append(
    bodies.map((body) => ({ ...body, at: 1_767_225_600_000 })),
    { epoch: 1, lastSeq: 0 },
  );
  await journal.close();
}

async function intents(): Promise<readonly ShownIntent[]> {
  const { out } = await runOffbox(home, ['show', 'intents', '--json', '--last', '1000']);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ShownIntent);
}
const stateOf = async (id: string) => (await intents()).find(({ intent }) => intent.id === id)?.state;
const resolve = (...words: readonly string[]) => runOffbox(home, ['resolve', ...words]);

describe('offbox resolve', () => {
  let lab: TestLab;
  let running: ChildProcess;

  beforeAll(async () => {
    lab = await testLab();
    await journalBefore(lab);
    linkOffbox(home);
    mkdirSync(join(home, 'policies'));
    writeFileSync(
      join(home, 'policies', 'wanting.ts'),
      `import { bgpNetwork, config, policy } from 'offbox';
export default policy({ name: 'wanting', on: config.changed(), ensure: ({ target }) => bgpNetwork({ target }, '10.0.0.0/8') });
`,
    );
    writeFileSync(join(home, 'offbox.yaml'), `inventory: ${lab.lab.inventoryPath}\nmodes: { default: enforce }\n`);
    running = startOffbox(home, 'start');
    await printed(running, /runs: 1 policies/);
    running.stdout!.resume();
    running.stderr!.resume();
  }, 60_000);

  afterAll(async () => {
    const end = ended(running);
    running.kill('SIGTERM');
    expect((await end).code).toBe(0);
    await lab.end();
    rmSync(home, { recursive: true });
  }, 30_000);

  it('is asked for by what `show intents` tells, and answers with the entry that it became', async () => {
    expect([await stateOf(asDone), await stateOf(asFailed), await stateOf(asAgain)]).toEqual(['unknown', 'unknown', 'unknown']);
    const done = await resolve(asDone, 'done');
    expect([done.code, done.out, done.err]).toEqual([0, expect.stringMatching(/^taken as entry \d+\n$/), '']);
    const failed = await resolve(asFailed, 'failed', '--json');
    expect([failed.code, JSON.parse(failed.out)]).toEqual([0, { seq: expect.any(Number) }]);
    expect([await stateOf(asDone), await stateOf(asFailed), await stateOf(asAgain)]).toEqual(['done', 'failed', 'unknown']);
  }, 60_000);

  it('refuses an intent that waits for no answer, and an answer that is none, and says what to do', async () => {
    const wrong = await resolve('wanting@old/2/99', 'done');
    expect(wrong).toMatchObject({ code: 1, out: '' });
    expect(wrong.err).toContain('no intent "wanting@old/2/99" waits for an answer. See `offbox show intents`');
    expect((await resolve(asDone, 'failed')).err).toContain('waits for an answer');
    expect(await stateOf(asDone)).toBe('done');
    const maybe = await resolve(asAgain, 'maybe');
    expect([maybe.code, maybe.err]).toEqual([2, expect.stringContaining('"maybe" is no answer. Answer done, failed or again.')]);
    expect((await resolve(asAgain)).code).toBe(2);
    expect(await stateOf(asAgain)).toBe('unknown');
  }, 60_000);

  it('has it done again where that is the answer, and only then is the gateway touched', async () => {
    const terminal = await openPrivileged(lab, 'gw-a');
    const networks = async () =>
      [...(await terminal.say('show running-config')).matchAll(/^\s*network (\S+)/gm)].map(([, one]) => one);
    expect(await networks()).toEqual([]);
    expect((await resolve(asAgain, 'again')).code).toBe(0);
    await expect.poll(() => stateOf(asAgain), { timeout: 20_000, interval: 200 }).toBe('done');
    expect(await networks()).toEqual(['23.0.0.0']);
    terminal.client.end();
    await terminal.ended;
  }, 60_000);

  it('is in the journal, with the name of who answered', async () => {
    const journal = await readSqliteJournal({ path: join(data, 'journal.sqlite') });
    const commands: unknown[] = [];
    for await (const batch of journal.read(0))
      for (const entry of batch) if (entry.kind === 'command') commands.push([entry.by, entry.verb, ...entry.arguments]);
    await journal.close();
    const by = userInfo().username;
    expect(commands).toEqual([
      [by, 'resolve', asDone, 'done'],
      [by, 'resolve', asFailed, 'failed'],
      [by, 'resolve', asAgain, 'again'],
    ]);
  });

  it('asks nobody where no Offbox runs, and says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offbox-resolve-'));
    writeFileSync(join(folder, 'inventory.yaml'), 'targets: {}\n');
    writeFileSync(join(folder, 'offbox.yaml'), 'inventory: inventory.yaml\n');
    const { code, err } = await runOffbox(folder, ['resolve', asDone, 'done']);
    expect([code, err]).toEqual([1, expect.stringContaining('Offbox does not run here. Start it with `offbox start`.')]);
    rmSync(folder, { recursive: true });
  }, 30_000);

  it('answers over its socket as the command line does', async () => {
    await expect(ask(socket, 'POST', '/resolve', { intent: asDone, answer: 'done', by: 'ada' })).rejects.toThrow(
      'waits for an answer',
    );
  });
});
