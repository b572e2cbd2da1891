// Owns: `show mac address-table`, `show interfaces switchport` and `status`, `show nve vni`.
import { childrenOf } from '../config.ts';
import { type PortFacts, vnisOf } from '../switch/facts.ts';
import { dottedMac } from '../switch/mac.ts';
import type { MacFilter } from '../switch/mac-table.ts';
import type { ShownMacRow } from '../switch/switch.ts';
import type { SwitchContext } from './show-context.ts';
import { shortInterface } from './show-standby.ts';

export interface MacQuestion extends MacFilter {
  readonly type?: ShownMacRow['type'];
}

export function showMacTable({ device }: SwitchContext, { type, ...filter }: MacQuestion): string {
  const rows = device.macRows(filter).filter((row) => (type ?? row.type) === row.type);
  return [
    '          Mac Address Table',
    '-------------------------------------------',
    '',
    'Vlan    Mac Address       Type        Ports',
    '----    -----------       --------    -----',
    ...rows.map(
      (row) =>
        `${String(row.vlan).padStart(4)}    ${dottedMac(row.mac)}    ${row.type.toUpperCase().padEnd(12)}${shortInterface(row.port)}`,
    ),
    `Total Mac Addresses for this criterion: ${rows.length}`,
  ].join('\n');
}

const vlanName = (vlan: number) => (vlan === 1 ? '1 (default)' : `${vlan} (VLAN${String(vlan).padStart(4, '0')})`);

export function showSwitchport({ device }: SwitchContext, name: string): string {
  const port = device.ports().find((each) => each.name === name);
  const head = `Name: ${shortInterface(name)}`;
  if (!port) return `% ${name} is not a switchable port`;
  if (port.mode === 'routed') return `${head}\nSwitchport: Disabled`;
  return [head, 'Switchport: Enabled', ...modeLines(port, device.isUp(name)), ...vlanLines(port)].join('\n');
}

function modeLines({ mode }: PortFacts, up: boolean): readonly string[] {
  const [admin, live, negotiates] = {
    access: ['static access', 'static access', 'Off'],
    trunk: ['trunk', 'trunk', 'Off'],
    dynamic: ['dynamic auto', 'static access', 'On'],
    routed: ['', '', ''],
  }[mode] as [string, string, string];
  return [
    `Administrative Mode: ${admin}`,
    `Operational Mode: ${up ? live : 'down'}`,
    'Administrative Trunking Encapsulation: dot1q',
    ...(up ? [`Operational Trunking Encapsulation: ${mode === 'trunk' ? 'dot1q' : 'native'}`] : []),
    `Negotiation of Trunking: ${negotiates}`,
  ];
}

function vlanLines({ accessVlan, nativeVlan, allowed }: PortFacts): readonly string[] {
  return [
    `Access Mode VLAN: ${vlanName(accessVlan)}`,
    `Trunking Native Mode VLAN: ${vlanName(nativeVlan)}`,
    'Administrative Native VLAN tagging: enabled',
    'Voice VLAN: none',
    `Trunking VLANs Enabled: ${allowed === 'all' ? 'ALL' : allowed.join(',')}`,
    'Pruning VLANs Enabled: 2-1001',
    'Capture Mode Disabled',
    'Capture VLANs Allowed: ALL',
    '',
    'Protected: false',
    'Unknown unicast blocked: disabled',
    'Unknown multicast blocked: disabled',
    'Appliance trust: none',
  ];
}

export function showInterfacesStatus({ device }: SwitchContext): string {
  const vlans = { access: '', dynamic: '', trunk: 'trunk', routed: 'routed' };
  const rows = device.ports().map((port) => {
    const state = device.interfaces().find(({ name }) => name === port.name);
    const down = state?.errDisabled ? 'err-disabled' : state?.shutdown ? 'disabled' : 'notconnect';
    return [
      shortInterface(port.name).padEnd(10),
      (state?.description ?? '').slice(0, 18).padEnd(19),
      (state?.up ? 'connected' : down).padEnd(13),
      (vlans[port.mode] || String(port.accessVlan)).padEnd(11),
      'a-full a-1000 10/100/1000BaseTX',
    ].join('');
  });
  return ['', 'Port      Name               Status       Vlan       Duplex  Speed Type', ...rows].join('\n');
}

/** IOS-XE on a Catalyst names the VLAN, IOS the bridge domain of the same number. */
export function showNveVni({ device }: SwitchContext): string {
  const where = device.platform === 'cisco-iosxe' ? 'VLAN ' : 'BD   ';
  const rows = vnisOf(device.running).map(({ vni, vlan }) => {
    const replicated = childrenOf(device.running, 'interface nve1', `member vni ${vni}`).length > 0;
    const state = vlan !== undefined && replicated && device.tunnelUp() ? 'Up' : 'BD Down/Re';
    return `${'nve1'.padEnd(11)}${String(vni).padEnd(11)}${'N/A'.padEnd(16)}${state.padEnd(11)}L2DP  ${String(vlan ?? 'N/A').padEnd(6)}CLI N/A`;
  });
  return [`Interface  VNI        Multicast-group VNI state  Mode  ${where} cfg vrf`, ...rows].join('\n');
}
