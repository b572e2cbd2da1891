// Owns: sticky-mac on an IOS command line. Only a sticky row is cleared: a configured one is somebody's decision, a
// dynamic one ages. An err-disabled port is told of and left so.
import type { Command } from '../../../src/ports/actuator.ts';
import type { Dialogue, ResourceDriver } from '../../../src/ports/platform.ts';
import { describeStickyMac, type StickyMac, type StickyMacState, verifyStickyMac } from '../../../src/resources/sticky-mac.ts';
import { refusal, show } from '../dialogue.ts';
import { interfaceConfig } from './interface-config.ts';
import { addressCommand, portCommand, portSecurity, type SecureRow, secureAddresses, stickyLine } from './port-security.ts';
import { dottedMac, interfaceWord, macOf, vlanWord } from './words.ts';

export interface CliStickyMacState extends StickyMacState {
  /** Rows of this MAC on other ports or in other VLANs: nobody's business, so a clear must miss them. */
  readonly others: readonly SecureRow[];
  readonly trunk: boolean;
  /** The VLAN of an access port. */
  readonly access: number;
  /** The port learns sticky. */
  readonly learns: boolean;
}

export const iosStickyMac: ResourceDriver<StickyMac, CliStickyMacState> = {
  read: readStickyMac,
  plan: (state, resource, desired) =>
    desired === 'present' ? planSticky(state, resource) : planClear(state, resource, cliClear),
  verify: (state, _resource, desired) => verifyStickyMac(state, desired),
  describe: describeStickyMac,
};

export function* readStickyMac(resource: StickyMac): Dialogue<CliStickyMacState> {
  const name = interfaceWord(resource.interface);
  const { status, violation } = portSecurity(portCommand(name), yield* show(portCommand(name)));
  const mac = macOf(dottedMac(resource.mac));
  const rows = secureAddresses(addressCommand, yield* show(addressCommand)).filter((row) => row.mac === mac);
  const config = yield* interfaceConfig(name);
  const here = (row: SecureRow) => row.interface === name && row.vlan === resource.vlan;
  return {
    rows: rows.filter(here).map(({ type, interface: port }) => ({ type, interface: port })),
    status,
    violation,
    others: rows.filter((row) => !here(row)),
    trunk: config.includes('switchport mode trunk'),
    access: Number(config.map((line) => /^switchport access vlan (\d+)$/.exec(line)?.[1]).find(Boolean) ?? 1),
    learns: config.includes(stickyLine),
  };
}

/** How one address is cleared; `vlan` only where the address alone would hit more. */
export type Clear = (address: { readonly mac: string; readonly vlan: number | undefined }) => Command;

export const cliClear: Clear = ({ mac, vlan }) => ({
  kind: 'cli',
  line: `clear port-security sticky address ${dottedMac(mac)}${vlan === undefined ? '' : ` vlan ${vlanWord(vlan)}`}`,
});

/**
 * The narrowest command that every release takes: the VLAN, documented for trunks alone, is named only where the same MAC
 * is sticky in another; where another port has it in this very VLAN, the line goes from this port's configuration.
 */
export function planClear(state: CliStickyMacState, resource: StickyMac, clear: Clear): readonly Command[] {
  if (!state.rows.some(({ type }) => type === 'sticky')) return [];
  const sticky = state.others.filter(({ type }) => type === 'sticky');
  if (sticky.some(({ vlan }) => vlan === resource.vlan)) return [atPort(state, resource, 'no ')];
  return [clear({ mac: resource.mac, vlan: sticky.length > 0 ? resource.vlan : undefined })];
}

export function planSticky(state: CliStickyMacState, resource: StickyMac): readonly Command[] {
  if (state.rows.some(({ type }) => type === 'sticky')) return [];
  const place = `${resource.target} ${resource.interface}`;
  if (state.rows.some(({ type }) => type === 'configured'))
    throw refusal('configured', `${place} has ${resource.mac} configured as secure`, 'Remove that line, or leave it.');
  const other = state.others.find(({ vlan }) => vlan === resource.vlan);
  if (other)
    throw refusal('elsewhere', `${resource.mac} is secured on ${other.interface} of ${resource.target}`, 'Clear it there first.');
  if (!state.trunk && state.access !== resource.vlan)
    throw refusal('another-vlan', `${place} is in VLAN ${state.access}, not ${resource.vlan}`, 'Correct the attachment.');
  if (!state.learns) throw refusal('not-sticky', `${place} does not learn sticky`, `Configure "${stickyLine}" there.`);
  return [atPort(state, resource, '')];
}

function atPort(state: CliStickyMacState, resource: StickyMac, no: 'no ' | ''): Command {
  const vlan = state.trunk ? ` vlan ${vlanWord(resource.vlan)}` : '';
  return {
    kind: 'configure',
    lines: [`interface ${interfaceWord(resource.interface)}`, `${no}${stickyLine} ${dottedMac(resource.mac)}${vlan}`],
  };
}
