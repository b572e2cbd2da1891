// Owns: what the messages of Junos mean, by their tag.
import { bgpTransition, configChange, linkChange, type SyslogReading, vrrpChange } from '../syslog-readings.ts';

/** `Interface ae0.1102 (local address 100.64.102.12) became VRRP master for group 1 with master reason …` */
const vrrp =
  /^Interface (?<interface>\S{1,64}) (?:\(local address [^)]{1,64}\) )?became VRRP (?<to>master|backup) for group (?<group>\d{1,3})\b/;
/** `ifIndex 502, ifAdminStatus down(2), ifOperStatus down(2), ifName xe-0/0/0` */
const link =
  /^ifIndex \d{1,10}, ifAdminStatus (?:(?<admin>down)|\w{1,16})\(\d\), ifOperStatus (?<to>up|down)\(\d\), ifName (?<interface>\S{1,64})/;

export const junosSyslog: readonly SyslogReading[] = [
  { on: 'VRRPD_NEW_MASTER', pattern: vrrp, meaning: vrrpChange },
  { on: 'VRRPD_NEW_BACKUP', pattern: vrrp, meaning: vrrpChange },
  { on: 'SNMP_TRAP_LINK_DOWN', pattern: link, meaning: linkChange },
  { on: 'SNMP_TRAP_LINK_UP', pattern: link, meaning: linkChange },
  // `BGP peer 1.1.1.1 (External AS 2222) changed state from Established to Idle (event HoldTime) (instance master)`
  {
    on: 'RPD_BGP_NEIGHBOR_STATE_CHANGED',
    pattern:
      /^BGP peer (?<neighbor>[^\s+]{1,64})(?:\+\d{1,5})? \((?:External|Internal) AS (?<as>\d{1,10})\) changed state from (?<from>\w{1,32}) to (?<to>\w{1,32})(?: \(event (?<reason>[^)]{1,64})\))?(?: \(instance (?<vrf>[^)]{1,64})\))?/,
    meaning: bgpTransition,
  },
  // `User 'luke' requested 'commit' operation (comment: hello)`; `commit check` changes nothing
  {
    on: 'UI_COMMIT',
    pattern: /^User '(?<by>[^']{1,64})' requested '(?<from>commit)(?! check)[^']{0,64}' operation/,
    meaning: configChange,
  },
  { on: 'UI_COMMIT_COMPLETED', pattern: /^(?<from>commit) complete/, meaning: configChange },
];
