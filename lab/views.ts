// Owns: what can be seen of the lab from outside: roles, state, the external router's routes, and waiting for a change.
import type { HsrpState } from '../src/model/meaning.ts';
import { byName, type GatewayName, gatewayNames, type LabAddresses, type SwitchName, switchNames } from './model/addresses.ts';
import { bgpOf } from './model/config-facts.ts';
import type { ExternalRoute, Network } from './model/network.ts';
import type { Fabric } from './model/switch/fabric.ts';
import type { GatewayState, LabState, SwitchState } from './verbs.ts';

/** A gateway's HSRP state on the LAN, or that it has no power. */
export type LabRole = HsrpState | 'off';

export interface LabViews {
  /** What the external router reaches through which gateway, now. */
  external(): readonly ExternalRoute[];
  /** Called after that changed. Returns what ends it. */
  onExternal(callback: (routes: readonly ExternalRoute[]) => void): () => void;
  /** On Vlan10, group 10: the gateway `lan23` of the inventory. */
  roles(): Readonly<Record<GatewayName, LabRole>>;
  /** Each gateway's power, faults, HSRP groups and networks, each switch's power, faults and ports, and what the external router sees. */
  state(): LabState;
  /** Resolves as soon as `predicate` holds; it is asked after every change of the network. Rejects with the signal's reason. */
  when(predicate: () => boolean, signal?: AbortSignal): Promise<void>;
}

/** Who wants to know that anything changed. */
export class Changes {
  readonly #watchers = new Set<() => void>();

  tell(): void {
    for (const watcher of this.#watchers) watcher();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  clear(): void {
    this.#watchers.clear();
  }
}

export interface ViewsOptions {
  readonly standing: (name: GatewayName | SwitchName) => readonly string[];
  readonly hypervisors: () => LabState['hypervisors'];
  readonly changes: Changes;
}

export function labViews(network: Network, addresses: LabAddresses, { standing, hypervisors, changes }: ViewsOptions): LabViews {
  const { external } = network;
  return {
    external,
    roles: () => byName(gatewayNames, (name) => roleOf(network, name)),
    state: () => ({
      gateways: gatewayNames.map((name) => ({
        address: addresses[name],
        faults: standing(name),
        ...gatewayState(network, name),
      })),
      switches: switchNames.map((name) => ({
        address: addresses[name],
        faults: standing(name),
        ...switchState(network.fabric, name),
      })),
      hypervisors: hypervisors(),
      external: external(),
    }),
    onExternal(callback) {
      let before = JSON.stringify(external());
      return changes.watch(() => {
        const now = JSON.stringify(external());
        if (now === before) return;
        before = now;
        callback(external());
      });
    },
    when: (predicate, signal) => until(changes, predicate, signal),
  };
}

function until(changes: Changes, predicate: () => boolean, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (predicate()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const aborted = () => {
      unwatch();
      reject(signal?.reason);
    };
    const unwatch = changes.watch(() => {
      if (!predicate()) return;
      unwatch();
      signal?.removeEventListener('abort', aborted);
      resolve();
    });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

function gatewayState({ devices }: Network, gateway: GatewayName): Omit<GatewayState, 'address' | 'faults'> {
  const device = devices[gateway];
  const hsrp = device.groups().map(({ facts, state }) => {
    return { interface: facts.interface, group: facts.group, state, priority: facts.priority };
  });
  return { gateway, power: device.powered ? 'on' : 'off', hsrp, networks: bgpOf(device.running)?.networks ?? [] };
}

function switchState({ switches }: Fabric, name: SwitchName): Omit<SwitchState, 'address' | 'faults'> {
  const device = switches[name];
  const interfaces = device.interfaces();
  const ports = device.ports().map((port): SwitchState['ports'][number] => {
    const state = interfaces.find((each) => each.name === port.name);
    return {
      interface: port.name,
      status: state?.errDisabled ? 'err-disabled' : state?.up ? 'up' : 'down',
      violations: device.security.violations(port.name),
      violation: port.security?.violation ?? null,
      secure: device.secureRows({ port: port.name }).map(({ mac, vlan, type }) => `${mac} vlan ${vlan} ${type}`),
      output: port.output ?? null,
    };
  });
  return { switch: name, power: device.powered ? 'on' : 'off', ports };
}

function roleOf({ devices }: Network, name: GatewayName): LabRole {
  if (!devices[name].powered) return 'off';
  const group = devices[name].groups().find(({ facts }) => facts.interface === 'Vlan10' && facts.group === 10);
  return group?.state ?? 'init';
}
