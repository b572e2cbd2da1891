// Owns: the verdict on a datagram: a notification to offer, or a drop with its cause. Bytes in, verdict out; no I/O.
// Order: frame → (allowance for strangers) → community or USM → notification. Communities and keys stay in here.
import { createHash } from 'node:crypto';
import { TargetError } from '../../src/model/errors.ts';
import type { SnmpFields } from '../../src/model/event.ts';
import { type CommunityFrame, type Frame, frameOf, pduTag, type UsmFrame } from '../snmp/frame.ts';
import { type CodecMessage, Message } from '../snmp/net-snmp.ts';
import { checkHeader, type Usm, type UsmCause } from './usm.ts';
import { notificationOf, rawOf, responsePdu, snmpFieldsOf } from './wire.ts';

export type DropCause = 'malformed' | 'unknown-community' | 'replayed' | 'no-room' | 'rate' | 'kernel' | UsmCause;

export interface Accepted {
  readonly kind: 'accepted';
  readonly snmp: SnmpFields;
  /** Hex, without communities. */
  readonly raw: string;
  /** Who a relay says it came from. */
  readonly trapAddress?: string;
  /** Whether the sender's own engine vouches for it: v3, authenticated, its engine authoritative. */
  readonly vouched: boolean;
  /** msgAuthoritativeEngineBoots, where `vouched`. */
  readonly boots?: number;
  /** Seen before, byte for byte. */
  readonly seen: boolean;
  /** Of an inform: the same for each time it is sent again, and what answers it. */
  readonly inform?: { readonly key: string; respond(): Buffer };
}

export interface Dropped {
  readonly kind: 'dropped';
  readonly cause: DropCause;
  /** To be sent back (RFC 3414 Report). */
  readonly report?: Buffer;
}

/** A sender asked for our engine id: answered, and nothing of it is an event. */
export interface Asked {
  readonly kind: 'asked';
  readonly report: Buffer;
}

export type Verdict = Accepted | Dropped | Asked;

export interface CheckOptions {
  /** Empty: any community will do. */
  readonly communities: readonly string[];
  readonly usm: Usm;
  /** Whether this address may still send under an engine we have never seen authentic. */
  readonly mayIntroduce: (peer: string) => boolean;
}

const drop = (cause: DropCause): Dropped => ({ kind: 'dropped', cause });

/** Which PDUs notify, by version: v1 has its own trap, and nothing else. */
function notifies(version: number, type: number): boolean {
  return version === 0 ? type === pduTag.trapV1 : type === pduTag.trap || type === pduTag.inform;
}

/** The request id is within the PDU, so this differs by request and by what it says, and not by msgID, salt or engine time. */
function informKey(who: string, pdu: Uint8Array): string {
  return createHash('sha256').update(who).update('\0').update(pdu).digest('base64');
}

export type Check = (bytes: Buffer, peer: string) => Verdict;

export function checker({ communities, usm, mayIntroduce }: CheckOptions): Check {
  const allowed = new Set(communities);

  function community(message: CodecMessage, { version, community, pdu }: CommunityFrame, bytes: Buffer): Verdict {
    if (allowed.size > 0 && !allowed.has(message.community)) return drop('unknown-community');
    if (!notifies(version, pdu.tag)) return drop('unsupported');
    const notification = notificationOf(message.pdu!);
    const respond = () => {
      const response = Buffer.from(bytes);
      response.set(responsePdu(bytes, pdu), pdu.start);
      return response;
    };
    const { trapAddress } = notification;
    return {
      kind: 'accepted',
      snmp: snmpFieldsOf(version === 0 ? 'v1' : 'v2c', notification),
      raw: rawOf(bytes, pdu, community),
      ...(trapAddress !== undefined && { trapAddress }),
      vouched: false,
      seen: false,
      ...(notification.pdu === 'inform' && {
        inform: { key: informKey(message.community, bytes.subarray(pdu.start, pdu.to)), respond },
      }),
    };
  }

  function userBased(message: CodecMessage, frame: UsmFrame, bytes: Buffer, peer: string): Verdict {
    checkHeader(message);
    if (!usm.knows(message) && !mayIntroduce(peer)) return drop('rate');
    const found = usm.check(message, frame, bytes);
    if (found.kind === 'refused') {
      const { cause, report } = found;
      const asks = report && message.msgSecurityParameters.msgAuthoritativeEngineID.length === 0;
      return asks ? { kind: 'asked', report } : { kind: 'dropped', cause, ...(report && { report }) };
    }
    const { pdu, clear, engine, authoritative, user, seen } = found;
    if (!notifies(3, pdu.type)) return drop('unsupported');
    // RFC 3411 section 2.2: who is to answer an inform is authoritative for it, so it must come under our engine.
    if (pdu.type === pduTag.inform && authoritative === 'theirs') return drop('unknown-engine');
    const notification = notificationOf(pdu);
    const { trapAddress } = notification;
    const vouched = found.authenticated && authoritative === 'theirs';
    const octets = clear.subarray(found.frame.pdu.start, found.frame.pdu.to);
    return {
      kind: 'accepted',
      snmp: snmpFieldsOf('v3', notification, { engine, user: user.name }),
      raw: rawOf(bytes, frame.scoped?.pdu, undefined),
      ...(trapAddress !== undefined && { trapAddress }),
      vouched,
      ...(vouched && { boots: message.msgSecurityParameters.msgAuthoritativeEngineBoots }),
      seen,
      ...(notification.pdu === 'inform' && { inform: { key: informKey(user.name, octets), respond: found.respond } }),
    };
  }

  return (bytes, peer) => {
    try {
      const { frame, message } = openedMessage(bytes);
      return frame.kind === 'community' ? community(message, frame, bytes) : userBased(message, frame, bytes, peer);
    } catch (error) {
      // What net-snmp throws on bytes whose frame was sound is theirs all the same: an integer, an address that is none.
      return drop(error instanceof TargetError && error.code === 'unsupported' ? 'unsupported' : 'malformed');
    }
  };
}

/** A datagram checked for its frame and decoded. Throws a TargetError `malformed`, or what net-snmp throws. */
export function openedMessage(bytes: Buffer): { readonly frame: Frame; readonly message: CodecMessage } {
  const frame = frameOf(bytes);
  return { frame, message: Message.createFromBuffer(bytes) };
}
