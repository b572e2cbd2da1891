// Owns: Cisco NX-OS: how its command line looks, and who is HSRP active. VRRP, BGP and sticky MACs are not read here yet.
import type { FhrpRow } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { CliDialect, Dialogue, Platform, ResourceDriver } from '../../../src/ports/platform.ts';
import { blocks, hsrpRow } from '../cisco-ios/fhrp.ts';
import { ciscoMacs, ciscoMacTableEntry } from '../cisco-ios/mac-table.ts';
import { refusal, show } from '../dialogue.ts';
import { nxosRoutes, nxosSwitchport, nxosVnis } from './fabric.ts';
import { nxosPolicyMaps, nxosServicePolicy } from './policies.ts';
import { nxosPortSecurity, nxosStickyMac, nxosViolationMode } from './port-security.ts';

/** [weak] Written from documentation; not yet run against a device. */
const nxosDialect: CliDialect = {
  prompt: /^(?<host>[A-Za-z0-9][\w.-]{0,63})(?:\((?<mode>[\w./:-]{1,64})\))?# ?$/,
  passwordPrompt: /^\s*password:\s*$/i,
  preamble: ['terminal length 0', 'terminal width 511'],
  configure: 'configure terminal',
  leaveConfigure: 'end',
  pager: { pattern: /^\s*--More--\s*$/i, key: ' ' },
  failures: [/^\s*% ?(?:Invalid|Incomplete|Ambiguous|Permission denied)/i, /^\s*ERROR: /i],
};

/** `show hsrp all` says state, group and family in words; the columns of `show hsrp brief` are known only at second hand. */
function* nxosFhrp(_target: Target, { protocol }: { readonly protocol: 'hsrp' | 'vrrp' }): Dialogue<readonly FhrpRow[]> {
  if (protocol === 'vrrp')
    throw refusal('no-reader', 'VRRP on NX-OS cannot be read yet', 'Use HSRP, or read this gateway elsewhere.');
  const command = 'show hsrp all';
  return blocks(command, yield* show(command), heading, hsrpRow);
}

/** `Vlan100 - Group 100 (HSRP-V2) (IPv4)`, and below it `Local state is Initial(Interface Down), priority 200 …`. */
const heading = /^(?<interface>\S+) - Group (?<group>\d{1,4}) \(HSRP-V[12]\) \(IPv(?<family>[46])\)$/;

export const ciscoNxos: Platform = {
  name: 'cisco-nxos',
  cli: nxosDialect,
  queries: {
    fhrp: nxosFhrp,
    'port-security': nxosPortSecurity,
    switchport: nxosSwitchport,
    vnis: nxosVnis,
    'policy-maps': nxosPolicyMaps,
    routes: nxosRoutes,
    macs: ciscoMacs,
  },
  resources: {
    'sticky-mac': nxosStickyMac as unknown as ResourceDriver,
    'service-policy': nxosServicePolicy as unknown as ResourceDriver,
    'mac-table-entry': ciscoMacTableEntry as unknown as ResourceDriver,
    'violation-mode': nxosViolationMode as unknown as ResourceDriver,
  },
};
