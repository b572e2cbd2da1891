// Owns: who is HSRP or VRRP active, from `show standby brief` and `show vrrp brief`. A line that should be a row and is
// none makes the whole answer unreadable: half a reading takes nothing away.

import { interfaceName } from '../../../src/model/interface-name.ts';
import { type HsrpState, roleOfHsrp, roleOfVrrp, type VrrpState } from '../../../src/model/meaning.ts';
import type { FhrpRow } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';
import { linesOf, show, unreadable } from '../dialogue.ts';

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

export function* iosFhrp(_target: Target, { protocol }: { readonly protocol: 'hsrp' | 'vrrp' }): Dialogue<readonly FhrpRow[]> {
  const command = protocol === 'hsrp' ? 'show standby brief' : 'show vrrp brief';
  const text = yield* show(command);
  return table(command, text, protocol === 'hsrp' ? hsrpBriefRow : vrrpBriefRow);
}

/** What stands between rows: legend, repeated headers, IOS-XR's headings and clock. */
const furniture =
  /^\s*(?:P indicates configured to preempt\.|\||Interface\s+Grp\b.*|IPv[46] Groups:|\w{3} \w{3} +\d+ \d\d:\d\d:\d\d\.\d+ .*)$/;

/**
 * Rows below the `Interface  Grp` header. A long interface name stands alone and its row goes on in the next line;
 * long addresses go on, deeply indented, in the lines after.
 */
export function table(command: string, text: string, rowOf: (line: string) => FhrpRow | undefined): readonly FhrpRow[] {
  const lines = linesOf(text);
  // Nothing configured: IOS prints the header alone, or nothing.
  if (lines.length === 0) return [];
  if (!lines.some((line) => /^\s*Interface\s+Grp\b/.test(line))) throw unreadable(command, lines[0]!);
  const rows: string[] = [];
  let wrapped = '';
  for (const line of lines.filter((each) => !furniture.test(each))) {
    if (/^\s{0,2}[A-Za-z][\w./:-]*$/.test(line) && wrapped === '') wrapped = line.trim();
    else if (wrapped !== '') {
      rows.push(`${wrapped} ${line.trim()}`);
      wrapped = '';
    } else if (/^\s{20}/.test(line) && rows.length > 0) rows[rows.length - 1] += ` ${line.trim()}`;
    else rows.push(line.trim());
  }
  if (wrapped !== '') throw unreadable(command, wrapped);
  return rows.map((line) => {
    const row = rowOf(line);
    if (!row) throw unreadable(command, line);
    return row;
  });
}

/** Blocks as NX-OS and EOS show them: a heading with interface and group, then indented lines, one of them the state. */
export function blocks(
  command: string,
  text: string,
  heading: RegExp,
  rowOf: (place: FhrpPlace, word: string) => FhrpRow | undefined,
): readonly FhrpRow[] {
  const lines = linesOf(text);
  const starts = lines.flatMap((line, index) => (/^\S/.test(line) ? [index] : []));
  if (lines.length > 0 && starts[0] !== 0) throw unreadable(command, lines[0]!);
  return starts.map((start, index) => {
    const block = lines.slice(start, starts[index + 1]);
    const head = heading.exec(block[0]!)?.groups;
    const word = block.map((line) => /^\s+(?:Local s|S)tate is ([A-Za-z]+)/.exec(line)?.[1]).find(Boolean);
    const six = head?.family === '6' || block.some((line) => /Virtual IPv6 address is/.test(line));
    const place = head && {
      interface: head.interface!,
      group: Number(head.group),
      family: six ? ('ipv6' as const) : ('ipv4' as const),
    };
    const row = place && word ? rowOf(place, word) : undefined;
    if (!row) throw unreadable(command, block[0]!);
    return row;
  });
}

/** `Vl1   1   120 P Active  local   10.1.1.3   10.1.1.1`; no P without preempt. */
export function hsrpBriefRow(line: string): FhrpRow | undefined {
  const match = /^(\S+)\s+(\d{1,4})\s+\d{1,3}\s+(?:P\s+)?([A-Za-z]+)(?:\s+(.*))?$/.exec(line);
  if (!match) return undefined;
  const family = match[4]?.includes(':') ? 'ipv6' : 'ipv4';
  return hsrpRow({ interface: match[1]!, group: Number(match[2]), family }, match[3]!);
}

/**
 * VRRPv2: `Fa1/0  1  100 3609       Y  Master  10.0.0.1   10.0.0.254`.
 * VRRPv3 (`fhrp version vrrp v3`): `Gi0/0  1 IPv4 110     0  N   Y  MASTER  10.0.1.2(local) 10.0.1.1`.
 */
function vrrpBriefRow(line: string): FhrpRow | undefined {
  const match = /^(\S+)\s+(\d{1,3})\s+(?:(IPv[46])\s+)?\d{1,3}\s+\d+\s+(?:[YN]\s+){0,2}([A-Za-z]+)(?:\s+.*)?$/i.exec(line);
  if (!match) return undefined;
  const family = match[3]?.toLowerCase() === 'ipv6' ? 'ipv6' : 'ipv4';
  return vrrpRow({ interface: match[1]!, group: Number(match[2]), family }, match[4]!);
}
