// Owns: the platforms Offbox speaks, by their names in the inventory.
import type { PlatformName } from '../../src/model/target.ts';
import type { Platform } from '../../src/ports/platform.ts';
import { aristaEos } from './arista-eos/index.ts';
import { ciscoIos } from './cisco-ios/index.ts';
import { ciscoIosxe } from './cisco-iosxe/index.ts';
import { ciscoIosxr } from './cisco-iosxr/index.ts';
import { ciscoNxos } from './cisco-nxos/index.ts';
import { frr } from './frr/index.ts';
import { juniperJunos } from './juniper-junos/index.ts';
import { libvirt } from './libvirt/index.ts';

export const platforms: Readonly<Record<PlatformName, Platform>> = {
  'cisco-ios': ciscoIos,
  'cisco-iosxe': ciscoIosxe,
  'cisco-nxos': ciscoNxos,
  'cisco-iosxr': ciscoIosxr,
  'arista-eos': aristaEos,
  'juniper-junos': juniperJunos,
  frr,
  libvirt,
};
