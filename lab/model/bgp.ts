// Owns: BGP between the simulated routers: sessions that come, hang and go, and routes that take a while to arrive.
//
// B1 A router originates a network only if the exact prefix is in its routing table (IOS synchronises with the RIB).
// B2 A dead neighbour is noticed when the hold time is over, a cut cable of one's own at once (fast external fallover).
// B3 A route is not sent back to whom it came from. With a star of one external router no path can come round otherwise.
import type { Wall } from '../../src/ports/wall.ts';
import { addressNumber, bgpOf, prefixOf, staticRoutesOf } from './config-facts.ts';
import type { Device } from './device.ts';

export interface BgpPath {
  readonly prefix: string;
  readonly asPath: readonly number[];
  readonly nextHop: string;
  /** The neighbour it came from; undefined for our own. */
  readonly from: string | undefined;
  /** Of the caller's monotonic clock. */
  readonly since: number;
}

export interface BgpSide {
  readonly device: Device;
  readonly address: string;
  readonly neighbor: string;
  /** Of the monotonic clock; undefined while not Established. */
  readonly establishedAt: number | undefined;
  readonly received: ReadonlyMap<string, BgpPath>;
}

export interface BgpTimers {
  readonly propagationMs: number;
  readonly bgpHoldMs: number;
  readonly bgpConnectMs: number;
}

interface Side extends BgpSide {
  establishedAt: number | undefined;
  received: Map<string, BgpPath>;
  cancelSend: (() => void) | undefined;
}

interface Link {
  readonly sides: readonly [Side, Side];
  cancelConnect: (() => void) | undefined;
  cancelHold: (() => void) | undefined;
}

export interface BgpOptions {
  readonly wall: Wall;
  readonly timers: BgpTimers;
  readonly links: readonly (readonly [BgpEnd, BgpEnd])[];
  /** After a table changed. */
  readonly changed: (device: Device) => void;
}
export interface BgpEnd {
  readonly device: Device;
  readonly address: string;
}

export class Bgp {
  readonly #wall: Wall;
  readonly #timers: BgpTimers;
  readonly #links: readonly Link[];
  readonly #changed: (device: Device) => void;

  constructor({ wall, timers, links, changed }: BgpOptions) {
    this.#wall = wall;
    this.#timers = timers;
    this.#changed = changed;
    this.#links = links.map(([one, other]) => ({
      sides: [sideOf(one, other), sideOf(other, one)],
      cancelConnect: undefined,
      cancelHold: undefined,
    }));
  }

  /** Looks at everything again; to be called after a device changed. */
  evaluate(): void {
    for (const link of this.#links) this.#evaluateLink(link);
    for (const side of this.#allSides()) this.#send(side);
  }

  sides(device: Device): readonly BgpSide[] {
    return this.#sidesOf(device);
  }

  /** Every path to every prefix, the best one first. */
  table(device: Device): ReadonlyMap<string, readonly BgpPath[]> {
    const table = new Map<string, BgpPath[]>();
    const add = (path: BgpPath) => table.set(path.prefix, [...(table.get(path.prefix) ?? []), path]);
    for (const prefix of originated(device)) add({ prefix, asPath: [], nextHop: '0.0.0.0', from: undefined, since: 0 });
    for (const side of this.#sidesOf(device)) for (const path of side.received.values()) add(path);
    for (const paths of table.values()) paths.sort(betterFirst);
    return new Map([...table].sort(([a], [b]) => addressNumber(a.split('/')[0]!) - addressNumber(b.split('/')[0]!)));
  }

  advertised(device: Device, neighbor: string): readonly BgpPath[] {
    return this.#sidesOf(device).flatMap((side) => (side.neighbor === neighbor ? this.#advertisedOver(side) : []));
  }

  /** Sessions up and routes exchanged, as after a long quiet time. */
  seed(): void {
    for (const side of this.#allSides()) side.establishedAt = this.#wall.monotonic();
    for (const side of this.#allSides()) this.#deliver(side);
  }

  stop(): void {
    for (const { cancelConnect, cancelHold, sides } of this.#links) {
      cancelConnect?.();
      cancelHold?.();
      for (const { cancelSend } of sides) cancelSend?.();
    }
  }

  #allSides(): readonly Side[] {
    return this.#links.flatMap(({ sides }) => sides);
  }

  #sidesOf(device: Device): readonly Side[] {
    return this.#allSides().filter((side) => side.device === device);
  }

  #peerOf(side: Side): Side {
    return this.#allSides().find(({ address }) => address === side.neighbor)!;
  }

  /** Law B3. */
  #advertisedOver(side: Side): readonly BgpPath[] {
    const as = bgpOf(side.device.running)?.as;
    if (side.establishedAt === undefined || as === undefined) return [];
    return [...this.table(side.device).values()].flatMap(([best]) =>
      best && best.from !== side.neighbor ? [{ ...best, asPath: [as, ...best.asPath], nextHop: side.address }] : [],
    );
  }

  #send(side: Side): void {
    side.cancelSend ??= this.#wall.after(this.#timers.propagationMs, () => {
      side.cancelSend = undefined;
      this.#deliver(side);
    });
  }

  /** Everything the peer is to know, as one update; the same again changes nothing and goes no further. */
  #deliver(side: Side): void {
    const peer = this.#peerOf(side);
    if (side.establishedAt === undefined || peer.establishedAt === undefined) return;
    const routes = this.#advertisedOver(side);
    const key = (path: BgpPath) => `${path.prefix} ${path.asPath.join(' ')}`;
    const before = new Map([...peer.received.values()].map((path) => [key(path), path]));
    if (routes.length === before.size && routes.every((path) => before.has(key(path)))) return;
    const since = this.#wall.monotonic();
    const taken = routes.map((path) => before.get(key(path)) ?? { ...path, from: side.address, since });
    peer.received = new Map(taken.map((path) => [path.prefix, path]));
    this.#tableChanged(peer.device);
  }

  #tableChanged(device: Device): void {
    for (const side of this.#sidesOf(device)) this.#send(side);
    this.#changed(device);
  }

  /** Law B2. */
  #evaluateLink(link: Link): void {
    for (const side of link.sides) {
      if (side.establishedAt === undefined) continue;
      if (!side.device.powered || !interfaceUp(side)) this.#drop(side, 'Interface flap');
      else if (!configured(side)) {
        this.#drop(side, 'Neighbor deleted');
        const peer = this.#peerOf(side);
        if (peer.establishedAt !== undefined && peer.device.powered) this.#drop(peer, 'Peer closed the session');
      }
    }
    const up = link.sides.filter(({ establishedAt }) => establishedAt !== undefined).length;
    const { bgpHoldMs, bgpConnectMs } = this.#timers;
    if (up === 1) link.cancelHold ??= this.#wall.after(bgpHoldMs, () => this.#holdOver(link));
    if (up < 2 && link.sides.every(ready)) link.cancelConnect ??= this.#wall.after(bgpConnectMs, () => this.#connect(link));
  }

  #holdOver(link: Link): void {
    link.cancelHold = undefined;
    for (const side of link.sides) {
      if (side.establishedAt === undefined || this.#peerOf(side).establishedAt !== undefined) continue;
      side.device.syslog('BGP-3-NOTIFICATION', `sent to neighbor ${side.neighbor} 4/0 (hold time expired) 0 bytes`);
      this.#drop(side, 'BGP Notification sent');
    }
  }

  #connect(link: Link): void {
    link.cancelConnect = undefined;
    if (!link.sides.every(ready)) return;
    link.cancelHold?.();
    link.cancelHold = undefined;
    for (const side of link.sides) if (side.establishedAt !== undefined) this.#drop(side, 'Peer closed the session');
    for (const side of link.sides) {
      side.establishedAt = this.#wall.monotonic();
      side.device.syslog('BGP-5-ADJCHANGE', `neighbor ${side.neighbor} Up`);
      this.#tableChanged(side.device);
    }
  }

  #drop(side: Side, reason: string): void {
    side.establishedAt = undefined;
    side.received = new Map();
    side.cancelSend?.();
    side.cancelSend = undefined;
    side.device.syslog('BGP-5-ADJCHANGE', `neighbor ${side.neighbor} Down ${reason}`);
    this.#tableChanged(side.device);
  }
}

function sideOf(own: BgpEnd, peer: BgpEnd): Side {
  return { ...own, neighbor: peer.address, establishedAt: undefined, received: new Map(), cancelSend: undefined };
}

function interfaceUp({ device, address }: BgpEnd): boolean {
  return device.interfaces().some((each) => each.address === address && each.up);
}

function configured({ device, neighbor }: BgpSide): boolean {
  return bgpOf(device.running)?.neighbors.some(({ address }) => address === neighbor) ?? false;
}

function ready(side: BgpSide): boolean {
  return side.device.powered && interfaceUp(side) && configured(side);
}

/** Every prefix of the routing table that is not from BGP. */
function ribPrefixes(device: Device): readonly string[] {
  const connected = device
    .interfaces()
    .flatMap(({ up, address, mask }) => (up && address && mask ? [prefixOf(address, mask)] : []));
  return [...connected, ...staticRoutesOf(device.running).map(({ prefix }) => prefix)];
}

/** Law B1. */
function originated(device: Device): readonly string[] {
  if (!device.powered) return [];
  const rib = new Set(ribPrefixes(device));
  return bgpOf(device.running)?.networks.filter((prefix) => rib.has(prefix)) ?? [];
}

/** IOS's order, as far as it goes here: our own (weight 32768), the shorter path, the older, the lower neighbour. */
function betterFirst(a: BgpPath, b: BgpPath): number {
  const own = (path: BgpPath) => (path.from === undefined ? 0 : 1);
  return (
    own(a) - own(b) ||
    a.asPath.length - b.asPath.length ||
    a.since - b.since ||
    addressNumber(a.from ?? '0.0.0.0') - addressNumber(b.from ?? '0.0.0.0')
  );
}
