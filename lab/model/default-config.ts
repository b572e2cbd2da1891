// Owns: the startup configurations of the simulated devices.
//
// HSRP here says hello 300 ms and hold 1 s, so that a failover takes about a second to watch; IOS's own default is 3 s
// and 10 s. gw-a is stronger on Vlan10 and gw-b on Vlan20, with the SAME group number 10 on both: whoever forgets the
// interface mistakes one for the other. No network statement: a reloaded gateway comes up silent.
import { externalAs, type LabAddresses, labPorts, type RouterName, uplinks } from './addresses.ts';

export interface HsrpTimers {
  readonly helloMs: number;
  readonly holdMs: number;
}

const common = (name: string, addresses: LabAddresses) => `version 15.9
service timestamps log datetime msec
service sequence-numbers
hostname ${name}
logging origin-id hostname
logging host ${addresses.offbox} transport udp port ${labPorts.syslog}
snmp-server community public RO
snmp-server enable traps snmp linkdown linkup coldstart
snmp-server enable traps hsrp
snmp-server host ${addresses.offbox} version 2c public udp-port ${labPorts.trap}
line vty 0 15
 login local
 transport input ssh
`;

/** IOS takes hello and hold in seconds, or in milliseconds behind `msec`. */
function timersLine(group: number, { helloMs, holdMs }: HsrpTimers): string {
  const written = (ms: number) => (ms % 1000 === 0 ? `${ms / 1000}` : `msec ${ms}`);
  return `standby ${group} timers ${written(helloMs)} ${written(holdMs)}`;
}

function vlan(id: number, host: number, hsrp: { priority: number; preempt: readonly string[]; timers: HsrpTimers }): string {
  return `interface Vlan${id}
 ip address 23.${id}.0.${host} 255.255.255.0
 standby 10 ip 23.${id}.0.1
 ${timersLine(10, hsrp.timers)}
 standby 10 priority ${hsrp.priority}
${hsrp.preempt.map((line) => ` ${line}\n`).join('')}`;
}

function gateway(name: 'gw-a' | 'gw-b', addresses: LabAddresses, timers: HsrpTimers): string {
  const { as, address, neighbor } = uplinks[name];
  const host = name === 'gw-a' ? 2 : 3;
  const preempt = ['standby 10 preempt'];
  const lan = name === 'gw-a' ? { ten: 120, twenty: 100 } : { ten: 100, twenty: 120 };
  const hsrp = (priority: number) => ({ priority, preempt: priority > 100 ? preempt : [], timers });
  return `${common(name, addresses)}${name === 'gw-b' ? 'netconf-yang\nnetconf-yang feature candidate-datastore\n' : ''}interface GigabitEthernet0/0
 description to ext
 ip address ${address} 255.255.255.0
${vlan(10, host, hsrp(lan.ten))}${vlan(20, host, hsrp(lan.twenty))}router bgp ${as}
 bgp log-neighbor-changes
 neighbor ${neighbor} remote-as ${externalAs}
 address-family ipv4
  neighbor ${neighbor} activate
ip route 23.0.0.0 255.0.0.0 Null0
`;
}

function external(addresses: LabAddresses): string {
  const [a, b] = [uplinks['gw-a'], uplinks['gw-b']];
  return `${common('ext', addresses).replace(/^(logging|snmp-server).*\n/gm, '')}interface GigabitEthernet0/0
 description to gw-a
 ip address ${a.neighbor} 255.255.255.0
interface GigabitEthernet0/1
 description to gw-b
 ip address ${b.neighbor} 255.255.255.0
interface Loopback0
 ip address 198.51.100.1 255.255.255.0
router bgp ${externalAs}
 bgp log-neighbor-changes
 neighbor ${a.address} remote-as ${a.as}
 neighbor ${b.address} remote-as ${b.as}
 address-family ipv4
  network 198.51.100.0
  neighbor ${a.address} activate
  neighbor ${b.address} activate
`;
}

export function startupText(name: RouterName, addresses: LabAddresses, timers: HsrpTimers): string {
  return name === 'ext' ? external(addresses) : gateway(name, addresses, timers);
}
