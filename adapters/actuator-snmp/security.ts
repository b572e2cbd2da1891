// Owns: how a request is made one of somebody's, and which datagrams are its agent's answers: SNMPv2c by community, SNMPv3
// by user (RFC 3414) with authentication and privacy, nothing less. What is no authentic answer is no answer; it may be forged.
import { frameOf, pduTag, type UsmFrame } from '../snmp/frame.ts';
import { type CodecMessage, type CodecPdu, Message } from '../snmp/net-snmp.ts';
import { decrypted, flag } from '../snmp/scoped.ts';
import { type SnmpUser, type User, usersOf } from '../snmp/users.ts';
import { type Request, requestPdu } from './pdu.ts';
import { RemoteEngine } from './remote-engine.ts';

/** Why an agent refuses a message without looking into it, by the last arc of usmStats (RFC 3414 section 5). */
const reportCauses = {
  1: 'unsupported-level',
  2: 'not-in-time-window',
  3: 'unknown-user',
  4: 'unknown-engine',
  5: 'wrong-digest',
  6: 'decryption-error',
} as const;
export type ReportCause = (typeof reportCauses)[keyof typeof reportCauses] | 'other';

export type Answer =
  | { readonly kind: 'response'; readonly id: number; readonly pdu: CodecPdu }
  /** `learned`: with what it says the same request may be taken. */
  | { readonly kind: 'report'; readonly id: number; readonly cause: ReportCause; readonly learned: boolean };

export interface Security {
  /** A datagram. `id` is 1 to 2^31 - 1, and comes back in the answer. */
  seal(id: number, request: Request): Buffer;
  /** Never throws; undefined where it is no authentic answer. */
  open(bytes: Buffer): Answer | undefined;
  /** The agent's engine in hex, once known; v3 only. */
  readonly engine?: string | undefined;
}

/** SNMPv2c: a wrong community is answered with silence. */
export function communitySecurity(community: string): Security {
  return {
    seal: (id, request) => Message.createCommunity(1, community, requestPdu(id, request)).toBuffer(),
    open(bytes) {
      try {
        const frame = frameOf(bytes);
        if (frame.kind !== 'community' || frame.version !== 1 || frame.pdu.tag !== pduTag.response) return undefined;
        const { pdu, community: answered } = Message.createFromBuffer(bytes);
        return pdu && answered === community ? { kind: 'response', id: pdu.id, pdu } : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

const nobody = { name: '', level: 1 };
const messageOctetsMax = 65_507;
const usmStats = '1.3.6.1.6.3.15.1.1.';

/** SNMPv3. Throws an OperatorError where there can be no such user. `nowMs` is monotonic. */
export function userSecurity(account: SnmpUser, nowMs: () => number): Security {
  const user = usersOf([{ ...account, level: 'authPriv' }]).get(account.name)!;
  const engine = new RemoteEngine(nowMs);

  function reportOf(message: CodecMessage, pdu: CodecPdu, authentic: boolean): Answer {
    const oid = pdu.varbinds[0]?.oid ?? '';
    const arc = oid.startsWith(usmStats) ? Number(oid.slice(usmStats.length).split('.')[0]) : 0;
    const cause: ReportCause = reportCauses[arc as keyof typeof reportCauses] ?? 'other';
    const first =
      cause === 'unknown-engine' && !engine.known && message.msgSecurityParameters.msgAuthoritativeEngineID.length >= 5;
    const learned = first || (cause === 'not-in-time-window' && authentic);
    if (learned) engine.learn(message, authentic);
    return { kind: 'report', id: message.msgGlobalData.msgID, cause, learned };
  }

  function openUsm(frame: UsmFrame, message: CodecMessage, bytes: Buffer): Answer | undefined {
    const { msgAuthoritativeEngineID: id, msgUserName } = message.msgSecurityParameters;
    const authentic = (frame.flags & flag.auth) !== 0;
    if (authentic && engine.known && !id.equals(engine.known.id)) return undefined;
    if (authentic && !(msgUserName === user.name && user.authentic(bytes, frame.digest, id) && engine.inWindow(message)))
      return undefined;
    const scoped = opened(frame, message, bytes, user);
    if (scoped?.tag === pduTag.report) return reportOf(message, scoped.pdu, authentic);
    if (!engine.known || !authentic || !frame.encrypted || scoped?.tag !== pduTag.response) return undefined;
    if (scoped.pdu.id !== message.msgGlobalData.msgID) return undefined;
    engine.learn(message, true);
    return { kind: 'response', id: message.msgGlobalData.msgID, pdu: scoped.pdu };
  }

  return {
    get engine() {
      return engine.known?.id.toString('hex');
    },
    seal(id, request) {
      const head = { msgID: id, msgMaxSize: messageOctetsMax, msgSecurityModel: 3 };
      // RFC 3414 section 4: nothing is asked, as nobody, of an engine without a name; the Report that refuses it has the name.
      const { known } = engine;
      const msgFlags = known ? flag.auth | flag.priv | flag.reportable : flag.reportable;
      const security = { ...engine.stamp(), msgUserName: known ? user.name : '' };
      const pdu = known ? requestPdu(id, request, known.id) : requestPdu(id, { kind: 'get', oids: [] });
      return Message.createV3(known ? user.codec : nobody, { ...head, msgFlags }, security, pdu).toBuffer();
    },
    open(bytes) {
      try {
        const frame = frameOf(bytes);
        return frame.kind === 'usm' ? openUsm(frame, Message.createFromBuffer(bytes), bytes) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

function opened(frame: UsmFrame, message: CodecMessage, bytes: Buffer, user: User) {
  if (frame.scoped) return message.pdu ? { tag: frame.scoped.pdu.tag, pdu: message.pdu } : undefined;
  const plain = decrypted(message, bytes, frame, user);
  return plain && { tag: plain.frame.pdu.tag, pdu: plain.pdu };
}
