// Owns: the snmp source: notifications of v1, v2c and v3 as events. receive → check → sink.offer → (committed) → Response.
import { randomInt } from 'node:crypto';
import { OperatorError } from '../../src/model/errors.ts';
import type { Event } from '../../src/model/event.ts';
import { interfaceName } from '../../src/model/interface-name.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { trapMeaning } from '../platforms/trap-meanings.ts';
import { plainAddress } from './address.ts';
import { type Accepted, checker, type DropCause } from './check.ts';
import { gapTeller } from './gaps.ts';
import { informTable } from './informs.ts';
import type { Engine } from './net-snmp.ts';
import { orderPerPeer } from './order.ts';
import { type Agent, type InterfaceName, ifNameResolver } from './resolve.ts';
import { senderTable } from './senders.ts';
import { type Listening, listen } from './socket.ts';
import { strangerAllowance } from './strangers.ts';
import { type SnmpUser, usersOf } from './users.ts';
import { usm } from './usm.ts';
import { timeWindow } from './window.ts';

export interface SnmpSourceOptions {
  readonly host: string;
  /** 0 for any that is free; `stats().listening` says which. */
  readonly port: number;
  /** Empty: any community is taken. It proves nothing either way: such events are `claimed`. */
  readonly communities: readonly string[];
  readonly users: readonly SnmpUser[];
  /** Our own SNMP engine, authoritative for informs: id in hex, and boots, which must rise with every start. */
  readonly engine: { readonly id: string; readonly boots: number };
  readonly wall: Wall;
  /** The target that an address belongs to, and how to ask it. */
  readonly agentOf?: (peer: string) => Agent | undefined;
  /** From 0 up to 1, as Math.random; for request ids. */
  readonly random?: () => number;
}

type Offer = { readonly event: Event; readonly committed?: (error?: Error) => void };

function engineClock({ id, boots }: SnmpSourceOptions['engine'], wall: Wall): () => Engine {
  const engineID = Buffer.from(id, 'hex');
  if (!/^([0-9a-f]{2}){5,32}$/i.test(id) || !Number.isInteger(boots) || boots < 0 || boots > 2_147_483_646) {
    throw new OperatorError(`[source-snmp] engine id "${id}" with boots ${boots} is none`, {
      code: 'snmp-engine',
      remedy: 'Give 5 to 32 octets in hex, and boots from 0 to 2147483646.',
    });
  }
  const startedMs = wall.monotonic();
  return () => ({ engineID, engineBoots: boots, engineTime: Math.floor((wall.monotonic() - startedMs) / 1000) });
}

/** The meaning with its interface by name; one that has it, or has no ifIndex, as it is. */
function named(meaning: Meaning, name: InterfaceName): Meaning {
  if (name === null || !('ifIndex' in meaning)) return meaning;
  const { ifIndex: _, ...rest } = meaning;
  return { ...rest, interface: interfaceName(name) } as Meaning;
}

export function snmpSource(options: SnmpSourceOptions): Source {
  const { host, port, communities, wall, agentOf = () => undefined } = options;
  const random = options.random ?? (() => randomInt(2 ** 32) / 2 ** 32);
  const users = usersOf(options.users);
  const engine = engineClock(options.engine, wall);
  const nowMs = () => wall.monotonic();
  const security = usm({ users, window: timeWindow(), engine, nowMs });
  const check = checker({ communities, usm: security, mayIntroduce: strangerAllowance(wall) });
  const informs = informTable(wall);
  const senders = senderTable();
  const dropped: Partial<Record<DropCause, number>> = {};
  let received = 0;
  let running: { readonly listening: Listening; stop(): Promise<void> } | undefined;

  const count = (cause: DropCause, times = 1) => {
    dropped[cause] = (dropped[cause] ?? 0) + times;
  };

  async function start(sink: Sink): Promise<void> {
    if (running) return;
    const gaps = gapTeller(sink, wall);
    const resolver = ifNameResolver(wall, random);
    const order = orderPerPeer<Offer>(offer);

    function offer({ event, committed }: Offer): void {
      if (sink.offer([event], committed)) return;
      noRoom(event);
      committed?.(new Error('no room'));
    }

    function noRoom({ target }: Event): void {
      count('no-room');
      gaps.tell('there was no room for a notification', target);
    }

    /** Whether the datagram speaks for its sender itself, as far as anybody can tell: relays and NAT speak for others. */
    function isOwn(accepted: Accepted, peer: string, agent: Agent | undefined): boolean {
      const { trapAddress } = accepted;
      if (trapAddress === undefined || trapAddress === peer) return true;
      return agent !== undefined && agentOf(trapAddress)?.name === agent.name;
    }

    function eventOf({ snmp, raw, vouched }: Accepted, peer: string, agent: Agent | undefined, own: boolean): Event {
      // Pinned: this engine and this user speak for this target. An inform comes under our own engine, so that its key
      // proves the user and not the sender: it stays claimed.
      const pinned = vouched && own && agent?.engine?.toLowerCase() === snmp.engine && agent?.user === snmp.user;
      return {
        ...(agent && { target: agent.name }),
        meaning: trapMeaning(snmp),
        snmp,
        origin: { source: 'snmp', peer, transport: 'udp', trust: pinned ? 'authenticated' : 'claimed', raw },
      };
    }

    function admit(accepted: Accepted, peer: string, committed: ((error?: Error) => void) | undefined): void {
      const agent = agentOf(peer);
      const own = isOwn(accepted, peer, agent);
      const restart = senders.heard(`${peer} ${accepted.trapAddress ?? ''}`, accepted.snmp, nowMs(), accepted.boots);
      if (restart && agent && own) {
        resolver.forget(agent.name);
        gaps.tell(restart, agent.name);
      }
      const event = eventOf(accepted, peer, agent, own);
      const pass = (meaning: Meaning | null): Offer => ({ event: { ...event, meaning }, ...(committed && { committed }) });
      const { meaning } = event;
      const ifIndex = meaning && 'ifIndex' in meaning ? meaning.ifIndex : undefined;
      const name = agent && own && ifIndex !== undefined ? resolver.nameOf(agent, ifIndex, peer) : null;
      const known = name === null || typeof name === 'string';
      const taken = known
        ? order.pass(peer, pass(meaning && named(meaning, name)))
        : order.passLater(
            peer,
            name.then((found) => pass(named(meaning!, found))),
            pass(meaning),
          );
      if (taken) return;
      noRoom(event);
      committed?.(new Error('no room'));
    }

    function datagram(bytes: Buffer, address: string, fromPort: number): void {
      received++;
      const peer = plainAddress(address);
      const verdict = check(bytes, peer);
      if (verdict.kind !== 'accepted') {
        if (verdict.kind === 'dropped') count(verdict.cause);
        if (verdict.report) listening.send(verdict.report, fromPort, address);
        return;
      }
      const { inform } = verdict;
      if (!inform) {
        if (verdict.seen) count('replayed');
        else admit(verdict, peer, undefined);
        return;
      }
      const answer = () => listening.send(inform.respond(), fromPort, address);
      const begun = informs.begin(`${address} ${fromPort} ${inform.key}`, verdict.seen, answer);
      if (begun.kind === 'offer') admit(verdict, peer, begun.settle);
      else if (begun.kind === 'replayed') count('replayed');
    }

    const listening = await listen(host, port, wall, {
      datagram,
      dropped(times) {
        count('kernel', times);
        gaps.tell(`the kernel dropped ${times} datagrams: the receive buffer was full`);
      },
      failed: (reason) => gaps.tell(`the socket failed: ${reason}`),
    });
    running = {
      listening,
      async stop() {
        resolver.close();
        order.flush();
        gaps.close();
        await listening.close();
      },
    };
  }

  return {
    name: 'snmp',
    start,
    async stop() {
      await running?.stop();
      running = undefined;
    },
    stats: () => ({
      listening: running ? [`udp ${running.listening.address}:${running.listening.port}`] : [],
      received,
      dropped: { ...dropped } as Record<string, number>,
    }),
  };
}
