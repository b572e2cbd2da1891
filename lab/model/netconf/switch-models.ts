// Owns: what the NETCONF server of a switch knows: its data models, and the operation that clears port security.
import type { Operator } from '../chassis.ts';
import { dottedMac, macAddress } from '../switch/mac.ts';
import type { SecureFilter, SecureRow } from '../switch/port-security.ts';
import type { Switch } from '../switch/switch.ts';
import { type DeviceModels, moduleCapability } from './models.ts';
import { changesBetween } from './native.ts';
import { Refusal } from './rpc-error.ts';
import { nativeNs } from './schema.ts';
import { checkSwitchData, switchData, switchLines } from './switch-native.ts';
import { policyNs, portSecurityRpcNs, switchNs, switchSchema } from './switch-schema.ts';
import { childOf, escapeXml, type XmlNode } from './xml.ts';

export function switchModels(device: Switch): DeviceModels {
  return {
    capabilities: [
      ...[nativeNs, switchNs, policyNs].map((ns) => moduleCapability(ns, '2022-11-01')),
      moduleCapability(portSecurityRpcNs, '2022-03-01'),
    ],
    schemas: [switchSchema],
    read: switchData,
    state: () => [],
    check: checkSwitchData,
    changes: (before, after) => changesBetween(switchLines(before), switchLines(after)),
    actions: [
      {
        name: 'clear-port-security',
        ns: portSecurityRpcNs,
        run: (operation, operator) => clearPortSecurity(device, operation, operator),
      },
    ],
  };
}

const modes = { 'md-all': 'all', 'md-configured': 'configured', 'md-sticky': 'sticky', 'md-dynamic': 'dynamic' } as const;
const targets = ['intf', 'vlan-access', 'vlan-voice', 'if-vlan-trunk', 'mac-addr', 'ps-none'] as const;

interface Target {
  readonly filter: SecureFilter;
  /** As the CLI would say it. */
  readonly words: string;
}

/** Without a target it is everything: that is the module's default, and it is done. */
function clearPortSecurity(device: Switch, operation: XmlNode, operator: Operator): undefined {
  const mode = textOf(operation, 'mode');
  if (!Object.hasOwn(modes, mode)) throw invalid(`"${mode}" is not a valid value for mode`);
  const type = modes[mode as keyof typeof modes];
  const stray = operation.children.find(({ name }) => name !== 'mode' && !targets.some((each) => each === name));
  if (stray) throw unknownElement(stray.name);
  const chosen = operation.children.filter(({ name }) => name !== 'mode');
  if (chosen.length > 1) throw invalid('only one of interface, VLAN and MAC address can be chosen');
  const { filter, words } = targetOf(chosen[0]);
  const typed: { readonly type?: SecureRow['type'] } = type === 'all' ? {} : { type };
  device.clearSecure({ ...typed, ...filter }, `clear port-security ${type}${words}`, operator);
  return undefined;
}

function targetOf(node: XmlNode | undefined): Target {
  if (!node || node.name === 'ps-none') return { filter: {}, words: '' };
  if (node.name === 'mac-addr') {
    const written = textOf(node, 'mac-address');
    const mac = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(written) ? macAddress(written) : undefined;
    if (mac === undefined) throw invalid(`"${written}" is not a valid value for mac-address`);
    const { vlans, words } = vlansOf(node, 'vlan');
    return { filter: { mac, ...(vlans ? { vlans } : {}) }, words: ` address ${dottedMac(mac)}${words}` };
  }
  const holders = { intf: 'if-name-type', 'vlan-access': 'if-with-access', 'if-vlan-trunk': 'if-with-trunk' } as const;
  // There is no voice VLAN here: nothing is in it.
  if (node.name === 'vlan-voice') return { filter: { vlans: () => false }, words: ' vlan voice' };
  const port = portOf(node, holders[node.name as keyof typeof holders]);
  const { vlans, words } = vlansOf(node, 'vlan-trunk');
  return { filter: { port, ...(vlans ? { vlans } : {}) }, words: ` interface ${port}${words}` };
}

function portOf(node: XmlNode, holder: string): string {
  const inner = childOf(node, holder);
  if (!inner) throw missing(holder);
  const [kind, name] = [textOf(inner, 'if-type'), textOf(inner, 'if-name')];
  if (!/^if-(fast-eth|gb-eth|2gb-eth|5gb-eth|appgb-eth|10gb-eth|25gb-eth|40gb-eth|100gb-eth|port-channel)$/.test(kind))
    throw invalid(`"${kind}" is not a valid value for if-type`);
  // The switch has GigabitEthernet ports only: any other names no port of it.
  return kind === 'if-gb-eth' ? `GigabitEthernet${name}` : `${kind} ${name}`;
}

/** Absent: every VLAN. */
function vlansOf(
  node: XmlNode,
  list: string,
): { readonly vlans: ((vlan: number) => boolean) | undefined; readonly words: string } {
  const ranges = node.children
    .filter(({ name }) => name === list)
    .map((entry): readonly [number, number] => {
      const from = Number(childOf(entry, 'start-id')?.text ?? 0);
      const to = Number(childOf(entry, 'end-id')?.text ?? 0);
      if (!Number.isInteger(from) || !Number.isInteger(to)) throw invalid('a VLAN is a whole number');
      return [from, to === 0 ? from : to];
    })
    .filter(([from]) => from !== 0);
  if (ranges.length === 0) return { vlans: undefined, words: '' };
  const words = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
  return { vlans: (vlan) => ranges.some(([from, to]) => vlan >= from && vlan <= to), words: ` vlan ${words}` };
}

function textOf(node: XmlNode, name: string): string {
  const text = childOf(node, name)?.text;
  if (text === undefined) throw missing(name);
  return text;
}

function invalid(message: string): Refusal {
  return new Refusal({ type: 'application', tag: 'invalid-value', message: message.slice(0, 200) });
}

function missing(name: string): Refusal {
  const info = `<bad-element>${escapeXml(name)}</bad-element>`;
  return new Refusal({ type: 'application', tag: 'missing-element', message: `${name} is missing`, info });
}

function unknownElement(name: string): Refusal {
  const info = `<bad-element>${escapeXml(name)}</bad-element>`;
  return new Refusal({ type: 'application', tag: 'unknown-element', message: `unknown element: ${name}`, info });
}
