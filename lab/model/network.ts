// Owns: the simulated network as a whole: two gateways on two VLANs, an external router, two access switches with VXLAN
// between them, and what can befall them.
import type { Wall } from '../../src/ports/wall.ts';
import {
  byName,
  type DeviceName,
  type GatewayName,
  gatewayNames,
  type LabAddresses,
  type RouterName,
  switchNames,
  uplinks,
} from './addresses.ts';
import { Bgp, type BgpTimers } from './bgp.ts';
import type { ConfigWrite } from './chassis.ts';
import { applyChange, parseConfig } from './config.ts';
import { networkLine } from './config-facts.ts';
import { startupText } from './default-config.ts';
import { Device } from './device.ts';
import type { DeviceEvent } from './device-events.ts';
import type { HsrpGroup, HsrpPacket } from './hsrp.ts';
import { createSegment, type Segment } from './segment.ts';
import { switchStartupText } from './switch/default-config.ts';
import { createFabric, type Fabric } from './switch/fabric.ts';
import { Switch } from './switch/switch.ts';

export interface NetworkTimers extends BgpTimers {
  readonly helloMs: number;
  readonly holdMs: number;
}

/** See default-config.ts for HSRP. A real router's BGP hold is 180 s. */
export const defaultTimers: NetworkTimers = {
  helloMs: 300,
  holdMs: 1000,
  propagationMs: 100,
  bgpHoldMs: 600,
  bgpConnectMs: 200,
};

export interface NetworkOptions {
  readonly wall: Wall;
  readonly timers: NetworkTimers;
  readonly addresses: LabAddresses;
  readonly emit: (name: DeviceName, event: DeviceEvent) => void;
  readonly log: (write: ConfigWrite) => void;
  /** After anything that a watcher may wait for changed. */
  readonly changed: () => void;
}

export interface ExternalRoute {
  readonly prefix: string;
  /** The gateways it can be reached through. */
  readonly via: readonly string[];
}

export interface Network {
  readonly devices: Readonly<Record<RouterName, Device>>;
  readonly bgp: Bgp;
  readonly fabric: Fabric;
  /** What the external router has learned, by prefix. */
  external(): readonly ExternalRoute[];
  /** Puts a network statement into the startup configuration that nobody asked for. */
  makeStartupStale(name: GatewayName, prefix: string): void;
  split(name: GatewayName): void;
  heal(): void;
  splits(): readonly string[];
  stop(): void;
}

export function createNetwork(options: NetworkOptions): Network {
  const { wall, timers, addresses } = options;
  const segments = new Map<string, Segment<HsrpPacket>>(['Vlan10', 'Vlan20'].map((vlan) => [vlan, createSegment()]));
  let bgp: Bgp | undefined;

  const device = (name: RouterName): Device =>
    new Device({
      name,
      platform: name === 'gw-b' ? 'cisco-iosxe' : 'cisco-ios',
      startup: parseConfig(startupText(name, addresses, timers)),
      wall,
      segments: name === 'ext' ? new Map() : segments,
      emit: (event) => options.emit(name, event),
      log: options.log,
      changed: () => {
        bgp?.evaluate();
        options.changed();
      },
    });
  const devices = { 'gw-a': device('gw-a'), 'gw-b': device('gw-b'), ext: device('ext') };

  bgp = new Bgp({
    wall,
    timers,
    links: gatewayNames.map((name) => [
      { device: devices[name], address: uplinks[name].address },
      { device: devices.ext, address: uplinks[name].neighbor },
    ]),
    changed: options.changed,
  });
  const routing = bgp;
  const fabric = createFabric(
    byName(switchNames, (name) => {
      const platform = name === 'acc-2' ? 'cisco-iosxe' : 'cisco-ios';
      const startup = parseConfig(switchStartupText(name, addresses));
      const { log, changed } = options;
      return new Switch({ name, platform, startup, wall, emit: (event) => options.emit(name, event), log, changed });
    }),
  );
  seedHsrp(devices);
  routing.seed();

  return {
    devices,
    bgp: routing,
    fabric,
    external: () => externalRoutes(routing, devices.ext),
    makeStartupStale(name, prefix) {
      const path = [`router bgp ${uplinks[name].as}`, 'address-family ipv4'];
      devices[name].setStartup(applyChange(devices[name].startup, { kind: 'set', path, line: networkLine(prefix) }));
    },
    split: (name) => {
      for (const segment of segments.values()) segment.split(name);
      options.changed();
    },
    heal: () => {
      for (const segment of segments.values()) segment.heal();
      options.changed();
    },
    splits: () => [...new Set([...segments.values()].flatMap((segment) => [...segment.splits]))],
    stop() {
      for (const each of [...Object.values(devices), ...Object.values(fabric.switches)]) each.powerOff();
      routing.stop();
    },
  };
}

/** Nobody wants to wait three hold times before anything happens: the elections are long over when the lab starts. */
function seedHsrp(devices: Readonly<Record<RouterName, Device>>): void {
  const sameGroup = (a: HsrpGroup, b: HsrpGroup) => a.facts.interface === b.facts.interface && a.facts.group === b.facts.group;
  for (const group of devices['gw-a'].groups()) {
    const other = devices['gw-b'].groups().find((each) => sameGroup(each, group));
    const first = !other || group.facts.priority >= other.facts.priority;
    devices['gw-a'].seedHsrp(first ? 'active' : 'standby', group, other);
    if (other) devices['gw-b'].seedHsrp(first ? 'standby' : 'active', other, group);
  }
}

function externalRoutes(bgp: Bgp, ext: Device): readonly ExternalRoute[] {
  const routes = new Map<string, string[]>();
  for (const side of bgp.sides(ext)) {
    const name = gatewayNames.find((each) => uplinks[each].address === side.neighbor) ?? side.neighbor;
    for (const prefix of side.received.keys()) routes.set(prefix, [...(routes.get(prefix) ?? []), name].sort());
  }
  return [...routes].map(([prefix, via]) => ({ prefix, via })).sort((a, b) => a.prefix.localeCompare(b.prefix));
}
