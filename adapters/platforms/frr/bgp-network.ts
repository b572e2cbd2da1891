// Owns: bgp-network on FRR: the running-config says what is configured, JSON what is in the table and who is told.
import { z } from 'zod';
import type { Target } from '../../../src/model/target.ts';
import type { Dialogue, Looked, ResourceDriver } from '../../../src/ports/platform.ts';
import {
  type BgpNetwork,
  type BgpNetworkState,
  describeBgpNetwork,
  verifyBgpNetwork,
} from '../../../src/resources/bgp-network.ts';
import { type BgpInstance, bgpInstances, neighborsOf, prefixOf } from '../cisco-ios/bgp-config.ts';
import { askedNeighbors, type CliBgpNetworkState, type Configured, checkAs, noBgp, planLines } from '../cisco-ios/bgp-network.ts';
import { readWhole, refusal, show, unreadable } from '../dialogue.ts';
import { parseJson } from './json.ts';

const entrySchema = z.object({
  warning: z.string().optional(),
  prefix: z.string().optional(),
  paths: z
    .array(
      z.object({
        sourced: z.boolean().optional(),
        valid: z.boolean().optional(),
        bestpath: z.object({ overall: z.boolean().optional() }).optional(),
      }),
    )
    .optional(),
});
const advertisedSchema = z.object({
  warning: z.string().optional(),
  advertisedRoutes: z.record(z.string(), z.object({ path: z.string().optional(), weight: z.number().optional() })).optional(),
});

export const frrBgpNetwork: ResourceDriver<BgpNetwork, CliBgpNetworkState> = {
  read: (resource, target) => readWhole(look(resource, target)),
  look,
  plan: planLines,
  verify: (state, _resource, desired) => verifyBgpNetwork(state, desired),
  describe: describeBgpNetwork,
};

function* look(resource: BgpNetwork, target: Target): Dialogue<Looked<CliBgpNetworkState>> {
  const command = 'show running-config';
  const config = yield* show(command);
  // FRR ends it so; without, half a configuration would read as "not configured".
  if (!/^end\s*$/m.test(config)) throw unreadable(command, config.trimEnd().split('\n').at(-1) ?? '');
  const { as, found, wanted, neighbors } = configuredIn(config, resource, target);
  const state = { as, configured: found.length > 0, advertised: {}, found, wanted };
  return {
    state,
    *rest() {
      return { ...state, ...(yield* tables(resource, neighbors)) };
    },
  };
}

function* tables(resource: BgpNetwork, neighbors: readonly string[]): Dialogue<Pick<BgpNetworkState, 'inTable' | 'advertised'>> {
  const scope = resource.vrf === 'default' ? 'show bgp ipv4 unicast' : `show bgp vrf ${resource.vrf} ipv4 unicast`;
  const inTable = yield* originatesHere(`${scope} ${resource.prefix} json`, resource);
  const advertised: Record<string, boolean> = {};
  for (const neighbor of neighbors) {
    advertised[neighbor] = yield* advertisedIn(`${scope} neighbors ${neighbor} advertised-routes json`, resource, inTable);
  }
  return { inTable, advertised };
}

/** FRR has an instance a VRF, each with its own AS; a view, or two for one VRF, is ambiguous. */
function configuredIn(config: string, resource: BgpNetwork, target: Target): Configured {
  const instances = bgpInstances(config);
  if (instances.length === 0) throw noBgp(resource);
  const instance = theInstance(instances, resource);
  checkAs(instance.as, resource, target);
  const router = instance.families[0]!;
  const families = instance.families.filter(({ at }) => at === 'ipv4');
  const family = families[0];
  const path = [`router bgp ${instance.written}`, family?.line ?? 'address-family ipv4 unicast'];
  const found = families.flatMap((place) =>
    place.networks.filter((line) => prefixOf(line) === resource.prefix).map((line) => ({ path, line })),
  );
  const neighbors = askedNeighbors(neighborsOf(instance, router, family ?? router), resource, target);
  return { as: instance.as, found, wanted: { path, line: `network ${resource.prefix}` }, neighbors };
}

function theInstance(instances: readonly BgpInstance[], resource: BgpNetwork): BgpInstance {
  const [instance, second] = instances.filter(({ vrf }) => vrf === resource.vrf);
  if (instance && !second) return instance;
  const written = instances.map((each) => each.written).join(', ');
  throw second
    ? refusal(
        'ambiguous-as',
        `${resource.target} has several BGP instances (${written}), so which should advertise ${resource.prefix} is not clear`,
        'Leave one for each VRF.',
      )
    : refusal(
        'ambiguous-vrf',
        `${resource.target} has no BGP instance for VRF ${resource.vrf}, only ${written}`,
        'Configure it, or correct the VRF of the gateway in the inventory.',
      );
}

/** A path that is `sourced` (by network statement or redistribution, not learned) and the best. */
function* originatesHere(command: string, resource: BgpNetwork): Dialogue<boolean> {
  const entry = parseJson(command, yield* show(command), entrySchema);
  if (entry.warning !== undefined) throw refused(command, entry.warning);
  if (entry.prefix !== resource.prefix) return false;
  return (entry.paths ?? []).some((path) => path.sourced === true && path.valid === true && path.bestpath?.overall === true);
}

/** As originated here: a router also passes on what it learned, so the row is ours (weight 32768, empty path) or the best path is. */
function* advertisedIn(command: string, resource: BgpNetwork, inTable: boolean): Dialogue<boolean> {
  const told = parseJson(command, yield* show(command), advertisedSchema);
  if (told.warning !== undefined || told.advertisedRoutes === undefined)
    throw refused(command, told.warning ?? 'no advertisedRoutes');
  if (!Object.hasOwn(told.advertisedRoutes, resource.prefix)) return false;
  const { path, weight } = told.advertisedRoutes[resource.prefix]!;
  return inTable || (path === '' && weight === 32_768);
}

function refused(command: string, warning: string) {
  return refusal(
    'refused-query',
    `the target answered "${command}": ${warning}`,
    'Check bgp.neighbors and the VRF in the inventory.',
  );
}
