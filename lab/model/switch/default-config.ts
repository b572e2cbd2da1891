// Owns: the startup configurations of the simulated access switches.
//
// Gi1/0/1 is the hypervisor's, an access port; Gi1/0/2 is a trunk that nobody is plugged into; both learn sticky and shut
// down on a violation. Gi1/0/24 is the routed way between the switches, which migrations take inside VXLAN: EDGE-DEFAULT is
// attached to it on acc-2 beforehand, so that whoever attaches LIVE-MIGRATION for a while must put it back.
import { type LabAddresses, labPorts, type SwitchName, uplinkPort, vteps } from '../addresses.ts';

const secured = ` switchport port-security maximum 4
 switchport port-security mac-address sticky
 switchport port-security`;

const policies = `class-map match-any MIGRATION
 match dscp cs4
class-map match-any VOICE
 match dscp ef
policy-map LIVE-MIGRATION
 class MIGRATION
  bandwidth percent 40
 class class-default
  bandwidth percent 20
policy-map EDGE-DEFAULT
 class VOICE
  bandwidth percent 10
`;

export function switchStartupText(name: SwitchName, addresses: LabAddresses): string {
  const [own, other] =
    name === 'acc-1' ? ([vteps['acc-1'], vteps['acc-2']] as const) : ([vteps['acc-2'], vteps['acc-1']] as const);
  return `version ${name === 'acc-1' ? '15.9' : '17.9'}
service timestamps log datetime msec
service sequence-numbers
hostname ${name}
logging origin-id hostname
logging host ${addresses.offbox} transport udp port ${labPorts.syslog}
snmp-server community public RO
snmp-server enable traps snmp linkdown linkup coldstart
snmp-server enable traps errdisable
snmp-server enable traps port-security
snmp-server host ${addresses.offbox} version 2c public udp-port ${labPorts.trap}
${name === 'acc-2' ? 'netconf-yang\nnetconf-yang feature candidate-datastore\n' : ''}vlan configuration 10
 member vni 10010
${policies}interface Loopback0
 ip address ${own.loopback} 255.255.255.255
interface GigabitEthernet1/0/1
 description to ${name === 'acc-1' ? 'kvm1' : 'kvm2'}
 switchport access vlan 10
 switchport mode access
${secured}
interface GigabitEthernet1/0/2
 description free
 switchport trunk allowed vlan 10,20
 switchport mode trunk
${secured}
interface ${uplinkPort}
 description to ${name === 'acc-1' ? 'acc-2' : 'acc-1'}
 no switchport
 ip address ${own.underlay} 255.255.255.252
${name === 'acc-2' ? ' service-policy output EDGE-DEFAULT\n' : ''}interface nve1
 no ip address
 source-interface Loopback0
 member vni 10010
  ingress-replication ${other.loopback}
ip route ${other.loopback} 255.255.255.255 ${other.underlay}
line vty 0 15
 login local
 transport input ssh
`;
}
