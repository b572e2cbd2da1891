// Policies that come from git: another revision is pulled or checked out while Offbox runs. It is put in force whole, once, and named;
// or not at all.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { ask } from '../../src/cli/client.ts';
import type { EntryOf } from '../../src/model/entry.ts';
import { controlSocket } from '../../src/runtime/api.ts';
import { linkOffbox } from '../linked.ts';
import { ended, printed, startOffbox } from './offbox.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-git-'));
const [origin, work] = [join(home, 'origin'), join(home, 'work')];
const names = ['one', 'two', 'three'] as const;
const identity = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };

function git(folder: string, ...words: readonly string[]): string {
  const env = { ...process.env, ...identity, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', ['-C', folder, ...words], { env, stdio: 'pipe' })
    .toString()
    .trim();
}

/** Commits these policies, all with this quiet time from a file that they share; returns the revision. */
function commit(quiet: string, broken?: string): string {
  mkdirSync(join(origin, 'policies', 'lib'), { recursive: true });
  writeFileSync(join(origin, '.gitattributes'), 'three.ts filter=slow\n');
  writeFileSync(join(origin, 'policies', 'lib', 'quiet.ts'), `export const quiet = '${quiet}';\n`);
  for (const name of names) {
    const text = `import { bgpNetwork, policy, syslog } from 'offbox';
import { quiet } from './lib/quiet.ts';
// ${quiet}
export default policy({ name: '${name}', describe: '${quiet}', on: syslog(), settle: { quiet }, ensure: (event) => bgpNetwork(event, '10.0.0.0/8') });
`;
    writeFileSync(join(origin, 'policies', `${name}.ts`), name === broken ? 'export default 1 +;\n' : text);
  }
  git(origin, 'add', '-A');
  git(origin, 'commit', '-qm', quiet);
  return git(origin, 'rev-parse', '--short', 'HEAD');
}

async function deploys(): Promise<readonly EntryOf<'deploy'>[]> {
  const journal = await readSqliteJournal({ path: join(home, '.offbox', 'journal.sqlite') });
  const found: EntryOf<'deploy'>[] = [];
  for await (const batch of journal.read(0)) for (const entry of batch) if (entry.kind === 'deploy') found.push(entry);
  await journal.close();
  return found;
}

interface Policy {
  readonly name: string;
  readonly revision?: string;
  readonly describe: string;
}
const policies = async (): Promise<readonly string[]> =>
  ((await ask(controlSocket(join(home, '.offbox')), 'GET', '/show/policies')) as readonly Policy[])
    .map(({ name, revision, describe: quiet }) => `${name} ${revision} ${quiet}`)
    .sort();
const all = (revision: string, quiet: string): readonly string[] => names.map((name) => `${name} ${revision} ${quiet}`).sort();

describe('policies from git', () => {
  let first: string;
  let running: ReturnType<typeof startOffbox>;

  beforeAll(async () => {
    mkdirSync(origin);
    git(origin, 'init', '-q', '-b', 'main');
    first = commit('5s');
    git(home, 'clone', '-q', origin, work);
    // A checkout that takes its time, half-way: longer than the watch waits for quiet.
    git(work, 'config', 'filter.slow.smudge', 'sleep 1.5; cat');
    linkOffbox(home);
    writeFileSync(join(home, 'inventory.yaml'), 'targets:\n  gw: { platform: frr, address: 192.0.2.1 }\n');
    writeFileSync(join(home, 'offbox.yaml'), 'inventory: inventory.yaml\npolicies: work/policies\n');
    running = startOffbox(home, 'start');
    await printed(running, /runs: 3 policies/);
  }, 60_000);

  afterAll(async () => {
    const end = ended(running);
    running.kill('SIGTERM');
    expect((await end).code).toBe(0);
    rmSync(home, { recursive: true });
  }, 30_000);

  it('tells the revision that it runs', async () => {
    expect(await policies()).toEqual(all(first, '5s'));
    expect((await deploys()).map(({ policy, revision }) => `${policy} ${revision}`).sort()).toEqual(
      names.map((name) => `${name} ${first}`).sort(),
    );
  });

  it('puts a pulled revision in force whole and once, however long git takes to write it', async () => {
    const second = commit('6s');
    const told = printed(running, /policy one: .*policy two: |policy two: .*policy one: /s);
    git(work, 'pull', '-q');
    await told;
    expect(await policies()).toEqual(all(second, '6s'));
    const since = (await deploys()).slice(names.length);
    expect(since.map(({ policy, revision }) => `${policy} ${revision}`).sort()).toEqual(
      names.map((name) => `${name} ${second}`).sort(),
    );
    // One append, one reload.
    expect(new Set(since.map(({ at }) => at)).size).toBe(1);
  }, 60_000);

  it('puts nothing of a broken revision in force, says so, and goes on', async () => {
    const before = await policies();
    commit('7s', 'two');
    const told = printed(running, /not put in force, the ones that run go on: .*two\.ts:1:/s);
    git(work, 'pull', '-q');
    await told;
    expect(await policies()).toEqual(before);
    expect(await deploys()).toHaveLength(2 * names.length);
  }, 60_000);

  it('goes back to the revision that is checked out', async () => {
    const told = printed(running, /policy one: .*policy two: |policy two: .*policy one: /s);
    git(work, 'checkout', '-q', first);
    await told;
    expect(await policies()).toEqual(all(first, '5s'));
    expect(await deploys()).toHaveLength(3 * names.length);
  }, 60_000);
});
