// What the command line says to somebody who is wrong: what is wrong, where, and what to do.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { obeyVerb } from '../../lab/verbs.ts';
import type { OperatorError } from '../../src/model/errors.ts';
import { linkOffbox } from '../linked.ts';
import { runOffbox } from './offbox.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-usage-'));
afterAll(() => rmSync(home, { recursive: true }));

describe('where there is no configuration', () => {
  it('start says what it needs, and that a simulated network needs none', async () => {
    const { code, err } = await runOffbox(home, ['start']);
    expect(code).toBe(2);
    expect(err).toContain(`there is no ${join(home, 'offbox.yaml')}`);
    expect(err).toContain('offbox start --lab');
  });

  it('lab names the folder where no lab runs, and no system call', async () => {
    const { code, err } = await runOffbox(home, ['lab', 'fail', 'gw-a']);
    expect(code).toBe(1);
    expect(err).toContain(`no lab runs in ${join(home, '.offbox', 'lab')}. Start one with`);
    expect(err).not.toContain('ENOENT');
  });
});

it.each([
  [['start', '--once'], 'Add --lab.'],
  [['show', 'events', '--last', 'x'], '"x" is no count'],
  [['show'], 'Add --help'],
  [['pause'], 'Add --help'],
  [['migrate', 'web1', '--to', 'kvm2', '--allow', 'foo'], '--allow does not take "foo". Write relax, post-copy, or both'],
  [['migrate', 'web1', '--to', 'kvm2', '--allow', 'relax,'], '--allow does not take "". Write relax, post-copy, or both'],
  [['migrate', 'web1', '--to', 'kvm2', '--bandwidth', '0'], '--bandwidth does not take "0". Write whole MiB a second'],
  [['migrate', 'web1', '--to', 'kvm2', '--bandwidth', '9000000'], '--bandwidth does not take "9000000". Write whole MiB'],
  [['lab', 'migrate', 'web1', '--to', 'kvm2', '--fail', '--abort'], '--fail and --abort are two endings. Leave one of them out'],
  [['emit', ''], "the event is empty. Write a syslog line or a meaning: '%HSRP-5"],
  [['emit', ' \n'], "the event is empty. Write a syslog line or a meaning: '%HSRP-5"],
  [['backtest', '--from', '1d', '--to', '3d'], '--from 1d is later than --to 3d, and nothing lies between. Exchange the two'],
  [['backtest', '--from', '2026-11-24', '--to', '2026-11-23'], '--from 2026-11-24 is later than --to 2026-11-23'],
  [['backtest', '--from', 'yesterday'], '"yesterday" is no time. Write 2026-11-23T03:00:00Z, or 7d'],
  [['lab', 'fail', 'gw-a', '--abort'], 'fail takes no --abort. It goes with migrate'],
  [['lab', 'split', 'gw-a', '--to', 'kvm2'], 'split takes no --to. It goes with migrate'],
  [['lab', 'up', '--net', 'x'], '--net does not take "x". Write a whole number'],
  [['lab', 'state', '--net', '24'], 'state takes no --net. It goes with up'],
])('offbox %j is wrong usage, and says what to do', async (words, said) => {
  const { code, err } = await runOffbox(home, words);
  expect([code, err]).toEqual([2, expect.stringContaining(said)]);
});

describe('the help of lab', () => {
  it('says of every verb of the lab whom it is for, and what ends a hang', async () => {
    const { out } = await runOffbox(home, ['lab', '--help']);
    const refusal = await obeyVerb({} as never, 'bogus', []).catch((thrown: OperatorError) => thrown.remedy);
    const verbs = [...String(refusal).matchAll(/(?:: |, )([a-z-]+)/g)].map(([, verb]) => verb!);
    expect(verbs).toContain('unreachable');
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
    for (const verb of verbs) expect(out, verb).toMatch(new RegExp(`^  (\\S+, )?${verb}\\b`, 'm'));
    for (const verb of ['unreachable', 'freeze', 'thaw', 'cut', 'hang', 'restore'])
      expect(text, verb).toMatch(new RegExp(`offbox lab[^\n]*[ |]${verb}\\b`));
    expect(out).toMatch(/restore .*hang/);
  });
});

describe('a policy with a misspelt selector', () => {
  beforeAll(() => {
    linkOffbox(home);
    mkdirSync(join(home, 'policies'));
    writeFileSync(join(home, 'offbox.yaml'), 'inventory: inventory.yaml\n');
    writeFileSync(join(home, 'inventory.yaml'), 'targets:\n  sw1: { platform: cisco-ios, address: 192.0.2.1 }\n');
    const lines = [
      "import { interfaces, policy } from 'offbox';",
      "export default policy({ name: 'misspelt', on: interfaces.dwon(), pipe: (downs) => downs });",
    ];
    writeFileSync(join(home, 'policies', 'misspelt.ts'), `${lines.join('\n')}\n`);
  });

  it('is found by check with its line, though it cannot be loaded', async () => {
    const { code, out } = await runOffbox(home, ['check']);
    expect(code).toBe(1);
    expect(out).toMatch(/policies\/misspelt\.ts:2:58: .*dwon/);
  });
});

describe('a policy that does not come back while it is loaded', () => {
  it('is named by check, which ends', async () => {
    const file = join(home, 'policies', 'misspelt.ts');
    writeFileSync(file, "import { policy } from 'offbox';\nwhile (true);\nexport default policy({ name: 'never' } as never);\n");
    const { code, out } = await runOffbox(home, ['check']);
    expect(code).toBe(1);
    expect(out).toMatch(/misspelt\.ts.*did not come back/);
  });
});
