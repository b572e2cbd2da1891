// What explain says of the events of a gateway: to whom they mean something, and how far a round went.
import { describe, expect, test } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { type Policy, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { fhrp, hsrp, vm } from '../../src/core/selectors.ts';
import { type Inventory, inventorySchema } from '../../src/model/target.ts';
import { explain } from '../../src/runtime/explain.ts';
import { gatewayOf, hsrpEvent, Rig, row } from '../core/rig.ts';
import { advertises } from '../core/telling.ts';

const journalOf = ({ entries }: Rig) => ({
  async *ofKind() {
    yield [];
  },
  async *read() {
    yield entries;
  },
});

/** What the policy says of an event of r1. */
async function missOf(subject: Policy, group: number, inventory: Inventory = gatewayOf('r1', 'r2')): Promise<string> {
  const rig = new Rig([subject], { inventory });
  const seq = rig.entries.length + 1;
  rig.event(hsrpEvent('r1', 'active', group));
  const { policies } = await explain(journalOf(rig) as never, [{ policy: subject, version: 'v1' }], seq);
  return policies[0]!.steps.map(({ detail }) => detail).join('\n');
}

describe('an event of HSRP', () => {
  const migrations = policy({ name: 'p', on: vm.migrated(), pipe: (events) => events });
  const other = policy({ name: 'p', on: fhrp.changed({ gateway: 'lan42' }), pipe: (events) => events });
  const ports = policy({ name: 'p', on: hsrp.stateChanged({ group: 1 }), pipe: (events) => events });

  test('is said to be of no gateway only where it is, to whom listens to gateways', async () => {
    expect(await missOf(other, 23)).toBe('gateway differs: "lan23", wanted "lan42"');
    expect(await missOf(other, 24)).toBe(
      'listens to fhrp.changed; this is hsrp.state-changed; no gateway has r1 Vlan24 group 24 (lan23 has r1 Vlan23 group 23)',
    );
    expect(await missOf(migrations, 23)).not.toContain('no gateway has');
    expect(await missOf(migrations, 24)).not.toContain('no gateway has');
    expect(await missOf(ports, 23)).toBe('group differs: 23, wanted 1');
  });

  test('that may be of two is said to be so', async () => {
    const members = [{ target: 'r1', interface: 'Vlan23' }];
    const two = inventorySchema.parse({
      targets: { r1: { platform: 'cisco-ios', address: '10.0.0.1' } },
      gateways: { a: { protocol: 'hsrp', members }, b: { protocol: 'hsrp', members } },
    });
    expect(await missOf(other, 23, two)).toContain('r1 Vlan23 group 23 could be any of a has r1 Vlan23 group -, b has');
  });
});

test('a round whose take is held is as far as it can be', async () => {
  const rig = new Rig([advertises], { inventory: gatewayOf('r1', 'r2') });
  const seq = rig.entries.length + 1;
  const [first, second] = rig.event(hsrpEvent('r2', 'active'));
  rig.reading(first!, { kind: 'unreachable', reason: 'cannot be reached' });
  const [give] = rig.reading(second!, { kind: 'rows', rows: [row('active')] });
  const [take] = rig.outcome(give!, 'done');
  rig.outcome(take!, 'held');
  const { policies } = await explain(journalOf(rig) as never, [{ policy: advertises, version: 'v1' }], seq);
  const { steps, conclusion } = policies[0]!;
  expect(steps.some(({ detail }) => detail.includes('as it should be'))).toBe(false);
  expect(conclusion).toBe('It is as far as it can be, 0.000 s after the round began: what is taken from r1 is held.');
});

test('a round in which all is done is as it should be', async () => {
  const subject = policy({
    name: 'p',
    on: fhrp.changed(),
    ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
  });
  const rig = new Rig([subject], { inventory: gatewayOf('r1') });
  const seq = rig.entries.length + 1;
  const [read] = rig.event(hsrpEvent('r1', 'active'));
  const [give] = rig.reading(read!, { kind: 'rows', rows: [row('active')] });
  rig.outcome(give!, 'done');
  const { policies } = await explain(journalOf(rig) as never, [{ policy: subject, version: 'v1' }], seq);
  expect(policies[0]!.conclusion).toBe('It fired and went through.');
});
