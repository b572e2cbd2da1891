// Owns: what the lab can do to a gateway, and the order in which wire and model hear of it.
import type { Wall } from '../src/ports/wall.ts';
import { byName, type GatewayName, gatewayNames, lanPrefix } from './model/addresses.ts';
import type { Network } from './model/network.ts';
import { createPower } from './power.ts';
import type { Host } from './servers/host.ts';

export interface ReloadOptions {
  /** The startup configuration holds a network statement from another time. */
  readonly stale: boolean;
}
export interface FlapOptions {
  readonly times: number;
  readonly everyMs: number;
}

export interface Faults {
  /** Power off: the LAN, BGP and every session hear nothing more; new connections are refused. */
  fail(name: GatewayName): Promise<void>;
  /** Ends every fault of the gateway but a split; without power it boots from its startup configuration. Resolves when it is reachable. */
  restore(name: GatewayName): Promise<void>;
  /** Off and on again. Resolves when it is reachable. */
  reload(name: GatewayName, options: ReloadOptions): Promise<void>;
  /** Cuts the LAN between the gateway and the others, while every link stays up: both are active. */
  split(name: GatewayName): void;
  heal(): void;
  /** The LAN link down and up again, `times` times. Resolves after the last. */
  flap(name: GatewayName, options: FlapOptions): Promise<void>;
  /** Its syslog and its traps are lost. */
  silence(name: GatewayName): void;
  /** Its SSH and NETCONF accept and say nothing. */
  hang(name: GatewayName): void;
  /** The LAN side; BGP stays. */
  linkDown(name: GatewayName): void;
  linkUp(name: GatewayName): void;
}

/** A fault that stays until it is ended. */
export type StandingFault = 'hang' | 'silence' | 'split' | 'link-down';

export interface FaultsOptions {
  readonly wall: Wall;
  readonly network: Network;
  readonly hosts: Readonly<Record<GatewayName, Host>>;
  readonly bootMs: number;
  readonly stopped: AbortSignal;
}

const lanInterfaces = ['Vlan10', 'Vlan20'];

export interface FaultControl extends Faults {
  standing(name: GatewayName): readonly StandingFault[];
}

export function createFaults({ wall, network, hosts, bootMs, stopped }: FaultsOptions): FaultControl {
  const held: Readonly<Record<GatewayName, Set<StandingFault>>> = { 'gw-a': new Set(), 'gw-b': new Set() };
  const power = byName(gatewayNames, (name) =>
    createPower({ device: network.devices[name], host: hosts[name], wall, bootMs, stopped }),
  );

  /** False where the lab was stopped meanwhile. */
  const pause = (ms: number) =>
    wall.sleep(ms, stopped).then(
      () => true,
      () => false,
    );
  const setLan = (name: GatewayName, to: 'up' | 'down') => {
    if (to === 'down') held[name].add('link-down');
    else held[name].delete('link-down');
    for (const each of lanInterfaces) network.devices[name].setLink(each, to);
  };

  return {
    standing: (name) => [...held[name], ...(network.splits().includes(name) ? (['split'] as const) : [])],
    fail: async (name) => power[name].off(),
    async restore(name) {
      hosts[name].unhang();
      hosts[name].unsilence();
      held[name].clear();
      setLan(name, 'up');
      if (!network.devices[name].powered) await power[name].boot();
    },
    async reload(name, { stale }) {
      if (stale) network.makeStartupStale(name, lanPrefix);
      network.devices[name].syslog('SYS-5-RELOAD', 'Reload requested by the lab. Reload Reason: Reload Command.');
      power[name].off();
      await power[name].boot();
    },
    split: (name) => network.split(name),
    heal: () => network.heal(),
    async flap(name, { times, everyMs }) {
      for (let i = 0; i < 2 * times && !stopped.aborted; i++) {
        setLan(name, i % 2 === 0 ? 'down' : 'up');
        await pause(everyMs);
      }
    },
    silence: (name) => {
      held[name].add('silence');
      hosts[name].silence();
    },
    hang: (name) => {
      held[name].add('hang');
      hosts[name].hang();
    },
    linkDown: (name) => setLan(name, 'down'),
    linkUp: (name) => setLan(name, 'up'),
  };
}
