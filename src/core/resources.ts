// Owns: the words authors want with: bgpNetwork(member, '23.0.0.0/8'). Each makes the desire of a resource.
import { OperatorError } from '../model/errors.ts';
import { type BgpNetwork, canonicalPrefix } from '../resources/bgp-network.ts';
import type { MacTableEntry } from '../resources/mac-table-entry.ts';
import type { ServicePolicy } from '../resources/service-policy.ts';
import type { StickyMac } from '../resources/sticky-mac.ts';
import type { ViolationMode } from '../resources/violation-mode.ts';
import type { VmPlacement } from '../resources/vm-placement.ts';
import { present, type ResourceDesire } from './desire.ts';
import type { EgressPort, Port } from './facts.ts';

/** The prefix is originated into BGP on this target (in the member's VRF), and advertised. */
export function bgpNetwork(on: { readonly target: string; readonly vrf?: string }, prefix: string): ResourceDesire<BgpNetwork> {
  return present({ kind: 'bgp-network', target: on.target, prefix: prefixOf(prefix), vrf: on.vrf ?? 'default' });
}

function prefixOf(written: string): string {
  try {
    return canonicalPrefix(written);
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    const { summary, remedy } = thrown;
    throw new OperatorError(`bgpNetwork(): ${summary}`, { code: 'prefix-invalid', remedy, cause: thrown });
  }
}

/** Port security knows this address as sticky on this port. Usually wanted `.absent({ stays: '5s' })`. */
export function stickyMac(port: Port, mac: string): ResourceDesire<StickyMac> {
  const { target, interface: name, vlan } = port;
  return present({ kind: 'sticky-mac', target, interface: name, mac: mac.toLowerCase(), vlan });
}

/** The switch has this address in its MAC address table at this port. Never written to be there: it is only seen. */
export function macTableEntry(port: Port, mac: string): ResourceDesire<MacTableEntry> {
  const { target, interface: name, vlan } = port;
  return present({ kind: 'mac-table-entry', target, interface: name, mac: mac.toLowerCase(), vlan });
}

/** A policy-map is attached to the interface. */
export function servicePolicy(
  port: EgressPort,
  direction: ServicePolicy['direction'],
  policy: string,
): ResourceDesire<ServicePolicy> {
  return present({ kind: 'service-policy', target: port.target, interface: port.interface, direction, policy });
}

/** What port security does on a violation at this port. */
export function violationMode(port: EgressPort, mode: ViolationMode['mode']): ResourceDesire<ViolationMode> {
  return present({ kind: 'violation-mode', target: port.target, interface: port.interface, mode });
}

/** The VM is on another hypervisor: migrates it there. */
export function vmPlacement(placement: Omit<VmPlacement, 'kind'>): ResourceDesire<VmPlacement> {
  return present({ kind: 'vm-placement', ...placement });
}
