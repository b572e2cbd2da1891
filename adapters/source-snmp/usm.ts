// Owns: the steps of RFC 3414 section 3.2 on an SNMPv3 message, in their order, and the Reports that refusals are
// answered with. A message is authenticated before it is decrypted, which net-snmp does the other way round.
import { TargetError } from '../../src/model/errors.ts';
import type { ScopedFrame, UsmFrame } from '../snmp/frame.ts';
import { type CodecMessage, type CodecPdu, type Engine, Message, netSnmp } from '../snmp/net-snmp.ts';
import { decrypted, flag } from '../snmp/scoped.ts';
import type { User } from '../snmp/users.ts';
import type { Window } from './window.ts';
import { responsePdu } from './wire.ts';

/** usmStats (RFC 3414 section 5) by the last arc of their OID. */
const stats = {
  unsupported: '1',
  'not-in-time-window': '2',
  'unknown-user': '3',
  'unknown-engine': '4',
  'wrong-digest': '5',
  'decryption-error': '6',
} as const;

export type UsmCause = keyof typeof stats;

export interface UsmAccepted {
  readonly kind: 'accepted';
  readonly user: User;
  /** Authoritative engine, hex. */
  readonly engine: string;
  readonly authoritative: 'ours' | 'theirs';
  readonly authenticated: boolean;
  /** Seen before, byte for byte: only an inform that is being sent again may be. */
  readonly seen: boolean;
  readonly pdu: CodecPdu;
  /** The PDU in clear, and where it is in `clear`. */
  readonly clear: Buffer;
  readonly frame: ScopedFrame;
  /** The Response to an inform, under the same user and level. */
  respond(): Buffer;
}

export interface UsmRefused {
  readonly kind: 'refused';
  readonly cause: UsmCause;
  /** Absent where the sender did not ask for one. */
  readonly report?: Buffer;
}

export interface Usm {
  check(message: CodecMessage, frame: UsmFrame, bytes: Buffer): UsmAccepted | UsmRefused;
  /** Whether the message is under our own engine, or one whose messages have been authentic. */
  knows(message: CodecMessage): boolean;
}

export interface UsmOptions {
  readonly users: ReadonlyMap<string, User>;
  readonly window: Window;
  /** Our own engine as of now. */
  readonly engine: () => Engine;
  readonly nowMs: () => number;
}

/** RFC 3414 section 3.1 step 7: a response carries our own boots and time as they are when it is sent. */
function respond(
  message: CodecMessage,
  user: User,
  now: Engine,
  clear: Buffer,
  { contextEngine, contextName, pdu }: ScopedFrame,
): Buffer {
  const octets = responsePdu(clear, pdu);
  const { msgID, msgFlags } = message.msgGlobalData;
  const global = { msgID, msgMaxSize: 65_507, msgFlags: msgFlags & (flag.auth | flag.priv), msgSecurityModel: 3 };
  // The level is the request's own: its flags say which, and the user has the keys.
  const security = {
    msgAuthoritativeEngineID: now.engineID,
    msgAuthoritativeEngineBoots: now.engineBoots,
    msgAuthoritativeEngineTime: now.engineTime,
    msgUserName: user.name,
  };
  return Message.createV3(user.codec, global, security, {
    contextEngineID: Buffer.from(clear.subarray(contextEngine.from, contextEngine.to)),
    contextName: clear.toString('utf8', contextName.from, contextName.to),
    toBuffer: (writer) => writer.writeBuffer(octets),
  }).toBuffer();
}

export function usm({ users, window, engine, nowMs }: UsmOptions): Usm {
  const counts = new Map<UsmCause, number>();

  /** A Report says which count rose, to what; only notInTimeWindows is authenticated (RFC 3414 section 3.2 step 7). */
  function refuse(cause: UsmCause, message: CodecMessage, user?: User): UsmRefused {
    const count = (counts.get(cause) ?? 0) + 1;
    counts.set(cause, count);
    if ((message.msgGlobalData.msgFlags & flag.reportable) === 0) return { kind: 'refused', cause };
    const report = message.createReportResponseMessage(engine(), '', stats[cause]);
    report.setReportable(0);
    Object.assign(report.pdu.varbinds[0]!, { value: count % 2 ** 32 });
    if (cause === 'not-in-time-window' && user) {
      report.user = { ...user.codec, level: netSnmp.SecurityLevel.authNoPriv! };
      report.msgGlobalData.msgFlags = flag.auth;
      report.msgSecurityParameters.msgUserName = user.name;
    }
    return { kind: 'refused', cause, report: report.toBuffer() };
  }

  const keyOf = ({ msgSecurityParameters: security }: CodecMessage) =>
    `${security.msgAuthoritativeEngineID.toString('hex')} ${security.msgUserName}`;

  function check(message: CodecMessage, frame: UsmFrame, bytes: Buffer): UsmAccepted | UsmRefused {
    const { msgFlags } = message.msgGlobalData;
    const security = message.msgSecurityParameters;
    const authoritative = security.msgAuthoritativeEngineID;
    const ours = authoritative.equals(engine().engineID);
    // Step 3. Whoever wants a response must know our engine: discovery asks with an empty id.
    if (!ours && ((msgFlags & flag.reportable) !== 0 || authoritative.length < 5)) return refuse('unknown-engine', message);
    const user = users.get(security.msgUserName);
    if (!user) return refuse('unknown-user', message); // step 4
    const rank = msgFlags & flag.priv ? 2 : msgFlags & flag.auth ? 1 : 0;
    if (rank < user.least || rank > user.most) return refuse('unsupported', message); // step 5
    let freshness: 'new' | 'seen' = 'new';
    if (rank > 0) {
      if (!user.authentic(bytes, frame.digest, authoritative)) return refuse('wrong-digest', message); // step 6
      const stamp = {
        key: keyOf(message),
        boots: security.msgAuthoritativeEngineBoots,
        time: security.msgAuthoritativeEngineTime,
        digest: bytes.toString('latin1', frame.digest.from, frame.digest.to),
      };
      const { engineBoots: boots, engineTime: time } = engine();
      const found = window.check(stamp, nowMs(), ours ? { boots, time } : undefined); // step 7
      if (found === 'not-in-time-window') return refuse(found, message, user);
      freshness = found;
    }
    const plain = frame.scoped
      ? { clear: bytes, frame: frame.scoped, pdu: message.pdu! }
      : decrypted(message, bytes, frame, user); // step 8
    if (!plain) return refuse('decryption-error', message);
    return {
      kind: 'accepted',
      user,
      engine: authoritative.toString('hex'),
      authoritative: ours ? 'ours' : 'theirs',
      authenticated: rank > 0,
      seen: freshness === 'seen',
      ...plain,
      respond: () => respond(message, user, engine(), plain.clear, plain.frame),
    };
  }

  return {
    check,
    knows: (message) =>
      message.msgSecurityParameters.msgAuthoritativeEngineID.equals(engine().engineID) || window.knows(keyOf(message)),
  };
}

/** Flags and model that no message may have (RFC 3412 section 7.2). */
export function checkHeader({ msgGlobalData, msgSecurityParameters: security }: CodecMessage): void {
  const { msgFlags, msgSecurityModel } = msgGlobalData;
  const unsupported = (what: string, remedy: string) =>
    new TargetError(`[source-snmp] the message has ${what}`, { code: 'unsupported', remedy, retry: false });
  if (msgSecurityModel !== 3) throw unsupported(`security model ${msgSecurityModel}`, 'Only the user-based one (3) is known.');
  if ((msgFlags & 3) === flag.priv) throw unsupported('privacy without authentication', 'RFC 3412 forbids it: check the sender.');
  if (security.msgAuthoritativeEngineID.length > 32) {
    throw unsupported('an engine id of more than 32 octets', 'RFC 3411 forbids it: check the sender.');
  }
}
