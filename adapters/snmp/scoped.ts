// Owns: the scoped PDU of an SNMPv3 message: decrypted, checked, decoded.
import { scopedFrameOf, type UsmFrame } from './frame.ts';
import { type CodecMessage, type CodecPdu, type Engine, Message } from './net-snmp.ts';
import type { User } from './users.ts';

/** msgFlags (RFC 3412 section 6.4). */
export const flag = { auth: 1, priv: 2, reportable: 4 } as const;

/** Length octets of BER, definite form. */
function berLength(length: number): Buffer {
  return length < 0x80 ? Buffer.from([length]) : Buffer.from([0x82, length >> 8, length & 0xff]);
}

/** A PDU in clear through the codec: as a v2c message with no community, which is the shortest envelope there is. */
export function decodePdu(pdu: Buffer): CodecPdu {
  const head = Buffer.from([0x02, 0x01, 0x01, 0x04, 0x00]);
  return Message.createFromBuffer(Buffer.concat([Buffer.from([0x30]), berLength(head.length + pdu.length), head, pdu])).pdu!;
}

/** Decrypts and decodes. Undefined where what comes out is no scoped PDU: the key is wrong. */
export function decrypted(message: CodecMessage, bytes: Buffer, { encrypted, salt }: UsmFrame, user: User) {
  const { msgAuthoritativeEngineID, msgAuthoritativeEngineBoots, msgAuthoritativeEngineTime } = message.msgSecurityParameters;
  const engine: Engine = {
    engineID: msgAuthoritativeEngineID,
    engineBoots: msgAuthoritativeEngineBoots,
    engineTime: msgAuthoritativeEngineTime,
  };
  if (!encrypted || salt.to - salt.from !== 8) return undefined;
  try {
    const clear = user.decrypt(bytes.subarray(encrypted.from, encrypted.to), bytes.subarray(salt.from, salt.to), engine);
    const frame = scopedFrameOf(clear);
    return { clear, frame, pdu: decodePdu(clear.subarray(frame.pdu.start, frame.pdu.to)) };
  } catch {
    return undefined;
  }
}
