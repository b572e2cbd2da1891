// Every example of the README runs: files are the blocks with a name, commands are the `sh` blocks, in order.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { printed, startOffbox } from '../cli/offbox.ts';
import { pageOf } from './examples.ts';

const { text: readme, examples, folder, unpack, run } = pageOf('README.md');

/** As in another terminal, while Offbox runs: at a free port, with targets that are nobody on this machine. */
async function besideOffbox(command: string): Promise<ReturnType<typeof run>> {
  for (const [file, from, to] of [
    ['offbox.yaml', ':5514', ':0'],
    ['inventory.yaml', '192.0.2.', '127.77.2.'],
  ] as const)
    writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replaceAll(from, to));
  const offbox = startOffbox(folder, 'start');
  try {
    await printed(offbox, / runs: /);
    const ran = run(command);
    const [, number] = /taken as entry (\d+)/.exec(ran.output)!;
    expect(run(`npx offbox explain ${number}`).output).toMatch(/office-master-advertises\n +✔ on /);
    return ran;
  } finally {
    offbox.kill('SIGTERM');
    await once(offbox, 'close');
  }
}

describe('the README', () => {
  beforeAll(unpack);

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
    it(`runs: ${text.trim().replaceAll('\n', '; ')}`, async () => {
      const { status, output } = text.includes('offbox emit') ? await besideOffbox(text) : run(text);
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
