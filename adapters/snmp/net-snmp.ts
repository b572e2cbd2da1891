// Owns: everything we rely on in net-snmp 3.29: its message codec and its encryption. It is the only file that imports it.
// Its Receiver answers an inform before it calls back, so we take the parts and leave the whole. Message is not exported:
// a receiver over a socket that does nothing leads to it (test/source-snmp/net-snmp.test.ts pins each step of the way).
import { createRequire } from 'node:module';

/** A user as net-snmp wants one; numbers are its own constants. */
export interface CodecUser {
  readonly name: string;
  readonly level: number;
  readonly authProtocol?: number;
  readonly authKey?: string;
  readonly privProtocol?: number;
  readonly privKey?: string;
}

export interface CodecVarbind {
  readonly oid: string;
  readonly type: number;
  readonly value: Buffer | string | number | boolean | null;
}

/** asn1-ber's writer, as far as we write ourselves. */
interface PduWriter {
  writeBuffer(bytes: Buffer, tag?: number): void;
  startSequence(tag?: number): void;
  endSequence(): void;
  writeInt(value: number, tag?: number): void;
  writeString(text: string): void;
  writeOID(oid: string): void;
  writeNull(): void;
}

/** As decoded: a v1 trap has the second half, all others the first. */
export interface CodecPdu {
  readonly type: number;
  readonly varbinds: readonly CodecVarbind[];
  readonly id: number;
  readonly enterprise: string;
  readonly agentAddr: string;
  readonly generic: number;
  readonly specific: number;
  readonly upTime: number;
  /** RFC 3416 section 3; 0 is noError. */
  readonly errorStatus?: number;
}

/** What a message that is written needs of its PDU. */
export interface WritablePdu {
  readonly contextEngineID?: Buffer;
  readonly contextName: string;
  toBuffer(writer: PduWriter): void;
}

export interface GlobalData {
  msgID: number;
  msgMaxSize: number;
  msgFlags: number;
  msgSecurityModel: number;
}

export interface SecurityParameters {
  readonly msgAuthoritativeEngineID: Buffer;
  readonly msgAuthoritativeEngineBoots: number;
  readonly msgAuthoritativeEngineTime: number;
  msgUserName: string;
}

export interface Engine {
  readonly engineID: Buffer;
  readonly engineBoots: number;
  readonly engineTime: number;
}

export interface CodecMessage {
  readonly version: number;
  /** Secret: never logged, never in an event. Absent in v3. */
  readonly community: string;
  /** Null where encrypted. */
  readonly pdu: CodecPdu | null;
  /** v3 only, as are the next. */
  readonly msgGlobalData: GlobalData;
  readonly msgSecurityParameters: SecurityParameters & { readonly msgPrivacyParameters: Buffer };
  user?: CodecUser;
  toBuffer(): Buffer;
  setReportable(flag: 0 | 1): void;
  createReportResponseMessage(engine: Engine, context: string, usmStat: string): CodecMessage & { pdu: CodecPdu };
}

interface MessageClass {
  createFromBuffer(bytes: Buffer): CodecMessage;
  createCommunity(version: 0 | 1, community: string, pdu: WritablePdu): CodecMessage;
  createV3(user: CodecUser, global: GlobalData, security: SecurityParameters, pdu: WritablePdu): CodecMessage;
}

interface ListenerClass {
  processIncoming(bytes: Buffer, authorizer: object, callback: (error: Error) => void): CodecMessage;
}

interface Algorithm {
  readonly KEY_LENGTH: number;
  readonly AUTHENTICATION_CODE_LENGTH: number;
  readonly CRYPTO_ALGORITHM: string;
}

interface NetSnmp {
  readonly createReceiver: (options: object, callback: () => void) => { readonly listener: { readonly constructor: unknown } };
  readonly ObjectType: Readonly<Record<string, number>> & Readonly<Record<number, string>>;
  readonly SecurityLevel: Readonly<Record<string, number>>;
  readonly AuthProtocols: Readonly<Record<string, number>>;
  readonly PrivProtocols: Readonly<Record<string, number>>;
  readonly Authentication: {
    readonly algorithms: Readonly<Record<number, Algorithm>>;
    /** Grows by an entry for each password and engine for ever, passwords in the clear: emptied by us. */
    authToKeyCache: Record<string, Buffer>;
  };
  readonly Encryption: {
    decryptPdu(priv: number, bytes: Buffer, salt: Buffer, privKey: string, auth: number, engine: Engine): Buffer;
  };
}

export const netSnmp: NetSnmp = createRequire(import.meta.url)('net-snmp');

/** A v2c trap with no varbinds: enough for a message, which knows its class. */
const leastMessage = Buffer.from('30120201010400a70b0201000201000201003000', 'hex');

function messageClass(): MessageClass {
  const deaf = { createSocket: () => ({ on: () => {}, bind: () => {} }) };
  const { listener } = netSnmp.createReceiver({ dgramModule: deaf, disableAuthorization: true }, () => {});
  const everybody = { communities: [], users: [], disableAuthorization: true };
  const message = (listener.constructor as ListenerClass).processIncoming(leastMessage, everybody, () => {});
  return message.constructor as unknown as MessageClass;
}

export const Message: MessageClass = messageClass();
