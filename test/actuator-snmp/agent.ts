// An SNMP agent of a test's own, over UDP on loopback: it answers what it is told to answer, faulty answers too.
import { createSocket } from 'node:dgram';
import { onTestFinished } from 'vitest';
import { frameOf } from '../../adapters/snmp/frame.ts';
import { Message, type WritablePdu } from '../../adapters/snmp/net-snmp.ts';
import { decrypted } from '../../adapters/snmp/scoped.ts';
import { type SnmpUser, usersOf } from '../../adapters/snmp/users.ts';
import { type Target, targetSchema } from '../../src/model/target.ts';
import { type Security, v3 } from '../source-snmp/kit.ts';

export type Value = number | string | 'noSuchObject' | 'noSuchInstance' | 'endOfMibView';
const exceptions: Readonly<Record<string, number>> = { noSuchObject: 0x80, noSuchInstance: 0x81, endOfMibView: 0x82 };

export interface Asked {
  readonly kind: 'get' | 'set' | 'bulk' | 'other';
  readonly id: number;
  readonly oids: readonly string[];
  /** Of a set. */
  readonly values: readonly unknown[];
}

export interface Said {
  readonly rows?: readonly (readonly [oid: string, value: Value])[];
  readonly status?: number;
  /** Absent: the request's own. */
  readonly id?: number;
}

/** Undefined: silence. Octets: those, whatever they are, one datagram each. */
export type Play = (asked: Asked, times: number) => Said | readonly Buffer[] | undefined;

export function responsePdu(id: number, { rows = [], status = 0 }: Said, tag = 0xa2): WritablePdu {
  return {
    contextName: '',
    toBuffer(writer) {
      writer.startSequence(tag);
      for (const number of [id, status, status === 0 ? 0 : 1]) writer.writeInt(number);
      writer.startSequence();
      for (const [oid, value] of rows) {
        writer.startSequence();
        writer.writeOID(oid);
        const exception = exceptions[value];
        if (exception !== undefined) writer.writeBuffer(Buffer.alloc(0), exception);
        else if (typeof value === 'number') writer.writeInt(value);
        else writer.writeString(value);
        writer.endSequence();
      }
      writer.endSequence();
      writer.endSequence();
    },
  };
}

export const octets = (id: number, said: Said, community = 'secret'): Buffer =>
  Message.createCommunity(1, community, responsePdu(id, said)).toBuffer();

const kinds: Readonly<Record<number, Asked['kind']>> = { 160: 'get', 163: 'set', 165: 'bulk' };

type Pdu = NonNullable<ReturnType<typeof Message.createFromBuffer>['pdu']>;

function askedIn(pdu: Pdu): Asked {
  const { varbinds, id, type } = pdu;
  return { kind: kinds[type] ?? 'other', id, oids: varbinds.map(({ oid }) => oid), values: varbinds.map(({ value }) => value) };
}

async function serving(hear: (bytes: Buffer, send: (bytes: Buffer) => void) => void): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => hear(bytes, (answer) => socket.send(answer, port, address)));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return socket.address().port;
}

const isOctets = (said: Said | readonly Buffer[]): said is readonly Buffer[] => Array.isArray(said);

const opening: Said = { rows: [['1.3.6.1.2.1.1.3.0', 4711]] };
const isOpening = ({ kind, oids }: Asked): boolean => kind === 'get' && oids[0] === '1.3.6.1.2.1.1.3.0';

/** Over v2c; opens by itself, `play` is for what comes then. `asked` is all of it. */
export async function communityAgent(play: Play): Promise<{ target: Target; asked: Asked[] }> {
  const asked: Asked[] = [];
  const port = await serving((bytes, send) => {
    const { pdu } = Message.createFromBuffer(bytes);
    const one = askedIn(pdu!);
    if (isOpening(one)) {
      send(octets(one.id, opening));
      return;
    }
    asked.push(one);
    const said = play(one, asked.length);
    if (!said) return;
    for (const datagram of isOctets(said) ? said : [octets(said.id ?? one.id, said)]) send(datagram);
  });
  return { target: targetOf(port, { community: { env: 'secret' } }), asked };
}

export function targetOf(port: number, write: object, engine?: string): Target {
  const snmp = { port, write, ...(engine === undefined ? {} : { engine }) };
  return targetSchema.parse({ platform: 'cisco-ios', address: '127.0.0.1', snmp });
}

export const account: SnmpUser = {
  name: 'writer',
  auth: { protocol: 'sha256', key: 'authpass12345' },
  priv: { protocol: 'aes128', key: 'privpass12345' },
};
export const write = {
  user: 'writer',
  auth: { protocol: 'sha256', key: { env: 'authpass12345' } },
  priv: { protocol: 'aes128', key: { env: 'privpass12345' } },
};
export const engineId = '80000009030000aabbccddee';

export interface Clock {
  boots: number;
  time: number;
}

export const report = (id: number, stat: number): WritablePdu =>
  responsePdu(id, { rows: [[`1.3.6.1.6.3.15.1.1.${stat}.0`, 1]] }, 0xa8);

/** A v3 message of the agent's. */
export function sealed(pdu: WritablePdu, msgId: number, clock: Clock, how: Partial<Security> = {}): Buffer {
  return v3(pdu, { user: account, engine: engineId, ...clock, msgId, reportable: 0, ...how });
}

/** Over v3, with the time window of RFC 3414 section 3.2. `play` answers octets for whatever is no plain answer. */
export async function userAgent(
  play: (asked: Asked, times: number, seal: (said: Said) => Buffer) => readonly Buffer[],
  clock: Clock = { boots: 3, time: 5_000 },
): Promise<{ port: number; target: Target; asked: Asked[]; clock: Clock }> {
  const asked: Asked[] = [];
  const user = usersOf([account]).get('writer')!;
  const port = await serving((bytes, send) => {
    const frame = frameOf(bytes);
    if (frame.kind !== 'usm') return;
    const message = Message.createFromBuffer(bytes);
    const { msgAuthoritativeEngineID: engine, ...security } = message.msgSecurityParameters;
    const { msgID } = message.msgGlobalData;
    const nobody = { user: { name: 'nobody' }, level: 'noAuthNoPriv' } as const;
    if (engine.length === 0) return send(sealed(report(msgID, 4), msgID, clock, nobody));
    if (security.msgUserName !== 'writer') return send(sealed(report(msgID, 3), msgID, clock, nobody));
    if (!user.authentic(bytes, frame.digest, engine)) return send(sealed(report(msgID, 5), msgID, clock, nobody));
    const late = Math.abs(security.msgAuthoritativeEngineTime - clock.time) > 150;
    if (security.msgAuthoritativeEngineBoots !== clock.boots || late)
      return send(sealed(report(msgID, 2), msgID, clock, { level: 'authNoPriv' }));
    const plain = decrypted(message, bytes, frame, user);
    if (!plain) return send(sealed(report(msgID, 6), msgID, clock, nobody));
    const one = askedIn(plain.pdu);
    const seal = (said: Said) => sealed(responsePdu(said.id ?? one.id, said), msgID, clock);
    if (isOpening(one)) return send(seal(opening));
    asked.push(one);
    for (const datagram of play(one, asked.length, seal)) send(datagram);
  });
  return { port, target: targetOf(port, write), asked, clock };
}
