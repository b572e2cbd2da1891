// Owns: what the messages of Arista EOS mean. The mnemonics are IOS's, the texts are not always.
import {
  bgpTransition,
  configChange,
  configuredFrom,
  protocolChange,
  type SyslogReading,
  vrrpChange,
} from '../syslog-readings.ts';

export const eosSyslog: readonly SyslogReading[] = [
  // `Ethernet1 Grp 1 state Backup -> Stopped`
  {
    on: 'VRRP-5-STATECHANGE',
    pattern: /^(?<interface>\S{1,64}) Grp (?<group>\d{1,3}) state (?<from>\w{1,16}) ?-> ?(?<to>\w{1,16})/,
    meaning: vrrpChange,
  },
  // `Line protocol on Interface Ethernet28 (its description), changed state to up`. The description is free text: the last
  // state in the line is the state.
  {
    on: 'LINEPROTO-5-UPDOWN',
    pattern: /^Line protocol on Interface (?<interface>[^\s,]{1,64})(?: \(.{0,1000}\))?, changed state to (?<to>up|down)\b/i,
    meaning: protocolChange,
  },
  // `peer 192.0.2.2 (VRF default AS 12345) old state Established event AdminReset new state Idle`
  {
    on: 'BGP-5-ADJCHANGE',
    pattern:
      /^peer (?<neighbor>\S{1,64}) \(VRF (?<vrf>\S{1,64}) AS (?<as>\d{1,10})\) old state (?<from>\w{1,32}) event (?<reason>\S{1,64}) new state (?<to>\w{1,32})/,
    meaning: bgpTransition,
  },
  // `Configured from console by admin on vty3 (127.0.0.1)`
  {
    on: 'SYS-5-CONFIG_I',
    pattern: configuredFrom,
    meaning: configChange,
  },
];
