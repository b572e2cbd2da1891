// Owns: a hypervisor under libvirt, as a target: what is asked of it, and the placement of a VM.
import type { Platform, ResourceDriver } from '../../../src/ports/platform.ts';
import { libvirtQueries } from './queries.ts';
import { libvirtVmPlacement } from './vm-placement.ts';

export const libvirt: Platform = {
  name: 'libvirt',
  queries: libvirtQueries,
  resources: { 'vm-placement': libvirtVmPlacement as unknown as ResourceDriver },
};
