// Owns: the network of a story: its gateways, switches and hypervisors, and how each can be reached. It is every actuator, so
// that everything above it is the real runtime.
import { TargetError } from '../model/errors.ts';
import type { Inventory } from '../model/target.ts';
import type { Actuator, Command, Reply, Session, Transport } from '../ports/actuator.ts';
import type { Wall } from '../ports/wall.ts';
import { Gateways } from './gateways.ts';
import { type Ear, Hypervisors } from './hypervisors.ts';
import { Switches } from './switches.ts';
import type { VirtualWall } from './virtual-wall.ts';

/** A healthy device answers a command in this. */
const answerMs = 10;

interface Peer {
  reachable: boolean;
  /** Answers with something that is no answer. */
  garbled: boolean;
  answerMs: number;
  readonly hangUps: Set<() => void>;
}

/** Whoever follows what happens in the network. */
export interface Spectator {
  /** A hypervisor says something. */
  readonly says: Ear['says'];
  /** A libvirtd has died, or is back. */
  readonly stream: (host: string, is: 'lost' | 'back') => void;
  /** Something may be otherwise now. */
  readonly changed: () => void;
}

const nobody: Spectator = { says: () => undefined, stream: () => undefined, changed: () => undefined };

export class World {
  readonly #wall: Wall;
  readonly #peers = new Map<string, Peer>();
  readonly gateways: Gateways;
  readonly switches: Switches;
  readonly hypervisors: Hypervisors;
  readonly actuators: readonly Actuator[];

  /** What asks runs on `wall`, and may die; the network lives on. */
  constructor(inventory: Inventory, wall: VirtualWall, { says, stream, changed }: Spectator = nobody) {
    this.#wall = wall;
    const names = Object.keys(inventory.targets);
    for (const name of names) this.#peers.set(name, { reachable: true, garbled: false, answerMs, hangUps: new Set() });
    this.gateways = new Gateways(inventory, wall.network, (name) => this.peer(name).reachable);
    this.switches = new Switches(inventory, (mac) => this.hypervisors.awaitWord(mac), changed);
    const hosts = names.filter((name) => inventory.targets[name]?.platform === 'libvirt');
    this.hypervisors = new Hypervisors(hosts, wall.network, {
      says,
      changed,
      frame: (host, mac, vlan) => this.switches.frame(host, mac, vlan),
      away: (host) => {
        this.setUnreachable(host);
        stream(host, 'lost');
      },
      back: (host) => {
        this.setReachable(host);
        stream(host, 'back');
      },
    });
    this.actuators = (['cli', 'libvirt'] as const).map((transport) => this.#actuator(transport));
  }

  peer(name: string): Peer {
    const peer = this.#peers.get(name);
    if (!peer) throw new RangeError(`there is no ${name}; the inventory has ${[...this.#peers.keys()].join(', ')}`);
    return peer;
  }

  set(name: string, change: Partial<Pick<Peer, 'garbled' | 'answerMs'>>): void {
    Object.assign(this.peer(name), change);
  }

  setReachable(name: string): void {
    this.peer(name).reachable = true;
  }

  setUnreachable(name: string): void {
    const peer = this.peer(name);
    peer.reachable = false;
    for (const hangUp of peer.hangUps) hangUp();
  }

  /** What a story tells of when it changes: what it is → how it is. */
  topics(): ReadonlyMap<string, string> {
    const guests = this.hypervisors.vms().map((vm) => [vm, this.hypervisors.placesOf(vm)] as const);
    return new Map([['prefixes', this.gateways.advertised()], ...guests, ...this.switches.topics()]);
  }

  #actuator(transport: Transport): Actuator {
    return { transport, open: (name, _target, signal) => this.#open(name, signal) };
  }

  async #open(name: string, signal: AbortSignal): Promise<Session> {
    const peer = this.peer(name);
    await this.#wall.sleep(peer.reachable ? peer.answerMs : 1_000, signal);
    if (!peer.reachable) throw silent(name);
    const closed = Promise.withResolvers<void>();
    const hangUp = (): void => {
      peer.hangUps.delete(hangUp);
      closed.resolve();
    };
    peer.hangUps.add(hangUp);
    return {
      closed: closed.promise,
      close: async () => hangUp(),
      run: async (command, commandSignal) => {
        await this.#wall.sleep(peer.answerMs, commandSignal);
        if (!peer.hangUps.has(hangUp)) throw silent(name);
        return this.#answer(name, peer, command);
      },
    };
  }

  #answer(name: string, { garbled }: Peer, command: Command): Reply {
    const changes = command.kind !== 'cli' && command.kind !== 'libvirt';
    if (garbled && !changes) return { text: 'garbled' };
    if (this.hypervisors.has(name)) return { text: this.hypervisors.answer(name, command) };
    const text = isForGateways(command) ? this.gateways.answer(name, command) : this.switches.answer(name, command);
    return { text };
  }
}

/** A prefix, its configuration, or the redundancy groups. */
function isForGateways(command: Command): boolean {
  if (command.kind === 'configure') return command.lines.every((line) => /^(no )?network /.test(line));
  return command.kind === 'cli' && /^(fhrp$|\d)/.test(command.line);
}

function silent(name: string): TargetError {
  return new TargetError(`${name} does not answer`, { code: 'unreachable', retry: true, remedy: 'It is down in this story.' });
}
