// Owns: what Cisco-IOS-XE-native says of BGP networks, and the edits that change them. The model's paths, under
// /native/router/bgp[id]: neighbor[id], bgp/default/ipv4-unicast, and for the networks
// address-family/no-vrf/ipv4[af-name='unicast']/ipv4-unicast/network/{with-mask[number mask] | no-mask[number]} or
// address-family/with-vrf/ipv4[af-name='unicast']/vrf[name]/ipv4-unicast/network/….
import type { Target } from '../../../src/model/target.ts';
import { type BgpNetwork, canonicalPrefix, classfulLength, maskOf } from '../../../src/resources/bgp-network.ts';
import { asNumber, maskLength } from '../cisco-ios/bgp-config.ts';
import { askedNeighbors, checkAs, noBgp } from '../cisco-ios/bgp-network.ts';
import { refusal } from '../dialogue.ts';
import { all, escapeXml, textOf, type XmlElement } from './xml.ts';

const nativeNamespace = 'http://cisco.com/ns/yang/Cisco-IOS-XE-native';
const bgpNamespace = 'http://cisco.com/ns/yang/Cisco-IOS-XE-bgp';
const netconfNamespace = 'urn:ietf:params:xml:ns:netconf:base:1.0';

export const bgpFilter = `<native xmlns="${nativeNamespace}"><router><bgp xmlns="${bgpNamespace}"/></router></native>`;

/** A network list entry: `no-mask` has the classful length, `with-mask` its own. */
export interface NativeNetwork {
  readonly list: 'no-mask' | 'with-mask';
  readonly number: string;
  readonly mask: string | undefined;
}

export interface NativeConfigured {
  readonly as: number;
  /** The list key as the target writes it, asdot included. */
  readonly id: string;
  readonly found: readonly NativeNetwork[];
  readonly neighbors: readonly string[];
}

/** What the configuration says of the prefix, or a refusal where it could mean several things. */
export function nativeConfigured(data: readonly XmlElement[], resource: BgpNetwork, target: Target): NativeConfigured {
  const instances = all(data, 'native', 'router', 'bgp');
  const [bgp, second] = instances;
  if (!bgp) throw noBgp(resource);
  const id = textOf(bgp.children, 'id') ?? '';
  if (second) {
    throw refusal(
      'ambiguous-as',
      `${resource.target} has several BGP instances (${instances.map((each) => textOf(each.children, 'id')).join(', ')}), so which should advertise ${resource.prefix} is not clear`,
      'Leave one.',
    );
  }
  const as = asNumber(id) ?? 0;
  checkAs(as, resource, target);
  const family = familyOf(bgp, resource);
  const networks = all(family, 'network');
  const found = [
    ...networks.flatMap((network) => listed(network, 'no-mask')),
    ...networks.flatMap((network) => listed(network, 'with-mask')),
  ];
  return {
    as,
    id,
    found: found.filter((network) => prefixOf(network) === resource.prefix),
    neighbors: askedNeighbors(activeNeighbors(bgp, family, resource), resource, target),
  };
}

/** The children of `ipv4-unicast` for the VRF. The global family may be absent: it is there by default. */
function familyOf(bgp: XmlElement, resource: BgpNetwork): readonly XmlElement[] {
  const unicast = (scope: string) =>
    all(bgp.children, 'address-family', scope, 'ipv4').filter(({ children }) => textOf(children, 'af-name') === 'unicast');
  if (resource.vrf === 'default')
    return unicast('no-vrf')
      .flatMap(({ children }) => all(children, 'ipv4-unicast'))
      .flatMap(inside);
  const vrf = unicast('with-vrf')
    .flatMap(({ children }) => all(children, 'vrf'))
    .find(({ children }) => textOf(children, 'name') === resource.vrf);
  if (vrf) return all(vrf.children, 'ipv4-unicast').flatMap(inside);
  throw refusal(
    'ambiguous-vrf',
    `${resource.target} has no address-family ipv4 for VRF ${resource.vrf} under router bgp`,
    'Configure the address family, or correct the VRF of the gateway in the inventory.',
  );
}

const inside = ({ children }: XmlElement): readonly XmlElement[] => children;

function listed(network: XmlElement, list: NativeNetwork['list']): readonly NativeNetwork[] {
  return all(network.children, list).flatMap(({ children }) => {
    const number = textOf(children, 'number');
    return number === undefined ? [] : [{ list, number, mask: textOf(children, 'mask') }];
  });
}

function prefixOf({ list, number, mask }: NativeNetwork): string | undefined {
  const length = list === 'no-mask' ? classfulLength(number) : maskLength(mask ?? '');
  try {
    return canonicalPrefix(`${number}/${length}`);
  } catch {
    return undefined;
  }
}

/** Those with a remote AS, not shut, and activated for IPv4 unicast: named so, or by default. */
function activeNeighbors(bgp: XmlElement, family: readonly XmlElement[], resource: BgpNetwork): readonly string[] {
  const inFamily = all(family, 'neighbor');
  const peers = resource.vrf === 'default' ? all(bgp.children, 'neighbor') : inFamily;
  const byDefault = textOf(bgp.children, 'bgp', 'default', 'ipv4-unicast') !== 'false';
  const idOf = ({ children }: XmlElement): string => textOf(children, 'id') ?? '';
  return peers
    .filter((peer) => {
      const here = inFamily.find((neighbor) => idOf(neighbor) === idOf(peer));
      const shut = on(peer, 'shutdown');
      const active = here ? on(here, 'activate') : byDefault;
      return /^\d+\.\d+\.\d+\.\d+$|:/.test(idOf(peer)) && !shut && active;
    })
    .map(idOf);
}

/** Whether a leaf of type empty or boolean is set. */
function on(element: XmlElement, leaf: string): boolean {
  const text = textOf(element.children, leaf);
  return text !== undefined && text !== 'false';
}

/** The entry for a prefix. The model refuses a mask that is the classful one (`must` on with-mask): 23.0.0.0/8 takes no-mask. */
export function nativeNetwork(prefix: string): NativeNetwork {
  const [number, length] = prefix.split('/') as [string, string];
  if (classfulLength(number) === Number(length)) return { list: 'no-mask', number, mask: undefined };
  return { list: 'with-mask', number, mask: maskOf(Number(length)) };
}

/** The configuration to merge: entries added, or removed by their keys. */
export function nativeEdit(id: string, vrf: string, networks: readonly NativeNetwork[], operation: 'merge' | 'remove'): string {
  const attribute = operation === 'remove' ? ` xmlns:nc="${netconfNamespace}" nc:operation="remove"` : '';
  const entries = networks.map(({ list, number, mask }) => {
    const keys = `<number>${escapeXml(number)}</number>${mask === undefined ? '' : `<mask>${escapeXml(mask)}</mask>`}`;
    return `<${list}${attribute}>${keys}</${list}>`;
  });
  const unicast = `<ipv4-unicast><network>${entries.join('')}</network></ipv4-unicast>`;
  const scoped =
    vrf === 'default'
      ? `<no-vrf><ipv4><af-name>unicast</af-name>${unicast}</ipv4></no-vrf>`
      : `<with-vrf><ipv4><af-name>unicast</af-name><vrf><name>${escapeXml(vrf)}</name>${unicast}</vrf></ipv4></with-vrf>`;
  const bgp = `<bgp xmlns="${bgpNamespace}"><id>${escapeXml(id)}</id><address-family>${scoped}</address-family></bgp>`;
  return `<native xmlns="${nativeNamespace}"><router>${bgp}</router></native>`;
}
