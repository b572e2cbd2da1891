// Owns: inventory.yaml as the lab writes it: its gateways as Offbox is to know them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { inventorySchema, type targetSchema } from '../src/model/target.ts';
import { type GatewayName, gatewayNames, type LabAddresses, labPorts, lanPrefix, uplinks } from './model/addresses.ts';

export interface InventoryFacts {
  readonly dir: string;
  readonly addresses: LabAddresses;
  readonly user: string;
  readonly passwordFile: string;
  readonly enableFile: string;
  readonly communityFile: string;
  readonly fingerprints: Readonly<Record<GatewayName, string>>;
}

/** Writes it and returns its path. The external router is not in it: nobody acts on it. */
export function writeInventory(facts: InventoryFacts): string {
  const inventory = inventorySchema.parse({
    targets: Object.fromEntries(gatewayNames.map((name) => [name, target(name, facts)])),
    gateways: {
      lan23: {
        protocol: 'hsrp',
        prefixes: [lanPrefix],
        members: gatewayNames.map((name) => ({ target: name, interface: 'Vlan10', group: 10 })),
      },
    },
  });
  const path = join(facts.dir, 'inventory.yaml');
  const head = '# The simulated network, written by the lab at every start. Change what you like; it is written again.\n';
  writeFileSync(path, head + stringify(inventory));
  return path;
}

function target(name: GatewayName, facts: InventoryFacts): z.input<typeof targetSchema> {
  const ssh = { user: facts.user, password: { file: facts.passwordFile }, hostKey: facts.fingerprints[name] };
  const cli = { ...ssh, port: labPorts.ssh, enable: { file: facts.enableFile } };
  return {
    platform: name === 'gw-b' ? 'cisco-iosxe' : 'cisco-ios',
    address: facts.addresses[name],
    cli,
    ...(name === 'gw-b' ? { netconf: { ...ssh, port: labPorts.netconf } } : {}),
    snmp: { port: labPorts.snmp, community: { file: facts.communityFile } },
    bgp: { as: uplinks[name].as, neighbors: [uplinks[name].neighbor] },
  };
}
