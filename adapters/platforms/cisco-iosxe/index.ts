// Owns: Cisco IOS-XE: the command line of IOS, and NETCONF where the target has it.
import type { Platform, ResourceDriver } from '../../../src/ports/platform.ts';
import { iosDialect } from '../cisco-ios/cli.ts';
import { ciscoMacs, ciscoMacTableEntry } from '../cisco-ios/mac-table.ts';
import { iosPolicyMaps } from '../cisco-ios/policy-maps.ts';
import { iosPortSecurity } from '../cisco-ios/port-security.ts';
import { iosRoutes } from '../cisco-ios/routes.ts';
import { orOverSnmp } from '../cisco-ios/sticky-mac-snmp.ts';
import { iosSwitchport } from '../cisco-ios/switchport.ts';
import { iosViolationMode } from '../cisco-ios/violation-mode.ts';
import { iosVnis } from '../cisco-ios/vnis.ts';
import { drivenByCli, overCli } from './access.ts';
import { iosxeBgpNetwork } from './bgp-network.ts';
import { iosxeFhrp } from './fhrp.ts';
import { iosxeServicePolicy } from './service-policy.ts';
import { iosxeStickyMac } from './sticky-mac.ts';

export const ciscoIosxe: Platform = {
  name: 'cisco-iosxe',
  cli: iosDialect,
  queries: {
    fhrp: iosxeFhrp,
    'port-security': overCli(iosPortSecurity),
    switchport: overCli(iosSwitchport),
    vnis: overCli(iosVnis),
    'policy-maps': overCli(iosPolicyMaps),
    routes: overCli(iosRoutes),
    macs: overCli(ciscoMacs),
  },
  resources: {
    'bgp-network': iosxeBgpNetwork as unknown as ResourceDriver,
    'sticky-mac': orOverSnmp(iosxeStickyMac) as unknown as ResourceDriver,
    'service-policy': iosxeServicePolicy as unknown as ResourceDriver,
    'mac-table-entry': drivenByCli(ciscoMacTableEntry) as unknown as ResourceDriver,
    'violation-mode': drivenByCli(iosViolationMode) as unknown as ResourceDriver,
  },
};
