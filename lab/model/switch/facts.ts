// Owns: what the lines of a switch's configuration mean: ports, port security, policies, VXLAN.
import { type Config, childrenOf } from '../config.ts';
import { interfacesOf } from '../config-facts.ts';
import { dottedMac, macAddress } from './mac.ts';

export type ViolationMode = 'shutdown' | 'restrict' | 'protect';
export const violationModes = ['shutdown', 'restrict', 'protect'] as const satisfies readonly ViolationMode[];

/** A secure address that has a line in the configuration. */
export interface ConfiguredAddress {
  readonly mac: string;
  readonly vlan: number;
  readonly type: 'sticky' | 'configured';
}

export interface SecurityFacts {
  readonly enabled: boolean;
  readonly maximum: number;
  readonly violation: ViolationMode;
  /** Whether what is learned becomes a line of the configuration. */
  readonly sticky: boolean;
  readonly addresses: readonly ConfiguredAddress[];
}

export interface PortFacts {
  readonly name: string;
  readonly mode: 'access' | 'trunk' | 'dynamic' | 'routed';
  readonly accessVlan: number;
  readonly nativeVlan: number;
  /** Of a trunk. */
  readonly allowed: 'all' | readonly number[];
  readonly security: SecurityFacts;
  readonly input: string | undefined;
  readonly output: string | undefined;
}

const firstMatch = (nodes: Config, pattern: RegExp) =>
  nodes.map(({ line }) => pattern.exec(line)).find((match) => match !== null);
const first = (nodes: Config, pattern: RegExp) => firstMatch(nodes, pattern)?.[1];

/** Every GigabitEthernet; a port with `no switchport` is routed. */
export function portsOf(config: Config): readonly PortFacts[] {
  return interfacesOf(config).flatMap(({ name }) =>
    name.startsWith('GigabitEthernet') ? [portFacts(name, childrenOf(config, `interface ${name}`))] : [],
  );
}

function portFacts(name: string, lines: Config): PortFacts {
  const has = (wanted: string) => lines.some(({ line }) => line === wanted);
  const switched = has('switchport mode access') ? 'access' : has('switchport mode trunk') ? 'trunk' : 'dynamic';
  const mode: PortFacts['mode'] = has('no switchport') ? 'routed' : switched;
  const accessVlan = Number(first(lines, /^switchport access vlan (\d+)$/) ?? 1);
  const allowed = first(lines, /^switchport trunk allowed vlan ([\d,-]+)$/);
  const port = {
    name,
    mode,
    accessVlan,
    nativeVlan: Number(first(lines, /^switchport trunk native vlan (\d+)$/) ?? 1),
    allowed: allowed === undefined ? ('all' as const) : vlanList(allowed),
    input: first(lines, /^service-policy input (\S+)$/),
    output: first(lines, /^service-policy output (\S+)$/),
  };
  return { ...port, security: securityFacts(lines, mode === 'trunk' ? port.nativeVlan : accessVlan) };
}

function securityFacts(lines: Config, untaggedVlan: number): SecurityFacts {
  return {
    enabled: lines.some(({ line }) => line === 'switchport port-security'),
    maximum: Number(first(lines, /^switchport port-security maximum (\d+)$/) ?? 1),
    violation: (first(lines, /^switchport port-security violation (restrict|protect)$/) ?? 'shutdown') as ViolationMode,
    sticky: lines.some(({ line }) => line === 'switchport port-security mac-address sticky'),
    addresses: lines.flatMap(({ line }) => {
      const match = /^switchport port-security mac-address (sticky )?([0-9a-f.]{14})(?: vlan (\d+))?$/.exec(line);
      const mac = match && macAddress(match[2]!);
      return mac ? [{ mac, vlan: Number(match[3] ?? untaggedVlan), type: match[1] ? 'sticky' : 'configured' }] : [];
    }),
  };
}

/** `10,20-22` → 10, 20, 21, 22. */
export function vlanList(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: Math.max(0, Math.min(to, 4094) - from + 1) }, (_, i) => from + i);
  });
}

export function carriesVlan({ mode, accessVlan, allowed }: PortFacts, vlan: number): boolean {
  if (mode === 'trunk') return allowed === 'all' || allowed.includes(vlan);
  return mode !== 'routed' && vlan === accessVlan;
}

/** The line that a secure address has on this port. */
export function addressLine(
  port: Pick<PortFacts, 'mode'>,
  { mac, vlan, type }: { mac: string; vlan: number; type: string },
): string {
  const where = port.mode === 'trunk' ? ` vlan ${vlan}` : '';
  return `switchport port-security mac-address ${type === 'sticky' ? 'sticky ' : ''}${dottedMac(mac)}${where}`;
}

export interface ClassMapFacts {
  readonly name: string;
  readonly match: 'match-any' | 'match-all';
  /** `cs4`. */
  readonly dscp: readonly string[];
}

export function classMapsOf(config: Config): readonly ClassMapFacts[] {
  return config.flatMap(({ line, children }) => {
    const match = /^class-map (match-any|match-all) (\S+)$/.exec(line);
    const dscp = children.flatMap((child) => /^match dscp (\S+)$/.exec(child.line)?.[1] ?? []);
    return match ? [{ name: match[2]!, match: match[1] as 'match-any' | 'match-all', dscp }] : [];
  });
}

export interface PolicyMapFacts {
  readonly name: string;
  readonly classes: readonly { readonly name: string /** `bandwidth percent 40`. */; readonly actions: readonly string[] }[];
}

export function policyMapsOf(config: Config): readonly PolicyMapFacts[] {
  return config.flatMap(({ line, children }) => {
    const name = /^policy-map (\S+)$/.exec(line)?.[1];
    if (name === undefined) return [];
    const classes = children.flatMap((child) => {
      const of = /^class (\S+)$/.exec(child.line)?.[1];
      return of === undefined ? [] : [{ name: of, actions: child.children.map((action) => action.line) }];
    });
    return [{ name, classes }];
  });
}

export interface VniFacts {
  readonly vni: number;
  readonly vlan: number | undefined;
}

/** VNIs that nve1 has, and the VLAN that each is in. */
export function vnisOf(config: Config): readonly VniFacts[] {
  const vlans = config.flatMap(({ line, children }) => {
    const vlan = first([{ line, children }], /^vlan configuration (\d+)$/);
    const vni = first(children, /^member vni (\d+)$/);
    return vlan && vni ? [{ vlan: Number(vlan), vni: Number(vni) }] : [];
  });
  return childrenOf(config, 'interface nve1').flatMap(({ line }) => {
    const vni = /^member vni (\d+)$/.exec(line)?.[1];
    if (vni === undefined) return [];
    return [{ vni: Number(vni), vlan: vlans.find((each) => each.vni === Number(vni))?.vlan }];
  });
}
