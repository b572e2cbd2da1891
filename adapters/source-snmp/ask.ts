// Owns: asking an agent for one ifName (IF-MIB, v2c GET) and hearing the answer. It counts only from the address and port
// asked, under the request id sent. The question is sent twice at most, and given up when its patience ends.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { interfaceName } from '../../src/model/interface-name.ts';
import { ifNamePatienceMs } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { frameOf, pduTag } from '../snmp/frame.ts';
import { Message } from '../snmp/net-snmp.ts';
import { octetsText } from '../snmp/value.ts';
import { plainAddress } from './address.ts';

const ifName = '1.3.6.1.2.1.31.1.1.1.1';

/** A canonical name, or null where there is none to be had. */
export type InterfaceName = string | null;

/** `silence`: nobody answered. */
export type Answer = { readonly kind: 'name'; readonly name: InterfaceName } | { readonly kind: 'silence' };

interface Whom {
  readonly address: string;
  readonly port: number;
  readonly community: string;
}

interface Question {
  readonly whom: Whom;
  readonly oid: string;
  settle(answer: Answer): void;
}

export interface Asker {
  /** Never rejects. */
  ask(whom: Whom, ifIndex: number): Promise<Answer>;
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

/** One socket a family, made when first needed. */
function socketPair(hear: (bytes: Buffer, from: RemoteInfo) => void) {
  const sockets = new Map<string, Socket>();
  return {
    send(bytes: Buffer, port: number, address: string): void {
      const family = isIPv6(address) ? 'udp6' : 'udp4';
      let socket = sockets.get(family);
      if (!socket) {
        socket = createSocket(family, hear);
        socket.on('error', () => {}); // A send that failed is a question unanswered.
        socket.unref();
        sockets.set(family, socket);
      }
      socket.send(bytes, port, address, () => {});
    },
    close() {
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}

export function ifNameAsker(wall: Wall, random: () => number): Asker {
  const questions = new Map<number, Question>();
  const sockets = socketPair(hear);

  function hear(bytes: Buffer, from: RemoteInfo): void {
    try {
      const response = responseIn(bytes);
      const question = response && questions.get(response.id);
      if (!question || question.whom.port !== from.port) return;
      if (plainAddress(question.whom.address) !== plainAddress(from.address)) return;
      question.settle({ kind: 'name', name: response.nameAt(question.oid) });
    } catch {
      // Nonsense, perhaps forged: the question stays open until its patience ends.
    }
  }

  function freshId(): number {
    let id: number;
    do id = 1 + Math.floor(random() * 0x7ffffffe);
    while (questions.has(id));
    return id;
  }

  return {
    ask(whom, ifIndex) {
      const id = freshId();
      const oid = `${ifName}.${ifIndex}`;
      const { promise, resolve } = Promise.withResolvers<Answer>();
      const request = getRequest(id, whom.community, oid);
      const send = () => sockets.send(request, whom.port, whom.address);
      const cancels = [wall.after(ifNamePatienceMs / 2, send), wall.after(ifNamePatienceMs, () => settle({ kind: 'silence' }))];
      function settle(answer: Answer): void {
        for (const cancel of cancels) cancel();
        questions.delete(id);
        resolve(answer);
      }
      questions.set(id, { whom, oid, settle });
      send();
      return promise;
    },
    close() {
      for (const { settle } of [...questions.values()]) settle({ kind: 'silence' });
      sockets.close();
    },
  };
}
