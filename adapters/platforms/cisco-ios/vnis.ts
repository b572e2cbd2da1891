// Owns: which VLAN is which VNI at a VTEP of IOS or IOS-XE, from `show nve vni`.
import type { QueryRow } from '../../../src/model/query.ts';
import type { QueryReader } from '../../../src/ports/platform.ts';
import { linesOf, show, unreadable } from '../dialogue.ts';

const command = 'show nve vni';

/**
 * `nve1  20012  N/A  Up  L2CP  12  CLI N/A`. The column is headed VLAN or, on other releases, BD: on a switch the bridge
 * domain has the VLAN's number [weak on routers, where it need not]. Only what is up is stretched; L3 ones carry a VRF.
 */
const row =
  /^\s*nve\d+\s+(?<vni>\d{1,8})\s+\S+\s+(?<state>\S+(?: \S+)?)\s+(?<mode>L[23]\w{0,4})\s+(?<vlan>\d{1,4}|N\/A)\s+\S+\s+\S+$/i;

export const iosVnis: QueryReader<'vnis'> = function* () {
  return vnis(yield* show(command));
};

export function vnis(text: string): readonly QueryRow<'vnis'>[] {
  const lines = linesOf(text);
  // No VXLAN at all.
  if (lines.length === 0) return [];
  if (!/^\s*Interface\s+VNI\s+Multicast-group\s+VNI state\s+Mode\s+(?:VLAN|BD)\s+cfg\s+vrf$/i.test(lines[0]!))
    throw unreadable(command, lines[0]!);
  return lines.slice(1).flatMap((line) => {
    const { vni, state, mode, vlan } = row.exec(line)?.groups ?? {};
    if (vni === undefined) throw unreadable(command, line);
    if (state !== 'Up' || !/^L2/i.test(mode!) || !/^\d/.test(vlan!)) return [];
    return [{ vlan: Number(vlan), vni: Number(vni) }];
  });
}
