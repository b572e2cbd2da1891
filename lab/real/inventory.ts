// Owns: the lab as Offbox's inventory and configuration describe it.
import { stringify } from 'yaml';
import type { z } from 'zod';
import type { configSchema } from '../../src/model/config.ts';
import type { inventorySchema } from '../../src/model/target.ts';
import type { LabFolder } from './folder.ts';
import { asNumber, bgpNeighbor, type MemberName, management, managerAddress, prefix, sshUser, syslogPorts } from './plan.ts';

const members: readonly MemberName[] = ['nx2', 'nx3'];

function targetOf(folder: LabFolder, name: MemberName): z.input<typeof inventorySchema>['targets'][string] {
  return {
    platform: 'frr',
    address: management[name],
    cli: { user: sshUser, key: { file: folder.clientKey }, hostKey: folder.router(name).hostKey },
    bgp: { as: asNumber[name], neighbors: [bgpNeighbor[name]] },
  };
}

export function inventoryOf(folder: LabFolder): string {
  const inventory: z.input<typeof inventorySchema> = {
    targets: Object.fromEntries(members.map((name) => [name, targetOf(folder, name)])),
    gateways: {
      lan23: {
        protocol: 'vrrp',
        prefixes: [prefix],
        members: members.map((target) => ({ target, interface: 'lan', group: 1 })),
      },
    },
  };
  return stringify(inventory);
}

/** Offbox's place in the lab: on mgr, where the routers send their syslog. Paths are absolute. */
export function configOf(paths: { readonly inventory: string; readonly policies: string; readonly data: string }): string {
  const config: z.input<typeof configSchema> = {
    ...paths,
    sources: { syslog: { udp: `${managerAddress}:${syslogPorts.udp}`, tcp: `${managerAddress}:${syslogPorts.tcp}` } },
    modes: { default: 'enforce' },
  };
  return stringify(config);
}
