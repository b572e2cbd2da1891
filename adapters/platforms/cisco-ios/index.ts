// Owns: Cisco IOS, where everything goes over the command line, but for a sticky address of a switch that has none.
import type { Platform, ResourceDriver } from '../../../src/ports/platform.ts';
import { iosBgpNetwork } from './bgp-network.ts';
import { iosDialect } from './cli.ts';
import { iosFhrp } from './fhrp.ts';
import { ciscoMacs, ciscoMacTableEntry } from './mac-table.ts';
import { iosPolicyMaps } from './policy-maps.ts';
import { iosPortSecurity } from './port-security.ts';
import { iosRoutes } from './routes.ts';
import { iosServicePolicy } from './service-policy.ts';
import { iosStickyMac } from './sticky-mac.ts';
import { orOverSnmp } from './sticky-mac-snmp.ts';
import { iosSwitchport } from './switchport.ts';
import { iosViolationMode } from './violation-mode.ts';
import { iosVnis } from './vnis.ts';

export const ciscoIos: Platform = {
  name: 'cisco-ios',
  cli: iosDialect,
  queries: {
    fhrp: iosFhrp,
    'port-security': iosPortSecurity,
    switchport: iosSwitchport,
    vnis: iosVnis,
    'policy-maps': iosPolicyMaps,
    routes: iosRoutes,
    macs: ciscoMacs,
  },
  resources: {
    'bgp-network': iosBgpNetwork as unknown as ResourceDriver,
    'sticky-mac': orOverSnmp(iosStickyMac) as unknown as ResourceDriver,
    'service-policy': iosServicePolicy as unknown as ResourceDriver,
    'mac-table-entry': ciscoMacTableEntry as unknown as ResourceDriver,
    'violation-mode': iosViolationMode as unknown as ResourceDriver,
  },
};
