// Owns: BGP between the simulated routers: sessions that come, hang and go, and routes that take a while to arrive.
//
// B1 A router originates a network only if the exact prefix is in its routing table (IOS synchronises with the RIB).
// B2 A dead neighbour is noticed when the hold time is over, a cut cable of one's own at once (fast external fallover).
// B3 A route is not sent back to whom it came from; a path with one's own AS in it is not taken.
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

export interface Bgp {
  /** Looks at everything again; to be called after a device changed. */
  evaluate(): void;
  sides(device: Device): readonly BgpSide[];
  /** Every path to every prefix, the best one first. */
  table(device: Device): ReadonlyMap<string, readonly BgpPath[]>;
  advertised(device: Device, neighbor: string): readonly BgpPath[];
  /** Sessions up and routes exchanged, as after a long quiet time. */
  seed(): void;
  stop(): void;
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

export function createBgp({ wall, timers, links: ends, changed }: BgpOptions): Bgp {
  const side = (own: BgpEnd, peer: BgpEnd): Side => ({
    ...own,
    neighbor: peer.address,
    establishedAt: undefined,
    received: new Map(),
    cancelSend: undefined,
  });
  const links: Link[] = ends.map(([one, other]) => ({
    sides: [side(one, other), side(other, one)],
    cancelConnect: undefined,
    cancelHold: undefined,
  }));
  const sidesOf = (device: Device) => links.flatMap((link) => link.sides.filter((each) => each.device === device));
  const peerOf = (which: Side) => links.flatMap(({ sides: [a, b] }) => (a === which ? [b] : b === which ? [a] : []))[0]!;

  const tableOf = (device: Device): Map<string, readonly BgpPath[]> => {
    const table = new Map<string, BgpPath[]>();
    const add = (path: BgpPath) => table.set(path.prefix, [...(table.get(path.prefix) ?? []), path]);
    for (const prefix of originated(device)) add({ prefix, asPath: [], nextHop: '0.0.0.0', from: undefined, since: 0 });
    for (const each of sidesOf(device)) for (const path of each.received.values()) add(path);
    for (const paths of table.values()) paths.sort(betterFirst);
    return new Map([...table].sort(([a], [b]) => addressNumber(a.split('/')[0]!) - addressNumber(b.split('/')[0]!)));
  };

  const advertisedOver = (which: Side): BgpPath[] => {
    const as = bgpOf(which.device.running)?.as;
    if (which.establishedAt === undefined || as === undefined) return [];
    return [...tableOf(which.device).values()].flatMap(([best]) =>
      best && best.from !== which.neighbor ? [{ ...best, asPath: [as, ...best.asPath], nextHop: which.address }] : [],
    );
  };

  /** Everything the peer is to know, as one update; the same again changes nothing and goes no further. */
  const deliver = (which: Side) => {
    const peer = peerOf(which);
    if (which.establishedAt === undefined || peer.establishedAt === undefined) return;
    const as = bgpOf(peer.device.running)?.as ?? 0;
    const routes = advertisedOver(which).filter(({ asPath }) => !asPath.includes(as));
    const key = (path: BgpPath) => `${path.prefix} ${path.asPath.join(' ')}`;
    const before = new Map([...peer.received.values()].map((path) => [key(path), path]));
    if (routes.length === before.size && routes.every((path) => before.has(key(path)))) return;
    const taken = routes.map((path) => before.get(key(path)) ?? { ...path, from: which.address, since: wall.monotonic() });
    peer.received = new Map(taken.map((path) => [path.prefix, path]));
    tableChanged(peer.device);
  };
  const send = (which: Side) => {
    which.cancelSend ??= wall.after(timers.propagationMs, () => {
      which.cancelSend = undefined;
      deliver(which);
    });
  };
  const tableChanged = (device: Device) => {
    for (const each of sidesOf(device)) send(each);
    changed(device);
  };

  const drop = (which: Side, reason: string) => {
    which.establishedAt = undefined;
    which.received = new Map();
    which.cancelSend?.();
    which.cancelSend = undefined;
    which.device.syslog('BGP-5-ADJCHANGE', `neighbor ${which.neighbor} Down ${reason}`);
    tableChanged(which.device);
  };
  const establish = (which: Side) => {
    which.establishedAt = wall.monotonic();
    which.device.syslog('BGP-5-ADJCHANGE', `neighbor ${which.neighbor} Up `.trimEnd());
    tableChanged(which.device);
  };

  const connect = (link: Link) => {
    link.cancelConnect = undefined;
    if (!link.sides.every(ready)) return;
    link.cancelHold?.();
    link.cancelHold = undefined;
    for (const each of link.sides) if (each.establishedAt !== undefined) drop(each, 'Peer closed the session');
    for (const each of link.sides) establish(each);
  };
  const holdOver = (link: Link) => {
    link.cancelHold = undefined;
    for (const each of link.sides) {
      if (each.establishedAt === undefined || peerOf(each).establishedAt !== undefined) continue;
      each.device.syslog('BGP-3-NOTIFICATION', `sent to neighbor ${each.neighbor} 4/0 (hold time expired) 0 bytes`);
      drop(each, 'BGP Notification sent');
    }
  };
  const evaluateLink = (link: Link) => {
    for (const each of link.sides) {
      if (each.establishedAt === undefined) continue;
      if (!each.device.powered || !interfaceUp(each)) drop(each, 'Interface flap');
      else if (!configured(each)) {
        drop(each, 'Neighbor deleted');
        const peer = peerOf(each);
        if (peer.establishedAt !== undefined && peer.device.powered) drop(peer, 'Peer closed the session');
      }
    }
    const up = link.sides.filter(({ establishedAt }) => establishedAt !== undefined).length;
    if (up === 1) link.cancelHold ??= wall.after(timers.bgpHoldMs, () => holdOver(link));
    if (up < 2 && link.sides.every(ready)) link.cancelConnect ??= wall.after(timers.bgpConnectMs, () => connect(link));
  };

  return {
    evaluate() {
      for (const link of links) evaluateLink(link);
      for (const { sides } of links) for (const each of sides) send(each);
    },
    sides: sidesOf,
    table: tableOf,
    advertised: (device, neighbor) => sidesOf(device).flatMap((each) => (each.neighbor === neighbor ? advertisedOver(each) : [])),
    seed() {
      for (const { sides } of links) for (const each of sides) each.establishedAt = wall.monotonic();
      for (const { sides } of links) for (const each of sides) deliver(each);
    },
    stop() {
      for (const link of links) {
        link.cancelConnect?.();
        link.cancelHold?.();
        for (const each of link.sides) each.cancelSend?.();
      }
    },
  };
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
export function ribPrefixes(device: Device): readonly string[] {
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
