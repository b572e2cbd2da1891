// Owns: the simulated network as it is described to Offbox, and the policies that run on it: the shipped one of a gateway pair,
// a hold, and a plain ensure; and where guests migrate the shipped ones of migrations.
import hsrpActiveAdvertises from '../../policies/hsrp-active-advertises.ts';
import migrationPreflight from '../../policies/migration-preflight.ts';
import migrationRequestedAppliesQos from '../../policies/migration-requested-applies-qos.ts';
import migrationRequestedRelaxesPortSecurity from '../../policies/migration-requested-relaxes-port-security.ts';
import vmMigratedClearsStickyMac from '../../policies/vm-migrated-clears-sticky-mac.ts';
import type { DeployedPolicy, Policy } from '../../src/core/policy.ts';
import { config, interfaces, policy, servicePolicy, violationMode } from '../../src/index.ts';
import { type Inventory, inventorySchema } from '../../src/model/target.ts';
import { placeKey } from '../../src/resources/place.ts';

const access = { user: 'offbox', password: { env: 'SIM' }, hostKey: `SHA256:${'A'.repeat(43)}` };
const members = ['gw-a', 'gw-b'].map((target) => ({ target, interface: 'Vlan10', group: 10 }));

export const pair = ['gw-a', 'gw-b'] as const;
export const switches = ['sw-a', 'sw-b'] as const;

const described = {
  targets: Object.fromEntries(
    [...pair, ...switches].map((name, index) => [name, { platform: 'cisco-ios', address: `192.0.2.${index + 1}`, cli: access }]),
  ),
  gateways: { lan23: { protocol: 'hsrp', prefixes: ['23.0.0.0/8'], members } },
};

export const inventory: Inventory = inventorySchema.parse(described);

interface Guest {
  readonly vm: string;
  readonly mac: string;
}

/** Hypervisor → the switch it is plugged into. */
export const switchOf = { kvm1: 'sw-a', kvm2: 'sw-b' } as const;
export const hosts = ['kvm1', 'kvm2'] as const;
export const guests: readonly [Guest, ...Guest[]] = [
  { vm: 'web1', mac: '52:54:00:aa:bb:01' },
  { vm: 'db1', mac: '52:54:00:aa:bb:02' },
];
export const migrationPorts = { host: 'GigabitEthernet1/0/2', link: 'GigabitEthernet1/0/23' } as const;

export const migrationInventory: Inventory = inventorySchema.parse({
  ...described,
  targets: {
    ...described.targets,
    ...Object.fromEntries(
      hosts.map((host, index) => {
        const socket = '/run/libvirt/libvirt-sock';
        const libvirt = { transport: 'unix', socket, write: true, migrationUri: `qemu+tls://${host}/system` };
        return [host, { platform: 'libvirt', address: `192.0.2.${21 + index}`, libvirt }];
      }),
    ),
  },
  attachments: hosts.map((hypervisor) => ({
    hypervisor,
    target: switchOf[hypervisor],
    interface: migrationPorts.host,
    vlans: [20],
  })),
  paths: hosts.map((from, index) => ({
    from,
    to: hosts[1 - index],
    toward: `10.255.0.${2 - index}`,
    dscp: 'cs4',
    egress: [{ target: switchOf[from], interface: migrationPorts.link }],
  })),
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
export const migrationPolicies = [
  ...policies,
  ...deployed(vmMigratedClearsStickyMac, migrationRequestedAppliesQos, migrationRequestedRelaxesPortSecurity, migrationPreflight),
];

/** The places of a device that the policies are about. */
export const places = {
  network: (target: string) => placeKey({ kind: 'bgp-network', target, prefix: '23.0.0.0/8', vrf: 'default' }),
  shaping: (target: string) =>
    placeKey({ kind: 'service-policy', target, interface: 'GigabitEthernet1/0/24', direction: 'output' }),
  violation: (target: string) => placeKey({ kind: 'violation-mode', target, interface: migrationPorts.host }),
  link: (target: string) => placeKey({ kind: 'service-policy', target, interface: migrationPorts.link, direction: 'output' }),
  /** The guest has left this host. */
  gone: (target: string, vm: string, uuid: string) => placeKey({ kind: 'vm-placement', target, vm, uuid }),
  sticky: (target: string, mac: string) =>
    placeKey({ kind: 'sticky-mac', target, interface: migrationPorts.host, mac, vlan: 20 }),
  row: (target: string, mac: string) =>
    placeKey({ kind: 'mac-table-entry', target, interface: migrationPorts.host, mac, vlan: 20 }),
  mode: (target: string) => placeKey({ kind: 'violation-mode', target, interface: 'GigabitEthernet1/0/1' }),
};
