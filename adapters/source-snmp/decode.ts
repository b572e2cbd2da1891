// Owns: how Offbox reads one notification, without a network: `offbox decode trap`. No community and no key comes out.
import { TargetError } from '../../src/model/errors.ts';
import type { SnmpFields } from '../../src/model/event.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import { trapMeaning } from '../platforms/trap-meanings.ts';
import { malformed, pduTag, type UsmFrame } from '../snmp/frame.ts';
import type { CodecMessage, CodecPdu } from '../snmp/net-snmp.ts';
import { decrypted } from '../snmp/scoped.ts';
import { type SnmpUser, usersOf } from '../snmp/users.ts';
import { openedMessage } from './check.ts';
import { checkHeader } from './usm.ts';
import { notificationOf, snmpFieldsOf } from './wire.ts';

export interface DecodedTrap extends SnmpFields {
  readonly kind: 'snmp';
  readonly meaning: Meaning | null;
}

const refusal = (code: string, what: string, remedy: string) =>
  new TargetError(`[source-snmp] the notification ${what}`, { code, remedy, retry: false });

/** With no users given a digest is not checked: what is in clear is read as it is. */
function openUsm(message: CodecMessage, frame: UsmFrame, bytes: Buffer, users: readonly SnmpUser[] | undefined): CodecPdu {
  checkHeader(message);
  const { msgUserName, msgAuthoritativeEngineID } = message.msgSecurityParameters;
  const user = usersOf(users ?? []).get(msgUserName);
  if (!user && (users || frame.encrypted)) {
    throw refusal('unknown-user', `is from the SNMPv3 user "${msgUserName}"`, 'Give its keys (sources.snmp.users) to read it.');
  }
  if (user && frame.flags & 1 && !user.authentic(bytes, frame.digest, msgAuthoritativeEngineID)) {
    throw refusal('wrong-digest', `does not carry the digest of user "${msgUserName}"`, 'Check its auth key and protocol.');
  }
  if (frame.scoped) return message.pdu!;
  const clear = user && user.most === 2 ? decrypted(message, bytes, frame, user) : undefined;
  if (!clear)
    throw refusal('decryption-error', `cannot be decrypted as user "${msgUserName}"`, 'Check its priv key and protocol.');
  return clear.pdu;
}

function open(bytes: Buffer, users: readonly SnmpUser[] | undefined): DecodedTrap {
  const { frame, message } = openedMessage(bytes);
  const pdu = frame.kind === 'usm' ? openUsm(message, frame, bytes, users) : message.pdu!;
  if (pdu.type !== pduTag.trap && pdu.type !== pduTag.inform && (pdu.type !== pduTag.trapV1 || frame.version !== 0)) {
    throw refusal('unsupported', `is none: its PDU has type ${pdu.type}`, 'Only traps and informs are decoded.');
  }
  const version = frame.version === 0 ? 'v1' : frame.version === 1 ? 'v2c' : 'v3';
  const security = frame.kind === 'usm' ? message.msgSecurityParameters : undefined;
  const usm = security && { engine: security.msgAuthoritativeEngineID.toString('hex'), user: security.msgUserName };
  const snmp = snmpFieldsOf(version, notificationOf(pdu), usm);
  return { kind: 'snmp', ...snmp, meaning: trapMeaning(snmp) };
}

/**
 * What a datagram says, and means. Throws a TargetError that names what is wrong with it, or an OperatorError for a
 * user that cannot be.
 */
export function decodeTrap(bytes: Uint8Array, users?: readonly SnmpUser[]): DecodedTrap {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return open(buffer, users);
  } catch (error) {
    if (error instanceof Error && 'remedy' in error) throw error;
    // net-snmp's own complaint about bytes whose frame was sound.
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}
