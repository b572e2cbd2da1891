// Owns: what SNMP notifications mean. A table by snmpTrapOID; varbinds are found by column prefix and never by position
// or exact OID, because instances are sloppy in the field (`.0`, or none at all, where the MIB says ifIndex).
import type { SnmpFields, Varbind } from '../../src/model/event.ts';
import { interfaceName } from '../../src/model/interface-name.ts';
import type { HsrpState, Meaning, MeaningOf, VrrpState } from '../../src/model/meaning.ts';

type Reader = (varbinds: readonly Varbind[]) => Meaning | null;

const column = {
  ifIndex: '1.3.6.1.2.1.2.2.1.1',
  ifDescr: '1.3.6.1.2.1.2.2.1.2',
  ifAdminStatus: '1.3.6.1.2.1.2.2.1.7',
  ifOperStatus: '1.3.6.1.2.1.2.2.1.8',
  ifName: '1.3.6.1.2.1.31.1.1.1.1',
  locIfReason: '1.3.6.1.4.1.9.2.2.1.1.20',
  vtpVlanName: '1.3.6.1.4.1.9.9.46.1.3.1.1.4',
  bgpPeerState: '1.3.6.1.2.1.15.3.1.2',
  bgpPeerRemoteAddr: '1.3.6.1.2.1.15.3.1.7',
  bgpPeerLastError: '1.3.6.1.2.1.15.3.1.14',
  cbgpPeerLastErrorTxt: '1.3.6.1.4.1.9.9.187.1.2.1.1.7',
  cbgpPeerPrevState: '1.3.6.1.4.1.9.9.187.1.2.1.1.8',
  cbgpPeer2State: '1.3.6.1.4.1.9.9.187.1.2.5.1.3',
  cbgpPeer2LastError: '1.3.6.1.4.1.9.9.187.1.2.5.1.17',
  cbgpPeer2LastErrorTxt: '1.3.6.1.4.1.9.9.187.1.2.5.1.28',
  cbgpPeer2PrevState: '1.3.6.1.4.1.9.9.187.1.2.5.1.29',
  vrrpOperMasterIpAddr: '1.3.6.1.2.1.68.1.3.1.7',
  vrrpv3OperationsMasterIpAddr: '1.3.6.1.2.1.207.1.1.1.1.3',
  vrrpv3StatisticsNewMasterReason: '1.3.6.1.2.1.207.1.2.5.1.2',
  vrrpInstanceName: '1.3.6.1.4.1.9586.100.5.2.3.1.2',
  vrrpInstanceState: '1.3.6.1.4.1.9586.100.5.2.3.1.4',
  cHsrpGrpStandbyState: '1.3.6.1.4.1.9.9.106.1.2.1.1.15',
  cpsIfSecureLastMacAddress: '1.3.6.1.4.1.9.9.315.1.2.1.1.10',
  cpsIfSecureLastMacAddrVlanId: '1.3.6.1.4.1.9.9.315.1.2.1.1.18',
  cErrDisableIfStatusCause: '1.3.6.1.4.1.9.9.548.1.3.1.1.2',
  ccmHistoryEventCommandSource: '1.3.6.1.4.1.9.9.43.1.1.6.1.3',
  ccmHistoryEventConfigDestination: '1.3.6.1.4.1.9.9.43.1.1.6.1.5',
  ccmHistoryEventTerminalType: '1.3.6.1.4.1.9.9.43.1.1.6.1.6',
  ccmHistoryEventTerminalUser: '1.3.6.1.4.1.9.9.43.1.1.6.1.8',
} as const;

interface Cell {
  readonly value: Varbind['value'];
  /** The instance's arcs: `[3, 1]` of `cHsrpGrpStandbyState.3.1`; none where the sender left them out. */
  readonly index: readonly number[];
}

function cellOf(varbinds: readonly Varbind[], prefix: string): Cell | undefined {
  for (const { oid, value } of varbinds) {
    if (oid === prefix) return { value, index: [] };
    if (oid.startsWith(prefix) && oid[prefix.length] === '.') {
      return {
        value,
        index: oid
          .slice(prefix.length + 1)
          .split('.')
          .map(Number),
      };
    }
  }
  return undefined;
}

function numberIn(varbinds: readonly Varbind[], prefix: string): number | undefined {
  const value = cellOf(varbinds, prefix)?.value;
  return typeof value === 'number' ? value : undefined;
}

/** Octets of a value: `0x…` is hex, all else is text as it was sent. */
function octetsOf(value: Varbind['value'] | undefined): Uint8Array {
  if (typeof value !== 'string') return new Uint8Array();
  return value.startsWith('0x') ? Buffer.from(value.slice(2), 'hex') : Buffer.from(value, 'utf8');
}

/** Text without the NULs some agents pad with; undefined where nothing readable is left. */
function textIn(varbinds: readonly Varbind[], prefix: string): string | undefined {
  const value = cellOf(varbinds, prefix)?.value;
  if (typeof value !== 'string') return undefined;
  const text = value.startsWith('0x') ? Buffer.from(value.slice(2), 'hex').toString('latin1') : value;
  const trimmed = text.replace(/[\0\s]+$/, '');
  return trimmed !== '' && /^[\x20-\x7e]+$/.test(trimmed) ? trimmed : undefined;
}

/** An ifIndex is at least 1 (IF-MIB InterfaceIndex): the `.0` of a sloppy sender names nothing. */
const isIfIndex = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0;

/** The interface by name where the notification says it, else by ifIndex: ifIndex's own value, or a column's first arc. */
function interfaceOf(
  varbinds: readonly Varbind[],
  ...indexedBy: readonly string[]
): { readonly interface?: string; readonly ifIndex?: number } {
  const name = textIn(varbinds, column.ifName) ?? textIn(varbinds, column.ifDescr);
  if (name !== undefined) return { interface: interfaceName(name) };
  const ifIndex = numberIn(varbinds, column.ifIndex);
  if (isIfIndex(ifIndex)) return { ifIndex };
  for (const prefix of [column.ifIndex, ...indexedBy]) {
    const first = cellOf(varbinds, prefix)?.index[0];
    if (isIfIndex(first)) return { ifIndex: first };
  }
  return {};
}

/** CISCO-HSRP-MIB HsrpState: its `initial` is RFC 2281's init. Not the numbers of HSRPv1 on the wire. */
const hsrpStates: readonly (HsrpState | undefined)[] = [undefined, 'init', 'learn', 'listen', 'speak', 'standby', 'active'];

/** Sent on entering or leaving active or standby only; names neither the interface nor the former state. */
function hsrp(varbinds: readonly Varbind[]): Meaning | null {
  const cell = cellOf(varbinds, column.cHsrpGrpStandbyState);
  const to = typeof cell?.value === 'number' ? hsrpStates[cell.value] : undefined;
  const group = cell?.index[1];
  if (to === undefined || group === undefined) return null;
  return { kind: 'hsrp.state-changed', ...interfaceOf(varbinds, column.cHsrpGrpStandbyState), group, to };
}

/** INDEX { ifIndex, vrrpOperVrId }: VRRPv2, which is IPv4 only. */
function vrrpNewMaster(varbinds: readonly Varbind[]): Meaning | null {
  const group = cellOf(varbinds, column.vrrpOperMasterIpAddr)?.index[1];
  return {
    kind: 'vrrp.state-changed',
    ...interfaceOf(varbinds, column.vrrpOperMasterIpAddr),
    ...(group !== undefined && { group }),
    family: 'ipv4',
    to: 'master',
  };
}

/** INDEX { ifIndex, vrrpv3OperationsVrId, vrrpv3OperationsInetAddrType }: InetAddressType ipv4(1), ipv6(2). */
function vrrpv3NewMaster(varbinds: readonly Varbind[]): Meaning | null {
  const columns = [column.vrrpv3OperationsMasterIpAddr, column.vrrpv3StatisticsNewMasterReason];
  const cells = columns.map((prefix) => cellOf(varbinds, prefix));
  const [, group, type] = cells.find((cell) => cell && cell.index.length >= 3)?.index ?? [];
  return {
    kind: 'vrrp.state-changed',
    ...interfaceOf(varbinds, ...columns),
    ...(group !== undefined && { group }),
    ...(type === 1 && { family: 'ipv4' as const }),
    ...(type === 2 && { family: 'ipv6' as const }),
    to: 'master',
  };
}

/** KEEPALIVED-MIB VrrpState; shutdown(5) and deleted(6) leave the protocol, as RFC 5798's Initialize; unknown(4) says nothing. */
const keepalivedStates: readonly (VrrpState | undefined)[] = [
  'initialize',
  'backup',
  'master',
  'fault',
  undefined,
  'initialize',
  'initialize',
];

function keepalived(varbinds: readonly Varbind[]): Meaning | null {
  const state = numberIn(varbinds, column.vrrpInstanceState);
  const to = state === undefined ? undefined : keepalivedStates[state];
  const instance = textIn(varbinds, column.vrrpInstanceName);
  if (to === undefined) return null;
  return { kind: 'vrrp.state-changed', ...(instance !== undefined && { instance }), to };
}

const link =
  (to: 'up' | 'down'): Reader =>
  (varbinds) => {
    const adminStatus = numberIn(varbinds, column.ifAdminStatus);
    const reason = textIn(varbinds, column.locIfReason);
    return {
      kind: 'interface.state-changed',
      ...interfaceOf(varbinds, column.ifAdminStatus, column.ifOperStatus, column.ifDescr, column.locIfReason),
      layer: 'link',
      to,
      ...(to === 'down' && adminStatus !== undefined && { admin: adminStatus === 2 }),
      ...(reason !== undefined && { reason }),
    };
  };

const bgpEstablished = 6;

interface BgpColumns {
  readonly state: string;
  readonly lastError: string;
  readonly errorText?: string;
  readonly previous?: string;
  readonly neighborOf: (index: readonly number[]) => string | undefined;
}

const dotted = (octets: readonly number[] | Uint8Array) =>
  octets.length === 4 && octets.every((octet) => octet >= 0 && octet <= 255) ? octets.join('.') : undefined;

/** The text of RFC 5952, which is how a URL writes an IPv6 address. */
function ipv6Text(octets: readonly number[]): string | undefined {
  if (octets.length !== 16 || !octets.every((octet) => octet >= 0 && octet <= 255)) return undefined;
  const groups = Array.from({ length: 8 }, (_, at) => ((octets[2 * at]! << 8) | octets[2 * at + 1]!).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

const bgp4: BgpColumns = { state: column.bgpPeerState, lastError: column.bgpPeerLastError, neighborOf: dotted };
const cbgp: BgpColumns = { ...bgp4, errorText: column.cbgpPeerLastErrorTxt, previous: column.cbgpPeerPrevState };
/** INDEX { cbgpPeer2Type, cbgpPeer2RemoteAddr }: the type, the length, then the octets. */
const cbgp2: BgpColumns = {
  state: column.cbgpPeer2State,
  lastError: column.cbgpPeer2LastError,
  errorText: column.cbgpPeer2LastErrorTxt,
  previous: column.cbgpPeer2PrevState,
  neighborOf: ([type, length, ...octets]) =>
    octets.length !== length ? undefined : type === 1 ? dotted(octets) : type === 2 ? ipv6Text(octets) : undefined,
};

/** bgpPeerLastError: code and subcode, as RFC 4271 section 4.5 counts them; `4/0` is hold timer expired. */
function bgpReason(varbinds: readonly Varbind[], columns: BgpColumns): string | undefined {
  const text = columns.errorText === undefined ? undefined : textIn(varbinds, columns.errorText);
  if (text !== undefined) return text;
  const [code, subcode, ...more] = octetsOf(cellOf(varbinds, columns.lastError)?.value);
  if (!code || subcode === undefined || more.length > 0) return undefined;
  return `error ${code}/${subcode}`;
}

const bgp =
  (columns: BgpColumns, says: 'established' | 'backward' | 'any'): Reader =>
  (varbinds) => {
    const remote = cellOf(varbinds, column.bgpPeerRemoteAddr)?.value;
    const neighbor =
      [columns.state, columns.lastError]
        .map((prefix) => columns.neighborOf(cellOf(varbinds, prefix)?.index ?? []))
        .find((address) => address !== undefined) ?? (typeof remote === 'string' ? remote : undefined);
    const state = numberIn(varbinds, columns.state);
    if (neighbor === undefined) return null;
    const up = says === 'established' || (says === 'any' && state === bgpEstablished);
    if (up) return { kind: 'bgp.neighbor-changed', neighbor, to: 'up' };
    if (state === undefined && says === 'any') return null;
    // A session that was not up (Connect to Active, …) goes through the motions without having changed for us.
    const previous = columns.previous === undefined ? undefined : numberIn(varbinds, columns.previous);
    if (previous !== undefined && previous !== bgpEstablished) return null;
    const reason = bgpReason(varbinds, columns);
    return { kind: 'bgp.neighbor-changed', neighbor, to: 'down', ...(reason !== undefined && { reason }) };
  };

/** All three forms. The trunk form names the VLAN by vtpVlanName, whose instance ends in its number. */
function portSecurity(varbinds: readonly Varbind[]): Meaning | null {
  const octets = octetsOf(cellOf(varbinds, column.cpsIfSecureLastMacAddress)?.value);
  if (octets.length !== 6) return null;
  const vlanNamed = cellOf(varbinds, column.vtpVlanName)?.index;
  const vlan =
    numberIn(varbinds, column.cpsIfSecureLastMacAddrVlanId) ??
    (vlanNamed && vlanNamed.length >= 2 ? vlanNamed.at(-1) : undefined);
  return {
    kind: 'port-security.violation',
    ...interfaceOf(varbinds, column.ifName, column.cpsIfSecureLastMacAddress, column.cpsIfSecureLastMacAddrVlanId),
    mac: [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(':'),
    ...(vlan !== undefined && vlan >= 1 && vlan <= 4094 && { vlan }),
  };
}

/** cErrDisableIfStatusCause, in the words of IOS. Weak: which number is which word was not checked on a device. */
const errDisableCauses: Readonly<Record<number, string>> = {
  1: 'udld',
  2: 'bpduguard',
  3: 'channel-misconfig',
  4: 'pagp-flap',
  5: 'dtp-flap',
  6: 'link-flap',
  7: 'l2ptguard',
  8: 'security-violation',
  9: 'psecure-violation',
  10: 'gbic-invalid',
  11: 'dhcp-rate-limit',
  14: 'storm-control',
  15: 'inline-power',
  16: 'arp-inspection',
  17: 'loopback',
  62: 'loopdetect',
};

/** Instance `<ifIndex>.<vlan>`: vlan 0 is the whole interface, another one leaves the interface itself up. */
function errDisabled(varbinds: readonly Varbind[]): Meaning | null {
  const cell = cellOf(varbinds, column.cErrDisableIfStatusCause);
  const cause = cell?.value;
  if (typeof cause !== 'number' || (cell?.index[1] ?? 0) !== 0) return null;
  return {
    kind: 'interface.err-disabled',
    ...interfaceOf(varbinds, column.cErrDisableIfStatusCause),
    cause: errDisableCauses[cause] ?? `cause ${cause}`,
  };
}

const terminals: Readonly<Record<number, string>> = { 3: 'console', 4: 'terminal', 5: 'vty', 6: 'auxiliary' };
const commandSources: Readonly<Record<number, string>> = { 1: 'cli', 2: 'snmp' };
const runningConfig = 3;

/** ciscoConfigManEvent tells of copies too: only what was written to running(3) changes the configuration. */
function configChanged(varbinds: readonly Varbind[]): Meaning | null {
  const destination = numberIn(varbinds, column.ccmHistoryEventConfigDestination);
  if (destination !== undefined && destination !== runningConfig) return null;
  const by = textIn(varbinds, column.ccmHistoryEventTerminalUser);
  const terminal = numberIn(varbinds, column.ccmHistoryEventTerminalType);
  const source = numberIn(varbinds, column.ccmHistoryEventCommandSource);
  const from = terminals[terminal ?? 0] ?? commandSources[source ?? 0];
  const meaning: MeaningOf<'config.changed'> = { kind: 'config.changed' };
  return { ...meaning, ...(by !== undefined && { by }), ...(from !== undefined && { from }) };
}

/** CISCO-PORT-SECURITY-MIB, and after the slash what RFC 3584 makes of the enterprise that v1 agents are told to send. */
const portSecurityPrefixes = ['1.3.6.1.4.1.9.9.315.0.0', '1.3.6.1.4.1.9.9.315.0'];

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['1.3.6.1.4.1.9.9.106.2.0.1', hsrp],
  ['1.3.6.1.2.1.68.0.1', vrrpNewMaster],
  ['1.3.6.1.2.1.207.0.1', vrrpv3NewMaster],
  ['1.3.6.1.4.1.9586.100.5.2.10.0.2', keepalived],
  ['1.3.6.1.6.3.1.1.5.3', link('down')],
  ['1.3.6.1.6.3.1.1.5.4', link('up')],
  // RFC 4273, as FRR sends them; then the RFC 1657 form of older agents, and what RFC 3584 makes of that as a v1 trap.
  ['1.3.6.1.2.1.15.0.1', bgp(bgp4, 'established')],
  ['1.3.6.1.2.1.15.0.2', bgp(bgp4, 'backward')],
  ['1.3.6.1.2.1.15.7.1', bgp(bgp4, 'established')],
  ['1.3.6.1.2.1.15.7.2', bgp(bgp4, 'backward')],
  ['1.3.6.1.2.1.15.7.0.1', bgp(bgp4, 'established')],
  ['1.3.6.1.2.1.15.7.0.2', bgp(bgp4, 'backward')],
  ['1.3.6.1.4.1.9.9.187.0.1', bgp(cbgp, 'any')],
  ['1.3.6.1.4.1.9.9.187.0.2', bgp(cbgp, 'backward')],
  ['1.3.6.1.4.1.9.9.187.0.5', bgp(cbgp2, 'established')],
  ['1.3.6.1.4.1.9.9.187.0.7', bgp(cbgp2, 'any')],
  ['1.3.6.1.4.1.9.9.187.0.8', bgp(cbgp2, 'backward')],
  ...portSecurityPrefixes.flatMap((prefix) => [1, 2, 3].map((form) => [`${prefix}.${form}`, portSecurity] as const)),
  ['1.3.6.1.4.1.9.9.548.0.1.1', errDisabled],
  ['1.3.6.1.4.1.9.9.548.0.1.0.1', errDisabled],
  ['1.3.6.1.4.1.9.9.548.0.2', errDisabled],
  ['1.3.6.1.4.1.9.9.43.2.0.1', configChanged],
  ['1.3.6.1.4.1.9.9.43.2.0.2', configChanged],
]);

/** The snmpTrapOIDs that may have a meaning; each has a recorded datagram in the tests. */
export const meaningfulTraps: readonly string[] = [...readers.keys()];

/** What a notification means, null where we do not know. An interface may still be an ifIndex, which is the source's to resolve. */
export function trapMeaning(snmp: SnmpFields): Meaning | null {
  return readers.get(snmp.oid)?.(snmp.varbinds) ?? null;
}
