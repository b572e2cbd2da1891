// Owns: what the messages of Cisco IOS-XR mean. No line of its HSRP is known to us: nothing is claimed for it.
import { bgpChange, configChange, configuredFrom, linkChange, protocolChange, type SyslogReading } from '../syslog-readings.ts';

export const iosxrSyslog: readonly SyslogReading[] = [
  // `Interface TenGigE0/2/0/4, changed state to Down`
  {
    on: 'PKT_INFRA-LINK-3-UPDOWN',
    pattern: /^Interface (?<interface>\S{1,64}), changed state to (?<to>up|down)\b/i,
    meaning: linkChange,
  },
  // [weak] The mnemonic is IOS's with another category in front; no literal line seen.
  {
    on: 'PKT_INFRA-LINEPROTO-5-UPDOWN',
    pattern: /^Line protocol on Interface (?<interface>\S{1,64}), changed state to (?<to>up|down)\b/i,
    meaning: protocolChange,
  },
  // `neighbor 1.1.1.2 Up (VRF: default) (AS: 11111)`, `neighbor 10.1.1.1 Down - Admin. shutdown (VRF: default) (AS: 65001)`
  {
    on: 'ROUTING-BGP-5-ADJCHANGE',
    pattern:
      /^neighbor (?<neighbor>\S{1,64}) (?<to>Up|Down)\b(?<reason>[^(]{0,255})(?:\(VRF: (?<vrf>[^)]{1,64})\))?(?: \(AS: (?<as>\d{1,10})\))?/,
    meaning: bgpChange,
  },
  // `Configuration committed by user 'vagrant'. Use 'show configuration commit changes 1000000093' to view the changes.`
  {
    on: 'MGBL-CONFIG-6-DB_COMMIT',
    pattern: /^Configuration (?<from>commit)ted by user '(?<by>[^']{1,64})'/,
    meaning: configChange,
  },
  // `Configured from console by admin`, `Configured from console by cisco on vty2 (198.18.128.41)`
  {
    on: 'MGBL-SYS-5-CONFIG_I',
    pattern: configuredFrom,
    meaning: configChange,
  },
];
