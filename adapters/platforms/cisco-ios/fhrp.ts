// Owns: who is HSRP or VRRP active, from `show standby brief` and `show vrrp brief`. A line that should be a row and is
// none makes the whole answer unreadable: half a reading takes nothing away.

import type { FhrpRow } from '../../../src/model/intent.ts';
import { interfaceName } from '../../../src/model/interface-name.ts';
import { type HsrpState, roleOfHsrp, roleOfVrrp, type VrrpState } from '../../../src/model/meaning.ts';
import type { Target } from '../../../src/model/target.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';
import { linesOf, show, unreadable } from './dialogue.ts';

const hsrpWords: Readonly<Record<string, HsrpState>> = {
  disabled: 'disabled',
  init: 'init',
  initial: 'init',
  learn: 'learn',
  listen: 'listen',
  speak: 'speak',
  standby: 'standby',
  active: 'active',
};
/** `Init` on IOS, `Initialize` in FRR, `Stopped` on EOS, `Active` where RFC 9568's word is used. */
const vrrpWords: Readonly<Record<string, VrrpState>> = {
  init: 'initialize',
  initialize: 'initialize',
  stopped: 'initialize',
  backup: 'backup',
  master: 'master',
  active: 'master',
  fault: 'fault',
};

export interface FhrpPlace {
  readonly interface: string;
  readonly group: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** A row in our words, or undefined where the state is no HSRP state. */
export function hsrpRow(place: FhrpPlace, word: string): FhrpRow | undefined {
  const state = Object.hasOwn(hsrpWords, word.toLowerCase()) ? hsrpWords[word.toLowerCase()] : undefined;
  return state && { ...place, interface: interfaceName(place.interface), role: roleOfHsrp(state), state };
}

export function vrrpRow(place: FhrpPlace, word: string): FhrpRow | undefined {
  const state = Object.hasOwn(vrrpWords, word.toLowerCase()) ? vrrpWords[word.toLowerCase()] : undefined;
  return state && { ...place, interface: interfaceName(place.interface), role: roleOfVrrp(state), state };
}

export function* iosFhrp(_target: Target, protocol: 'hsrp' | 'vrrp'): Dialogue<readonly FhrpRow[]> {
  const command = protocol === 'hsrp' ? 'show standby brief' : 'show vrrp brief';
  const text = yield* show(command);
  return table(command, text, protocol === 'hsrp' ? hsrpBriefRow : vrrpBriefRow);
}

/** Rows below the `Interface  Grp` header; a long interface name stands alone and its row goes on in the next line. */
export function table(command: string, text: string, rowOf: (line: string) => FhrpRow | undefined): readonly FhrpRow[] {
  const lines = linesOf(text);
  const header = lines.findIndex((line) => /^\s*Interface\s+Grp\b/i.test(line));
  // Nothing configured: IOS prints the header alone, or nothing.
  if (lines.length === 0) return [];
  if (header < 0) throw unreadable(command, lines[0]!);
  const rows: FhrpRow[] = [];
  let wrapped = '';
  for (const line of lines.slice(header + 1)) {
    if (/^\s*[A-Za-z][\w./:-]*$/.test(line) && wrapped === '') {
      wrapped = line.trim();
      continue;
    }
    const row = rowOf(`${wrapped} ${line.trim()}`.trim());
    if (!row) throw unreadable(command, line);
    rows.push(row);
    wrapped = '';
  }
  if (wrapped !== '') throw unreadable(command, wrapped);
  return rows;
}

/** `Vl1   1   120 P Active  local   10.1.1.3   10.1.1.1`; no P without preempt. */
function hsrpBriefRow(line: string): FhrpRow | undefined {
  const match = /^(\S+)\s+(\d{1,4})\s+\d{1,3}\s+(?:P\s+)?([A-Za-z]+)(?:\s+(.*))?$/.exec(line);
  if (!match) return undefined;
  const family = match[4]?.includes(':') ? 'ipv6' : 'ipv4';
  return hsrpRow({ interface: match[1]!, group: Number(match[2]), family }, match[3]!);
}

/**
 * VRRPv2: `Fa1/0  1  100 3609       Y  Master  10.0.0.1   10.0.0.254`.
 * VRRPv3 (`fhrp version vrrp v3`): `Gi1  1 IPv4  100     0  N   Y  MASTER  10.1.1.2(local) 10.1.1.1`. [weak]
 */
function vrrpBriefRow(line: string): FhrpRow | undefined {
  const match = /^(\S+)\s+(\d{1,3})\s+(?:(IPv[46])\s+)?\d{1,3}\s+\d+\s+(?:[YN]\s+){0,2}([A-Za-z]+)(?:\s+.*)?$/i.exec(line);
  if (!match) return undefined;
  const family = match[3]?.toLowerCase() === 'ipv6' ? 'ipv6' : 'ipv4';
  return vrrpRow({ interface: match[1]!, group: Number(match[2]), family }, match[4]!);
}
