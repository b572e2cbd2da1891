// Owns: the way between a configuration's lines and Cisco-IOS-XE-native: CLI and NETCONF are two faces of one configuration.
import { classfulLength, maskOf } from '../../../src/resources/bgp-network.ts';
import type { Config, ConfigChange } from '../config.ts';
import {
  bgpOf,
  hostnameOf,
  type InterfaceFacts,
  interfacesOf,
  maskLength,
  networkLine,
  staticRoutesOf,
} from '../config-facts.ts';
import type { HsrpGroup } from '../hsrp.ts';
import { type DataNode, leafOf, reach } from './data-tree.ts';
import { Refusal } from './rpc-error.ts';
import { bgpNs, hsrpNs, nativeNs } from './schema.ts';

export const leaf = (ns: string, name: string, value: string): DataNode => ({ name, ns, value, children: [] });
export const branch = (ns: string, name: string, children: readonly DataNode[]): DataNode => ({ name, ns, children });
const parts = (prefix: string) => {
  const [number, length] = prefix.split('/') as [string, string];
  return { number, mask: maskOf(Number(length)), classful: Number(length) === classfulLength(number) };
};

export function nativeData(config: Config): readonly DataNode[] {
  const router = bgpData(config);
  return [
    branch(nativeNs, 'native', [
      leaf(nativeNs, 'hostname', hostnameOf(config)),
      branch(
        nativeNs,
        'interface',
        interfacesOf(config).flatMap((facts) => interfaceData(facts)),
      ),
      ...(router ? [branch(nativeNs, 'router', [router])] : []),
      ...routesData(config),
    ]),
  ];
}

export function routesData(config: Config): readonly DataNode[] {
  const routes = staticRoutesOf(config).map(({ prefix, via }) => {
    const { number, mask } = parts(prefix);
    return branch(nativeNs, 'ip-route-interface-forwarding-list', [
      leaf(nativeNs, 'prefix', number),
      leaf(nativeNs, 'mask', mask),
      branch(nativeNs, 'fwd-list', [leaf(nativeNs, 'fwd', via)]),
    ]);
  });
  return routes.length > 0 ? [branch(nativeNs, 'ip', [branch(nativeNs, 'route', routes)])] : [];
}

/** `more`: what the device's other modules put into it. */
export function interfaceData(facts: InterfaceFacts, more: readonly DataNode[] = []): DataNode[] {
  const match = /^(GigabitEthernet|Vlan)(\S+)$/.exec(facts.name);
  if (!match) return [];
  const { address, mask, description } = facts;
  const primary = address && mask ? [leaf(nativeNs, 'address', address), leaf(nativeNs, 'mask', mask)] : [];
  return [
    branch(nativeNs, match[1]!, [
      leaf(nativeNs, 'name', match[2]!),
      ...(description === undefined ? [] : [leaf(nativeNs, 'description', description)]),
      ...(facts.shutdown ? [leaf(nativeNs, 'shutdown', '')] : []),
      ...(primary.length > 0
        ? [branch(nativeNs, 'ip', [branch(nativeNs, 'address', [branch(nativeNs, 'primary', primary)])])]
        : []),
      ...more,
    ]),
  ];
}

function bgpData(config: Config): DataNode | undefined {
  const facts = bgpOf(config);
  const node = config.find(({ line }) => line.startsWith('router bgp '));
  if (!facts || !node) return undefined;
  const peers = node.children.flatMap(({ line }) => {
    const match = /^neighbor (\S+) remote-as (\d+)/.exec(line);
    return match ? [branch(bgpNs, 'neighbor', [leaf(bgpNs, 'id', match[1]!), leaf(bgpNs, 'remote-as', match[2]!)])] : [];
  });
  const logs = node.children.some(({ line }) => line === 'bgp log-neighbor-changes');
  const active = facts.neighbors.map(({ address }) =>
    branch(bgpNs, 'neighbor', [leaf(bgpNs, 'id', address), leaf(bgpNs, 'activate', '')]),
  );
  const networks = facts.networks
    .map(parts)
    .map(({ number, mask, classful }) =>
      classful
        ? branch(bgpNs, 'no-mask', [leaf(bgpNs, 'number', number)])
        : branch(bgpNs, 'with-mask', [leaf(bgpNs, 'number', number), leaf(bgpNs, 'mask', mask)]),
    );
  const unicast = [...active, ...(networks.length > 0 ? [branch(bgpNs, 'network', networks)] : [])];
  const family = branch(bgpNs, 'ipv4', [
    leaf(bgpNs, 'af-name', 'unicast'),
    ...(unicast.length > 0 ? [branch(bgpNs, 'ipv4-unicast', unicast)] : []),
  ]);
  return branch(bgpNs, 'bgp', [
    leaf(bgpNs, 'id', String(facts.as)),
    branch(bgpNs, 'bgp', [leaf(bgpNs, 'log-neighbor-changes', String(logs))]),
    ...peers,
    branch(bgpNs, 'address-family', [branch(bgpNs, 'no-vrf', [family])]),
  ]);
}

/** What a `must` of the model refuses, at validate and commit and not at edit-config. */
export function checkData(data: readonly DataNode[]): void {
  for (const bgp of reach(data, 'native', 'router', 'bgp')) {
    for (const network of networksOf(bgp, 'with-mask')) {
      const [number, mask] = [leafOf(network, 'number') ?? '', leafOf(network, 'mask') ?? ''];
      const path = `/native/router/bgp[id='${leafOf(bgp, 'id')}']/address-family/no-vrf/ipv4[af-name='unicast']/ipv4-unicast/network/with-mask[number='${number}'][mask='${mask}']`;
      const refuse = (message: string) => new Refusal({ type: 'application', tag: 'invalid-value', message, path });
      if (maskLength(mask) < 0) throw refuse(`"${mask}" is no contiguous mask`);
      if (maskLength(mask) === classfulLength(number))
        throw refuse('Default mask for network given, please configure network without a mask');
    }
  }
}

const networksOf = (bgp: DataNode, list: string) =>
  reach(bgp.children, 'address-family', 'no-vrf', 'ipv4', 'ipv4-unicast', 'network', list);

export interface PlacedLine {
  readonly path: readonly string[];
  readonly line: string;
}

/** What turns a configuration with some lines into one with others: lines taken away first, then lines added. */
export function changesBetween(
  old: readonly PlacedLine[],
  wanted: readonly PlacedLine[],
): readonly { change: ConfigChange; line: string }[] {
  const key = ({ path, line }: PlacedLine) => [...path, line].join('\n');
  const [had, has] = [new Set(old.map(key)), new Set(wanted.map(key))];
  const gone = old.filter((each) => !has.has(key(each)));
  const added = wanted.filter((each) => !had.has(key(each)));
  return [
    ...gone.map(({ path, line }) => ({
      change: { kind: 'unset', path, matches: new RegExp(`^${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) } as const,
      line: `no ${line}`,
    })),
    ...added.map(({ path, line }) => ({ change: { kind: 'set', path, line } as const, line })),
  ];
}

/** A router's. */
export function placedLines(data: readonly DataNode[]): readonly PlacedLine[] {
  const native = reach(data, 'native').flatMap(({ children }) => children);
  return [
    ...hostnameLines(native),
    ...['GigabitEthernet', 'Vlan'].flatMap((kind) =>
      reach(native, 'interface', kind).flatMap((port) => interfaceLines(kind, port)),
    ),
    ...reach(native, 'router', 'bgp').flatMap(bgpLines),
    ...routeLines(native),
  ];
}

export function hostnameLines(native: readonly DataNode[]): readonly PlacedLine[] {
  const hostname = native.find(({ name }) => name === 'hostname')?.value;
  return hostname === undefined ? [] : [{ path: [], line: `hostname ${hostname}` }];
}

export function routeLines(native: readonly DataNode[]): readonly PlacedLine[] {
  return reach(native, 'ip', 'route', 'ip-route-interface-forwarding-list').flatMap((route) =>
    reach(route.children, 'fwd-list').map((hop) => ({
      path: [],
      line: `ip route ${leafOf(route, 'prefix')} ${leafOf(route, 'mask')} ${leafOf(hop, 'fwd')}`,
    })),
  );
}

export function interfaceLines(kind: string, port: DataNode): readonly PlacedLine[] {
  const parent = `interface ${kind}${leafOf(port, 'name')}`;
  const path = [parent];
  const [primary] = reach(port.children, 'ip', 'address', 'primary');
  const description = leafOf(port, 'description');
  return [
    { path: [], line: parent },
    ...(description === undefined ? [] : [{ path, line: `description ${description}` }]),
    ...(leafOf(port, 'shutdown') === undefined ? [] : [{ path, line: 'shutdown' }]),
    ...(primary ? [{ path, line: `ip address ${leafOf(primary, 'address')} ${leafOf(primary, 'mask')}` }] : []),
  ];
}

function bgpLines(bgp: DataNode): readonly PlacedLine[] {
  const parent = `router bgp ${leafOf(bgp, 'id')}`;
  const path = [parent];
  const inFamily = [parent, 'address-family ipv4'];
  const unicast = reach(bgp.children, 'address-family', 'no-vrf', 'ipv4', 'ipv4-unicast');
  const prefixes = [
    ...networksOf(bgp, 'no-mask').map((node) => `${leafOf(node, 'number')}/${classfulLength(leafOf(node, 'number') ?? '')}`),
    ...networksOf(bgp, 'with-mask').map((node) => `${leafOf(node, 'number')}/${maskLength(leafOf(node, 'mask') ?? '')}`),
  ];
  return [
    { path: [], line: parent },
    ...reach(bgp.children, 'bgp').flatMap((inner) =>
      leafOf(inner, 'log-neighbor-changes') === 'true' ? [{ path, line: 'bgp log-neighbor-changes' }] : [],
    ),
    ...reach(bgp.children, 'neighbor').flatMap((peer) => {
      const as = leafOf(peer, 'remote-as');
      return as === undefined ? [] : [{ path, line: `neighbor ${leafOf(peer, 'id')} remote-as ${as}` }];
    }),
    ...prefixes.map((prefix) => ({ path: inFamily, line: networkLine(prefix) })),
    ...reach(
      unicast.flatMap(({ children }) => children),
      'neighbor',
    ).flatMap((peer) =>
      leafOf(peer, 'activate') === undefined ? [] : [{ path: inFamily, line: `neighbor ${leafOf(peer, 'id')} activate` }],
    ),
  ];
}

/** Cisco-IOS-XE-hsrp-oper. Its leaves are known; how the enum spells a state is not [weak]: the last word is the state. */
export function hsrpData(groups: readonly HsrpGroup[]): readonly DataNode[] {
  const rows = groups.map((group) => {
    const { facts, state } = group;
    const addressIn = (role: 'active' | 'standby') => (state === role ? facts.address : (group[role]?.address ?? '0.0.0.0'));
    const values: Readonly<Record<string, string>> = {
      'group-id': String(facts.group),
      'if-name': facts.interface,
      priority: String(facts.priority),
      preempt: String(facts.preempt),
      state: `hsrp-state-${state}`,
      'active-ip': addressIn('active'),
      'standby-ip': addressIn('standby'),
      'virtual-ip': facts.virtualIp,
    };
    return branch(
      hsrpNs,
      'hsrp-group-info',
      Object.entries(values).map(([name, value]) => leaf(hsrpNs, name, value)),
    );
  });
  return [branch(hsrpNs, 'hsrp-oper-data', rows)];
}
