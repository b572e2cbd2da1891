// Owns: inventory.yaml as the lab writes it: its gateways as Offbox is to know them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { inventorySchema, type targetSchema } from '../src/model/target.ts';
import { type GatewayName, gatewayNames, type LabAddresses, labPorts, lanPrefix, uplinks } from './model/addresses.ts';
import type { LabAccess } from './servers/secrets.ts';

/** Writes it and returns its path. The external router is not in it: nobody acts on it. */
export function writeInventory(dir: string, addresses: LabAddresses, access: LabAccess): string {
  const inventory = inventorySchema.parse({
    targets: Object.fromEntries(gatewayNames.map((name) => [name, target(name, addresses, access)])),
    gateways: {
      lan23: {
        protocol: 'hsrp',
        prefixes: [lanPrefix],
        members: gatewayNames.map((name) => ({ target: name, interface: 'Vlan10', group: 10 })),
      },
    },
  });
  const path = join(dir, 'inventory.yaml');
  const head = '# The simulated network, written by the lab at every start. Change what you like; it is written again.\n';
  writeFileSync(path, head + stringify(inventory));
  return path;
}

function target(name: GatewayName, addresses: LabAddresses, access: LabAccess): z.input<typeof targetSchema> {
  const ssh = { user: access.user, password: { file: access.password.path }, hostKey: access.hostKeys[name].fingerprint };
  const cli = { ...ssh, port: labPorts.ssh, enable: { file: access.enable.path } };
  return {
    platform: name === 'gw-b' ? 'cisco-iosxe' : 'cisco-ios',
    address: addresses[name],
    cli,
    ...(name === 'gw-b' ? { netconf: { ...ssh, port: labPorts.netconf } } : {}),
    snmp: { port: labPorts.snmp, community: { file: access.community.path } },
    bgp: { as: uplinks[name].as, neighbors: [uplinks[name].neighbor] },
  };
}
