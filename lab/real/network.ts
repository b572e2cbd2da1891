// Owns: the real network: routers of FRR, a LAN with VRRP, a far side and a manager, each in namespaces of its own, on one
// machine. It needs root and what install.ts installs. Two labs at once never meet: nothing in them has a global name, and
// a lab whose process dies is gone with it (node-init.sh).
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { type Collector, collectSyslog } from './collect.ts';
import { type LabFolder, makeFolder } from './folder.ts';
import { configOf, inventoryOf } from './inventory.ts';
import { bootNode, type LabNode, type Role, shell } from './node.ts';
import {
  type Cable,
  cables,
  farAddress,
  type MemberName,
  type NodeName,
  nodeNames,
  prefix,
  type RouterName,
  routerNames,
  virtualAddress,
} from './plan.ts';
import { output, start, stop } from './process.ts';
import { reach } from './reach.ts';
import type { Destination } from './relay.ts';
import { type NextHopWatch, nextHopsOf, type PingWatch, watchNextHops, watchPing } from './watch.ts';

export interface RealNetwork {
  readonly folder: LabFolder;
  /** Of the node's pid 1, for nsenter. */
  pidOf(node: NodeName): number;
  /** A shell line in a node, wholly inside. */
  run(node: NodeName, line: string): Promise<string>;
  vtysh(router: RouterName, ...commands: readonly string[]): Promise<string>;
  /** Pulls the plug: no goodbye, its cables gone. */
  killNode(node: NodeName): Promise<void>;
  /** Brings a killed node back with the configuration it was built with: what was changed since is lost, as without `write`. */
  bootNode(node: NodeName): Promise<void>;
  /** The switch's port goes down: the member sees no carrier, its BGP session lives on another link. */
  lanDown(member: MemberName): Promise<void>;
  lanUp(member: MemberName): Promise<void>;
  /** SIGKILL: nothing is cleaned up, so a dead vrrpd leaves the virtual address where it was. */
  killDaemon(router: RouterName, daemon: string): Promise<void>;
  startDaemon(router: RouterName, daemon: string): Promise<void>;
  /** The next hops that the node's kernel has for 23.0.0.0/8. */
  kernelRoutes(node: NodeName): Promise<readonly string[]>;
  sampleNextHops(node: NodeName, everyMs: number): NextHopWatch;
  /** From the host on the LAN to the far side and back: the way out is the virtual address, the way back the BGP route. */
  ping(node: NodeName, everyMs: number): PingWatch;
  /** A program in the node's network, with the machine's files. Ended by down() at the latest. */
  spawnIn(node: NodeName, argv: readonly string[], options?: SpawnOptions): ChildProcess;
  /** A port on the machine's loopback that leads to an address as the node reaches it. */
  reach(node: NodeName, to: Destination): Promise<number>;
  collectSyslog(): Promise<Collector>;
  inventoryYaml(): string;
  offboxYaml(paths: Parameters<typeof configOf>[0]): string;
  down(): Promise<void>;
}

type Fleet = Map<NodeName | 'switch', LabNode>;

const isRouter = (name: string): name is RouterName => (routerNames as readonly string[]).includes(name);
const isMember = (name: string): name is MemberName => name === 'nx2' || name === 'nx3';
const roleOf = (name: NodeName): Role => (isRouter(name) ? 'router' : 'host');

function nodeIn(fleet: Fleet, name: NodeName | 'switch'): LabNode {
  const node = fleet.get(name);
  if (!node) throw new RangeError(`The node ${name} is not running. Boot it first.`);
  return node;
}

const ip = (node: LabNode, line: string) => output(node.network(['ip', ...line.split(' ')]));

const portOf = (cable: Cable) => `${cable.interface}-${cable.node}`;

async function address(node: LabNode, link: string, prefixed: string): Promise<void> {
  await ip(node, `addr add ${prefixed} dev ${link}`);
  await ip(node, `link set ${link} up`);
}

async function plug(fleet: Fleet, cable: Cable): Promise<void> {
  const node = nodeIn(fleet, cable.node);
  if ('bridge' in cable.to) {
    const fabric = nodeIn(fleet, 'switch');
    await ip(fabric, `link add ${portOf(cable)} type veth peer name ${cable.interface} netns ${node.pid}`);
    await ip(fabric, `link set ${portOf(cable)} master ${cable.to.bridge} up`);
  } else {
    const peer = nodeIn(fleet, cable.to.node);
    await ip(node, `link add ${cable.interface} type veth peer name ${cable.to.interface} netns ${peer.pid}`);
    await address(peer, cable.to.interface, cable.to.address);
  }
  await address(node, cable.interface, cable.address);
}

/** The kernel takes a dead node's links away a little later; a new one may come before, so the far ends go now. */
async function unplug(fleet: Fleet, cable: Cable): Promise<void> {
  const far =
    'bridge' in cable.to ? { node: 'switch' as const, link: portOf(cable) } : { node: cable.to.node, link: cable.to.interface };
  for (const end of [far, { node: cable.node, link: cable.interface }]) {
    const node = fleet.get(end.node);
    if (node) await ip(node, `link del ${end.link}`).catch(() => {}); // gone already: as wanted
  }
}

const touches = (cable: Cable, name: NodeName) => cable.node === name || ('node' in cable.to && cable.to.node === name);

/** FRR's vrrpd wants a macvlan with the virtual MAC (RFC 5798 7.3) and the virtual address, and raises and lowers it. */
async function virtualRouter(node: LabNode): Promise<void> {
  await ip(node, 'link add vrrp4-1 link lan type macvlan mode bridge');
  await ip(node, 'link set vrrp4-1 address 00:00:5e:00:01:01');
  await address(node, 'vrrp4-1', `${virtualAddress}/32`);
}

async function boot(fleet: Fleet, folder: LabFolder, name: NodeName): Promise<void> {
  fleet.set(name, await bootNode(name, roleOf(name), isRouter(name) ? folder.router(name).path : folder.path));
}

async function connect(fleet: Fleet, name: NodeName): Promise<void> {
  if (isMember(name)) await virtualRouter(nodeIn(fleet, name));
  if (name === 'host') await ip(nodeIn(fleet, name), `route add default via ${virtualAddress}`);
  await nodeIn(fleet, name).go();
}

async function kill(fleet: Fleet, name: NodeName): Promise<void> {
  const node = nodeIn(fleet, name);
  await node.kill();
  fleet.delete(name);
  for (const cable of cables.filter((cable) => touches(cable, name))) await unplug(fleet, cable);
}

async function bootAgain(fleet: Fleet, folder: LabFolder, name: NodeName): Promise<void> {
  await boot(fleet, folder, name);
  for (const cable of cables.filter((cable) => touches(cable, name))) await plug(fleet, cable);
  await connect(fleet, name);
}

async function buildAll(fleet: Fleet, folder: LabFolder): Promise<void> {
  fleet.set('switch', await bootNode('switch', 'switch', folder.path));
  const fabric = nodeIn(fleet, 'switch');
  for (const bridge of ['mgmt', 'lan']) {
    await ip(fabric, `link add ${bridge} type bridge`);
    await ip(fabric, `link set ${bridge} up`);
  }
  await fabric.go();
  await Promise.all(nodeNames.map((name) => boot(fleet, folder, name)));
  for (const cable of cables) await plug(fleet, cable);
  await Promise.all(nodeNames.map((name) => connect(fleet, name)));
}

async function downAll(fleet: Fleet, children: ReadonlySet<ChildProcess>, folder: LabFolder): Promise<void> {
  await Promise.all([...children].map((child) => stop(child)));
  await Promise.all([...fleet.values()].map((node) => node.kill()));
  await folder.remove();
}

const carrier = (fleet: Fleet, member: MemberName, state: 'up' | 'down') =>
  ip(nodeIn(fleet, 'switch'), `link set lan-${member} ${state}`).then(() => {});

async function startDaemon(node: LabNode, daemon: string): Promise<void> {
  await shell(node, `/usr/lib/frr/${daemon} -d -A 127.0.0.1 -F traditional && vtysh -b -d ${daemon}`);
}

export async function realNetwork(): Promise<RealNetwork> {
  const folder = await makeFolder();
  const fleet: Fleet = new Map();
  const children = new Set<ChildProcess>();
  const down = () => downAll(fleet, children, folder);
  try {
    await buildAll(fleet, folder);
  } catch (error) {
    await down();
    throw error;
  }
  const at = (name: NodeName) => nodeIn(fleet, name);
  const ours = (child: ChildProcess) => {
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  return {
    folder,
    pidOf: (name) => at(name).pid,
    run: (name, line) => shell(at(name), line),
    vtysh: (router, ...commands) => output(at(router).inside(['vtysh', ...commands.flatMap((command) => ['-c', command])])),
    killNode: (name) => kill(fleet, name),
    bootNode: (name) => bootAgain(fleet, folder, name),
    lanDown: (member) => carrier(fleet, member, 'down'),
    lanUp: (member) => carrier(fleet, member, 'up'),
    killDaemon: (router, daemon) => shell(at(router), `kill -9 $(cat /run/frr/${daemon}.pid)`).then(() => {}),
    startDaemon: (router, daemon) => startDaemon(at(router), daemon),
    kernelRoutes: async (name) => nextHopsOf(await ip(at(name), `-j route show ${prefix}`)),
    sampleNextHops: (name, everyMs) => watchNextHops(at(name), prefix, everyMs),
    ping: (name, everyMs) => watchPing(at(name), farAddress, everyMs),
    spawnIn: (name, argv, options) => ours(start(at(name).network(argv), options)),
    async reach(name, to) {
      const { port, child } = await reach(at(name), to);
      ours(child);
      return port;
    },
    collectSyslog: () => collectSyslog(at('mgr')),
    inventoryYaml: () => inventoryOf(folder),
    offboxYaml: configOf,
    down,
  };
}
