// Owns: Cisco IOS-XR: how its command line looks, and who is HSRP active. VRRP and BGP are not read here yet.
import type { FhrpRow } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { CliDialect, Dialogue, Platform } from '../../../src/ports/platform.ts';
import { hsrpBriefRow, table } from '../cisco-ios/fhrp.ts';
import { refusal, show } from '../dialogue.ts';

/** [weak] Written from documentation; not yet run against a device. */
const iosxrDialect: CliDialect = {
  prompt: /^(?<host>RP\/\d+\/\w+\/CPU\d+:[A-Za-z0-9][\w.-]{0,63})(?:\((?<mode>[\w./:-]{1,64})\))?# ?$/,
  passwordPrompt: /^\s*password:\s*$/i,
  preamble: ['terminal length 0', 'terminal width 511'],
  configure: 'configure terminal',
  // Leaves without committing, from any depth: what is to stay ends in a `commit` line of its own.
  leaveConfigure: 'abort',
  pager: { pattern: /^\s*--More--\s*$/i, key: ' ' },
  failures: [
    /^\s*% ?(?:Invalid|Incomplete|Ambiguous|Failed to commit|Bad|Permission denied)/i,
    /^\s*% ?This command is not authorized/i,
  ],
};

function* iosxrFhrp(_target: Target, { protocol }: { readonly protocol: 'hsrp' | 'vrrp' }): Dialogue<readonly FhrpRow[]> {
  if (protocol === 'vrrp')
    throw refusal('no-reader', 'VRRP on IOS-XR cannot be read yet', 'Use HSRP, or read this gateway elsewhere.');
  const command = 'show hsrp';
  return table(command, yield* show(command), hsrpBriefRow);
}

export const ciscoIosxr: Platform = { name: 'cisco-iosxr', cli: iosxrDialect, queries: { fhrp: iosxrFhrp }, resources: {} };
