// Owns: the simulated network as it is described to Offbox, and the policies that run on it: the shipped one of a gateway pair,
// a hold, and a plain ensure.
import hsrpActiveAdvertises from '../../policies/hsrp-active-advertises.ts';
import type { DeployedPolicy, Policy } from '../../src/core/policy.ts';
import { config, interfaces, policy, servicePolicy, violationMode } from '../../src/index.ts';
import { type Inventory, inventorySchema } from '../../src/model/target.ts';
import { placeKey } from '../../src/resources/place.ts';

const access = { user: 'offbox', password: { env: 'SIM' }, hostKey: `SHA256:${'A'.repeat(43)}` };
const members = ['gw-a', 'gw-b'].map((target) => ({ target, interface: 'Vlan10', group: 10 }));

export const pair = ['gw-a', 'gw-b'] as const;
export const switches = ['sw-a', 'sw-b'] as const;

export const inventory: Inventory = inventorySchema.parse({
  targets: Object.fromEntries(
    [...pair, ...switches].map((name, index) => [name, { platform: 'cisco-ios', address: `192.0.2.${index + 1}`, cli: access }]),
  ),
  gateways: { lan23: { protocol: 'hsrp', prefixes: ['23.0.0.0/8'], members } },
});

export const holdAtMostMs = 120_000;

const uplinkDownShapesBackup = policy({
  name: 'uplink-down-shapes-backup',
  describe: 'While its uplink is down, a switch shapes what goes over its backup port.',
  on: interfaces.down(),
  until: interfaces.up(),
  key: ({ target }) => target,
  atMost: '2m',
  replace: true,
  hold: ({ target }) => servicePolicy({ target, interface: 'GigabitEthernet1/0/24' }, 'output', 'BACKUP'),
});

const accessPortsRestrict = policy({
  name: 'access-ports-restrict',
  describe: 'Whoever configured a switch: its access port restricts on a violation.',
  on: config.changed(),
  ensure: ({ target }) => violationMode({ target, interface: 'GigabitEthernet1/0/1' }, 'restrict'),
});

export function deployed(...policies: readonly Policy[]): readonly DeployedPolicy[] {
  return policies.map((each) => ({ policy: each, version: 'v1' }));
}

export const policies = deployed(hsrpActiveAdvertises, uplinkDownShapesBackup, accessPortsRestrict);

/** The places of a device that the policies are about. */
export const places = {
  network: (target: string) => placeKey({ kind: 'bgp-network', target, prefix: '23.0.0.0/8', vrf: 'default' }),
  shaping: (target: string) =>
    placeKey({ kind: 'service-policy', target, interface: 'GigabitEthernet1/0/24', direction: 'output' }),
  mode: (target: string) => placeKey({ kind: 'violation-mode', target, interface: 'GigabitEthernet1/0/1' }),
};
