// The shipped sticky-mac driver against a simulated switch over SNMP: our actuator, real UDP, its agent.
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { snmpActuator } from '../../adapters/actuator-snmp/index.ts';
import { platforms } from '../../adapters/platforms/index.ts';
import type { Desired } from '../../src/model/intent.ts';
import { type Target, targetSchema } from '../../src/model/target.ts';
import { type Command, gives } from '../../src/ports/actuator.ts';
import type { Dialogue } from '../../src/ports/platform.ts';
import type { StickyMac } from '../../src/resources/sticky-mac.ts';
import { secretsFrom } from '../../src/runtime/secrets.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { type TestLab, testLab } from './helpers.ts';
import { port1, port2, web } from './switch-session.ts';

const { signal } = new AbortController();
let lab: TestLab;

beforeAll(async () => {
  lab = await testLab();
});
afterAll(() => lab.end());
afterEach(() => lab.lab.fabric.switches['acc-1'].clearSecure({}, 'clear', { user: 'test', peer: '', transport: 'lab' }));

type Write = NonNullable<NonNullable<Target['snmp']>['write']>;

const user: Write = {
  user: 'offbox',
  auth: { protocol: 'sha256', key: { file: 'snmp-auth-key' } },
  priv: { protocol: 'aes128', key: { file: 'snmp-priv-key' } },
};
const community: Write = { community: { file: 'snmp-write-community' } };

/** acc-1 as an inventory has it that gives no command line. */
function switchOver(write: Write): Target {
  const { platform, address, snmp } = lab.inventory.targets['acc-1']!;
  return targetSchema.parse({ platform, address, snmp: { port: snmp!.port, write } });
}

async function open(target: Target) {
  const secrets = secretsFrom({ directory: lab.dir, wall: realWall });
  const session = await snmpActuator({ wall: realWall, secrets }).open('acc-1', target, signal);
  onTestFinished(() => session.close());
  const run = (command: Command) => session.run(command, signal);
  const converse = async <T>(dialogue: Dialogue<T>): Promise<T> => {
    let step = dialogue.next();
    while (!step.done) step = dialogue.next(await run(step.value));
    return step.value;
  };
  return { run, converse };
}

const resource = (vlan: number, name = port1): StickyMac => {
  return { kind: 'sticky-mac', target: 'acc-1', interface: name, mac: web, vlan };
};

async function ensure(target: Target, wanted: StickyMac, desired: Desired) {
  const { run, converse } = await open(target);
  const driver = platforms[target.platform].resources['sticky-mac']!;
  const before = await converse(driver.read(wanted, target));
  const plan = driver.plan(before, wanted, desired, target);
  for (const command of plan) await run(command);
  const after = await converse(driver.read(wanted, target));
  return {
    before: driver.describe(before),
    plan,
    after: driver.describe(after),
    effective: driver.verify(after, wanted, desired, target).effective,
  };
}

const secured = () => lab.lab.fabric.switches['acc-1'].secureRows({ mac: web }).map(({ port, type }) => `${port} ${type}`);

test.each([
  ['an SNMPv3 user', user],
  ['a community', community],
] as const)('one sticky address is cleared as %s, and its neighbours stay', async (_who, write) => {
  const target = switchOver(write);
  expect(gives(target, 'snmp')).toBe(true);
  const { fabric } = lab.lab;
  const other = '52:54:00:aa:bb:77';
  fabric.switches['acc-1'].frame(port1, web, 10);
  fabric.switches['acc-1'].frame(port1, other, 10);
  const done = await ensure(target, resource(10), 'absent');
  expect(done).toMatchObject({
    before: 'secured (sticky), violation shutdown',
    after: 'not secured, violation shutdown',
    effective: true,
    plan: [
      {
        kind: 'snmp-set',
        oid: expect.stringMatching(/^1\.3\.6\.1\.4\.1\.9\.9\.315\.1\.2\.3\.1\.5\.\d+\.82\.84\.0\.170\.187\.2\.10$/),
      },
    ],
  });
  expect(secured()).toEqual([]);
  expect(fabric.switches['acc-1'].secureRows({ mac: other })).toHaveLength(1);
  expect(lab.lab.writes('acc-1').at(-1)).toMatchObject({ transport: 'snmp', changed: true });
});

test('the row of another VLAN or port is none of its business', async () => {
  const acc1 = lab.lab.fabric.switches['acc-1'];
  acc1.frame(port2, web, 20);
  for (const wanted of [resource(10, port2), resource(20, port1)]) {
    expect(await ensure(switchOver(user), wanted, 'absent')).toMatchObject({ plan: [], effective: true });
  }
  expect(secured()).toEqual([`${port2} sticky`]);
  expect(await ensure(switchOver(user), resource(20, port2), 'absent')).toMatchObject({ effective: true });
  expect(secured()).toEqual([]);
});

test('whoever may only read is refused, with the way out named', async () => {
  lab.lab.fabric.switches['acc-1'].frame(port1, web, 10);
  const reader: Write = { community: { file: 'snmp-community' } };
  await expect(ensure(switchOver(reader), resource(10), 'absent')).rejects.toMatchObject({
    code: 'snmp-refused',
    retry: false,
    message: expect.stringMatching(/^\[actuator-snmp\] acc-1 answered noAccess to a set of .*cli section/),
  });
  expect(secured()).toEqual([`${port1} sticky`]);
});

test('a sticky address cannot be made over SNMP, nor found on a port that is not there', async () => {
  await expect(ensure(switchOver(user), resource(20), 'present')).rejects.toMatchObject({ code: 'no-snmp-table' });
  const nowhere = resource(10, 'GigabitEthernet9/0/1');
  await expect(ensure(switchOver(user), nowhere, 'absent')).rejects.toMatchObject({ code: 'no-interface' });
});

test('a user that the switch does not know is told when the session opens', async () => {
  await expect(open(switchOver({ ...user, user: 'stranger' }))).rejects.toMatchObject({ code: 'unknown-user', retry: false });
});
