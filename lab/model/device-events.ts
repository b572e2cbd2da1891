// Owns: what a device tells the world about itself: the text of its syslog lines, the varbinds of its notifications.
import type { HsrpState } from '../../src/model/meaning.ts';

export interface TrapVarbind {
  readonly oid: string;
  readonly type: 'Integer' | 'OctetString';
  /** Octets that are no text as bytes. */
  readonly value: number | string | Uint8Array;
}

export type DeviceEvent =
  /** One syslog datagram, as bytes on the wire read. */
  | { readonly kind: 'syslog'; readonly line: string }
  /** One SNMPv2c notification; the sender adds sysUpTime.0 and snmpTrapOID.0. */
  | { readonly kind: 'trap'; readonly oid: string; readonly uptimeHundredths: number; readonly varbinds: readonly TrapVarbind[] };

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number) => String(value).padStart(2, '0');

/** `Nov 23 03:31:09.857`, as `service timestamps log datetime msec` writes it; a day below ten has a space. */
export function iosTime(at: number): string {
  const date = new Date(at);
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const millis = String(date.getUTCMilliseconds()).padStart(3, '0');
  return `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2, ' ')} ${clock}.${millis}`;
}

export interface SyslogParts {
  /** `HSRP-5-STATECHANGE`; the digit is the severity. */
  readonly mnemonic: string;
  readonly text: string;
  readonly host: string;
  /** Counts from 1 after every boot; the sequence number is the same, six digits, where the service is on. */
  readonly count: number;
  readonly sequenceNumbers: 'on' | 'off';
  readonly at: number;
}

/** `<189>46: gw-a: 000046: *Nov 23 03:31:09.857: %HSRP-5-STATECHANGE: …`; `*` says that the clock was never set by NTP. */
export function syslogLine({ mnemonic, text, host, count, sequenceNumbers, at }: SyslogParts): string {
  const severity = Number(/-([0-7])-/.exec(mnemonic)?.[1] ?? 6);
  const sequence = sequenceNumbers === 'on' ? `${String(count).padStart(6, '0')}: ` : '';
  // Facility local7, IOS's default: 23 * 8 + severity.
  return `<${184 + severity}>${count}: ${host}: ${sequence}*${iosTime(at)}: %${mnemonic}: ${text}`;
}

/** CISCO-HSRP-MIB cHsrpGrpStandbyState. */
export const hsrpStateNumbers: Readonly<Record<HsrpState, number>> = {
  disabled: 1,
  init: 1,
  learn: 2,
  listen: 3,
  speak: 4,
  standby: 5,
  active: 6,
};

/** `Active`, as IOS writes it. */
export function hsrpStateWord(state: HsrpState): string {
  return state[0]!.toUpperCase() + state.slice(1);
}

/** Only entering and leaving active or standby is told, by syslog and by trap alike (CISCO-HSRP-MIB cHsrpStateChange). */
export function isTold(from: HsrpState, to: HsrpState): boolean {
  const told = (state: HsrpState) => state === 'active' || state === 'standby';
  return told(from) || told(to);
}

export function hsrpTrap(ifIndex: number, group: number, state: HsrpState) {
  return {
    oid: '1.3.6.1.4.1.9.9.106.2.0.1',
    varbinds: [{ oid: `1.3.6.1.4.1.9.9.106.1.2.1.1.15.${ifIndex}.${group}`, type: 'Integer', value: hsrpStateNumbers[state] }],
  } as const;
}

export function linkTrap(ifIndex: number, to: 'up' | 'down', admin: 'up' | 'down') {
  const status = (state: 'up' | 'down') => (state === 'up' ? 1 : 2);
  return {
    oid: to === 'up' ? '1.3.6.1.6.3.1.1.5.4' : '1.3.6.1.6.3.1.1.5.3',
    varbinds: [
      { oid: `1.3.6.1.2.1.2.2.1.1.${ifIndex}`, type: 'Integer', value: ifIndex },
      { oid: `1.3.6.1.2.1.2.2.1.7.${ifIndex}`, type: 'Integer', value: status(admin) },
      { oid: `1.3.6.1.2.1.2.2.1.8.${ifIndex}`, type: 'Integer', value: status(to) },
    ],
  } as const;
}

/** CISCO-PORT-SECURITY-MIB cpsSecureMacAddrViolation: sent in `violation restrict` alone. */
export function macViolationTrap(ifIndex: number, ifName: string, mac: Uint8Array) {
  return {
    oid: '1.3.6.1.4.1.9.9.315.0.0.1',
    varbinds: [
      { oid: `1.3.6.1.2.1.2.2.1.1.${ifIndex}`, type: 'Integer', value: ifIndex },
      { oid: `1.3.6.1.2.1.31.1.1.1.1.${ifIndex}`, type: 'OctetString', value: ifName },
      { oid: `1.3.6.1.4.1.9.9.315.1.2.1.1.10.${ifIndex}`, type: 'OctetString', value: mac },
    ],
  } as const;
}

/** CISCO-ERR-DISABLE-MIB cErrDisableInterfaceEventRev1 of the whole interface (VLAN 0), cause portSecurityViolation. */
export function errDisableTrap(ifIndex: number) {
  return {
    oid: '1.3.6.1.4.1.9.9.548.0.2',
    varbinds: [{ oid: `1.3.6.1.4.1.9.9.548.1.3.1.1.2.${ifIndex}.0`, type: 'Integer', value: 9 }],
  } as const;
}

export const coldStartTrap = { oid: '1.3.6.1.6.3.1.1.5.1', varbinds: [] } as const;
