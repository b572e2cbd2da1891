// Policies edited on disk while Offbox runs: put in force and told; what is broken is told, and changes nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { linkOffbox } from '../linked.ts';
import { ended, printed, runOffbox, startOffbox } from './offbox.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-reload-'));
linkOffbox(home);
mkdirSync(join(home, 'policies'));
writeFileSync(join(home, 'inventory.yaml'), 'targets:\n  gw: { platform: frr, address: 192.0.2.1 }\n');
writeFileSync(join(home, 'offbox.yaml'), 'inventory: inventory.yaml\n');
const write = (quiet: string, file = 'one.ts') =>
  writeFileSync(
    join(home, 'policies', file),
    `import { bgpNetwork, policy, syslog } from 'offbox';
export default policy({ name: '${file.replace('.ts', '')}', on: syslog(), settle: { quiet: '${quiet}' }, ensure: (event) => bgpNetwork(event, '10.0.0.0/8') });
`,
  );
write('5s');
const running = startOffbox(home, 'start');
afterAll(() => void running.kill('SIGKILL'));

it('puts an edit in force, tells of a broken file, of a new one and of one that is gone', async () => {
  await printed(running, /runs: 1 policies/);
  const policies = async () =>
    JSON.parse(`[${(await runOffbox(home, ['show', 'policies', '--json'])).out.trim().split('\n').join()}]`);
  const [{ version }] = await policies();
  write('6s');
  await printed(running, /policy one: \w+ → \w+/);
  const [edited] = await policies();
  expect(edited).toMatchObject({ name: 'one', state: 'running' });
  expect(edited.version).not.toBe(version);
  writeFileSync(join(home, 'policies', 'one.ts'), 'export default 1 +;\n');
  await printed(running, /not put in force, the ones that run go on: .*one\.ts:1:/s);
  expect(await policies()).toEqual([edited]);
  const misspelt =
    "// Who has it?\nimport { policy, syslog } from 'offbox';\nconst on = syslog({ mnemnic: 'DUPADDR' } as never);\n";
  writeFileSync(join(home, 'policies', 'one.ts'), `${misspelt}export default policy({ name: 'one', on, pipe: (all) => all });\n`);
  await printed(
    running,
    /not put in force, .*policies\/one\.ts:3:12: syslog\(\): it has no field `mnemnic`\. Did you mean mnemonic\? It takes /s,
  );
  expect(await policies()).toEqual([edited]);
  write('6s');
  write('1s', 'two.ts');
  await printed(running, /policy two: \w+, new/);
  rmSync(join(home, 'policies', 'two.ts'));
  await printed(running, /policy two is gone/);
  expect(await policies()).toEqual([edited]);
  const end = ended(running);
  // As systemd does, which tells the launcher and its child.
  running.kill('SIGTERM');
  await setTimeout(5);
  running.kill('SIGTERM');
  expect((await end).code).toBe(0);
}, 60_000);
