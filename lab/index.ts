// Owns: the simulated network on the wire: two gateways and an external router on loopback addresses, in this process.
import { mkdirSync } from 'node:fs';
import type { HsrpState } from '../src/model/meaning.ts';
import type { Wall } from '../src/ports/wall.ts';
import { type Control, serveControl } from './control.ts';
import { createFaults, type Faults } from './faults.ts';
import { writeInventory } from './inventory.ts';
import { type DeviceName, type GatewayName, gatewayNames, type LabAddresses, labAddresses } from './model/addresses.ts';
import { bgpOf } from './model/config-facts.ts';
import type { ConfigWrite } from './model/device.ts';
import { createNetwork, defaultTimers, type ExternalRoute, type Network, type NetworkTimers } from './model/network.ts';
import { appendWrite, readWrites } from './servers/change-log.ts';
import { createHost, type Host } from './servers/host.ts';
import { labHostKey, labSecret } from './servers/secrets.ts';
import { snmpCommunity } from './servers/snmp.ts';
import type { GatewayState, LabState } from './verbs.ts';

export { type GatewayName, gatewayNames, type LabAddresses, labPorts } from './model/addresses.ts';
export type { ConfigWrite } from './model/device.ts';
export type { ExternalRoute } from './model/network.ts';

export interface LabTimers extends NetworkTimers {
  readonly bootMs: number;
  /** Shortest and longest time a device takes to answer a command. */
  readonly answerMs: readonly [min: number, max: number];
}

/** IOS on a quiet router answers within some ten milliseconds. A real one boots in minutes. */
const defaults: LabTimers = { ...defaultTimers, bootMs: 300, answerMs: [5, 20] };

export interface LabOptions {
  /** Inventory, secrets, host keys, logs and the control socket go here; made where it is missing. */
  readonly dir: string;
  readonly wall: Wall;
  /** 23, unless said otherwise: devices are at 127.23.0.x. */
  readonly net?: number;
  readonly timers?: Partial<LabTimers>;
}

export type { GatewayState, LabState } from './verbs.ts';

/** A gateway's HSRP state on the LAN, or that it has no power. */
export type LabRole = HsrpState | 'off';

export interface Lab extends Faults {
  readonly addresses: LabAddresses;
  /** The inventory.yaml it wrote. */
  readonly inventoryPath: string;
  /** What the external router reaches through which gateway, now. */
  external(): readonly ExternalRoute[];
  /** Called after that changed. Returns what ends it. */
  onExternal(callback: (routes: readonly ExternalRoute[]) => void): () => void;
  /** On Vlan10, group 10: the gateway `lan23` of the inventory. */
  roles(): Readonly<Record<GatewayName, LabRole>>;
  /** Each gateway's power, faults, HSRP groups and networks, and what the external router sees. */
  state(): LabState;
  /** Every line that ever reached the device's configuration, from its log. */
  writes(name: DeviceName): readonly ConfigWrite[];
  /** Resolves as soon as `predicate` holds; it is asked after every change of the network. Rejects with the signal's reason. */
  when(predicate: () => boolean, signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

const user = 'offbox';

/** Rejects with an OperatorError, code `lab-address-in-use` where another lab has the addresses. */
export async function startLab({ dir, wall, net = 23, timers }: LabOptions): Promise<Lab> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const addresses = labAddresses(net);
  const times: LabTimers = { ...defaults, ...timers };
  const secrets = {
    password: labSecret(dir, 'password'),
    enable: labSecret(dir, 'enable-password'),
    community: labSecret(dir, 'snmp-community', () => snmpCommunity),
  };
  const names: readonly DeviceName[] = [...gatewayNames, 'ext'];
  const keys = byName(names, (name) => labHostKey(`${dir}/devices`, name));
  const watchers = new Set<() => void>();
  const hosts: Partial<Record<DeviceName, Host>> = {};

  const network = createNetwork({
    wall,
    timers: times,
    addresses,
    emit: (name, event) => hosts[name]?.emit(event),
    log: (write) => appendWrite(dir, write),
    changed: () => {
      for (const each of watchers) each();
    },
  });
  for (const name of names)
    hosts[name] = createHost({
      device: network.devices[name],
      bgp: network.bgp,
      wall,
      addresses,
      hostKey: keys[name].key,
      user,
      password: secrets.password.value,
      enablePassword: secrets.enable.value,
      answerMs: times.answerMs,
    });
  const stopped = new AbortController();
  let control: Control | undefined;
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= end();
    return stopping;
  };
  const end = async () => {
    stopped.abort();
    await control?.stop();
    watchers.clear();
    network.stop();
    for (const host of Object.values(hosts)) await host.stop();
  };
  const all = hosts as Readonly<Record<DeviceName, Host>>;
  const { standing, ...faults } = createFaults({ wall, network, hosts: all, bootMs: times.bootMs, stopped: stopped.signal });
  const state = () => labState(network, addresses, standing);
  try {
    for (const host of Object.values(all)) await host.open();
    control = await serveControl(dir, { ...faults, state, external: network.external }, wall);
  } catch (error) {
    await stop();
    throw error;
  }

  const inventoryPath = writeInventory({
    dir,
    addresses,
    user,
    passwordFile: secrets.password.path,
    enableFile: secrets.enable.path,
    communityFile: secrets.community.path,
    fingerprints: byName(gatewayNames, (name) => keys[name].fingerprint),
  });
  return {
    ...faults,
    ...watching(network, watchers),
    state,
    addresses,
    inventoryPath,
    roles: () => byName(gatewayNames, (name) => roleOf(network, name)),
    writes: (name) => readWrites(dir, name),
    stop,
  };
}

function labState(
  { devices, external }: Network,
  addresses: LabAddresses,
  standing: (name: GatewayName) => readonly string[],
): LabState {
  const gateways = gatewayNames.map((gateway): GatewayState => {
    const device = devices[gateway];
    const rows = device.groups().map(({ facts, state }) => ({
      interface: facts.interface,
      group: facts.group,
      state,
      priority: facts.priority,
    }));
    const networks = bgpOf(device.running)?.networks ?? [];
    const power = device.powered ? 'on' : 'off';
    return { gateway, address: addresses[gateway], power, faults: standing(gateway), hsrp: rows, networks };
  });
  return { gateways, external: external() };
}

function watching(network: Network, watchers: Set<() => void>): Pick<Lab, 'external' | 'onExternal' | 'when'> {
  return {
    external: network.external,
    onExternal(callback) {
      let before = JSON.stringify(network.external());
      const watch = () => {
        const now = JSON.stringify(network.external());
        if (now === before) return;
        before = now;
        callback(network.external());
      };
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    when: (predicate, signal) =>
      new Promise((resolve, reject) => {
        const end = () => {
          watchers.delete(watch);
          signal?.removeEventListener('abort', aborted);
        };
        const aborted = () => {
          end();
          reject(signal?.reason);
        };
        const watch = () => {
          if (!predicate()) return;
          end();
          resolve();
        };
        watchers.add(watch);
        signal?.addEventListener('abort', aborted);
        if (signal?.aborted) aborted();
        else watch();
      }),
  };
}

function roleOf({ devices }: Network, name: GatewayName): LabRole {
  if (!devices[name].powered) return 'off';
  const group = devices[name].groups().find(({ facts }) => facts.interface === 'Vlan10' && facts.group === 10);
  return group?.state ?? 'init';
}

function byName<N extends string, V>(names: readonly N[], value: (name: N) => V): Record<N, V> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<N, V>;
}
