// Owns: the platforms Offbox speaks, by their names in the inventory.
import type { PlatformName } from '../../src/model/target.ts';
import type { Platform } from '../../src/ports/platform.ts';
import { ciscoIos } from './cisco-ios/index.ts';
import { ciscoIosxe } from './cisco-iosxe/index.ts';
import { frr } from './frr/index.ts';

export const platforms: Readonly<Partial<Record<PlatformName, Platform>>> = {
  'cisco-ios': ciscoIos,
  'cisco-iosxe': ciscoIosxe,
  frr,
};
