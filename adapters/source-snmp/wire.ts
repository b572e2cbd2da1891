// Owns: a decoded PDU as model fields (RFC 3416, RFC 3584 for v1), and the datagram as it may be kept: without secrets.

import type { SnmpFields, Varbind } from '../../src/model/event.ts';
import { nameOf } from '../platforms/mib.ts';
import { type Element, malformed, pduTag, varbindsIn } from '../snmp/frame.ts';
import { type CodecPdu, type CodecVarbind, netSnmp } from '../snmp/net-snmp.ts';
import { plainValue } from '../snmp/value.ts';

const oid = {
  sysUpTime: '1.3.6.1.2.1.1.3.0',
  snmpTrapOid: '1.3.6.1.6.3.1.1.4.1.0',
  snmpTrapEnterprise: '1.3.6.1.6.3.1.1.4.3.0',
  snmpTrapAddress: '1.3.6.1.6.3.18.1.3.0',
  standardTraps: '1.3.6.1.6.3.1.1.5',
} as const;

/** snmpTrapCommunity (SNMP-COMMUNITY-MIB): a proxy puts the community of the original trap there, in clear. */
const communityColumn = Buffer.from([0x2b, 6, 1, 6, 3, 18, 1, 4]);
const snmpTrapCommunity = '1.3.6.1.6.3.18.1.4';
const hidden = 0x2a; // '*'

export interface Notification {
  readonly pdu: 'trap' | 'inform';
  readonly oid: string;
  readonly uptime?: number;
  readonly varbinds: readonly Varbind[];
  /** snmpTrapAddress or the v1 agent-addr: who a relay says it came from. Recorded, never trusted. */
  readonly trapAddress?: string;
}

const { ObjectType } = netSnmp;
/** net-snmp says Counter and Gauge for what RFC 2578 calls Counter32 and Gauge32. */
const typeNames: ReadonlyMap<number, string> = new Map([
  [ObjectType.Counter!, 'Counter32'],
  [ObjectType.Gauge!, 'Gauge32'],
]);

function varbindOf(varbind: CodecVarbind): Varbind {
  const name = nameOf(varbind.oid);
  const secret = varbind.oid.startsWith(snmpTrapCommunity);
  return {
    oid: varbind.oid,
    ...(name !== undefined && { name }),
    type: typeNames.get(varbind.type) ?? ObjectType[varbind.type] ?? `type ${varbind.type}`,
    value: secret ? '***' : plainValue(varbind),
  };
}

const isAddress = (value: unknown): value is string => typeof value === 'string' && value !== '0.0.0.0' && value !== '';

/** RFC 3584 section 3.1: what the v2 form of a v1 trap would be. agent-addr and enterprise go where a proxy would put them. */
function fromV1(pdu: CodecPdu): Notification {
  const { generic, specific, enterprise, agentAddr } = pdu;
  if (generic < 0 || generic > 6 || specific < 0) throw malformed(`generic-trap ${generic}, specific-trap ${specific} is none`);
  const varbinds = pdu.varbinds.map(varbindOf);
  const has = (wanted: string) => varbinds.some((varbind) => varbind.oid === wanted);
  if (!has(oid.snmpTrapAddress)) {
    varbinds.push({ oid: oid.snmpTrapAddress, name: 'snmpTrapAddress.0', type: 'IpAddress', value: agentAddr });
  }
  if (!has(oid.snmpTrapEnterprise)) {
    varbinds.push({ oid: oid.snmpTrapEnterprise, name: 'snmpTrapEnterprise.0', type: 'OID', value: enterprise });
  }
  return {
    pdu: 'trap',
    oid: generic < 6 ? `${oid.standardTraps}.${generic + 1}` : `${enterprise}.0.${specific}`,
    uptime: pdu.upTime,
    varbinds,
    ...(isAddress(agentAddr) && { trapAddress: agentAddr }),
  };
}

/** By OID, not by place: the two that lead every v2 notification are taken out, the rest is what it says. */
function fromV2(pdu: CodecPdu): Notification {
  let trapOid: unknown;
  let uptime: unknown;
  let trapAddress: unknown;
  const varbinds: Varbind[] = [];
  for (const varbind of pdu.varbinds) {
    if (varbind.oid === oid.snmpTrapOid && trapOid === undefined) trapOid = varbind.value;
    else if (varbind.oid === oid.sysUpTime && uptime === undefined) uptime = varbind.value;
    else varbinds.push(varbindOf(varbind));
    if (varbind.oid === oid.snmpTrapAddress) trapAddress = varbind.value;
  }
  if (typeof trapOid !== 'string') throw malformed('it has no snmpTrapOID.0, so it notifies of nothing');
  return {
    pdu: pdu.type === pduTag.inform ? 'inform' : 'trap',
    oid: trapOid,
    ...(typeof uptime === 'number' && { uptime }),
    varbinds,
    ...(isAddress(trapAddress) && { trapAddress }),
  };
}

/** Throws a TargetError `malformed` where the PDU is no notification that can be. The caller has checked its type. */
export function notificationOf(pdu: CodecPdu): Notification {
  return pdu.type === pduTag.trapV1 ? fromV1(pdu) : fromV2(pdu);
}

export function snmpFieldsOf(
  version: SnmpFields['version'],
  notification: Notification,
  usm?: { readonly engine: string; readonly user: string },
): SnmpFields {
  const name = nameOf(notification.oid);
  return {
    version,
    pdu: notification.pdu,
    oid: notification.oid,
    ...(name !== undefined && { name }),
    ...(notification.uptime !== undefined && { uptime: notification.uptime }),
    ...(usm && { engine: usm.engine, user: usm.user }),
    varbinds: [...notification.varbinds],
  };
}

/** The datagram as hex, communities overwritten with `*` of the same length: it still decodes, and gives nothing away. */
export function rawOf(bytes: Buffer, pdu: Element | undefined, community: Element | undefined): string {
  const copy = Buffer.from(bytes);
  if (community) copy.fill(hidden, community.from, community.to);
  for (const varbind of pdu ? varbindsIn(bytes, pdu) : []) {
    const { from, to } = varbind.oid;
    if (to - from < communityColumn.length || !bytes.subarray(from, from + communityColumn.length).equals(communityColumn))
      continue;
    copy.fill(hidden, varbind.value.from, varbind.value.to);
  }
  return copy.toString('hex');
}

/** The Response to an inform: its very octets, as RFC 3416 section 4.2.7 has it, but for the PDU's type. */
export function responsePdu(bytes: Buffer, pdu: Element): Buffer {
  const copy = Buffer.from(bytes.subarray(pdu.start, pdu.to));
  copy[0] = pduTag.response;
  return copy;
}
