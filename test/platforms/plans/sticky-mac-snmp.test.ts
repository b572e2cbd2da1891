// The sticky-mac driver over SNMP against what agents answer: what it asks, and what it does not take for an answer.
import { expect, test } from 'vitest';
import { platforms } from '../../../adapters/platforms/index.ts';
import { type Target, targetSchema } from '../../../src/model/target.ts';
import { type Command, gives, type SnmpRow } from '../../../src/ports/actuator.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';

const write = { community: { env: 'RW' } };
const target: Target = targetSchema.parse({ platform: 'cisco-ios', address: '192.0.2.1', snmp: { write } });
const resource = {
  kind: 'sticky-mac',
  target: 'sw1',
  interface: 'GigabitEthernet1/0/1',
  mac: '52:54:00:aa:bb:02',
  vlan: 10,
} as const;
const driver = platforms['cisco-ios'].resources['sticky-mac']!;

const cps = '1.3.6.1.4.1.9.9.315.1.2';
const ifName = '1.3.6.1.2.1.31.1.1.1.1';
const ifDescr = '1.3.6.1.2.1.2.2.1.2';
type Agent = Readonly<Record<string, number | string>>;

const good: Agent = {
  [`${ifDescr}.9`]: 'GigabitEthernet1/0/1',
  [`${ifName}.8`]: 'Gi1/0/10',
  [`${ifName}.9`]: 'Gi1/0/1',
  [`${cps}.1.1.2.9`]: 1,
  [`${cps}.1.1.4.9`]: 2,
  [`${cps}.1.1.8.9`]: 2,
  [`${cps}.3.1.3.9.82.84.0.170.187.2.10`]: 3,
  [`${cps}.3.1.3.9.82.84.0.170.187.2.20`]: 3,
};
const without = (agent: Agent, part: string): Agent =>
  Object.fromEntries(Object.entries(agent).filter(([oid]) => !oid.startsWith(part)));

function held<T>(dialogue: Dialogue<T>, agent: Agent): T {
  const rows = Object.entries(agent).map(([oid, value]): SnmpRow => ({ oid, value }));
  const answer = (command: Command): readonly SnmpRow[] => {
    if (command.kind === 'snmp-get') return rows.filter(({ oid }) => command.oids.includes(oid));
    if (command.kind === 'snmp-walk') return rows.filter(({ oid }) => oid.startsWith(`${command.below}.`));
    throw new Error(`a ${command.kind} asks nothing`);
  };
  let step = dialogue.next();
  while (!step.done) step = dialogue.next({ text: JSON.stringify(answer(step.value)) });
  return step.value;
}

const planned = (agent: Agent, desired: 'present' | 'absent' = 'absent', of = target) => {
  const state = held(driver.read(resource, of), agent);
  return { plan: driver.plan(state, resource, desired, of), told: driver.describe(state) };
};

test('one row is destroyed: of this port, this address and this VLAN', () => {
  expect(planned(good)).toEqual({
    plan: [{ kind: 'snmp-set', oid: `${cps}.3.1.5.9.82.84.0.170.187.2.10`, integer: 6 }],
    told: 'secured (sticky), violation restrict',
  });
});

test('the same on IOS-XE', () => {
  expect(planned(good, 'absent', { ...target, platform: 'cisco-iosxe' }).plan).toHaveLength(1);
});

test('the port is found by ifDescr where ifName does not have it', () => {
  expect(planned(without(good, ifName)).plan).toHaveLength(1);
});

test.each([
  [1, 'secured (configured), violation restrict'],
  [2, 'secured (dynamic), violation restrict'],
])('a row of type %i is left', (type, told) => {
  expect(planned({ ...good, [`${cps}.3.1.3.9.82.84.0.170.187.2.10`]: type })).toEqual({ plan: [], told });
});

test('a port with no secure address, and none counted, has nothing to clear', () => {
  expect(planned({ ...without(good, `${cps}.3`), [`${cps}.1.1.4.9`]: 0 }).plan).toEqual([]);
});

test.each([
  ['counts addresses and shows none', without(good, `${cps}.3`), 'no-snmp-table'],
  ['neither counts nor shows addresses', without(without(good, `${cps}.3`), `${cps}.1.1.4`), 'no-snmp-table'],
  ['does not know the MIB', without(good, cps), 'no-snmp-table'],
  ['does not know the port', without(without(good, `${ifName}.9`), ifDescr), 'no-interface'],
  ['has the port twice', { ...good, [`${ifName}.7`]: 'GigabitEthernet1/0/1' }, 'unreadable'],
  ['has a type that is none', { ...good, [`${cps}.3.1.3.9.82.84.0.170.187.2.10`]: 7 }, 'unreadable'],
])('an agent that %s is refused, not taken for done', (_what, agent, code) => {
  expect(() => planned(agent)).toThrow(expect.objectContaining({ code, retry: false }));
});

test('no sticky address is made over SNMP', () => {
  const gone = without(good, `${cps}.3.1.3.9.82.84.0.170.187.2.10`);
  expect(() => planned(gone, 'present')).toThrow(/cannot be given a sticky address over SNMP\. Give the target a cli section/);
});

test('a command line goes before SNMP', () => {
  const cli = { user: 'netop', hostKey: `SHA256:${'A'.repeat(43)}` };
  const both = { ...target, cli };
  expect(gives(both, 'snmp')).toBe(false);
  expect(driver.read(resource, both).next().value).toMatchObject({ kind: 'cli' });
  expect(gives({ ...target, snmp: { community: { env: 'RO' } } }, 'snmp')).toBe(false);
});
