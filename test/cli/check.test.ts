// What `offbox check` says of a folder that is wrong: file, line, cause and remedy, and what `offbox start` says of the same.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { linkOffbox, linkRxjs } from '../linked.ts';
import { ended, printed, runOffbox, startOffbox } from './offbox.ts';

const made: string[] = [];
afterAll(() => {
  for (const home of made) rmSync(home, { recursive: true });
});

const inventory = `targets:
  edge-1: { platform: frr, address: 192.0.2.1 }
  edge-2: { platform: frr, address: 192.0.2.2 }
gateways:
  office:
    protocol: vrrp
    members: [{ target: edge-1, interface: eth1, group: 7 }, { target: edge-2, interface: eth1, group: 7 }]
`;

function folder(files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(tmpdir(), 'offbox-check-'));
  made.push(home);
  linkOffbox(home);
  linkRxjs(home);
  mkdirSync(join(home, 'policies'));
  for (const [name, text] of Object.entries({ 'inventory.yaml': inventory, ...files })) writeFileSync(join(home, name), text);
  return home;
}

const policyOf = (name: string, more: string) =>
  `import { bgpNetwork, fhrp, policy, vm } from 'offbox';\nexport default policy({ name: '${name}', ${more} });\n`;
const good = (name: string) => policyOf(name, "on: fhrp.changed({ gateway: 'office' }), ensure: () => []");
const told = async (home: string) => (await runOffbox(home, ['check'])).out.trim().split('\n');

test('a mode of a policy that is not there is told with its line, and start warns of it and runs', async () => {
  const modes = 'modes:\n  policies:\n    offise: enforce\n    other-one: observe\n';
  const home = folder({ 'offbox.yaml': modes, 'policies/office.ts': good('office') });
  const says = [
    'offbox.yaml:3:5: modes.policies.offise: there is no policy "offise". Did you mean office?',
    'offbox.yaml:4:5: modes.policies.other-one: there is no policy "other-one". The policies are: office. Remove it, or leave it until a policy whose file is gone has let go.',
  ];
  expect(await told(home)).toEqual(says);
  const running = startOffbox(home, 'start');
  const end = ended(running);
  await printed(running, /Offbox .* runs/);
  running.kill('SIGINT');
  const { code, err } = await end;
  expect(code).toBe(0);
  expect(err).toContain('offbox.yaml:3:5: modes.policies.offise: there is no policy "offise". Did you mean office?');
}, 60_000);

test('a prefix that is none is told where it stands in a policy, and so is a name that the inventory does not have', async () => {
  const on = "on: fhrp.changed({ gateway: 'office' })";
  const home = folder({
    'offbox.yaml': '{}\n',
    'policies/a.ts': policyOf('a', `${on},\n  ensure: ({ target }) => bgpNetwork({ target }, '198.51.100.0')`),
    'policies/b.ts': `const net = '23.1.0.0/8'; // bgpNetwork(member, 'none')\n${policyOf('b', `${on}, ensure: (event) => bgpNetwork(event, net)`)}`,
    'policies/c.ts': policyOf('c', `${on}, ensure: (event) => bgpNetwork(event, '198.51.100.0/24')`),
    'policies/d.ts': policyOf('d', "on: vm.migrated({ to: 'edge-3' }), pipe: (moved) => moved"),
    'policies/e.ts': policyOf('e', "on: fhrp.changed({ gateway: 'ofice' }), ensure: () => []"),
  });
  expect(await told(home)).toEqual([
    'policies/a.ts:3:50: "198.51.100.0" is not an IPv4 prefix. Write it as 23.0.0.0/8.',
    'policies/b.ts:3:114: "23.1.0.0/8" has bits beyond its length. Did you mean 23.0.0.0/8?',
    'policies/d.ts:2:58: d: there is no target "edge-3". Did you mean edge-1?',
    'policies/e.ts:2:64: e: there is no gateway "ofice". Did you mean office?',
  ]);
}, 60_000);

test.each([
  ['nowhere', 'there is no such folder of policies. Make it, or say with `policies:` in offbox.yaml where it is.'],
  ['inventory.yaml', 'it is a file, not the folder of policies. Name its folder with `policies:` in offbox.yaml.'],
])(
  'a folder of policies that is none (%s) is told by check and start',
  async (name, says) => {
    const home = folder({ 'offbox.yaml': `policies: ${name}\n` });
    expect(await told(home)).toEqual([`${join(home, name)}: ${says}`]);
    expect((await runOffbox(home, ['start'])).err.trim()).toBe(`offbox: ${join(home, name)}: ${says}`);
  },
  60_000,
);

test('each policy that cannot be loaded has its own remedy, and the place where one is known', async () => {
  const on = "on: fhrp.changed({ gateway: 'office' }), ensure: () => []";
  const home = folder({
    'offbox.yaml': '{}\n',
    'policies/clock.ts': `setTimeout(() => undefined, 1);\n${policyOf('clock', on)}`,
    'policies/name.ts': policyOf('A Name', on),
    'policies/throws.ts': `const no = (): void => {\n  throw new Error('no');\n};\nno();\n${policyOf('throws', on)}`,
    'policies/twin-a.ts': policyOf('twin', on),
    'policies/twin-b.ts': policyOf('twin', on),
    'policies/word.ts': `import { bgpNetwrk } from 'offbox';\nbgpNetwrk;\n${policyOf('word', on)}`,
  });
  mkdirSync(join(home, 'policies', 'folder.ts'));
  const atTheTop = 'A policy file may only declare; look at the top of the file.';
  expect(await told(home)).toEqual([
    expect.stringMatching(/^policies\/clock\.ts:1:1: a timer is banned in a policy/),
    expect.stringMatching(/^policies\/clock\.ts:1:1: it uses setTimeout, .*may only declare/),
    'policies/name.ts:2:16: Policy "A Name": the name is not one. Use 1 to 63 lower-case letters, digits and dashes.',
    'policies/throws.ts:2:9: cannot be loaded: no. It is thrown while the top of the file is evaluated: correct it there.',
    'policies/twin-b.ts: the name "twin" is taken by policies/twin-a.ts. Give one of them another name.',
    expect.stringMatching(/^policies\/word\.ts: cannot be loaded: .*'bgpNetwrk'\. Correct the import/),
    expect.stringMatching(/^policies\/word\.ts:1:10: .*Did you mean 'bgpNetwork'\?$/),
  ]);
  writeFileSync(join(home, 'policies', 'clock.ts'), `while (true);\n${policyOf('clock', on)}`);
  expect(await told(home)).toEqual([`policies/clock.ts: it did not come back within 2 s. ${atTheTop}`, expect.anything()]);
}, 60_000);

test('what cannot be bundled is told where it stands, also in a file that the policy imports', async () => {
  const home = folder({
    'offbox.yaml': '{}\n',
    'policies/part.ts': policyOf('part', "on: fhrp.changed({ gateway: 'office' }), ensure: () => []"),
    'part.ts': 'export const part = [\n',
    'policies/uses.ts': "import { part } from '../part.ts';\npart;\n",
    'policies/lost.ts': "import { lost } from './nowhere.ts';\nlost;\n",
  });
  const { out } = await runOffbox(home, ['check', '--json']);
  const findings = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { path: string; line: number; column: number; text: string });
  expect(findings).toEqual([
    {
      path: join(home, 'policies', 'lost.ts'),
      line: 1,
      column: 22,
      text: 'Could not resolve "./nowhere.ts". A policy imports from `offbox`, from rxjs and from files beside it: correct the import.',
    },
    { path: join(home, 'part.ts'), line: 2, column: 1, text: expect.stringMatching(/^Unexpected end of file.* Mend it there/) },
  ]);
}, 60_000);

test('a data folder that is a file, and a journal that is not there, are named with what to do', async () => {
  const home = folder({ 'offbox.yaml': 'data: inventory.yaml\n' });
  const file = join(home, 'inventory.yaml');
  expect((await runOffbox(home, ['start'])).err.trim()).toBe(
    `offbox: ${file}: the folder of the journal cannot be made: there is a file in its place. Name another with \`data:\` in offbox.yaml, or check who may write there.`,
  );
  expect((await runOffbox(home, ['show', 'events'])).err.trim()).toBe(
    `offbox: there is no journal ${join(file, 'journal.sqlite')}. It is made by \`offbox start\`, which has not run here yet.`,
  );
  expect((await runOffbox(home, ['backtest', '--journal', 'none.sqlite'])).err.trim()).toBe(
    `offbox: there is no journal ${join(home, 'none.sqlite')}. Name another with --journal.`,
  );
}, 30_000);

test('a story with a state that is none, one of a policy that is not there, and a pattern that none has, are told', async () => {
  const home = folder({ 'policies/office.ts': good('office') });
  const stories = join(home, 'policies', 'stories');
  for (const name of ['office', 'gone']) mkdirSync(join(stories, name), { recursive: true });
  mkdirSync(join(stories, 'office', 'folder.txt'));
  writeFileSync(join(stories, 'inventory.yaml'), inventory);
  writeFileSync(join(stories, 'office', 'a.txt'), 'edge-1 is mastr\nstart\n----\n');
  expect((await runOffbox(home, ['test'])).out).toContain(
    'a.txt:1: "edge-1 is mastr": "mastr" is no state: HSRP has disabled, init, learn, listen, speak, standby, active; VRRP has initialize, backup, master, fault. Mend the story.',
  );
  expect((await runOffbox(home, ['test', 'zzz'])).err).toContain('no path of a story contains "zzz". There are 1 in');
  writeFileSync(join(stories, 'gone', 'b.txt'), 'start\n----\n');
  expect((await runOffbox(home, ['test', 'gone'])).out).toContain(
    'stories/gone: there is no policies/gone.ts. Rename the folder or add the policy.',
  );
}, 30_000);
