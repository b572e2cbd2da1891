// Owns: the snmp source: notifications of v1, v2c and v3 as events. receive → check → sink.offer → (committed) → Response.
import { randomInt } from 'node:crypto';
import { OperatorError } from '../../src/model/errors.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { Engine } from '../snmp/net-snmp.ts';
import { type SnmpUser, usersOf } from '../snmp/users.ts';
import { plainAddress } from './address.ts';
import { type Admission, admission } from './admission.ts';
import { type Check, checker, type DropCause } from './check.ts';
import { gapTeller } from './gaps.ts';
import { type Informs, informTable } from './informs.ts';
import { type Agent, ifNameResolver } from './resolve.ts';
import { senderTable } from './senders.ts';
import { type Listening, listen } from './socket.ts';
import { strangerAllowance } from './strangers.ts';
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

interface Reception {
  readonly check: Check;
  readonly informs: Informs;
  readonly admit: Admission['admit'];
  readonly send: Listening['send'];
}

/** Why the datagram was dropped, if it was. */
function receive(
  bytes: Buffer,
  address: string,
  port: number,
  { check, informs, admit, send }: Reception,
): DropCause | undefined {
  const peer = plainAddress(address);
  const verdict = check(bytes, peer);
  if (verdict.kind !== 'accepted') {
    if (verdict.report) send(verdict.report, port, address);
    return verdict.kind === 'dropped' ? verdict.cause : undefined;
  }
  const { inform, seen } = verdict;
  if (!inform) {
    if (seen) return 'replayed';
    admit(verdict, peer);
    return undefined;
  }
  const begun = informs.begin(`${address} ${port} ${inform.key}`, seen, () => send(inform.respond(), port, address));
  if (begun.kind === 'offer') admit(verdict, peer, begun.settle);
  return begun.kind === 'replayed' ? 'replayed' : undefined;
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
    const noRoom = () => count('no-room');
    const { admit, flush } = admission({ sink, gaps, resolver, senders, agentOf, nowMs, noRoom });

    const send: Listening['send'] = (...what) => listening.send(...what);
    const listening = await listen(host, port, wall, {
      datagram(bytes, address, fromPort) {
        received++;
        const cause = receive(bytes, address, fromPort, { check, informs, admit, send });
        if (cause) count(cause);
      },
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
        flush();
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
