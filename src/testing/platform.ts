// Owns: what the switches and gateways of a story are asked and told: answers in JSON, changes in the words of a Cisco
// command line. A hypervisor of a story is read as a real one is: libvirt's own platform asks it.
import { libvirt } from '../../adapters/platforms/libvirt/index.ts';
import { TargetError } from '../model/errors.ts';
import type { Desired, Resource } from '../model/intent.ts';
import type { QueryKind } from '../model/query.ts';
import { platformNameSchema } from '../model/target.ts';
import type { Command } from '../ports/actuator.ts';
import type { Dialogue, Platform, QueryReader, ResourceDriver } from '../ports/platform.ts';
import { type BgpNetwork, type BgpNetworkState, describeBgpNetwork } from '../resources/bgp-network.ts';
import {
  describeMacTableEntry,
  type MacTableEntry,
  type MacTableState,
  verifyMacTableEntry,
} from '../resources/mac-table-entry.ts';
import {
  describeServicePolicy,
  type ServicePolicy,
  type ServicePolicyState,
  verifyServicePolicy,
} from '../resources/service-policy.ts';
import { describeStickyMac, type StickyMac, type StickyMacState, verifyStickyMac } from '../resources/sticky-mac.ts';
import {
  describeViolationMode,
  type ViolationMode,
  type ViolationModeState,
  verifyViolationMode,
} from '../resources/violation-mode.ts';

/** What was answered to one line. Throws TargetError `unreadable`. */
function* asked<T>(line: string): Dialogue<T> {
  const { text } = yield { kind: 'cli', line };
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new TargetError(`the answer is cut short: "${text}"`, {
      code: 'unreadable',
      retry: false,
      remedy: 'Look at the device.',
    });
  }
}

const query =
  <Q extends QueryKind>(word: Q): QueryReader<Q> =>
  (_target, { about }) =>
    asked(about === undefined ? word : `${word} ${about}`);

const bgpNetworkDriver: ResourceDriver<BgpNetwork, BgpNetworkState> = {
  read: ({ prefix }) => asked(prefix),
  plan: (state, { prefix }, desired) =>
    state.configured === (desired === 'present')
      ? []
      : [{ kind: 'configure', lines: [`${desired === 'present' ? '' : 'no '}network ${prefix}`] }],
  verify(state, _resource, desired) {
    const advertised = Object.values(state.advertised).every((yes) => yes === (desired === 'present'));
    return advertised ? { effective: true } : { effective: false, missing: describeBgpNetwork(state) };
  },
  describe: describeBgpNetwork,
};

const stickyMacDriver: ResourceDriver<StickyMac, StickyMacState> = {
  read: ({ interface: name, mac, vlan }) => asked(`sticky-mac ${name} ${mac} ${vlan}`),
  plan: ({ rows }, { mac }) => (rows.length === 0 ? [] : [{ kind: 'cli', line: `clear port-security sticky address ${mac}` }]),
  verify: (state, _resource, desired) => verifyStickyMac(state, desired),
  describe: describeStickyMac,
};

const macTableDriver: ResourceDriver<MacTableEntry, MacTableState> = {
  read: ({ mac, vlan }) => asked(`mac-table ${mac} ${vlan}`),
  plan({ rows }, { mac, interface: name }, desired): readonly Command[] {
    const stale = rows.find((row) => row.interface === name);
    if (desired === 'present' || !stale) return [];
    if (stale.type === 'dynamic') return [{ kind: 'cli', line: `clear mac address-table dynamic address ${mac}` }];
    throw new TargetError(`the row of ${mac} at ${name} is static, which a clear does not remove`, {
      code: 'not-dynamic',
      retry: false,
      remedy: 'Clear its sticky address.',
    });
  },
  verify: verifyMacTableEntry,
  describe: describeMacTableEntry,
};

const servicePolicyDriver: ResourceDriver<ServicePolicy, ServicePolicyState> = {
  read: ({ interface: name }) => asked(`service-policy ${name}`),
  plan: ({ attached }, { interface: name, policy }, desired) =>
    (attached === policy) === (desired === 'present')
      ? []
      : [configure(name, `${desired === 'present' ? '' : 'no '}service-policy output ${policy}`)],
  verify: verifyServicePolicy,
  describe: describeServicePolicy,
  value: ({ attached }) => attached,
};

const violationModeDriver: ResourceDriver<ViolationMode, ViolationModeState> = {
  read: ({ interface: name }) => asked(`violation-mode ${name}`),
  plan: ({ mode }, resource, desired) =>
    (mode === resource.mode) === (desired === 'present')
      ? []
      : [
          configure(
            resource.interface,
            `${desired === 'present' ? '' : 'no '}switchport port-security violation${modeWord(resource, desired)}`,
          ),
        ],
  verify: verifyViolationMode,
  describe: describeViolationMode,
  value: ({ mode }) => mode,
};

const modeWord = ({ mode }: ViolationMode, desired: Desired): string => (desired === 'present' ? ` ${mode}` : '');

function configure(name: string, line: string): Command {
  return { kind: 'configure', lines: [`interface ${name}`, line] };
}

const driver = <R extends Resource, S>(one: ResourceDriver<R, S>): ResourceDriver => one as unknown as ResourceDriver;

/** The platform of every target of a story that is no hypervisor. */
const storyPlatform: Omit<Platform, 'name'> = {
  queries: {
    fhrp: query('fhrp'),
    'port-security': query('port-security'),
    switchport: query('switchport'),
    vnis: query('vnis'),
    'policy-maps': query('policy-maps'),
    routes: query('routes'),
    macs: query('macs'),
  },
  resources: {
    'bgp-network': driver(bgpNetworkDriver),
    'sticky-mac': driver(stickyMacDriver),
    'mac-table-entry': driver(macTableDriver),
    'service-policy': driver(servicePolicyDriver),
    'violation-mode': driver(violationModeDriver),
  },
};

export const storyPlatforms: Readonly<Record<string, Platform>> = {
  ...Object.fromEntries(platformNameSchema.options.map((name) => [name, { name, ...storyPlatform }])),
  libvirt,
};
