// Owns: what the messages of Cisco IOS and IOS-XE mean.
import {
  bgpChange,
  configChange,
  configuredFrom,
  errDisabled,
  hsrpChange,
  linkChange,
  portSecurityViolation,
  protocolChange,
  type SyslogReading,
  vrrpChange,
} from '../syslog-readings.ts';

export const iosSyslog: readonly SyslogReading[] = [
  // `Vlan10 Grp 10 state Standby -> Active`
  {
    on: 'HSRP-5-STATECHANGE',
    pattern: /^(?<interface>\S{1,64}) Grp (?<group>\d{1,4}) state (?<from>\w{1,16}) ?-> ?(?<to>\w{1,16})/,
    meaning: hsrpChange,
  },
  // Before 12.3, group first: `Standby: 49: Vlan149 state Standby -> Active`
  {
    on: 'STANDBY-6-STATECHANGE',
    pattern: /^Standby: (?<group>\d{1,4}): (?<interface>\S{1,64}) state (?<from>\w{1,16}) ?-> ?(?<to>\w{1,16})/,
    meaning: hsrpChange,
  },
  // `Fa1/0 Grp 1 state Master -> Backup`, the interface short
  {
    on: 'VRRP-6-STATECHANGE',
    pattern: /^(?<interface>\S{1,64}) Grp (?<group>\d{1,3}) state (?<from>\w{1,16}) ?-> ?(?<to>\w{1,16})/,
    meaning: vrrpChange,
  },
  // `Interface GigabitEthernet1/0/30, changed state to down`
  {
    on: 'LINK-3-UPDOWN',
    pattern: /^Interface (?<interface>\S{1,64}), changed state to (?<to>up|down)\b/i,
    meaning: linkChange,
  },
  // `Interface GigabitEthernet0/1, changed state to administratively down`; to `reset` is no state
  {
    on: 'LINK-5-CHANGED',
    pattern: /^Interface (?<interface>\S{1,64}), changed state to (?<admin>administratively )?(?<to>up|down)\b/i,
    meaning: linkChange,
  },
  // `Line protocol on Interface Vlan10, changed state to up`
  {
    on: 'LINEPROTO-5-UPDOWN',
    pattern: /^Line protocol on Interface (?<interface>\S{1,64}), changed state to (?<to>up|down)\b/i,
    meaning: protocolChange,
  },
  // `neighbor 8.0.0.1 Down User reset`, `neighbor 10.0.1.17 vpn vrf hostcomm-private Up`
  {
    on: 'BGP-5-ADJCHANGE',
    pattern: /^neighbor (?<neighbor>\S{1,64}) (?:vpn vrf (?<vrf>\S{1,64}) )?(?<to>Up|Down)\b(?<reason>.{0,255})/,
    meaning: bgpChange,
  },
  // `psecure-violation error detected on Gi7/48, putting Gi7/48 in err-disable state`
  {
    on: 'PM-4-ERR_DISABLE',
    pattern: /^(?<cause>\S{1,64}) error detected on (?<interface>\S{1,64}), putting /,
    meaning: errDisabled,
  },
  // `Security violation occurred, caused by MAC address 0060.9fa4.d39a on port GigabitEthernet7/48.`
  {
    on: 'PORT_SECURITY-2-PSECURE_VIOLATION',
    pattern:
      /^Security violation occurred, caused by MAC address (?<mac>[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}) on port (?<interface>\S{1,64})/i,
    meaning: portSecurityViolation,
  },
  // `Configured from console by admin on vty0 (10.31.0.24)`, `Configured from tftp://… by console`
  {
    on: 'SYS-5-CONFIG_I',
    pattern: configuredFrom,
    meaning: configChange,
  },
  // `User:netadmin  logged command:interface Vlan10`; `!exec: enable` is a command of exec mode and changes nothing
  {
    on: 'PARSER-5-CFGLOG_LOGGEDCMD',
    pattern: /^User: ?(?<by>\S{1,64}) {1,4}logged command:(?!!exec:)/,
    meaning: configChange,
  },
];
