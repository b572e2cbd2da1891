// Owns: bgp-network on IOS-XE: configured over NETCONF where the target has it, proved over the command line. The models
// tell what is configured, not reliably who was told: `show ip bgp … advertised-routes` does.
import type { Target } from '../../../src/model/target.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import type { Dialogue, Looked, ResourceDriver } from '../../../src/ports/platform.ts';
import {
  type BgpNetwork,
  type BgpNetworkState,
  describeBgpNetwork,
  verifyBgpNetwork,
} from '../../../src/resources/bgp-network.ts';
import { type CliBgpNetworkState, iosLook, iosTables, planLines } from '../cisco-ios/bgp-network.ts';
import { readWhole, refusal } from '../dialogue.ts';
import { bgpFilter, type NativeNetwork, nativeConfigured, nativeEdit, nativeNetwork } from './native.ts';
import { parseXml } from './xml.ts';

export interface NativeBgpNetworkState extends BgpNetworkState {
  readonly id: string;
  readonly found: readonly NativeNetwork[];
}

type IosxeState =
  | { readonly by: 'cli'; readonly cli: CliBgpNetworkState }
  | { readonly by: 'netconf'; readonly native: NativeBgpNetworkState };

const stateOf = (state: IosxeState): BgpNetworkState => (state.by === 'cli' ? state.cli : state.native);

export const iosxeBgpNetwork: ResourceDriver<BgpNetwork, IosxeState> = {
  read: (resource, target) => readWhole(look(resource, target)),
  look,
  plan(state, resource, desired) {
    return state.by === 'cli' ? planLines(state.cli, resource, desired) : planEdit(state.native, resource, desired);
  },
  verify: (state, _resource, desired) => verifyBgpNetwork(stateOf(state), desired),
  describe: (state) => describeBgpNetwork(stateOf(state)),
};

function* look(resource: BgpNetwork, target: Target): Dialogue<Looked<IosxeState>> {
  if (!target.netconf) {
    const { state: cli, rest } = yield* iosLook(resource, target);
    return {
      state: { by: 'cli', cli },
      *rest() {
        return { by: 'cli', cli: yield* rest() };
      },
    };
  }
  requireCli(resource, target);
  const reply = yield { kind: 'get-config', filter: bgpFilter };
  const { as, id, found, neighbors } = nativeConfigured(parseXml(reply.text), resource, target);
  const native = { as, configured: found.length > 0, advertised: {}, id, found };
  return {
    state: { by: 'netconf', native },
    *rest() {
      return { by: 'netconf', native: { ...native, ...(yield* iosTables(resource, neighbors)) } };
    },
  };
}

/** What gives service is never taken back because we died (`never`); what takes it away is, if we cannot confirm it. */
function planEdit(state: NativeBgpNetworkState, resource: BgpNetwork, desired: 'present' | 'absent'): readonly Command[] {
  if (state.configured === (desired === 'present')) return [];
  const { id, found } = state;
  return desired === 'present'
    ? [{ kind: 'edit', config: nativeEdit(id, resource.vrf, [nativeNetwork(resource.prefix)], 'merge'), confirm: 'never' }]
    : [{ kind: 'edit', config: nativeEdit(id, resource.vrf, found, 'remove'), confirm: 'on-loss' }];
}

function requireCli(resource: BgpNetwork, target: Target): void {
  if (target.cli) return;
  throw refusal(
    'no-cli',
    `${resource.target} has no cli access, and over NETCONF alone it cannot be proved that ${resource.prefix} is advertised`,
    'Give the target a cli section as well.',
  );
}
