// Owns: the lab's addresses and wiring, as data, and the files its routers start with.
//
//   mgr 10.99.0.1 ──┐  mgmt 10.99.0.0/24
//   nx2 .2, nx3 .3, ext .4            ext: AS 65001, 198.51.100.1 behind it
//                             10.0.2.0/24 ╱   ╲ 10.0.3.0/24
//                           nx2, AS 65002       nx3, AS 65003
//                                         ╲   ╱  lan 23.0.0.0/8, VRRP group 1, virtual address 23.0.0.1
//                                         host 23.0.0.100

export const routerNames = ['nx2', 'nx3', 'ext'] as const;
export const nodeNames = ['mgr', ...routerNames, 'host'] as const;
export type RouterName = (typeof routerNames)[number];
export type NodeName = (typeof nodeNames)[number];
/** The two that share the virtual address. */
export type MemberName = 'nx2' | 'nx3';

export const prefix = '23.0.0.0/8';
export const virtualAddress = '23.0.0.1';
export const farAddress = '198.51.100.1';
export const managerAddress = '10.99.0.1';
/** Where the routers send their syslog, on mgr. */
export const syslogPorts = { udp: 514, tcp: 601 } as const;
export const sshUser = 'netop';

export const management: Readonly<Record<Exclude<NodeName, 'host'>, string>> = {
  mgr: managerAddress,
  nx2: '10.99.0.2',
  nx3: '10.99.0.3',
  ext: '10.99.0.4',
};

export const bgpNeighbor: Readonly<Record<MemberName, string>> = { nx2: '10.0.2.1', nx3: '10.0.3.1' };
/** Ext's next hop towards each member. */
export const nextHop: Readonly<Record<MemberName, string>> = { nx2: '10.0.2.2', nx3: '10.0.3.2' };
export const asNumber: Readonly<Record<RouterName, number>> = { nx2: 65002, nx3: 65003, ext: 65001 };

/** One cable: an interface of a node, and the other end: a bridge of the switch, or an interface of another node. */
export interface Cable {
  readonly node: NodeName;
  readonly interface: string;
  readonly address: string;
  readonly to:
    | { readonly bridge: 'mgmt' | 'lan' }
    | { readonly node: NodeName; readonly interface: string; readonly address: string };
}

export const cables: readonly Cable[] = [
  { node: 'mgr', interface: 'mgmt', address: '10.99.0.1/24', to: { bridge: 'mgmt' } },
  { node: 'nx2', interface: 'mgmt', address: '10.99.0.2/24', to: { bridge: 'mgmt' } },
  { node: 'nx3', interface: 'mgmt', address: '10.99.0.3/24', to: { bridge: 'mgmt' } },
  { node: 'ext', interface: 'mgmt', address: '10.99.0.4/24', to: { bridge: 'mgmt' } },
  { node: 'nx2', interface: 'lan', address: '23.0.0.2/8', to: { bridge: 'lan' } },
  { node: 'nx3', interface: 'lan', address: '23.0.0.3/8', to: { bridge: 'lan' } },
  { node: 'host', interface: 'lan', address: '23.0.0.100/8', to: { bridge: 'lan' } },
  { node: 'nx2', interface: 'ext', address: '10.0.2.2/24', to: { node: 'ext', interface: 'nx2', address: '10.0.2.1/24' } },
  { node: 'nx3', interface: 'ext', address: '10.0.3.2/24', to: { node: 'ext', interface: 'nx3', address: '10.0.3.1/24' } },
];

/** The daemons of a router, in the order they start. */
export function daemonsOf(router: RouterName): readonly string[] {
  return router === 'ext' ? ['zebra', 'bgpd'] : ['zebra', 'bgpd', 'vrrpd'];
}

const common = (router: RouterName) => `frr defaults traditional
hostname ${router}
log syslog informational
service integrated-vtysh-config
!`;

/**
 * `no bgp network import-check`: as a Null0 route does on a Cisco, it lets the network statement stand whether or not the
 * LAN is up. Otherwise FRR itself would withdraw the prefix with the connected route when the LAN link goes down, and a
 * test of that case would pass by luck.
 * The members come up without a network statement: who advertises is for Offbox to say, also after a reload.
 */
function memberConfig(router: MemberName): string {
  const neighbor = bgpNeighbor[router];
  return `${common(router)}
interface lan
 vrrp 1 version 3
 vrrp 1 priority ${router === 'nx2' ? 200 : 100}
 vrrp 1 advertisement-interval 1000
 vrrp 1 ip ${virtualAddress}
!
router bgp ${asNumber[router]}
 bgp router-id ${nextHop[router]}
 no bgp ebgp-requires-policy
 no bgp network import-check
 timers bgp 3 9
 neighbor ${neighbor} remote-as ${asNumber.ext}
 neighbor ${neighbor} timers connect 1
!
`;
}

/** Two equal paths are both used, so that its kernel shows everybody who advertises; by default FRR asks for equal AS paths. */
function extConfig(): string {
  const neighbors = (['nx2', 'nx3'] as const).flatMap((member) => [
    ` neighbor ${nextHop[member]} remote-as ${asNumber[member]}`,
    ` neighbor ${nextHop[member]} timers connect 1`,
  ]);
  return `${common('ext')}
interface lo
 ip address ${farAddress}/32
!
router bgp ${asNumber.ext}
 bgp router-id ${management.ext}
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
 timers bgp 3 9
${neighbors.join('\n')}
 !
 address-family ipv4 unicast
  network ${farAddress}/32
  maximum-paths 2
 exit-address-family
!
`;
}

export const frrConfig = (router: RouterName): string => (router === 'ext' ? extConfig() : memberConfig(router));

/** RFC 3164 over UDP, and octet-counted (RFC 6587) over TCP. A collector that is not there must not hold rsyslog up. */
export const rsyslogConfig = `module(load="imuxsock")
*.* action(type="omfwd" target="${managerAddress}" port="${syslogPorts.udp}" protocol="udp" template="RSYSLOG_TraditionalForwardFormat")
*.* action(type="omfwd" target="${managerAddress}" port="${syslogPorts.tcp}" protocol="tcp" TCP_Framing="octet-counted"
  template="RSYSLOG_TraditionalForwardFormat" queue.type="LinkedList" action.resumeRetryCount="0" action.resumeInterval="1"
  action.reportSuspension="off")
`;

export function sshdConfig(folder: string): string {
  return `Port 22
ListenAddress 0.0.0.0
HostKey ${folder}/host-key
AuthorizedKeysFile /run/netop/authorized-keys
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
PrintMotd no
PrintLastLog no
`;
}
