// Owns: FRR, spoken to through vtysh.
import type { Platform, ResourceDriver } from '../../../src/ports/platform.ts';
import { frrBgpNetwork } from './bgp-network.ts';
import { frrDialect } from './cli.ts';
import { frrFhrp } from './fhrp.ts';

export const frr: Platform = {
  name: 'frr',
  cli: frrDialect,
  queries: { fhrp: frrFhrp },
  resources: { 'bgp-network': frrBgpNetwork as unknown as ResourceDriver },
};
