// Owns: the access switches together: where hypervisors are plugged in, and the VXLAN between them. Every frame of a guest is
// taken as a broadcast (RARP and ARP are): it reaches every VTEP of its VNI.
import { type HypervisorName, hypervisorPorts, type SwitchName, switchNames, uplinkPort } from '../addresses.ts';
import { vnisOf } from './facts.ts';
import type { Switch } from './switch.ts';

/** What becomes of a frame at the port it comes in by. */
export type FrameFate = 'forwarded' | 'dropped';

export interface Fabric {
  readonly switches: Readonly<Record<SwitchName, Switch>>;
  /** A guest on this hypervisor says something. `mac` in lower case with colons. */
  frame(hypervisor: HypervisorName, mac: string, vlan: number): FrameFate;
  /** The same at any port, whoever is plugged in there. */
  frameAt(at: { readonly switch: SwitchName; readonly port: string }, mac: string, vlan: number): FrameFate;
  /** Where this switch would send what is for this address: a port, the tunnel, or everywhere. */
  towards(from: SwitchName, mac: string, vlan: number): string | 'flood';
}

export function createFabric(switches: Readonly<Record<SwitchName, Switch>>): Fabric {
  const tunnel = (from: SwitchName, mac: string, vlan: number) => {
    const vni = vnisOf(switches[from].running).find((each) => each.vlan === vlan)?.vni;
    if (vni === undefined || !switches[from].tunnelUp() || !switches[from].isUp(uplinkPort)) return;
    for (const to of switchNames) if (to !== from && switches[to].isUp(uplinkPort)) switches[to].tunnelled(vni, mac);
  };
  const frameAt: Fabric['frameAt'] = ({ switch: at, port }, mac, vlan) => {
    const fate = switches[at].frame(port, mac, vlan);
    if (fate === 'forwarded') tunnel(at, mac, vlan);
    return fate;
  };
  return {
    switches,
    frameAt,
    frame(hypervisor, mac, vlan) {
      const { switch: at, interface: port } = hypervisorPorts[hypervisor];
      return frameAt({ switch: at, port }, mac, vlan);
    },
    towards: (from, mac, vlan) => switches[from].macRows({ mac, vlan })[0]?.port ?? 'flood',
  };
}
