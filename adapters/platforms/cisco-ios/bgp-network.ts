// Owns: bgp-network on an IOS command line: what is configured, what is in the table, who is told; and the lines that
// change it. The prefix is compared by meaning: IOS shows 23.0.0.0/8 as the classful `network 23.0.0.0`.
import type { Target } from '../../../src/model/target.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import type { Dialogue, Looked, ResourceDriver } from '../../../src/ports/platform.ts';
import {
  type BgpNetwork,
  type BgpNetworkState,
  classfulLength,
  describeBgpNetwork,
  maskOf,
  verifyBgpNetwork,
} from '../../../src/resources/bgp-network.ts';
import { linesOf, readWhole, refusal, show, unreadable } from '../dialogue.ts';
import { type BgpFamily, type BgpInstance, bgpInstances, neighborsOf, prefixOf } from './bgp-config.ts';

/** Where a network statement is, or would go. */
export interface NetworkPlace {
  /** The lines that lead there from configuration mode. */
  readonly path: readonly string[];
  /** The statement as configured; a route-map behind it is part of it. */
  readonly line: string;
}

export interface CliBgpNetworkState extends BgpNetworkState {
  /** Every statement that means the prefix. */
  readonly found: readonly NetworkPlace[];
  /** The one to add. */
  readonly wanted: NetworkPlace;
}

export const iosBgpNetwork: ResourceDriver<BgpNetwork, CliBgpNetworkState> = {
  read: (resource, target) => readWhole(iosLook(resource, target)),
  look: iosLook,
  plan: planLines,
  verify: (state, _resource, desired) => verifyBgpNetwork(state, desired),
  describe: describeBgpNetwork,
};

export function* iosLook(resource: BgpNetwork, target: Target): Dialogue<Looked<CliBgpNetworkState>> {
  const config = yield* show('show running-config | section ^router bgp');
  const { as, found, wanted, neighbors } = configuredIn(config, resource, target);
  const state = { as, configured: found.length > 0, advertised: {}, found, wanted };
  return {
    state,
    *rest() {
      return { ...state, ...(yield* iosTables(resource, neighbors)) };
    },
  };
}

/** Adds the statement, or removes each that means the prefix, in the form it has. */
export function planLines(state: CliBgpNetworkState, _resource: BgpNetwork, desired: 'present' | 'absent'): readonly Command[] {
  if (desired === 'present') {
    if (state.configured) return [];
    return [{ kind: 'configure', lines: [...state.wanted.path, state.wanted.line] }];
  }
  return state.found.map(({ path, line }) => ({ kind: 'configure', lines: [...path, `no ${line}`] }));
}

export interface Configured {
  readonly as: number;
  readonly found: readonly NetworkPlace[];
  readonly wanted: NetworkPlace;
  readonly neighbors: readonly string[];
}

/** What the configuration says of the prefix, or a refusal where it could mean several things. */
export function configuredIn(config: string, resource: BgpNetwork, target: Target): Configured {
  const instance = theInstance(bgpInstances(config), resource, target);
  const router = instance.families[0]!;
  const families = instance.families.filter((family) => family.at === 'ipv4' && family.vrf === resource.vrf);
  const family = families[0] ?? (resource.vrf === 'default' ? router : undefined);
  if (!family) {
    throw refusal(
      'ambiguous-vrf',
      `${resource.target} has no address-family ipv4 for VRF ${resource.vrf} under router bgp ${instance.written}`,
      'Configure the address family, or correct the VRF of the gateway in the inventory.',
    );
  }
  const places = resource.vrf === 'default' ? new Set([router, family]) : new Set([family]);
  const found = [...places].flatMap((place) =>
    place.networks.filter((line) => prefixOf(line) === resource.prefix).map((line) => ({ path: pathTo(instance, place), line })),
  );
  const [address, length] = resource.prefix.split('/');
  const wanted = { path: pathTo(instance, family), line: `network ${address} mask ${maskOf(Number(length))}` };
  const base = resource.vrf === 'default' ? router : family;
  const neighbors = askedNeighbors(neighborsOf(instance, base, family), resource, target);
  return { as: instance.as, found, wanted, neighbors };
}

function pathTo(instance: BgpInstance, family: BgpFamily): readonly string[] {
  return [`router bgp ${instance.written}`, ...(family.line === '' ? [] : [family.line])];
}

/** The one instance meant. IOS has one AS; two mean that the output is of something else. */
function theInstance(instances: readonly BgpInstance[], resource: BgpNetwork, target: Target): BgpInstance {
  const [instance, second] = instances;
  if (!instance) throw noBgp(resource);
  if (second) {
    throw refusal(
      'ambiguous-as',
      `${resource.target} has several BGP instances (${instances.map((each) => each.written).join(', ')}), so which should advertise ${resource.prefix} is not clear`,
      'Leave one.',
    );
  }
  checkAs(instance.as, resource, target);
  return instance;
}

export function noBgp(resource: BgpNetwork) {
  return refusal(
    'no-bgp',
    `${resource.target} has no BGP configured`,
    'Configure router bgp, or take the target out of the gateway.',
  );
}

/** The inventory's AS, where it has one, is the box's. */
export function checkAs(as: number, resource: BgpNetwork, target: Target): void {
  const expected = target.bgp?.as;
  if (as !== 0 && (expected === undefined || expected === as)) return;
  throw refusal(
    'ambiguous-as',
    `${resource.target} runs BGP as AS ${as || 'unreadable'}, the inventory says AS ${expected ?? 'nothing'}`,
    'Correct bgp.as of the target in the inventory.',
  );
}

/** The inventory's neighbours, each of which must be configured there; without any, all that are. */
export function askedNeighbors(configured: readonly string[], resource: BgpNetwork, target: Target): readonly string[] {
  const asked = target.bgp?.neighbors ?? configured;
  const missing = asked.filter((neighbor) => !configured.includes(neighbor));
  if (missing.length === 0) return asked;
  throw refusal(
    'no-neighbor',
    `${resource.target} has no IPv4 unicast neighbor ${missing.join(', ')} in VRF ${resource.vrf}`,
    'Correct bgp.neighbors of the target in the inventory, or configure and activate them.',
  );
}

/** Table and advertised routes, by `show ip bgp`. */
export function* iosTables(
  resource: BgpNetwork,
  neighbors: readonly string[],
): Dialogue<Pick<BgpNetworkState, 'inTable' | 'advertised'>> {
  const scope = resource.vrf === 'default' ? 'show ip bgp' : `show ip bgp vpnv4 vrf ${resource.vrf}`;
  const [address, length] = resource.prefix.split('/');
  const entry = `${scope} ${address} ${maskOf(Number(length))}`;
  const inTable = originatesHere(entry, yield* show(entry), resource);
  const advertised: Record<string, boolean> = {};
  for (const neighbor of neighbors) {
    const command = `${scope} neighbors ${neighbor} advertised-routes`;
    advertised[neighbor] = advertisedIn(command, yield* show(command), resource.prefix, inTable);
  }
  return { inTable, advertised };
}

/** A path that is `sourced` (by network statement or redistribution, not learned) and `best`. */
export function originatesHere(command: string, text: string, resource: BgpNetwork): boolean {
  const lines = linesOf(text);
  if (lines.some((line) => /^\s*% ?Network not in table/i.test(line))) return false;
  if (lines.some((line) => /^\s*% ?BGP not active/i.test(line))) throw noBgp(resource);
  const header = lines.find((line) => /^BGP routing table entry for /.test(line));
  // VPNv4: the route distinguisher stands before the prefix, `65001:1:23.0.0.0/8`.
  const prefix = /^BGP routing table entry for (?:\S+:)?(\d+\.\d+\.\d+\.\d+(?:\/\d+)?)(?:,|$)/.exec(header ?? '')?.[1];
  if (!prefix || !lines.some((line) => /^\s*Paths: \(/.test(line))) throw unreadable(command, lines[0] ?? '(nothing)');
  if (explicit(prefix) !== resource.prefix) return false;
  return lines.some((line) => /^\s+Origin /.test(line) && /, sourced\b/.test(line) && /, best\b/.test(line));
}

/**
 * Whether the neighbour is told of the prefix as originated here. A router also passes on what it learned from others,
 * so a row counts where it is ours (weight 32768, no AS before the origin code) or where the best path is.
 * Rows are ` *>   23.0.0.0   0.0.0.0   0   32768 i`; a long prefix stands alone and its row goes on in the next line.
 * The answer is complete only with its trailer.
 */
export function advertisedIn(command: string, text: string, prefix: string, inTable: boolean): boolean {
  const lines = linesOf(text);
  const refused = lines.find((line) => /^\s*%/.test(line));
  if (refused)
    throw refusal('no-neighbor', `the target answered "${command}": ${refused.trim()}`, 'Check bgp.neighbors in the inventory.');
  if (!lines.some((line) => /^\s*Total number of prefixes \d+/.test(line)))
    throw unreadable(command, lines.at(-1) ?? '(nothing)');
  return lines.some((line, index) => {
    const match = /^[ a-zA-Z]{0,2}\*[>a-zA-Z ]{0,6}(\d+\.\d+\.\d+\.\d+(?:\/\d{1,2})?)(?:\s|$)/.exec(line);
    if (!match || explicit(match[1]!) !== prefix) return false;
    const rest = line.length > match[0].length ? line : (lines[index + 1] ?? '');
    return inTable || /\s32768\s+[ie?]$/.test(rest);
  });
}

/** IOS leaves the length out where it is the classful one. */
function explicit(network: string): string {
  if (network.includes('/')) return network;
  return network === '0.0.0.0' ? '0.0.0.0/0' : `${network}/${classfulLength(network)}`;
}
