// Owns: the MAC address table as Catalyst and Nexus switches print it, the query `macs`, and mac-table-entry: what is stale
// is cleared, what should be there is only looked for.
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { QueryRow } from '../../../src/model/query.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import type { QueryReader, ResourceDriver } from '../../../src/ports/platform.ts';
import {
  describeMacTableEntry,
  type MacTableEntry,
  type MacTableState,
  verifyMacTableEntry,
} from '../../../src/resources/mac-table-entry.ts';
import { aboutOf, linesOf, refusal, show, unreadable } from '../dialogue.ts';
import { dottedMac, interfaceWord, macOf, vlanWord } from './words.ts';

type MacRow = QueryRow<'macs'>;

export interface CliMacTableState extends MacTableState {
  /** Rows of this MAC in other VLANs. */
  readonly others: readonly MacRow[];
}

export const macCommand = (mac: string): string => `show mac address-table address ${dottedMac(mac)}`;

/** Headings, and how many columns stand between the type and the ports. */
const headings: readonly (readonly [heading: RegExp, between: number])[] = [
  [/^\s*Vlan\s+Mac Address\s+Type\s+Ports$/i, 0],
  [/^\s*vlan\s+mac address\s+type\s+protocols\s+port$/i, 1],
  [/^\s*vlan\s+mac address\s+type\s+learn\s+age\s+ports$/i, 2],
  [/^\s*VLAN(?:\/BD)?\s+MAC Address\s+Type\s+age\s+Secure\s+NTFY\s+Ports(?:\/SWID\.SSID\.LID)?$/i, 3],
];

/** `CP_LEARN` is the type of what another VTEP has told of. */
const rowStart =
  /^\s*(?:[*+GRCOE~]{1,2}\s+)?(?<vlan>\d{1,4}|All|N\/A|-{1,3})\s+(?<mac>[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})\s+(?<type>[A-Za-z][A-Za-z_]*)\b(?<rest>.*)$/i;
const total = /^\s*Total Mac Addresses for this criterion:\s*(\d+)$/i;

/**
 * Rows below the heading and its line of dashes, which reaches under the last column where it is whole. Ports that do not
 * fit go on in deeply indented lines. Some releases close with a total: where they do, it must be that of the rows.
 * Addresses of no VLAN (the switch's own) are left out.
 */
export function macTable(command: string, text: string): readonly MacRow[] {
  const lines = linesOf(text);
  // Catalyst 6500, where there is none.
  if (lines.length === 1 && /^\s*No entries present\.$/.test(lines[0]!)) return [];
  const at = lines.findIndex((line) => headings.some(([heading]) => heading.test(line)));
  const reach = (lines[at] ?? '').lastIndexOf(' ') + 'Ports'.length;
  const ruled = lines.findIndex((line, index) => index > at && line.length > reach && /^\s*-[\s+-]*-$/.test(line));
  if (at < 0 || ruled < 0) throw unreadable(command, lines.at(-1) ?? '(nothing)');
  const between = headings.find(([heading]) => heading.test(lines[at]!))![1];
  const rows: string[] = [];
  let counted: number | undefined;
  for (const line of lines.slice(ruled + 1)) {
    if (rowStart.test(line)) rows.push(line.trim());
    else if (total.test(line)) counted = Number(total.exec(line)![1]);
    else if (/^\s{20}/.test(line) && rows.length > 0 && counted === undefined) rows[rows.length - 1] += ` ${line.trim()}`;
    else throw unreadable(command, line);
  }
  if (counted !== undefined && counted !== rows.length) throw unreadable(command, lines.at(-1)!);
  return rows.flatMap((line) => rowsIn(command, line, between));
}

function rowsIn(command: string, line: string, between: number): readonly MacRow[] {
  const { vlan, mac, type, rest } = rowStart.exec(line)!.groups!;
  const words = rest!.trim().split(/\s+/).slice(between);
  if (words.length === 0 || words[0] === '') throw unreadable(command, line);
  // `nve1(10.255.0.2)`, `sup-eth1(R)`: what stands in brackets is not part of the name. `vPC Peer-Link` is one port.
  const ports = between === 3 ? [words.join(' ').replace(/ ?\([^()]*\)/g, '')] : words.flatMap((word) => word.split(','));
  if (!/^\d+$/.test(vlan!)) return [];
  return ports
    .filter((port) => port !== '')
    .map((port) => ({ mac: macOf(mac!)!, vlan: Number(vlan), interface: interfaceName(port), type: type!.toLowerCase() }));
}

export const ciscoMacs: QueryReader<'macs'> = function* (_target, ask) {
  const command = macCommand(aboutOf(ask, 'MAC address'));
  return macTable(command, yield* show(command));
};

export const ciscoMacTableEntry: ResourceDriver<MacTableEntry, CliMacTableState> = {
  *read(resource) {
    const command = macCommand(resource.mac);
    const mac = macOf(dottedMac(resource.mac));
    const rows = macTable(command, yield* show(command)).filter((row) => row.mac === mac);
    const here = rows.filter(({ vlan }) => vlan === resource.vlan);
    return {
      rows: here.map(({ interface: port, type }) => ({ interface: port, type })),
      others: rows.filter(({ vlan }) => vlan !== resource.vlan),
    };
  },
  plan: planMacTableEntry,
  verify: (state, resource, desired) =>
    verifyMacTableEntry(state, { ...resource, interface: interfaceWord(resource.interface) }, desired),
  describe: describeMacTableEntry,
};

/**
 * Nothing makes a row present but the host's own frames. The VLAN is named only where the address alone would clear
 * rows of other VLANs too: not every release takes both.
 */
export function planMacTableEntry(
  { rows, others }: CliMacTableState,
  resource: MacTableEntry,
  desired: 'present' | 'absent',
): readonly Command[] {
  const name = interfaceWord(resource.interface);
  const stale = rows.filter((row) => row.interface === name);
  if (desired === 'present' || stale.length === 0) return [];
  const fixed = stale.find(({ type }) => type !== 'dynamic');
  if (fixed) {
    throw refusal(
      'not-dynamic',
      `the row of ${resource.mac} at ${resource.target} ${name} is ${fixed.type}, which a clear does not remove`,
      'Clear its sticky address, or remove the static entry from the configuration.',
    );
  }
  const vlan = others.some(({ type }) => type === 'dynamic') ? ` vlan ${vlanWord(resource.vlan)}` : '';
  return [{ kind: 'cli', line: `clear mac address-table dynamic address ${dottedMac(resource.mac)}${vlan}` }];
}
