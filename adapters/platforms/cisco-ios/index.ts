// Owns: Cisco IOS, where everything goes over the command line.
import type { Platform, ResourceDriver } from '../../../src/ports/platform.ts';
import { iosBgpNetwork } from './bgp-network.ts';
import { iosDialect } from './cli.ts';
import { iosFhrp } from './fhrp.ts';

export const ciscoIos: Platform = {
  name: 'cisco-ios',
  cli: iosDialect,
  queries: { fhrp: iosFhrp },
  resources: { 'bgp-network': iosBgpNetwork as unknown as ResourceDriver },
};
