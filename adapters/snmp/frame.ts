// Owns: whether a datagram is well-formed SNMP, and where its parts are. net-snmp's reader stops quietly where a varbind
// list is cut short and wraps integers that are too long; what passes here is complete, so nothing is lost in silence.
// One pass over the bytes, no recursion that a sender could deepen: a message has a fixed shape (RFC 1157, 3412, 3416).
import { TargetError } from '../../src/model/errors.ts';

/** One BER element: its tag, where it starts, and where its content begins and ends. */
export interface Element {
  readonly tag: number;
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

export interface CommunityFrame {
  readonly kind: 'community';
  readonly version: 0 | 1;
  readonly community: Element;
  readonly pdu: Element;
}

export interface UsmFrame {
  readonly kind: 'usm';
  readonly version: 3;
  readonly flags: number;
  /** msgAuthenticationParameters: the digest. */
  readonly digest: Element;
  readonly salt: Element;
  /** The plain scoped PDU, or absent where the data is encrypted. */
  readonly scoped?: ScopedFrame;
  readonly encrypted?: Element;
}

export interface ScopedFrame {
  readonly contextEngine: Element;
  readonly contextName: Element;
  readonly pdu: Element;
}

export type Frame = CommunityFrame | UsmFrame;

/** The tags of RFC 3416's PDUs and of RFC 1157's trap. */
export const pduTag = {
  get: 0xa0,
  response: 0xa2,
  set: 0xa3,
  trapV1: 0xa4,
  bulk: 0xa5,
  inform: 0xa6,
  trap: 0xa7,
  report: 0xa8,
} as const;

const tag = { integer: 0x02, octets: 0x04, null: 0x05, oid: 0x06, sequence: 0x30, ipAddress: 0x40, timeTicks: 0x43 } as const;

/** Content lengths that a varbind's value may have, by tag: what is outside is no SNMP value (RFC 2578 section 7.1). */
const valueLengths: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [tag.integer, [1, 4]],
  [tag.octets, [0, 65_507]],
  [tag.null, [0, 0]],
  [tag.oid, [1, 640]], // 128 arcs of 5 octets
  [tag.ipAddress, [4, 4]],
  [0x41, [1, 5]], // Counter32: 32 bits and a leading zero
  [0x42, [1, 5]], // Gauge32
  [tag.timeTicks, [1, 5]],
  [0x44, [0, 65_507]], // Opaque
  [0x46, [1, 9]], // Counter64: 64 bits and a leading zero
  [0x80, [0, 0]], // noSuchObject
  [0x81, [0, 0]], // noSuchInstance
  [0x82, [0, 0]], // endOfMibView
]);

export function malformed(reason: string, at?: number): TargetError {
  return new TargetError(`[snmp] the datagram is malformed${at === undefined ? '' : ` at octet ${at}`}: ${reason}`, {
    code: 'malformed',
    remedy: 'Check with a packet capture that it is SNMP and was not cut short.',
    retry: false,
  });
}

function elementAt(bytes: Uint8Array, at: number, end: number, what: string): Element {
  if (at + 2 > end) throw malformed(`${what} is missing`, at);
  const first = bytes[at + 1]!;
  let from = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0) throw malformed(`${what} has an indefinite length`, at);
    if (count > 8 || from + count > end) throw malformed(`${what} has a length of ${count} octets`, at);
    length = 0;
    for (let left = count; left > 0; left--) length = length * 256 + bytes[from++]!;
  }
  if (length > end - from) throw malformed(`${what} says ${length} octets and ${end - from} are left`, at);
  return { tag: bytes[at]!, start: at, from, to: from + length };
}

/** The elements of a constructed one, in order, filling it exactly. */
function childrenOf(bytes: Uint8Array, parent: Element, what: string): Element[] {
  const children: Element[] = [];
  for (let at = parent.from; at < parent.to; at = children.at(-1)!.to) {
    children.push(elementAt(bytes, at, parent.to, what));
  }
  return children;
}

/** Exactly these tags, in this order. */
function shape(bytes: Uint8Array, parent: Element, what: string, tags: readonly (number | undefined)[]): Element[] {
  const children = childrenOf(bytes, parent, what);
  if (children.length !== tags.length) throw malformed(`${what} has ${children.length} parts, not ${tags.length}`, parent.start);
  for (const [at, wanted] of tags.entries()) {
    const child = children[at]!;
    if (wanted !== undefined && child.tag !== wanted)
      throw malformed(`${what} has type ${child.tag} as part ${at + 1}`, child.start);
    if (wanted !== undefined && valueLengths.has(wanted)) checkValue(bytes, child);
  }
  return children;
}

function checkOid(bytes: Uint8Array, { from, to, start }: Element): void {
  let octets = 0;
  for (let at = from; at < to; at++) {
    octets++;
    if (octets > 5) throw malformed('an OID has an arc beyond 32 bits', start);
    if (bytes[at]! < 0x80) octets = 0;
  }
  if (octets > 0) throw malformed('an OID ends within an arc', start);
}

function checkValue(bytes: Uint8Array, element: Element): void {
  const allowed = valueLengths.get(element.tag);
  if (!allowed) throw malformed(`a value has the unknown type ${element.tag}`, element.start);
  const length = element.to - element.from;
  if (length < allowed[0] || length > allowed[1]) {
    throw malformed(`a value of type ${element.tag} has ${length} octets`, element.start);
  }
  if (element.tag === tag.oid) checkOid(bytes, element);
}

const pduShape = [tag.integer, tag.integer, tag.integer, tag.sequence];
const trapV1Shape = [tag.oid, tag.ipAddress, tag.integer, tag.integer, tag.timeTicks, tag.sequence];

/** Checks a PDU down to the last value; `0xa0` to `0xa8` are all there are. */
function checkPdu(bytes: Uint8Array, pdu: Element): void {
  if (pdu.tag < 0xa0 || pdu.tag > 0xa8) throw malformed(`a PDU has the unknown type ${pdu.tag}`, pdu.start);
  const parts = shape(bytes, pdu, 'a PDU', pdu.tag === pduTag.trapV1 ? trapV1Shape : pduShape);
  for (const varbind of childrenOf(bytes, parts.at(-1)!, 'a varbind')) {
    if (varbind.tag !== tag.sequence) throw malformed(`a varbind has type ${varbind.tag}`, varbind.start);
    const [, value] = shape(bytes, varbind, 'a varbind', [tag.oid, undefined]);
    checkValue(bytes, value!);
  }
}

const smallInteger = (bytes: Uint8Array, { from, to }: Element) => (to - from === 1 ? bytes[from]! : -1);

/** A scoped PDU: alone in the bytes given, as decryption yields it. */
export function scopedFrameOf(bytes: Uint8Array): ScopedFrame {
  const whole = elementAt(bytes, 0, bytes.length, 'a scoped PDU');
  if (whole.to !== bytes.length) throw malformed(`${bytes.length - whole.to} octets follow the scoped PDU`, whole.to);
  return scopedIn(bytes, whole);
}

function scopedIn(bytes: Uint8Array, whole: Element): ScopedFrame {
  if (whole.tag !== tag.sequence) throw malformed(`a scoped PDU has type ${whole.tag}`, whole.start);
  const [contextEngine, contextName, pdu] = shape(bytes, whole, 'a scoped PDU', [tag.octets, tag.octets, undefined]);
  checkPdu(bytes, pdu!);
  return { contextEngine: contextEngine!, contextName: contextName!, pdu: pdu! };
}

function usmFrame(bytes: Uint8Array, parts: readonly Element[]): UsmFrame {
  const [, header, security, data] = parts as [Element, Element, Element, Element];
  if (header.tag !== tag.sequence || security.tag !== tag.octets) throw malformed('the SNMPv3 header is not one', header.start);
  const [, , flags] = shape(bytes, header, 'the SNMPv3 header', [tag.integer, tag.integer, tag.octets, tag.integer]);
  if (flags!.to - flags!.from !== 1) throw malformed('msgFlags is not one octet', flags!.start);
  const inner = elementAt(bytes, security.from, security.to, 'the security parameters');
  if (inner.tag !== tag.sequence || inner.to !== security.to)
    throw malformed('the security parameters are no sequence', inner.start);
  const { octets, integer } = tag;
  const [, , , , digest, salt] = shape(bytes, inner, 'the security parameters', [
    octets,
    integer,
    integer,
    octets,
    octets,
    octets,
  ]);
  const common = { kind: 'usm', version: 3, flags: bytes[flags!.from]!, digest: digest!, salt: salt! } as const;
  if ((common.flags & 2) === 0) return { ...common, scoped: scopedIn(bytes, data) };
  if (data.tag !== tag.octets) throw malformed('the encrypted data is no octet string', data.start);
  return { ...common, encrypted: data };
}

/** Throws a TargetError `malformed` unless the datagram is one whole SNMP message, or `unsupported` where its version is not ours. */
export function frameOf(bytes: Uint8Array): Frame {
  const message = elementAt(bytes, 0, bytes.length, 'the message');
  if (message.tag !== tag.sequence) throw malformed(`it begins with type ${message.tag}, not with a sequence`, 0);
  if (message.to !== bytes.length) throw malformed(`${bytes.length - message.to} octets follow the message`, message.to);
  const parts = childrenOf(bytes, message, 'the message');
  const version = parts[0]?.tag === tag.integer ? smallInteger(bytes, parts[0]) : -1;
  if (version === 3 && parts.length === 4) return usmFrame(bytes, parts);
  if ((version === 0 || version === 1) && parts.length === 3) {
    const [, community, pdu] = parts as [Element, Element, Element];
    if (community.tag !== tag.octets) throw malformed(`the community has type ${community.tag}`, community.start);
    checkPdu(bytes, pdu);
    return { kind: 'community', version, community, pdu };
  }
  throw malformed(`version ${version} with ${parts.length} parts is neither v1, v2c nor v3`, message.start);
}

/** Varbinds of a PDU that was checked: where each OID and value are. */
export function varbindsIn(bytes: Uint8Array, pdu: Element): { readonly oid: Element; readonly value: Element }[] {
  const list = childrenOf(bytes, pdu, 'a PDU').at(-1)!;
  return childrenOf(bytes, list, 'a varbind').map((varbind) => {
    const [oid, value] = childrenOf(bytes, varbind, 'a varbind') as [Element, Element];
    return { oid, value };
  });
}
