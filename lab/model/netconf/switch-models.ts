// Owns: what the NETCONF server of a switch knows: its data models, and the operation that clears port security.
import type { Operator } from '../chassis.ts';
import { dottedMac } from '../switch/mac.ts';
import type { SecureFilter, SecureRow } from '../switch/port-security.ts';
import type { Switch } from '../switch/switch.ts';
import { editData } from './data-tree.ts';
import { type DeviceModels, moduleCapability } from './models.ts';
import { changesBetween } from './native.ts';
import { Refusal } from './rpc-error.ts';
import { nativeNs } from './schema.ts';
import { checkSwitchData, switchData, switchLines } from './switch-native.ts';
import { clearPortSecuritySchema, policyNs, portSecurityRpcNs, switchNs, switchSchema } from './switch-schema.ts';
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

interface Target {
  readonly filter: SecureFilter;
  /** As the CLI would say it. */
  readonly words: string;
}

/** Without a target it is everything: that is the module's default, and it is done. */
function clearPortSecurity(device: Switch, operation: XmlNode, operator: Operator): undefined {
  editData([], [operation], [clearPortSecuritySchema], 'merge');
  refuseTwice(operation);
  const type = modes[textOf(operation, 'mode') as keyof typeof modes];
  const chosen = operation.children.filter(({ name }) => name !== 'mode');
  if (chosen.length > 1) throw invalid('only one of interface, VLAN and MAC address can be chosen');
  const { filter, words } = targetOf(chosen[0]);
  const typed: { readonly type?: SecureRow['type'] } = type === 'all' ? {} : { type };
  device.clearSecure({ ...typed, ...filter }, `clear port-security ${type}${words}`, operator);
  return undefined;
}

/** An element stands once, but for the ranges of VLANs. */
function refuseTwice({ children }: XmlNode): void {
  const names = children.map(({ name }) => name).filter((name) => name !== 'vlan' && name !== 'vlan-trunk');
  if (new Set(names).size < names.length) throw invalid(`an element of ${names.join(', ').slice(0, 80)} stands twice`);
  for (const child of children) refuseTwice(child);
}

function targetOf(node: XmlNode | undefined): Target {
  if (!node || node.name === 'ps-none') return { filter: {}, words: '' };
  if (node.name === 'mac-addr') {
    const mac = textOf(node, 'mac-address').toLowerCase();
    const { vlans, words } = vlansOf(node, 'vlan');
    return { filter: { mac, ...(vlans ? { vlans } : {}) }, words: ` address ${dottedMac(mac)}${words}` };
  }
  const holders = {
    intf: 'if-name-type',
    'vlan-access': 'if-with-access',
    'vlan-voice': 'if-with-voice',
    'if-vlan-trunk': 'if-with-trunk',
  } as const;
  const port = portOf(node, holders[node.name as keyof typeof holders]);
  // There is no voice VLAN here: nothing is in it.
  if (node.name === 'vlan-voice') return { filter: { port, vlans: () => false }, words: ` interface ${port} vlan voice` };
  const { vlans, words } = vlansOf(node, 'vlan-trunk');
  return { filter: { port, ...(vlans ? { vlans } : {}) }, words: ` interface ${port}${words}` };
}

function portOf(node: XmlNode, holder: string): string {
  const inner = childOf(node, holder);
  if (!inner) throw missing(holder);
  const [kind, name] = [textOf(inner, 'if-type'), textOf(inner, 'if-name')];
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
