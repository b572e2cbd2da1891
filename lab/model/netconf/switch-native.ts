// Owns: the way between a switch's configuration and its data models.
import type { Config } from '../config.ts';
import { hostnameOf, interfacesOf } from '../config-facts.ts';
import { addressLine, classMapsOf, type PortFacts, policyMapsOf, portsOf } from '../switch/facts.ts';
import { dottedMac, macAddress } from '../switch/mac.ts';
import { type DataNode, leafOf, reach } from './data-tree.ts';
import { branch, hostnameLines, interfaceData, interfaceLines, leaf, type PlacedLine, routeLines, routesData } from './native.ts';
import { Refusal } from './rpc-error.ts';
import { nativeNs } from './schema.ts';
import { policyNs, switchNs } from './switch-schema.ts';

const some = (node: DataNode | undefined) => (node ? [node] : []);
/** A branch, or nothing where it would be empty. */
const filled = (ns: string, name: string, children: readonly DataNode[]) =>
  children.length > 0 ? [branch(ns, name, children)] : [];

export function switchData(config: Config): readonly DataNode[] {
  const ports = portsOf(config);
  const interfaces = interfacesOf(config).flatMap((facts) => {
    const port = ports.find(({ name }) => name === facts.name);
    return interfaceData(facts, port ? [...switchportData(port), ...attachmentData(port)] : []);
  });
  return [
    branch(nativeNs, 'native', [
      leaf(nativeNs, 'hostname', hostnameOf(config)),
      branch(nativeNs, 'interface', interfaces),
      ...filled(nativeNs, 'policy', [...classMapsOf(config).map(classMapData), ...policyMapsOf(config).map(policyMapData)]),
      ...routesData(config),
    ]),
  ];
}

function switchportData(port: PortFacts): readonly DataNode[] {
  const { mode, accessVlan, security } = port;
  const children = [
    ...(accessVlan === 1
      ? []
      : [branch(switchNs, 'access', [branch(switchNs, 'vlan', [leaf(switchNs, 'vlan', String(accessVlan))])])]),
    ...(mode === 'access' || mode === 'trunk' ? [branch(switchNs, 'mode', [branch(switchNs, mode, [])])] : []),
    ...(security.enabled ? [leaf(switchNs, 'port-security-conf', '')] : []),
    ...filled(switchNs, 'port-security-config', filled(switchNs, 'port-security', securityData(port))),
  ];
  return filled(nativeNs, 'switchport-config', filled(nativeNs, 'switchport', children));
}

function securityData({ mode, security }: PortFacts): readonly DataNode[] {
  const addresses = security.addresses.map(({ mac, vlan, type }) =>
    branch(switchNs, mode === 'trunk' ? 'hw-address-trunk' : 'hw-address-access', [
      leaf(switchNs, 'hw-address', dottedMac(mac)),
      ...(mode === 'trunk' ? [leaf(switchNs, 'vlan', String(vlan))] : []),
      ...(type === 'sticky' ? [leaf(switchNs, 'sticky', 'sticky')] : []),
    ]),
  );
  const stickyOn = security.sticky ? [branch(switchNs, 'mac-address', [leaf(switchNs, 'sticky', '')])] : [];
  return [
    ...filled(switchNs, 'mac-address-sticky-on', stickyOn),
    ...filled(switchNs, 'mac-address-config', filled(switchNs, 'mac-address', addresses)),
    ...(security.maximum === 1
      ? []
      : [branch(switchNs, 'maxcount', [leaf(switchNs, 'max-addresses', String(security.maximum))])]),
    ...(security.violation === 'shutdown' ? [] : [branch(switchNs, 'violation', [leaf(switchNs, security.violation, '')])]),
  ];
}

function attachmentData({ input, output }: PortFacts): readonly DataNode[] {
  return filled(policyNs, 'service-policy', [
    ...some(input === undefined ? undefined : leaf(policyNs, 'input', input)),
    ...some(output === undefined ? undefined : leaf(policyNs, 'output', output)),
  ]);
}

function classMapData({ name, match, dscp }: ReturnType<typeof classMapsOf>[number]): DataNode {
  return branch(policyNs, 'class-map', [
    leaf(policyNs, 'name', name),
    leaf(policyNs, 'prematch', match),
    ...filled(
      policyNs,
      'match',
      dscp.map((word) => leaf(policyNs, 'dscp', word)),
    ),
  ]);
}

function policyMapData({ name, classes }: ReturnType<typeof policyMapsOf>[number]): DataNode {
  const classData = (each: (typeof classes)[number]) =>
    branch(policyNs, 'class', [leaf(policyNs, 'name', each.name), ...each.actions.flatMap(actionData)]);
  return branch(policyNs, 'policy-map', [leaf(policyNs, 'name', name), ...classes.map(classData)]);
}

function actionData(action: string): readonly DataNode[] {
  const match = /^(bandwidth|priority)(?: (percent|level) (\d+))?$/.exec(action);
  if (!match) return [];
  const value = match[2] === undefined ? [] : [branch(policyNs, match[1]!, [leaf(policyNs, match[2], match[3]!)])];
  return [branch(policyNs, 'action-list', [leaf(policyNs, 'action-type', match[1]!), ...value])];
}

export function switchLines(data: readonly DataNode[]): readonly PlacedLine[] {
  const native = reach(data, 'native').flatMap(({ children }) => children);
  return [
    ...hostnameLines(native),
    ...reach(native, 'policy', 'class-map').flatMap(classMapLines),
    ...reach(native, 'policy', 'policy-map').flatMap(policyMapLines),
    ...['GigabitEthernet', 'Vlan'].flatMap((kind) =>
      reach(native, 'interface', kind).flatMap((node) => [...interfaceLines(kind, node), ...portLines(kind, node)]),
    ),
    ...routeLines(native),
  ];
}

function portLines(kind: string, node: DataNode): readonly PlacedLine[] {
  const path = [`interface ${kind}${leafOf(node, 'name')}`];
  const switchport = reach(node.children, 'switchport-config', 'switchport').flatMap(({ children }) => children);
  const [mode] = reach(switchport, 'mode').flatMap(({ children }) => children);
  const accessVlan = reach(switchport, 'access', 'vlan', 'vlan')[0]?.value;
  const policies = reach(node.children, 'service-policy').flatMap(({ children }) => children);
  return [
    ...(accessVlan === undefined ? [] : [`switchport access vlan ${accessVlan}`]),
    ...(mode ? [`switchport mode ${mode.name}`] : []),
    ...securityLines(switchport, mode?.name === 'trunk' ? 'trunk' : 'access'),
    ...policies.map(({ name, value }) => `service-policy ${name} ${value}`),
  ].map((line) => ({ path, line }));
}

function securityLines(switchport: readonly DataNode[], mode: 'trunk' | 'access'): readonly string[] {
  const start = 'switchport port-security';
  const security = reach(switchport, 'port-security-config', 'port-security').flatMap(({ children }) => children);
  const addresses = reach(security, 'mac-address-config', 'mac-address').flatMap(({ children }) => children);
  return [
    ...reach(security, 'maxcount').map((node) => `${start} maximum ${leafOf(node, 'max-addresses')}`),
    ...reach(security, 'violation')
      .flatMap(({ children }) => children)
      .flatMap(({ name }) => (name === 'shutdown' ? [] : [`${start} violation ${name}`])),
    ...(reach(security, 'mac-address-sticky-on', 'mac-address', 'sticky').length > 0 ? [`${start} mac-address sticky`] : []),
    ...addresses.map((node) =>
      addressLine(
        { mode },
        {
          mac: macAddress(leafOf(node, 'hw-address') ?? '') ?? '',
          vlan: Number(leafOf(node, 'vlan')),
          type: leafOf(node, 'sticky') === undefined ? 'configured' : 'sticky',
        },
      ),
    ),
    ...(switchport.some(({ name }) => name === 'port-security-conf') ? [start] : []),
  ];
}

function classMapLines(node: DataNode): readonly PlacedLine[] {
  const parent = `class-map ${leafOf(node, 'prematch') ?? 'match-all'} ${leafOf(node, 'name')}`;
  const dscp = reach(node.children, 'match', 'dscp').map(({ value }) => ({ path: [parent], line: `match dscp ${value}` }));
  return [{ path: [], line: parent }, ...dscp];
}

function policyMapLines(node: DataNode): readonly PlacedLine[] {
  const parent = `policy-map ${leafOf(node, 'name')}`;
  const classes = reach(node.children, 'class').flatMap((each): readonly PlacedLine[] => {
    const line = `class ${leafOf(each, 'name')}`;
    return [
      { path: [parent], line },
      ...reach(each.children, 'action-list').map((action) => ({ path: [parent, line], line: actionLine(action) })),
    ];
  });
  return [{ path: [], line: parent }, ...classes];
}

function actionLine(action: DataNode): string {
  const type = leafOf(action, 'action-type') ?? '';
  const [value] = reach(action.children, type).flatMap(({ children }) => children);
  return value ? `${type} ${value.name} ${value.value}` : type;
}

/** The leafrefs and `must` of the models, at validate and commit. */
export function checkSwitchData(data: readonly DataNode[]): void {
  const native = reach(data, 'native').flatMap(({ children }) => children);
  const names = (list: string) => new Set(reach(native, 'policy', list).flatMap((node) => leafOf(node, 'name') ?? []));
  const [classMaps, policyMaps] = [names('class-map'), names('policy-map')];
  for (const node of reach(native, 'policy', 'policy-map', 'class')) {
    const name = leafOf(node, 'name') ?? '';
    if (name !== 'class-default' && !classMaps.has(name)) throw missing(`/native/policy/class-map[name='${name}']`);
  }
  for (const node of reach(native, 'interface', 'GigabitEthernet')) {
    const path = `/native/interface/GigabitEthernet[name='${leafOf(node, 'name')}']`;
    for (const attached of reach(node.children, 'service-policy').flatMap(({ children }) => children))
      if (!policyMaps.has(attached.value ?? '')) throw missing(`${path}/service-policy/${attached.name}`);
    checkInput(native, node, path);
    checkSticky(node, path);
  }
}

function missing(path: string): Refusal {
  return new Refusal({ type: 'application', tag: 'data-missing', message: `illegal reference ${path}`, path });
}

/** Queueing has no place in an input policy. */
function checkInput(native: readonly DataNode[], node: DataNode, path: string): void {
  const input = reach(node.children, 'service-policy', 'input')[0]?.value;
  const policy = reach(native, 'policy', 'policy-map').find((each) => input !== undefined && leafOf(each, 'name') === input);
  if (!policy || reach(policy.children, 'class', 'action-list').length === 0) return;
  const message = `policy-map ${input} has bandwidth or priority, which an input policy cannot have`;
  throw new Refusal({ type: 'application', tag: 'operation-failed', message, path: `${path}/service-policy/input` });
}

function checkSticky(node: DataNode, path: string): void {
  const security = reach(node.children, 'switchport-config', 'switchport', 'port-security-config', 'port-security');
  const children = security.flatMap((each) => each.children);
  const rows = reach(children, 'mac-address-config', 'mac-address').flatMap((each) => each.children);
  const on = reach(children, 'mac-address-sticky-on', 'mac-address', 'sticky').length > 0;
  if (on || !rows.some((row) => leafOf(row, 'sticky') !== undefined)) return;
  const message = 'Delete sticky addresses first, or turn sticky learning on.';
  throw new Refusal({ type: 'application', tag: 'operation-failed', message, path });
}
