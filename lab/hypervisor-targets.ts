// Owns: the lab's hypervisors as Offbox's inventory knows them.
import type { z } from 'zod';
import type { targetSchema } from '../src/model/target.ts';
import { byName, type HypervisorName, hypervisorNames, type LabAddresses } from './model/addresses.ts';

/** Over TCP at their own addresses, without a password: as a libvirtd on loopback has it. Migrations may be started. */
export function hypervisorTargets(addresses: LabAddresses): Readonly<Record<HypervisorName, z.input<typeof targetSchema>>> {
  return byName(hypervisorNames, (name) => ({
    platform: 'libvirt',
    address: addresses[name],
    libvirt: {
      transport: 'tcp',
      uri: 'qemu:///system',
      write: true,
      migrationUri: `qemu+tcp://${addresses[name]}/system`,
    },
  }));
}
