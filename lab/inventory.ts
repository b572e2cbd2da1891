// Owns: inventory.yaml as the lab writes it: its gateways, access switches and hypervisors as Offbox is to know them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { type Attachment, inventorySchema, type Path, type targetSchema } from '../src/model/target.ts';
import { hypervisorTargets } from './hypervisor-targets.ts';
import {
  type GatewayName,
  gatewayNames,
  guestVlan,
  hypervisorNames,
  hypervisorPorts,
  type LabAddresses,
  labPorts,
  lanPrefix,
  type SwitchName,
  switchNames,
  uplinkPort,
  uplinks,
  vteps,
} from './model/addresses.ts';
import type { LabAccess } from './servers/secrets.ts';

/** Writes it and returns its path. The external router is not in it: nobody acts on it. */
export function writeInventory(dir: string, addresses: LabAddresses, access: LabAccess): string {
  const inventory = inventorySchema.parse({
    targets: Object.fromEntries([
      ...gatewayNames.map((name) => [name, gateway(name, addresses, access)]),
      ...switchNames.map((name) => [name, managed(name, addresses, access)]),
      ...Object.entries(hypervisorTargets(addresses)),
    ]),
    gateways: {
      lan23: {
        protocol: 'hsrp',
        prefixes: [lanPrefix],
        members: gatewayNames.map((name) => ({ target: name, interface: 'Vlan10', group: 10 })),
      },
    },
    ...hypervisorPlaces(),
  });
  const path = join(dir, 'inventory.yaml');
  const head = '# The simulated network, written by the lab at every start. Change what you like; it is written again.\n';
  writeFileSync(path, head + stringify(inventory));
  return path;
}

function gateway(name: GatewayName, addresses: LabAddresses, access: LabAccess): z.input<typeof targetSchema> {
  return { ...managed(name, addresses, access), bgp: { as: uplinks[name].as, neighbors: [uplinks[name].neighbor] } };
}

function managed(name: GatewayName | SwitchName, addresses: LabAddresses, access: LabAccess): z.input<typeof targetSchema> {
  const ssh = { user: access.user, password: { file: access.password.path }, hostKey: access.hostKeys[name].fingerprint };
  const cli = { ...ssh, port: labPorts.ssh, enable: { file: access.enable.path } };
  return {
    platform: hasNetconf(name) ? 'cisco-iosxe' : 'cisco-ios',
    address: addresses[name],
    cli,
    ...(hasNetconf(name) ? { netconf: { ...ssh, port: labPorts.netconf } } : {}),
    snmp: { port: labPorts.snmp, community: { file: access.community.path } },
  };
}

const hasNetconf = (name: GatewayName | SwitchName) => name === 'gw-b' || name === 'acc-2';

/**
 * Where the hypervisors are plugged in, and the way their migrations take, there and back: from VTEP to VTEP over the uplink
 * of the switch that it leaves.
 */
export function hypervisorPlaces(): { readonly attachments: readonly Attachment[]; readonly paths: readonly Path[] } {
  const attachments = hypervisorNames.map((hypervisor): Attachment => {
    const { switch: target, interface: port } = hypervisorPorts[hypervisor];
    return { hypervisor, target, interface: port, vlans: [guestVlan], native: guestVlan };
  });
  const paths = (
    [
      ['kvm1', 'kvm2'],
      ['kvm2', 'kvm1'],
    ] as const
  ).map(([from, to]): Path => {
    const toward = vteps[hypervisorPorts[to].switch].loopback;
    return { from, to, toward, dscp: 'cs4', egress: [{ target: hypervisorPorts[from].switch, interface: uplinkPort }] };
  });
  return { attachments, paths };
}
