// Owns: the lab as Offbox's inventory describes it.
import { stringify } from 'yaml';
import type { z } from 'zod';
import type { inventorySchema } from '../../src/model/target.ts';
import type { LabFolder } from './folder.ts';
import { asNumber, bgpNeighbor, type MemberName, management, prefix, sshUser } from './plan.ts';

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
