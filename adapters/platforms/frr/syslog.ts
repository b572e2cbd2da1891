// Owns: what FRR's daemons, keepalived and SONiC mean. They write no mnemonics: the program stands for one.
import { bgpChange, linkChange, type SyslogReading, vrrpChange } from '../syslog-readings.ts';

/** `[CORE] [VRID 1] [IPv4] Backup -> Master`; the other lines of a change (`Received advertisement …`) tell no state. */
const vrrp =
  /^\[CORE\] \[VRID (?<group>\d{1,3})\] \[IPv(?<family>[46])\] (?<from>Initialize|Master|Backup) -> (?<to>Initialize|Master|Backup)/;
/** `%ADJCHANGE: neighbor 10.0.2.1(ext) in vrf default Down BGP Notification send`, with `bgp log-neighbor-changes` */
const bgp =
  /^%ADJCHANGE: neighbor (?<neighbor>[^\s(]{1,64})(?:\([^)]{0,255}\))? in vrf (?<vrf>\S{1,64}) (?<to>Up|Down)\b(?<reason>.{0,255})/;
/** keepalived 2 `(VI_1) Entering MASTER STATE`, `Entering BACKUP STATE (init)`; 1 `VRRP_Instance(VI_1) Transition to MASTER STATE` */
const keepalived = /^(?:VRRP_Instance)?\((?<instance>[^)]{1,64})\) (?:Entering|Transition to) (?<to>MASTER|BACKUP|FAULT) STATE/;

export const frrSyslog: readonly SyslogReading[] = [
  { on: 'vrrpd', pattern: vrrp, meaning: vrrpChange },
  // In its own log file FRR writes the protocol's name for the daemon's.
  { on: 'VRRP', pattern: vrrp, meaning: vrrpChange },
  { on: 'bgpd', pattern: bgp, meaning: bgpChange },
  { on: 'BGP', pattern: bgp, meaning: bgpChange },
  { on: 'Keepalived_vrrp', pattern: keepalived, meaning: vrrpChange },
  // SONiC: `:- setHostIntfsOperStatus: Set operation status DOWN to host interface Ethernet28`; the program [weak]
  {
    on: 'orchagent',
    pattern: /^:- setHostIntfsOperStatus: Set operation status (?<to>UP|DOWN) to host interface (?<interface>\S{1,64})/,
    meaning: linkChange,
  },
];
