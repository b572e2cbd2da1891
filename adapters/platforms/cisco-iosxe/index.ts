// Owns: Cisco IOS-XE: the command line of IOS, and NETCONF where the target has it.
import type { Platform, ResourceDriver } from '../../../src/ports/platform.ts';
import { iosDialect } from '../cisco-ios/cli.ts';
import { iosxeBgpNetwork } from './bgp-network.ts';
import { iosxeFhrp } from './fhrp.ts';

export const ciscoIosxe: Platform = {
  name: 'cisco-iosxe',
  cli: iosDialect,
  queries: { fhrp: iosxeFhrp },
  resources: { 'bgp-network': iosxeBgpNetwork as unknown as ResourceDriver },
};
