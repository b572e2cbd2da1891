// Owns: the simulated network on the wire: two hypervisors, two gateways, an external router and two access switches on loopback
// addresses, in this process.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Wall } from '../src/ports/wall.ts';
import { type Control, type OnVerb, serveControl } from './control.ts';
import { createFaults, type Faults } from './faults.ts';
import { writeInventory } from './inventory.ts';
import {
  byName,
  type DeviceName,
  type GatewayName,
  gatewayNames,
  type HypervisorName,
  hypervisorNames,
  type LabAddresses,
  labAddresses,
  routerNames,
  type SwitchName,
  switchNames,
} from './model/addresses.ts';
import type { ConfigWrite } from './model/chassis.ts';
import { routerCommands } from './model/cli/exec-commands.ts';
import { switchCommands } from './model/cli/switch-exec.ts';
import { createHypervisors, type Hypervisors, type HypervisorsOptions } from './model/hypervisor.ts';
import { routerModels } from './model/netconf/models.ts';
import { switchModels } from './model/netconf/switch-models.ts';
import { createNetwork, defaultTimers, type Network, type NetworkTimers } from './model/network.ts';
import type { ShowContext } from './model/show/show-context.ts';
import type { Fabric } from './model/switch/fabric.ts';
import { appendWrite, readWrites } from './servers/change-log.ts';
import { createHost, type Host, type HostOptions } from './servers/host.ts';
import { createLibvirtServer } from './servers/libvirt-server.ts';
import { labAccess } from './servers/secrets.ts';
import { createSwitchFaults, type SwitchFaults } from './switch-faults.ts';
import { Changes, type LabViews, labViews } from './views.ts';

export { type GatewayName, gatewayNames, type LabAddresses, labPorts } from './model/addresses.ts';
export type { ConfigWrite } from './model/chassis.ts';
export type { ExternalRoute } from './model/network.ts';
export type { GatewayState, LabState, SwitchState } from './verbs.ts';
export type { LabRole } from './views.ts';

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
  /** Which VMs run where; web1, db1 and app1, unless said otherwise. */
  readonly vms?: HypervisorsOptions<HypervisorName>['vms'];
  /** Told what another terminal asks for, before it is done; not of what is refused. */
  readonly onVerb?: OnVerb;
}

export interface Lab extends Faults, LabViews {
  readonly addresses: LabAddresses;
  /** The access switches: what guests say, and what becomes of it. */
  readonly fabric: Fabric;
  readonly switchFaults: SwitchFaults;
  readonly hypervisors: Hypervisors<HypervisorName>;
  /** The inventory.yaml it wrote. */
  readonly inventoryPath: string;
  /** Every line that ever reached the device's configuration, from its log. */
  writes(name: DeviceName): readonly ConfigWrite[];
  stop(): Promise<void>;
}

/** Rejects with an OperatorError, code `lab-address-in-use` where another lab has the addresses. */
export async function startLab({ dir: folder, wall, net = 23, timers, vms, onVerb }: LabOptions): Promise<Lab> {
  const dir = resolve(folder);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const times: LabTimers = { ...defaults, ...timers };
  const access = labAccess(dir);
  const addresses = labAddresses(net);
  const changes = new Changes();
  const network = createNetwork({
    wall,
    timers: times,
    addresses,
    emit: (name, event) => hosts[name].emit(event),
    log: (write) => appendWrite(dir, write),
    changed: () => changes.tell(),
  });
  const hosts: Readonly<Record<DeviceName, Host>> = createHosts({ wall, network, addresses, access, answerMs: times.answerMs });
  const { hypervisors, libvirtds } = plugIn({ wall, addresses, network, changes, vms });
  const stopped = new AbortController();
  const { standing, ...faults } = createFaults({ wall, network, hosts, bootMs: times.bootMs, stopped: stopped.signal });
  const { fabric } = network;
  const switchFaults = createSwitchFaults({ wall, fabric, hosts, bootMs: times.bootMs, stopped: stopped.signal });
  const standingOf = (name: GatewayName | SwitchName) => {
    const gateway = gatewayNames.find((each) => each === name);
    return gateway ? standing(gateway) : switchFaults.standing(name as SwitchName);
  };
  const views = labViews(network, addresses, { standing: standingOf, hypervisors: () => hypervisors.state(), changes });

  let control: Control | undefined;
  const end = async () => {
    stopped.abort();
    changes.clear();
    await control?.stop();
    hypervisors.stop();
    await Promise.all(libvirtds.map((libvirtd) => libvirtd.stop()));
    network.stop();
    for (const host of Object.values(hosts)) host.stop();
  };
  let ended: Promise<void> | undefined;
  const stop = () => {
    ended ??= end();
    return ended;
  };
  try {
    for (const host of Object.values(hosts)) await host.open();
    for (const libvirtd of libvirtds) await libvirtd.open();
    control = await serveControl(dir, { ...faults, ...views, switchFaults, hypervisors }, wall, onVerb);
    const inventoryPath = writeInventory(dir, addresses, access);
    return {
      ...faults,
      ...views,
      fabric,
      switchFaults,
      hypervisors,
      addresses,
      inventoryPath,
      writes: (name) => readWrites(dir, name),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface HostsOptions extends Pick<HostOptions, 'wall' | 'addresses' | 'access' | 'answerMs'> {
  readonly network: Network;
}

/** Every router and switch on the wire. */
function createHosts({ network, ...shared }: HostsOptions): Readonly<Record<DeviceName, Host>> {
  const routers = byName(routerNames, (name) => {
    const [device, { bgp }] = [network.devices[name], network];
    const commands = (context: ShowContext) => routerCommands({ ...context, device, bgp });
    const models = device.platform === 'cisco-iosxe' ? { models: routerModels(device) } : {};
    return createHost({ ...shared, device, commands, ...models, groups: () => device.groups() });
  });
  const switches = byName(switchNames, (name) => {
    const device = network.fabric.switches[name];
    const commands = (context: ShowContext) => switchCommands({ ...context, device });
    const models = device.platform === 'cisco-iosxe' ? { models: switchModels(device) } : {};
    return createHost({ ...shared, device, commands, ...models, secure: device });
  });
  return { ...routers, ...switches };
}

interface PlugInOptions {
  readonly wall: Wall;
  readonly addresses: LabAddresses;
  readonly network: Network;
  readonly changes: Changes;
  readonly vms: LabOptions['vms'];
}

/** The hypervisors behind the access switches, each with its libvirtd. */
function plugIn({ wall, addresses, network, changes, vms }: PlugInOptions) {
  const hypervisors = createHypervisors({
    wall,
    names: hypervisorNames,
    addresses,
    frame: (on, mac, vlan) => void network.fabric.frame(on, mac, vlan),
    changed: () => changes.tell(),
    ...(vms ? { vms } : {}),
  });
  const libvirtds = hypervisorNames.map((name) =>
    createLibvirtServer({ host: hypervisors.hosts[name], hypervisors, wall, address: addresses[name] }),
  );
  return { hypervisors, libvirtds };
}
