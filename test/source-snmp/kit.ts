// A clock turned by hand, a sink that says when it got something, and a sender on a real UDP socket. A datagram that must
// have no effect is followed by one that has: loopback keeps their order, so nobody waits for nothing to happen.
import { createSocket } from 'node:dgram';
import { onTestFinished } from 'vitest';
import { Message, netSnmp, type WritablePdu } from '../../adapters/snmp/net-snmp.ts';
import { usersOf } from '../../adapters/snmp/users.ts';
import { type SnmpSourceOptions, type SnmpUser, snmpSource } from '../../adapters/source-snmp/index.ts';
import type { Event } from '../../src/model/event.ts';
import type { Sink } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';

export interface HandWall extends Wall {
  /** Turns the clock on and rings what is due. */
  advance(ms: number): void;
}

export function handWall(): HandWall {
  let nowMs = 1_000_000;
  const alarms = new Set<{ readonly dueMs: number; readonly ring: () => void }>();
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    after(ms, ring) {
      const alarm = { dueMs: nowMs + ms, ring };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    advance(ms) {
      nowMs += ms;
      for (const alarm of [...alarms].filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs)) {
        if (alarms.delete(alarm)) alarm.ring();
      }
    },
  };
}

/** Things as they come; `next()` is the one after those already taken. */
export function inbox<T>() {
  const items: T[] = [];
  const waiters: ((item: T) => void)[] = [];
  let taken = 0;
  return {
    items,
    put(item: T) {
      items.push(item);
      const waiter = waiters.shift();
      if (waiter) {
        taken++;
        waiter(item);
      }
    },
    next(): Promise<T> {
      if (taken < items.length) return Promise.resolve(items[taken++]!);
      return new Promise((resolve) => waiters.push(resolve));
    },
  };
}

export interface Offered {
  readonly event: Event;
  readonly committed: ((error?: Error) => void) | undefined;
}

export function collector() {
  const offered = inbox<Offered>();
  const gaps: { readonly reason: string; readonly targets: readonly string[] | undefined }[] = [];
  const room = { left: Number.POSITIVE_INFINITY };
  const sink: Sink = {
    offer(events, committed) {
      if (room.left-- <= 0) return false;
      for (const event of events) offered.put({ event, committed });
      return true;
    },
    gap: (reason, targets) => void gaps.push({ reason, targets }),
  };
  return { sink, offered, gaps, room };
}

export const engineId = '80000000051122334455667788';
export const senderEngine = '80000009030000aabbccddee';

export async function startSource(options: Partial<SnmpSourceOptions> = {}, changes: Partial<Sink> = {}) {
  const wall = handWall();
  const collected = collector();
  const source = snmpSource({
    host: '127.0.0.1',
    port: 0,
    communities: ['public'],
    users: [],
    engine: { id: engineId, boots: 7 },
    wall,
    ...options,
  });
  await source.start({ ...collected.sink, ...changes });
  onTestFinished(() => source.stop());
  const port = Number(source.stats().listening[0]!.split(':').at(-1));
  return { wall, source, port, ...collected };
}

export async function udpSender(port: number) {
  const socket = createSocket('udp4');
  const answers = inbox<Buffer>();
  socket.on('message', (bytes) => answers.put(bytes));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void socket.close());
  const send = (bytes: Buffer) => socket.send(bytes, port, '127.0.0.1');
  /** Resolves when everything sent before has been dealt with. Only where no other answer is awaited. */
  async function dealtWith(): Promise<void> {
    send(discovery());
    await answers.next();
  }
  return { send, answers, dealtWith, port: socket.address().port };
}

const { ObjectType } = netSnmp;
export const hsrpStateChange = '1.3.6.1.4.1.9.9.106.2.0.1';
export const linkDown = '1.3.6.1.6.3.1.1.5.3';
const standbyState = '1.3.6.1.4.1.9.9.106.1.2.1.1.15';

type Written = readonly [
  oid: string,
  type: 'Integer' | 'OID' | 'OctetString' | 'TimeTicks' | 'IpAddress',
  value: number | string,
];

export function writtenPdu(tag: number, id: number, varbinds: readonly Written[]): WritablePdu {
  return {
    contextName: '',
    toBuffer(writer) {
      writer.startSequence(tag);
      for (const integer of [id, 0, 0]) writer.writeInt(integer);
      writer.startSequence();
      for (const [oid, type, value] of varbinds) {
        writer.startSequence();
        writer.writeOID(oid);
        if (type === 'OID') writer.writeOID(String(value));
        else if (type === 'OctetString') writer.writeString(String(value));
        else if (type === 'IpAddress') writer.writeBuffer(Buffer.from(String(value).split('.').map(Number)), ObjectType[type]);
        else writer.writeInt(Number(value), ObjectType[type]);
        writer.endSequence();
      }
      writer.endSequence();
      writer.endSequence();
    },
  };
}

export interface Said {
  readonly pdu?: 'trap' | 'inform';
  readonly id?: number;
  readonly trap?: string;
  readonly uptime?: number;
  readonly varbinds?: readonly Written[];
}

/** HSRP going active on ifIndex 3, unless said otherwise. */
export function notification({ pdu = 'trap', id = 1, trap = hsrpStateChange, uptime = 5_000, varbinds }: Said = {}): WritablePdu {
  return writtenPdu(pdu === 'trap' ? 0xa7 : 0xa6, id, [
    ['1.3.6.1.2.1.1.3.0', 'TimeTicks', uptime],
    ['1.3.6.1.6.3.1.1.4.1.0', 'OID', trap],
    ...(varbinds ?? ([[`${standbyState}.3.1`, 'Integer', 6]] as const)),
  ]);
}

export function v2c(said: Said = {}, community = 'public'): Buffer {
  return Message.createCommunity(1, community, notification(said)).toBuffer();
}

export interface Security {
  readonly user: SnmpUser;
  readonly level?: 'noAuthNoPriv' | 'authNoPriv' | 'authPriv';
  readonly engine?: string;
  readonly boots?: number;
  readonly time?: number;
  readonly msgId?: number;
  readonly reportable?: 0 | 4;
}

export function v3(said: Said | WritablePdu, security: Security): Buffer {
  const { user, engine = senderEngine, boots = 4, time = 1_000, msgId = 99, reportable } = security;
  const { codec, most } = usersOf([user]).get(user.name)!;
  const rank = security.level === undefined ? most : ['noAuthNoPriv', 'authNoPriv', 'authPriv'].indexOf(security.level);
  const pdu = 'toBuffer' in said ? said : notification(said);
  const informs = !('toBuffer' in said) && said.pdu === 'inform';
  const flags = [0, 1, 3][rank]! | (reportable ?? (informs ? 4 : 0));
  return Message.createV3(
    codec,
    { msgID: msgId, msgMaxSize: 65_507, msgFlags: flags, msgSecurityModel: 3 },
    {
      msgAuthoritativeEngineID: Buffer.from(engine, 'hex'),
      msgAuthoritativeEngineBoots: boots,
      msgAuthoritativeEngineTime: time,
      msgUserName: user.name,
    },
    pdu,
  ).toBuffer();
}

/** An answer in the clear: its PDU's type and id, and for v3 the msgID, boots, time, and the first OID of a Report. */
export function answerOf(bytes: Buffer) {
  const message = Message.createFromBuffer(bytes);
  return { type: message.pdu?.type, id: message.pdu?.id, oid: message.pdu?.varbinds[0]?.oid, message };
}

/** Discovery of our engine: an answer is certain, so what was sent before it and had none has none. */
export function discovery(): Buffer {
  return v3(writtenPdu(0xa0, 4711, []), { user: { name: 'nobody' }, engine: '', boots: 0, time: 0, reportable: 4 });
}
export const unknownEngineIds = '1.3.6.1.6.3.15.1.1.4.0';
