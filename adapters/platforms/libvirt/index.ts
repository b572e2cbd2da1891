// Owns: a hypervisor under libvirt, as a target: what is asked of it, and the placement of a VM.
import type { Platform } from '../../../src/ports/platform.ts';

export const libvirt: Platform = { name: 'libvirt', queries: {}, resources: {} };
