// Owns: the address plan of the simulated network: who is where, on the wire and inside the simulation.
import { OperatorError } from '../../src/model/errors.ts';

export const gatewayNames = ['gw-a', 'gw-b'] as const;
export type GatewayName = (typeof gatewayNames)[number];
export const deviceNames = [...gatewayNames, 'ext'] as const;
export type DeviceName = (typeof deviceNames)[number];

export function byName<N extends string, V>(names: readonly N[], value: (name: N) => V): Readonly<Record<N, V>> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<N, V>;
}

export interface LabAddresses {
  /** Where Offbox is and listens: syslog UDP and TCP 5514, traps UDP 5162. */
  readonly offbox: string;
  readonly 'gw-a': string;
  readonly 'gw-b': string;
  readonly ext: string;
}

/** Ports without privilege: no root is needed, and no real daemon is in the way. */
export const labPorts = { ssh: 2222, netconf: 8830, snmp: 1161, syslog: 5514, trap: 5162 } as const;

/** `net` 23 → 127.23.0.x: on Linux all of 127/8 is loopback, so nothing needs to be configured. */
export function labAddresses(net: number): LabAddresses {
  if (!Number.isInteger(net) || net < 0 || net > 255)
    throw new OperatorError(`[lab] ${net} is no net number`, { code: 'usage', remedy: 'Say a whole number from 0 to 255.' });
  const at = (host: number) => `127.${net}.0.${host}`;
  return { offbox: at(1), 'gw-a': at(2), 'gw-b': at(3), ext: at(4) };
}

/** Addresses inside the simulation, as the devices' configurations name them. */
export const externalAs = 65001;
export const uplinks = {
  'gw-a': { as: 65002, address: '10.0.2.2', neighbor: '10.0.2.1' },
  'gw-b': { as: 65003, address: '10.0.3.2', neighbor: '10.0.3.1' },
} as const satisfies Record<GatewayName, { as: number; address: string; neighbor: string }>;

/** What the LAN behind the gateways is, and what the gateway advertises of it. */
export const lanPrefix = '23.0.0.0/8';
