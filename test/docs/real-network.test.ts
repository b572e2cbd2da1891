// What docs/real-network.md shows is a configuration that passes the check, and a wrong one would not.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { printed } from '../cli/offbox.ts';
import { pageOf } from './examples.ts';

const { text, examples, folder, unpack, run } = pageOf('docs/real-network.md');

describe('docs/real-network.md', () => {
  beforeAll(unpack);

  it('has an inventory, a configuration and a policy that pass the check', () => {
    expect(examples.map(({ file }) => file).filter(Boolean)).toEqual([
      'inventory.yaml',
      'offbox.yaml',
      'policies/lan10-active-advertises.ts',
      'secrets.env',
      'offbox.service',
    ]);
    const { status, output } = run('npx offbox check');
    expect(status, output).toBe(0);
  });

  it('shows modes as offbox.yaml takes them', () => {
    const modes = examples.find(({ language, file }) => language === 'yaml' && file === '')!;
    const config = join(folder, 'offbox.yaml');
    const before = readFileSync(config, 'utf8');
    writeFileSync(config, before.replace('modes: { default: observe }\n', modes.text));
    expect(run('npx offbox check').status).toBe(0);
    writeFileSync(config, before.replace('modes: { default: observe }\n', modes.text.replace('enforce', 'enforced')));
    const { status, output } = run('npx offbox check');
    expect(status).toBe(1);
    expect(output).toMatch(/offbox\.yaml:14:.*Did you mean enforce\?/);
    writeFileSync(config, before);
  });

  it('names only things that `show` shows', () => {
    const shown = run('npx offbox show --help').output;
    const named = [...text.matchAll(/offbox show (\w+)/g)].map(([, what]) => what!);
    expect(named.length).toBeGreaterThan(4);
    for (const what of named) expect(shown).toContain(what);
  });
});

const file = (name: string): string => examples.find((example) => example.file === name)!.text;
const flowing = text.replaceAll(/\s+/g, ' ');
const launcher = join(import.meta.dirname, '..', '..', 'bin', 'offbox.js');

/** Through the launcher, as the service does, with these secrets in the environment. */
function start(secrets: string): ChildProcess {
  const command = `set -a; . ./secrets.env; set +a; ${secrets} exec '${process.execPath}' '${launcher}' start`;
  return spawn('sh', ['-c', command], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
}

async function stopped(offbox: ChildProcess): Promise<number | null> {
  const closed = once(offbox, 'close');
  offbox.kill('SIGTERM');
  const [code] = await closed;
  return code as number | null;
}

describe('the first start of docs/real-network.md', () => {
  // Nobody is asked but this machine, and ports are taken that are free.
  beforeAll(() => {
    writeFileSync(join(folder, 'inventory.yaml'), file('inventory.yaml').replaceAll('192.0.2.', '127.77.2.'));
    const ports = file('offbox.yaml').replaceAll(/'0\.0\.0\.0:\d+'/g, "'127.0.0.1:0'");
    writeFileSync(join(folder, 'offbox.yaml'), ports);
  });

  it('names every variable and every file of secrets', () => {
    const configured = file('inventory.yaml') + file('offbox.yaml');
    const variables = [...configured.matchAll(/\{ env: (\w+) \}/g)].map(([, name]) => name!);
    expect([...file('secrets.env').matchAll(/^(\w+)=/gm)].map(([, name]) => name)).toEqual([...new Set(variables)]);
    for (const [, name] of configured.matchAll(/\{ file: (\S+) \}/g)) expect(flowing).toContain(`\`${name}\``);
  });

  it('ends where a secret of a source is missing, as it says', () => {
    const { status, output } = run('npx offbox start');
    expect(status).toBe(1);
    const said = '[secrets] environment variable "OFFBOX_SNMP_AUTH" is not set';
    expect(output).toContain(said);
    expect(flowing).toContain(said);
  });

  it('starts where one of a target is missing, and shows which', async () => {
    const offbox = start('unset OFFBOX_SSH;');
    await printed(offbox, / runs: /);
    expect(run('npx offbox show targets').output).toMatch(/gw-a .* down .*environment variable "OFFBOX_SSH" is not set/);
    expect(await stopped(offbox)).toBe(0);
  });

  it('starts with all of them, refuses a second one, and stops in order when its first process is told to', async () => {
    const offbox = start('');
    await printed(offbox, / runs: /);
    const second = run('set -a; . ./secrets.env; set +a; npx offbox start');
    expect(second.status).toBe(1);
    expect(second.output).toMatch(/\.offbox is in use: pid \d+ on \S+ \(offbox start in .+\), since /);
    expect(flowing).toMatch(/\.offbox is in use: pid \d+ on \S+ \(offbox start in .+?\), since /);
    expect(run('npx offbox show targets').output).not.toContain('OFFBOX_SSH');
    expect(await stopped(offbox)).toBe(0);
  });

  it('has a service that starts it so, with what it needs', () => {
    const unit = file('offbox.service');
    expect(unit).toContain('EnvironmentFile=/srv/offbox/secrets.env');
    expect(unit).toContain('ExecStart=/srv/offbox/node_modules/.bin/offbox start');
    for (const line of ['AmbientCapabilities=CAP_NET_BIND_SERVICE', 'Restart=always', 'KillMode=mixed'])
      expect(unit).toContain(line);
  });

  it.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)('has a service that systemd takes', () => {
    const unit = join(folder, 'offbox.service');
    writeFileSync(unit, file('offbox.service').replace('/srv/offbox/node_modules/.bin/offbox', process.execPath));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
