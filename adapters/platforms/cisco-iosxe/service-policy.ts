// Owns: service-policy on IOS-XE: configured over NETCONF where the target has it, and what is installed over the command
// line, which alone shows it. The model's paths: /native/interface/<type>[name]/service-policy/{input|output} and
// /native/policy/policy-map[name]/class[name]/action-list[action-type], both of Cisco-IOS-XE-policy.
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { ResourceDriver } from '../../../src/ports/platform.ts';
import { describeServicePolicy, type ServicePolicy, verifyServicePolicy } from '../../../src/resources/service-policy.ts';
import {
  type Change,
  configureLines,
  type FoundServicePolicyState,
  installedPolicy,
  planAttached,
  readServicePolicy,
  refuseQueueingOnInput,
} from '../cisco-ios/service-policy.ts';
import { interfaceWord, policyWord } from '../cisco-ios/words.ts';
import { refusal } from '../dialogue.ts';
import { requireCli } from './access.ts';
import { all, escapeXml, parseXml, textOf, type XmlElement } from './xml.ts';

interface IosxeServicePolicyState extends FoundServicePolicyState {
  readonly by: 'cli' | 'netconf';
}

export const iosxeServicePolicy: ResourceDriver<ServicePolicy, IosxeServicePolicyState> = {
  *read(resource, target) {
    requireCli(target, 'what is installed on an interface is read over the command line');
    const place = nativeInterface(resource.interface);
    if (!target.netconf || !place) return { ...(yield* readServicePolicy(resource)), by: 'cli' };
    const reply = yield { kind: 'get-config', filter: policyFilter(place, resource.policy) };
    const configured = nativePolicy(parseXml(reply.text), place, resource);
    return { ...configured, installed: yield* installedPolicy(resource), by: 'netconf' };
  },
  plan(state, resource, desired) {
    if (desired === 'present') refuseQueueingOnInput(state, resource);
    return planAttached(state, resource, desired, state.by === 'cli' ? configureLines : edit);
  },
  verify: verifyServicePolicy,
  describe: describeServicePolicy,
  value: ({ attached }) => attached,
};

const native = 'http://cisco.com/ns/yang/Cisco-IOS-XE-native';
const policyNamespace = 'http://cisco.com/ns/yang/Cisco-IOS-XE-policy';
const netconf = 'urn:ietf:params:xml:ns:netconf:base:1.0';

export interface NativeInterface {
  /** The list in /native/interface. */
  readonly list: string;
  readonly name: string;
}

/** Lists of /native/interface that are named as the interface is. Sub-interfaces of a port-channel have a list of another form. */
const lists: ReadonlySet<string> = new Set([
  'AppGigabitEthernet',
  'FastEthernet',
  'GigabitEthernet',
  'TwoGigabitEthernet',
  'FiveGigabitEthernet',
  'TenGigabitEthernet',
  'TwentyFiveGigE',
  'FortyGigabitEthernet',
  'HundredGigE',
  'Port-channel',
  'Tunnel',
  'Vlan',
]);

/** Undefined where the model has it elsewhere: then the command line is used. */
export function nativeInterface(written: string): NativeInterface | undefined {
  const [, list, name] = /^([A-Za-z-]+)(\d.*)$/.exec(interfaceName(interfaceWord(written)))!;
  if (!lists.has(list!) || (list === 'Port-channel' && name!.includes('.'))) return undefined;
  return { list: list!, name: name! };
}

function inPlace({ list, name }: NativeInterface, inner: string): string {
  return `<interface><${list}><name>${escapeXml(name)}</name><service-policy xmlns="${policyNamespace}">${inner}</service-policy></${list}></interface>`;
}

function policyFilter(place: NativeInterface, policy: string): string {
  const map = `<policy><policy-map xmlns="${policyNamespace}"><name>${escapeXml(policyWord(policy))}</name></policy-map></policy>`;
  return `<native xmlns="${native}">${map}${inPlace(place, '')}</native>`;
}

const queueingActions: ReadonlySet<string> = new Set(['bandwidth', 'priority', 'queue-limit', 'shape', 'random-detect']);

export function nativePolicy(
  data: readonly XmlElement[],
  place: NativeInterface,
  { direction, policy }: ServicePolicy,
): Omit<FoundServicePolicyState, 'installed'> {
  const port = all(data, 'native', 'interface', place.list).find(({ children }) => textOf(children, 'name') === place.name);
  const map = all(data, 'native', 'policy', 'policy-map').find(({ children }) => textOf(children, 'name') === policy);
  const attached = textOf(port?.children ?? [], 'service-policy', direction);
  const actions = all(map?.children ?? [], 'class', 'action-list', 'action-type').map(({ text }) => text);
  return {
    attached: attached === undefined || attached === '' ? null : attached,
    wanted: map ? { queueing: [...new Set(actions)].filter((action) => queueingActions.has(action)) } : 'missing',
  };
}

/** The leaf holds one name: merged, the new one takes the place of the old. Whatever cuts us off by it is taken back. */
const edit: Change = (resource, { detach, attach }) => {
  const place = nativeInterface(resource.interface);
  if (!place) throw refusal('bad-name', `${resource.interface} is not in the model`, 'Correct the interface in the inventory.');
  const leaf =
    attach === null
      ? `<${resource.direction} xmlns:nc="${netconf}" nc:operation="remove">${escapeXml(policyWord(detach!))}</${resource.direction}>`
      : `<${resource.direction}>${escapeXml(policyWord(attach))}</${resource.direction}>`;
  return { kind: 'edit', config: `<native xmlns="${native}">${inPlace(place, leaf)}</native>`, confirm: 'on-loss' };
};
