// Owns: interface names for ifIndex: asks the agent for ifName (IF-MIB, v2c GET), once for each however many events wait.
// An answer counts only from the address and port asked, under the request id sent. Names are forgotten on a restart:
// ifIndex may be dealt out anew then (IF-MIB says so unless ifIndex is made persistent).
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { interfaceName } from '../../src/model/interface-name.ts';
import { ifNameKeptMs, ifNamePatienceMs, ifNameQuestionsMax, ifNamesMax } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { boundedMap } from './bounded-map.ts';
import { frameOf, pduTag } from './frame.ts';
import { Message } from './net-snmp.ts';
import { octetsText } from './wire.ts';

const ifName = '1.3.6.1.2.1.31.1.1.1.1';

export interface Agent {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Without it nothing is asked. */
  readonly community?: string;
  /** SNMPv3: this engine and user speak for the target; both together make its traps authenticated. */
  readonly engine?: string;
  readonly user?: string;
}

/** A canonical name, or null where there is none to be had. */
export type InterfaceName = string | null;

interface Known {
  readonly name: InterfaceName;
  readonly untilMs: number;
}

interface Question {
  readonly agent: Agent;
  readonly oid: string;
  readonly address: string;
  readonly answer: Promise<InterfaceName>;
  settle(name: InterfaceName): void;
}

export interface Resolver {
  /** At once where it is known, or known not to be had. Never rejects. `peer` is asked where the agent's address is a host name. */
  nameOf(agent: Agent, ifIndex: number, peer: string): InterfaceName | Promise<InterfaceName>;
  /** Names of this agent are asked for anew. */
  forget(agent: string): void;
  close(): void;
}

function getRequest(id: number, community: string, oid: string): Buffer {
  return Message.createCommunity(1, community, {
    contextName: '',
    toBuffer(writer) {
      writer.startSequence(pduTag.get);
      for (const integer of [id, 0, 0]) writer.writeInt(integer);
      writer.startSequence();
      writer.startSequence();
      writer.writeOID(oid);
      writer.writeNull();
      for (let open = 0; open < 3; open++) writer.endSequence();
    },
  }).toBuffer();
}

/** A Response: its request id, and what it says of an OID: null where there is nothing readable. */
function responseIn(bytes: Buffer): { readonly id: number; nameAt(oid: string): InterfaceName } | undefined {
  const frame = frameOf(bytes);
  if (frame.kind !== 'community' || frame.pdu.tag !== pduTag.response) return undefined;
  const { id, varbinds } = Message.createFromBuffer(bytes).pdu!;
  const nameAt = (oid: string) => {
    const value = varbinds.find((varbind) => varbind.oid === oid)?.value;
    const text = Buffer.isBuffer(value) ? octetsText(value) : '';
    return text === '' || text.startsWith('0x') ? null : interfaceName(text);
  };
  return { id, nameAt };
}

export function ifNameResolver(wall: Wall, random: () => number): Resolver {
  const names = boundedMap<string, Known>(ifNamesMax);
  /** By agent: raised to forget all its names at once. */
  const generations = new Map<string, number>();
  /** Agents that did not answer, and until when they are left alone. */
  const silentUntilMs = new Map<string, number>();
  const asked = new Map<string, Question>();
  const byRequestId = new Map<number, Question>();
  const sockets = new Map<'udp4' | 'udp6', Socket>();
  let closed = false;

  const keyOf = ({ name }: Agent, ifIndex: number) => `${name} ${generations.get(name) ?? 0} ${ifIndex}`;

  function hear(bytes: Buffer, { address, port }: RemoteInfo): void {
    try {
      const response = responseIn(bytes);
      const question = response && byRequestId.get(response.id);
      if (question && question.address === address && question.agent.port === port)
        question.settle(response.nameAt(question.oid));
    } catch {
      // Nonsense, perhaps forged: the question stays open until its patience ends.
    }
  }

  function socketFor(address: string): Socket {
    const family = isIPv6(address) ? 'udp6' : 'udp4';
    let socket = sockets.get(family);
    if (!socket) {
      socket = createSocket(family, hear);
      socket.on('error', () => {}); // A send that failed is a question unanswered.
      socket.unref();
      sockets.set(family, socket);
    }
    return socket;
  }

  function freshId(): number {
    let id: number;
    do id = 1 + Math.floor(random() * 0x7ffffffe);
    while (byRequestId.has(id));
    return id;
  }

  function ask(agent: Agent & { readonly community: string }, ifIndex: number, address: string): Promise<InterfaceName> {
    const key = keyOf(agent, ifIndex);
    const id = freshId();
    const oid = `${ifName}.${ifIndex}`;
    const { promise: answer, resolve } = Promise.withResolvers<InterfaceName>();
    const request = getRequest(id, agent.community, oid);
    const send = () => socketFor(address).send(request, agent.port, address, () => {});
    const cancels = [
      wall.after(ifNamePatienceMs / 2, send),
      wall.after(ifNamePatienceMs, () => {
        silentUntilMs.set(agent.name, wall.monotonic() + ifNameKeptMs / 100);
        finish(null);
      }),
    ];
    function finish(name: InterfaceName): void {
      for (const cancel of cancels) cancel();
      asked.delete(key);
      byRequestId.delete(id);
      resolve(name);
    }
    const settle = (name: InterfaceName) => {
      // Under the generation it was asked in: an answer from before a restart is not kept for after it.
      names.set(key, { name, untilMs: wall.monotonic() + (name === null ? ifNameKeptMs / 100 : ifNameKeptMs) });
      silentUntilMs.delete(agent.name);
      finish(name);
    };
    const question: Question = { agent, oid, address, answer, settle };
    asked.set(key, question);
    byRequestId.set(id, question);
    send();
    return answer;
  }

  return {
    nameOf(agent, ifIndex, peer) {
      const known = names.get(keyOf(agent, ifIndex));
      const nowMs = wall.monotonic();
      if (known && known.untilMs > nowMs) return known.name;
      const { community } = agent;
      if (community === undefined || closed || (silentUntilMs.get(agent.name) ?? 0) > nowMs) return null;
      const underWay = asked.get(keyOf(agent, ifIndex));
      if (underWay) return underWay.answer;
      if (asked.size >= ifNameQuestionsMax) return null;
      return ask({ ...agent, community }, ifIndex, isIP(agent.address) ? agent.address : peer);
    },
    forget(agent) {
      generations.set(agent, (generations.get(agent) ?? 0) + 1);
      silentUntilMs.delete(agent);
    },
    close() {
      closed = true;
      for (const { settle } of [...asked.values()]) settle(null);
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}
