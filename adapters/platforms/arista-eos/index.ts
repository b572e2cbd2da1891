// Owns: Arista EOS: how its command line looks, and who is VRRP active. BGP is not changed here yet.
import type { FhrpRow } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { CliDialect, Dialogue, Platform } from '../../../src/ports/platform.ts';
import { blocks, vrrpRow } from '../cisco-ios/fhrp.ts';
import { refusal, show } from '../dialogue.ts';

/** [weak] Written from documentation; not yet run against a device. */
const eosDialect: CliDialect = {
  prompt: /^(?<host>[A-Za-z0-9][\w.-]{0,63})(?:\((?<mode>[\w./:-]{1,64})\))?[#>] ?$/,
  passwordPrompt: /^\s*password:\s*$/i,
  preamble: ['terminal length 0', 'terminal width 511'],
  enable: 'enable',
  configure: 'configure terminal',
  leaveConfigure: 'end',
  pager: { pattern: /^\s*--More--\s*$/i, key: ' ' },
  failures: [/^\s*% ?(?:Invalid|Incomplete|Ambiguous|Unavailable|Unknown|Error|Cannot|Authorization denied)/i],
};

function* eosFhrp(_target: Target, { protocol }: { readonly protocol: 'hsrp' | 'vrrp' }): Dialogue<readonly FhrpRow[]> {
  if (protocol === 'hsrp') throw refusal('no-hsrp', 'EOS has no HSRP', 'Declare the gateway as vrrp in the inventory.');
  const command = 'show vrrp';
  return blocks(command, yield* show(command), heading, vrrpRow);
}

/** [weak] `Vlan1006 - Group 3`, and below it `State is Master` and `Virtual IPv4 address is …`. */
const heading = /^(?<interface>\S+) - Group (?<group>\d{1,3})$/;

export const aristaEos: Platform = { name: 'arista-eos', cli: eosDialect, queries: { fhrp: eosFhrp }, resources: {} };
