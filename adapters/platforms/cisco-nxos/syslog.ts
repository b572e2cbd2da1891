// Owns: what the messages of Cisco NX-OS mean.
import type { Meaning } from '../../../src/model/meaning.ts';
import {
  bgpChange,
  configChange,
  errDisabled,
  type Groups,
  hsrpChange,
  linkChange,
  type SyslogReading,
  vrrpChange,
} from '../syslog-readings.ts';

/** `Interface Ethernet1/33 is down (Link failure)`: one sentence under many mnemonics. */
const down = /^Interface (?<interface>\S{1,64}) is (?<to>down) ?(?:\((?<reason>[^()]{1,128})\))?/;
/** Mnemonics of this family; the first is seen on devices, for the others we have the names only [weak]. */
const downs = ['LINK_FAILURE', 'NONE', 'INITIALIZING', 'PARENT_ADMIN_DOWN', 'PORT_CHANNEL_MEMBERS_DOWN'];

/**
 * [weak] For HSRP and VRRP the mnemonics are known and no literal line is: an interface, a group number and one or two
 * states are looked for, in this order, and where one of them is missing nothing is claimed. To be confirmed on a device.
 */
const interfaceWord = /\b(?:Vlan|Ethernet|Eth|port-channel|Po|mgmt) ?\d[\d/.]{0,16}/i;
const hsrpWord = /\b(?:Initial|Init|Learn|Listen|Speak|Standby|Active)\b/g;
const vrrpWord = /\b(?:Initialize|Init|Backup|Master)\b/g;
const hsrpGroup = /\bGrp (\d{1,4})\b/;
const vrrpGroup = /\b(?:VR|VRID|Grp|Group)(?: ?ID)?[ :]{1,2}(\d{1,3})\b/i;

interface LooseWords {
  readonly states: RegExp;
  readonly group: RegExp;
  readonly make: (groups: Groups) => Meaning | null;
}

function loosely(text: string, { states, group, make }: LooseWords): Meaning | null {
  const name = interfaceWord.exec(text)?.[0];
  const number = group.exec(text)?.[1];
  const [first, second] = text.match(states) ?? [];
  if (!name || !number || !first) return null;
  const pair = { interface: name.replace(' ', ''), group: number };
  return make(second ? { ...pair, from: first, to: second } : { ...pair, to: first });
}

/** Longer than any message of this kind: the text beyond says nothing of it. */
const whole = /^(?<text>.{1,400})/;
const looseHsrp = ({ text = '' }: Groups) => loosely(text, { states: hsrpWord, group: hsrpGroup, make: hsrpChange });
const looseVrrp = ({ text = '' }: Groups) => loosely(text, { states: vrrpWord, group: vrrpGroup, make: vrrpChange });

export const nxosSyslog: readonly SyslogReading[] = [
  { on: 'HSRP_ENGINE-5-GRPSTATECHANGE', pattern: whole, meaning: looseHsrp },
  { on: 'HSRP_ENGINE-6-STATECHANGE', pattern: whole, meaning: looseHsrp },
  { on: 'VRRP-ENG-5-VR_STATE_CHANGE', pattern: whole, meaning: looseVrrp },
  // `Interface Ethernet1/22 is up in mode access`
  { on: 'ETHPORT-5-IF_UP', pattern: /^Interface (?<interface>\S{1,64}) is (?<to>up)\b/, meaning: linkChange },
  ...downs.map((cause) => ({ on: `ETHPORT-5-IF_DOWN_${cause}`, pattern: down, meaning: linkChange })),
  {
    on: 'ETHPORT-5-IF_DOWN_ADMIN_DOWN',
    pattern: /^Interface (?<interface>\S{1,64}) is (?<to>down) ?\((?<admin>(?<reason>Administratively down))\)/,
    meaning: linkChange,
  },
  // `Interface Ethernet1/3 is down (Error disabled. Reason:…)`; the cause in NX-OS's words
  {
    on: 'ETHPORT-5-IF_DOWN_ERROR_DISABLED',
    pattern: /^Interface (?<interface>\S{1,64}) is down \(Error disabled\. Reason: ?(?<cause>[^)]{1,128})/,
    meaning: errDisabled,
  },
  // `individual port Ethernet1/33 is down`
  {
    on: 'ETH_PORT_CHANNEL-5-PORT_INDIVIDUAL_DOWN',
    pattern: /^individual port (?<interface>\S{1,64}) is (?<to>down)\b/,
    meaning: linkChange,
  },
  // `bgp- [25132] (ISP_SERV) neighbor 10.116.27.1 Down - recv:  other configuration change`
  {
    on: 'BGP-5-ADJCHANGE',
    pattern:
      /^bgp-\S{0,32} ?\[\d{1,10}\] \((?<vrf>[^)]{1,64})\) neighbor (?<neighbor>\S{1,64}) (?<to>Up|Down)\b(?<reason>.{0,255})/,
    meaning: bgpChange,
  },
  // `Configured from vty by admin on 172.20.240.105@pts/0`, `Configured from vty by admin on console0`
  {
    on: 'VSHD-5-VSHD_SYSLOG_CONFIG_I',
    pattern:
      /^Configured from (?<from>\S{1,255}) by (?<by>\S{1,64})(?: on (?:(?<address>[0-9A-Fa-f.:]{2,45})@)?(?<line>[A-Za-z]\S{0,63}))?/,
    meaning: configChange,
  },
];
