// Every example of the README runs: files are the blocks with a name, commands are the `sh` blocks, in order.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'offbox-readme-'));

interface Example {
  readonly language: string;
  readonly file: string;
  readonly text: string;
}

const examples: readonly Example[] = [...readme.matchAll(/^( *)```(\w*) ?(\S*)\n([\s\S]*?)^ *```$/gm)].map(
  ([, indent = '', language = '', file = '', text = '']) => ({
    language,
    file,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }),
);

/** As a newcomer's shell would run it, but for installing: `npx offbox` is this checkout's. */
function run(command: string): { readonly status: number | null; readonly output: string } {
  const offbox = `'${process.execPath}' --conditions=offbox-source --disable-warning=ExperimentalWarning '${join(root, 'src', 'cli', 'offbox.ts')}'`;
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', command.replaceAll('npx offbox', offbox)], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, output: stdout + stderr };
}

describe('the README', () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules', 'offbox'));
    for (const { file, text } of examples) {
      if (file === '') continue;
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
  });

  it('shows a configuration, an inventory, a policy and a story', () => {
    expect(examples.map(({ file }) => file).filter(Boolean)).toEqual([
      'offbox.yaml',
      'inventory.yaml',
      'policies/office-master-advertises.ts',
      'policies/stories/office-master-advertises/failover.txt',
    ]);
  });

  for (const { text } of examples.filter(({ language }) => language === 'sh')) {
    // What installs or starts the whole is tried by its own tests, from a packed package.
    if (text.startsWith('npm ci')) continue;
    it(`runs: ${text.trim().replaceAll('\n', '; ')}`, () => {
      const { status, output } = run(text);
      expect(status, output).toBe(0);
    });
  }

  it('tells a story in which the master advertises, and nobody else', () => {
    const story = readFileSync(join(folder, 'policies/stories/office-master-advertises/failover.txt'), 'utf8');
    expect(story).toContain('done     edge-2 bgp-network 198.51.100.0/24 present');
    expect(story.trimEnd().split('\n').at(-1)).toContain('NETWORK  198.51.100.0/24 via edge-2');
  });

  it('shows how a line is read', () => {
    const decode = examples.find(({ text }) => text.includes('decode syslog'))!;
    expect(JSON.parse(run(decode.text).output)).toMatchObject({
      mnemonic: 'HSRP-5-STATECHANGE',
      meaning: { interface: 'Vlan10', group: 10, to: 'active' },
    });
  });

  it('names only verbs that there are', () => {
    const verbs = [...readme.matchAll(/offbox (\w+)/g)].map(([, verb]) => verb!);
    const help = run('npx offbox --help').output;
    for (const verb of new Set(verbs))
      if (/npx offbox \w/.test(`npx offbox ${verb}`) && readme.includes(`npx offbox ${verb}`))
        expect(help).toContain(`  ${verb}`);
  });
});
