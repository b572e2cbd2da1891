// Owns: what `router bgp` sections of a running-config say, for IOS, IOS-XE and FRR: their grammar is one. Tokens, not
// columns: IOS indents an address family by one space, FRR by one or two.
import { canonicalPrefix, classfulLength } from '../../../src/resources/bgp-network.ts';

/** One place where networks and neighbours are configured: the router itself, or one of its address families. */
export interface BgpFamily {
  /** `router` for lines outside any address family. */
  readonly at: 'router' | 'ipv4' | 'other';
  /** The line that opened it, to be sent again; empty for the router itself. */
  readonly line: string;
  readonly vrf: string;
  /** The `network …` lines, whole. */
  readonly networks: string[];
  /** Lines of neighbours by their address or peer-group name: what follows it. */
  readonly neighbors: Map<string, string[]>;
}

export interface BgpInstance {
  readonly as: number;
  /** What follows `router bgp `, as the configuration writes it: asdot and vrf included. */
  readonly written: string;
  /** FRR's `router bgp 65001 vrf X`. */
  readonly vrf: string;
  /** The router itself first, then its address families. */
  readonly families: BgpFamily[];
  /** `named` under `no bgp default ipv4-unicast`: a neighbour must be activated in the address family. */
  activates: 'all' | 'named';
}

/** `65001` or asdot `1.10` (RFC 5396) as a number. */
export function asNumber(written: string): number | undefined {
  const match = /^(\d{1,10})(?:\.(\d{1,5}))?$/.exec(written);
  if (!match) return undefined;
  const as = match[2] === undefined ? Number(match[1]) : Number(match[1]) * 65_536 + Number(match[2]);
  return as > 0 && as <= 4_294_967_295 ? as : undefined;
}

/** Every `router bgp` of a running-config or a section of it. */
export function bgpInstances(config: string): readonly BgpInstance[] {
  const instances: BgpInstance[] = [];
  let instance: BgpInstance | undefined;
  let family: BgpFamily | undefined;
  for (const raw of config.split('\n')) {
    const line = raw.trim();
    const opened = /^router bgp ((\S+)(?: vrf (\S+))?.*)$/.exec(line);
    if (opened) {
      const vrf = opened[3] ?? 'default';
      family = familyOf('router', '', vrf);
      instance = { as: asNumber(opened[2]!) ?? 0, written: opened[1]!, vrf, families: [family], activates: 'all' };
      instances.push(instance);
    } else if (/^[^\s!]/.test(raw) && !/^(?:exit-)?address-family\b/.test(line)) {
      instance = undefined; // Another section of a whole running-config.
    } else if (instance && family) family = member(instance, family, line);
  }
  return instances;
}

function familyOf(at: BgpFamily['at'], line: string, vrf: string): BgpFamily {
  return { at, line, vrf, networks: [], neighbors: new Map() };
}

/** Takes one line in; the family the next line belongs to. */
function member(instance: BgpInstance, family: BgpFamily, line: string): BgpFamily {
  const entered = /^address-family (\S+)(?: (?!vrf )(\S+))?(?: vrf (\S+))?/.exec(line);
  if (entered) {
    const unicast = entered[1] === 'ipv4' && (entered[2] ?? 'unicast') === 'unicast';
    const next = familyOf(unicast ? 'ipv4' : 'other', line, entered[3] ?? instance.vrf);
    instance.families.push(next);
    return next;
  }
  if (line.startsWith('exit-address-family')) return instance.families[0]!;
  const neighbor = /^(no )?neighbor (\S+) (.+)$/.exec(line);
  if (neighbor) {
    const said = family.neighbors.get(neighbor[2]!) ?? [];
    said.push(`${neighbor[1] ?? ''}${neighbor[3]}`);
    family.neighbors.set(neighbor[2]!, said);
  } else if (line.startsWith('network ')) family.networks.push(line);
  else if (line === 'no bgp default ipv4-unicast') instance.activates = 'named';
  return family;
}

/** The neighbours that `family` exchanges IPv4 unicast with; `base` is where their remote-as, or the template that has it, is. Shut ones hear nothing and are left out. */
export function neighborsOf(instance: BgpInstance, base: BgpFamily, family: BgpFamily): readonly string[] {
  const addresses = [...base.neighbors].filter(([name]) => /^\d+\.\d+\.\d+\.\d+$|:/.test(name));
  return addresses
    .filter(([name, said]) => {
      const group = said.find((words) => words.startsWith('peer-group '))?.slice('peer-group '.length);
      const of = (from: BgpFamily) => [...(from.neighbors.get(name) ?? []), ...((group && from.neighbors.get(group)) || [])];
      const here = of(family);
      const peers = [...of(base), ...here].some((words) => /^(?:remote-as|inherit peer-session) /.test(words));
      const shut = of(base).some((words) => /^shutdown\b/.test(words));
      if (!peers || shut || here.includes('no activate')) return false;
      return here.includes('activate') || instance.activates === 'all';
    })
    .map(([name]) => name);
}

/** The prefix a `network` line means: `23.0.0.0` (classful), `23.0.0.0 mask 255.0.0.0`, `23.0.0.0/8`. */
export function prefixOf(networkLine: string): string | undefined {
  const match = /^network (\d+\.\d+\.\d+\.\d+)(?:\/(\d+)| mask (\d+\.\d+\.\d+\.\d+))?/.exec(networkLine);
  if (!match) return undefined;
  const length = match[2] ?? (match[3] ? maskLength(match[3]) : classfulLength(match[1]!));
  try {
    return canonicalPrefix(`${match[1]}/${length}`);
  } catch {
    return undefined;
  }
}

/** `255.0.0.0` → 8; undefined where the ones are not in front. */
export function maskLength(mask: string): number | undefined {
  const octets = mask.split('.').map(Number);
  if (octets.length !== 4 || octets.some((octet) => !(octet <= 255))) return undefined;
  const bits = octets.map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}
