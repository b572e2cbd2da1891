// Owns: the words authors want with: bgpNetwork(member, '23.0.0.0/8'). Each makes the desire of a resource.
import { type BgpNetwork, canonicalPrefix } from '../resources/bgp-network.ts';
import { present, type ResourceDesire } from './desire.ts';

/** The prefix is originated into BGP on this target (in the member's VRF), and advertised. */
export function bgpNetwork(on: { readonly target: string; readonly vrf?: string }, prefix: string): ResourceDesire<BgpNetwork> {
  return present({ kind: 'bgp-network', target: on.target, prefix: canonicalPrefix(prefix), vrf: on.vrf ?? 'default' });
}
