// What Offbox asks of a Cisco switch, and what it changes there, against the lab's switches over real SSH and NETCONF.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliActuator } from '../../adapters/actuator-cli/index.ts';
import { netconfActuator } from '../../adapters/actuator-netconf/index.ts';
import { platforms } from '../../adapters/platforms/index.ts';
import type { Desired, Resource } from '../../src/model/intent.ts';
import type { QueryKind } from '../../src/model/query.ts';
import { type Command, type Session, transportOf } from '../../src/ports/actuator.ts';
import type { Dialogue } from '../../src/ports/platform.ts';
import { secretsFrom } from '../../src/runtime/secrets.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { type TestLab, testLab } from './helpers.ts';

type SwitchName = 'acc-1' | 'acc-2';
const web = '52:54:00:aa:bb:02';
const port1 = 'GigabitEthernet1/0/1';
const uplink = 'GigabitEthernet1/0/24';
const { signal } = new AbortController();
const sessions = new Map<string, Promise<Session>>();
let lab: TestLab;

beforeAll(async () => {
  lab = await testLab();
});
afterAll(async () => {
  for (const session of sessions.values()) await (await session).close();
  await lab.end();
});

async function run(name: SwitchName, command: Command) {
  const transport = transportOf[command.kind];
  const secrets = secretsFrom({ directory: lab.dir, wall: realWall });
  const actuator =
    transport === 'netconf'
      ? netconfActuator({ wall: realWall, secrets })
      : cliActuator({ wall: realWall, secrets, dialectOf: (platform) => platforms[platform]?.cli });
  const key = `${name} ${transport}`;
  const session = sessions.get(key) ?? actuator.open(name, lab.inventory.targets[name]!, signal);
  sessions.set(key, session);
  return (await session).run(command, signal);
}

async function converse<T>(name: SwitchName, dialogue: Dialogue<T>): Promise<T> {
  let step = dialogue.next();
  while (!step.done) step = dialogue.next(await run(name, step.value));
  return step.value;
}

const ask = (name: SwitchName, query: QueryKind, about: string) => {
  const target = lab.inventory.targets[name]!;
  return converse<unknown>(name, platforms[target.platform].queries[query]!(target, { about, protocol: 'hsrp' }));
};

/** Reads, changes, reads again; returns what was sent, whether it took effect, and what then stands there. */
async function ensure(
  name: SwitchName,
  resource: Readonly<Record<string, string | number>> & { readonly kind: string },
  desired: Desired,
) {
  const target = lab.inventory.targets[name]!;
  const driver = platforms[target.platform].resources[resource.kind]!;
  const wanted = { target: name, ...resource } as unknown as Resource;
  const plan = driver.plan(await converse(name, driver.read(wanted, target)), wanted, desired, target);
  for (const command of plan) await run(name, command);
  const after = await converse(name, driver.read(wanted, target));
  return {
    sent: plan.map(({ kind }) => kind),
    ...driver.verify(after, wanted, desired, target),
    value: driver.value?.(after),
  };
}

const both = ['acc-1', 'acc-2'] as const;

test.each(both)('%s answers what is asked of a switch', async (name) => {
  const other = name === 'acc-1' ? '10.255.0.6' : '10.255.0.5';
  expect(await ask(name, 'port-security', port1)).toEqual([
    { interface: port1, enabled: true, sticky: true, violation: 'shutdown', status: 'secure-up' },
  ]);
  expect(await ask(name, 'switchport', port1)).toMatchObject([{ interface: port1, mode: 'access', access: 10 }]);
  expect(await ask(name, 'switchport', 'GigabitEthernet1/0/2')).toMatchObject([{ mode: 'trunk', native: 1, allowed: [10, 20] }]);
  expect(await ask(name, 'vnis', '10')).toEqual([{ vlan: 10, vni: 10010 }]);
  expect(await ask(name, 'routes', other)).toEqual([expect.objectContaining({ prefix: `${other}/32`, interface: uplink })]);
  expect(JSON.stringify(await ask(name, 'policy-maps', 'LIVE-MIGRATION'))).toContain('cs4');
});

test.each([
  ['acc-1', 'kvm1', ['cli']],
  ['acc-2', 'kvm2', ['rpc']],
] as const)('%s: a sticky address is cleared, and then the row that was learned', async (name, hypervisor, sent) => {
  lab.lab.fabric.frame(hypervisor, web, 10);
  const address = { kind: 'sticky-mac', interface: port1, mac: web, vlan: 10 };
  const row = { ...address, kind: 'mac-table-entry' };
  await expect(ensure(name, row, 'absent')).rejects.toThrow('which a clear does not remove');
  expect(await ensure(name, address, 'absent')).toMatchObject({ sent, effective: true });
  expect(await ask(name, 'macs', web)).toEqual([{ mac: web, vlan: 10, interface: port1, type: 'dynamic' }]);
  expect(await ensure(name, row, 'absent')).toMatchObject({ sent: ['cli'], effective: true });
  expect(await ensure(name, address, 'absent')).toMatchObject({ sent: [], effective: true });
});

test.each(both)('%s: the violation mode is held at restrict and put back', async (name) => {
  const mode = { kind: 'violation-mode', interface: port1, mode: 'restrict' };
  expect(await ensure(name, mode, 'present')).toMatchObject({ effective: true, value: 'restrict' });
  expect(await ensure(name, { ...mode, mode: 'shutdown' }, 'present')).toMatchObject({ effective: true, value: 'shutdown' });
});

test.each([
  ['acc-1', null, 'configure'],
  ['acc-2', 'EDGE-DEFAULT', 'edit'],
] as const)('%s: a policy-map is attached to the uplink, and what was there before comes back', async (name, before, how) => {
  const policy = { kind: 'service-policy', interface: uplink, direction: 'output', policy: 'LIVE-MIGRATION' };
  expect(await ensure(name, policy, 'absent')).toMatchObject({ sent: [], value: before });
  expect(await ensure(name, policy, 'present')).toMatchObject({ sent: [how], effective: true, value: 'LIVE-MIGRATION' });
  if (before === null) expect(await ensure(name, policy, 'absent')).toMatchObject({ sent: [how], effective: true, value: null });
  else expect(await ensure(name, { ...policy, policy: before }, 'present')).toMatchObject({ sent: [how], value: before });
});

test.each(both)('%s: a sticky address is configured where none is; one is cleared and its neighbour stays', async (name) => {
  const box = lab.lab.fabric.switches[name];
  const other = '52:54:00:aa:bb:03';
  const learned = () => box.secureRows({ type: 'sticky' }).map(({ mac }) => mac);
  const address = (mac: string) => ({ kind: 'sticky-mac', interface: port1, mac, vlan: 10 });
  expect(await ensure(name, address(web), 'present')).toMatchObject({ sent: ['configure'], effective: true });
  lab.lab.fabric.frame(name === 'acc-1' ? 'kvm1' : 'kvm2', other, 10);
  expect(learned().sort()).toEqual([web, other]);
  await ensure(name, address(web), 'absent');
  expect(learned()).toEqual([other]);
  await ensure(name, address(other), 'absent');
});

test('a port that a violation shut is told of, an address cleared, and the port left shut', async () => {
  const box = lab.lab.fabric.switches['acc-1'];
  const last = ['02', '03', '04', '05', '06'];
  for (const octet of last) lab.lab.fabric.frame('kvm1', `52:54:00:aa:bb:${octet}`, 10);
  expect(await ask('acc-1', 'port-security', port1)).toMatchObject([{ status: 'secure-shutdown' }]);
  const address = { kind: 'sticky-mac', interface: port1, mac: web, vlan: 10 };
  expect(await ensure('acc-1', address, 'absent')).toMatchObject({ sent: ['cli'], effective: true });
  expect(await ask('acc-1', 'port-security', port1)).toMatchObject([{ status: 'secure-shutdown' }]);
  expect(box.isUp(port1)).toBe(false);
  await run('acc-1', { kind: 'configure', lines: [`interface ${port1}`, 'shutdown', 'no shutdown'] });
  await run('acc-1', { kind: 'cli', line: `clear port-security sticky interface ${port1}` });
});

test('a policy-map that is not there, and on IOS-XE one that queues on input, are refused before anything is sent', async () => {
  const policy = { kind: 'service-policy', interface: uplink, direction: 'output', policy: 'NOBODY' };
  for (const name of both) await expect(ensure(name, policy, 'present')).rejects.toThrow('has no policy-map NOBODY');
  const inward = { ...policy, direction: 'input', policy: 'LIVE-MIGRATION' };
  await expect(ensure('acc-2', inward, 'present')).rejects.toThrow('has bandwidth, which cannot be done on input');
});

test('an address without a route has none, not even the default one', async () => {
  for (const name of both) expect(await ask(name, 'routes', '192.0.2.1')).toEqual([]);
});
