// Owns: the address plan of the simulated network: who is where, on the wire and inside the simulation.
import { OperatorError } from '../../src/model/errors.ts';

export const gatewayNames = ['gw-a', 'gw-b'] as const;
export type GatewayName = (typeof gatewayNames)[number];
export const routerNames = [...gatewayNames, 'ext'] as const;
export type RouterName = (typeof routerNames)[number];
export const switchNames = ['acc-1', 'acc-2'] as const;
export type SwitchName = (typeof switchNames)[number];
export const deviceNames = [...routerNames, ...switchNames] as const;
export type DeviceName = (typeof deviceNames)[number];
export const hypervisorNames = ['kvm1', 'kvm2'] as const;
export type HypervisorName = (typeof hypervisorNames)[number];

export function byName<N extends string, V>(names: readonly N[], value: (name: N) => V): Readonly<Record<N, V>> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<N, V>;
}

/** `offbox` is where Offbox is and listens: syslog UDP and TCP 5514, traps UDP 5162. */
export type LabAddresses = Readonly<Record<'offbox' | DeviceName | HypervisorName, string>>;

/** Ports without privilege: no root is needed, and no real daemon is in the way. */
export const labPorts = { ssh: 2222, netconf: 8830, snmp: 1161, syslog: 5514, trap: 5162 } as const;

/** `net` 23 → 127.23.0.x: on Linux all of 127/8 is loopback, so nothing needs to be configured. */
export function labAddresses(net: number): LabAddresses {
  if (!Number.isInteger(net) || net < 0 || net > 255)
    throw new OperatorError(`[lab] ${net} is no net number`, { code: 'usage', remedy: 'Say a whole number from 0 to 255.' });
  const at = (host: number) => `127.${net}.0.${host}`;
  return {
    offbox: at(1),
    'gw-a': at(2),
    'gw-b': at(3),
    ext: at(4),
    'acc-1': at(5),
    'acc-2': at(6),
    kvm1: at(7),
    kvm2: at(8),
  };
}

/** Addresses inside the simulation, as the devices' configurations name them. */
export const externalAs = 65001;
export const uplinks = {
  'gw-a': { as: 65002, address: '10.0.2.2', neighbor: '10.0.2.1' },
  'gw-b': { as: 65003, address: '10.0.3.2', neighbor: '10.0.3.1' },
} as const satisfies Record<GatewayName, { as: number; address: string; neighbor: string }>;

/** What the LAN behind the gateways is, and what the gateway advertises of it. */
export const lanPrefix = '23.0.0.0/8';

/** Where a hypervisor is plugged in; its guests are in VLAN 10, untagged. */
export const hypervisorPorts = {
  kvm1: { switch: 'acc-1', interface: 'GigabitEthernet1/0/1' },
  kvm2: { switch: 'acc-2', interface: 'GigabitEthernet1/0/1' },
} as const satisfies Record<HypervisorName, { switch: SwitchName; interface: string }>;
export const guestVlan = 10;

/** Each switch is the VTEP of its hypervisor; the underlay between them is one routed link. */
export const vteps = {
  'acc-1': { loopback: '10.255.0.5', underlay: '10.0.56.1' },
  'acc-2': { loopback: '10.255.0.6', underlay: '10.0.56.2' },
} as const satisfies Record<SwitchName, { loopback: string; underlay: string }>;
export const uplinkPort = 'GigabitEthernet1/0/24';
