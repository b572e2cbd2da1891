// The network without sockets, in virtual time.
import { expect, test } from 'vitest';
import { labAddresses } from '../../lab/model/addresses.ts';
import type { ConfigWrite } from '../../lab/model/chassis.ts';
import { createNetwork, defaultTimers } from '../../lab/model/network.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const operator = { user: 'offbox', peer: '127.23.0.1:40112', transport: 'cli' } as const;

function build() {
  const wall = new VirtualWall(Date.UTC(2026, 10, 23, 3, 31, 9, 857));
  const said: string[] = [];
  const traps: string[] = [];
  const writes: ConfigWrite[] = [];
  const network = createNetwork({
    wall,
    timers: defaultTimers,
    addresses: labAddresses(23),
    emit: (name, event) => {
      if (event.kind === 'syslog') said.push(event.line.replace(/^.*?: %/, `${name} %`));
      else traps.push(`${name} ${event.oid} ${event.varbinds.map(({ oid, value }) => `${oid}=${value}`).join(' ')}`);
    },
    log: (write) => writes.push(write),
    changed: () => {},
  });
  const advertise = (name: 'gw-a' | 'gw-b', word: 'set' | 'unset') => {
    const path = [`router bgp ${name === 'gw-a' ? 65002 : 65003}`, 'address-family ipv4'];
    const line = 'network 23.0.0.0';
    if (word === 'set') network.devices[name].configure({ kind: 'set', path, line }, line, operator);
    else network.devices[name].configure({ kind: 'unset', path, matches: /^network 23\.0\.0\.0$/ }, `no ${line}`, operator);
  };
  const states = (vlan: string) =>
    (['gw-a', 'gw-b'] as const).map(
      (name) => network.devices[name].groups().find(({ facts }) => facts.interface === vlan)?.state,
    );
  return { wall, said, traps, writes, network, advertise, states };
}

test('nobody says a word while nothing happens', async () => {
  const { wall, said, traps, states } = build();
  await wall.advance(60_000);
  expect(said).toEqual([]);
  expect(traps).toEqual([]);
  expect(states('Vlan10')).toEqual(['active', 'standby']);
  expect(states('Vlan20')).toEqual(['standby', 'active']);
});

test('a gateway that loses its power is followed within the hold time, and its routes go when BGP gives it up', async () => {
  const { wall, said, traps, network, advertise, states } = build();
  advertise('gw-a', 'set');
  await wall.advance(1_000);
  expect(network.external()).toEqual([{ prefix: '23.0.0.0/8', via: ['gw-a'] }]);
  network.devices['gw-a'].powerOff();
  await wall.advance(599);
  expect(network.external()).toEqual([{ prefix: '23.0.0.0/8', via: ['gw-a'] }]);
  await wall.advance(1);
  expect(network.external()).toEqual([]);
  await wall.advance(400);
  expect(states('Vlan10')).toEqual([undefined, 'active']);
  expect(said).toEqual(['gw-b %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active']);
  // ifIndex 2 is Vlan10; 6 is active.
  expect(traps).toEqual(['gw-b 1.3.6.1.4.1.9.9.106.2.0.1 1.3.6.1.4.1.9.9.106.1.2.1.1.15.2.10=6']);
});

test('a restored gateway boots from its startup configuration, silent, and preempts', async () => {
  const { wall, said, network, advertise, states } = build();
  advertise('gw-a', 'set');
  network.devices['gw-a'].powerOff();
  await wall.advance(5_000);
  said.length = 0;
  network.devices['gw-a'].boot();
  await wall.advance(5_000);
  expect(states('Vlan10')).toEqual(['active', 'standby']);
  expect(network.external()).toEqual([]);
  expect(said).toEqual([
    'gw-a %SYS-5-RESTART: System restarted --\nCisco IOS Software (simulated), Version 15.9(3)M',
    'gw-a %LINK-3-UPDOWN: Interface GigabitEthernet0/0, changed state to up',
    'gw-a %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to up',
    'gw-a %LINEPROTO-5-UPDOWN: Line protocol on Interface Vlan10, changed state to up',
    'gw-a %LINEPROTO-5-UPDOWN: Line protocol on Interface Vlan20, changed state to up',
    'gw-a %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Listen -> Active',
    'gw-b %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Active -> Speak',
    'gw-a %BGP-5-ADJCHANGE: neighbor 10.0.2.1 Up',
    'gw-b %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Speak -> Standby',
    'gw-a %HSRP-5-STATECHANGE: Vlan20 Grp 10 state Speak -> Standby',
  ]);
});

test('a stale startup configuration advertises as soon as BGP is up', async () => {
  const { wall, network } = build();
  network.devices['gw-b'].powerOff();
  network.makeStartupStale('gw-b', '23.0.0.0/8');
  await wall.advance(3_000);
  network.devices['gw-b'].boot();
  await wall.advance(1_000);
  expect(network.external()).toEqual([{ prefix: '23.0.0.0/8', via: ['gw-b'] }]);
});

test('a split LAN has two active gateways, a healed one has one', async () => {
  const { wall, said, network, states } = build();
  network.split('gw-b');
  await wall.advance(2_000);
  expect(states('Vlan10')).toEqual(['active', 'active']);
  expect(states('Vlan20')).toEqual(['active', 'active']);
  network.heal();
  await wall.advance(3_000);
  expect(states('Vlan10')).toEqual(['active', 'standby']);
  expect(states('Vlan20')).toEqual(['standby', 'active']);
  expect(said).toContain('gw-b %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Active -> Speak');
});

test('a LAN interface that goes down is told by syslog and by trap, and BGP stays', async () => {
  const { wall, said, traps, network, advertise } = build();
  advertise('gw-a', 'set');
  await wall.advance(1_000);
  network.devices['gw-a'].setLink('Vlan10', 'down');
  await wall.advance(2_000);
  expect(network.external()).toEqual([{ prefix: '23.0.0.0/8', via: ['gw-a'] }]);
  expect(said).toEqual([
    'gw-a %LINEPROTO-5-UPDOWN: Line protocol on Interface Vlan10, changed state to down',
    'gw-a %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Active -> Init',
    'gw-b %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active',
  ]);
  expect(traps[0]).toBe('gw-a 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.2=2 1.3.6.1.2.1.2.2.1.7.2=1 1.3.6.1.2.1.2.2.1.8.2=2');
});

test('a shut uplink drops BGP at once on its own side and after the hold time on the other', async () => {
  const { wall, said, network, advertise } = build();
  advertise('gw-a', 'set');
  await wall.advance(1_000);
  network.devices['gw-a'].configure(
    { kind: 'set', path: ['interface GigabitEthernet0/0'], line: 'shutdown' },
    'shutdown',
    operator,
  );
  expect(said).toContain('gw-a %BGP-5-ADJCHANGE: neighbor 10.0.2.1 Down Interface flap');
  expect(network.external()).toHaveLength(1);
  await wall.advance(600);
  expect(network.external()).toEqual([]);
});

test('a gateway learns its own prefix from the other through the external router, and prefers its own', async () => {
  const { wall, network, advertise } = build();
  advertise('gw-a', 'set');
  await wall.advance(1_000);
  const { bgp, devices } = network;
  expect(bgp.table(devices['gw-b']).get('23.0.0.0/8')).toMatchObject([{ asPath: [65001, 65002], nextHop: '10.0.3.1' }]);
  expect(bgp.advertised(devices['gw-b'], '10.0.3.1')).toEqual([]);
  advertise('gw-b', 'set');
  await wall.advance(1_000);
  expect(bgp.table(devices['gw-b']).get('23.0.0.0/8')?.[0]).toMatchObject({ asPath: [], from: undefined });
  expect(network.external()).toEqual([{ prefix: '23.0.0.0/8', via: ['gw-a', 'gw-b'] }]);
});

test('a network is advertised only while its exact prefix is in the routing table', async () => {
  const { wall, network, advertise } = build();
  advertise('gw-a', 'set');
  const route = 'ip route 23.0.0.0 255.0.0.0 Null0';
  network.devices['gw-a'].configure({ kind: 'unset', path: [], matches: /^ip route 23/ }, `no ${route}`, operator);
  await wall.advance(1_000);
  expect(network.external()).toEqual([]);
  network.devices['gw-a'].configure({ kind: 'set', path: [], line: route }, route, operator);
  await wall.advance(1_000);
  expect(network.external()).toHaveLength(1);
});

test('every line is logged with who sent it, also one that changes nothing', () => {
  const { writes, advertise } = build();
  advertise('gw-a', 'set');
  advertise('gw-a', 'set');
  expect(writes).toEqual([
    {
      at: '2026-11-23T03:31:09.857Z',
      device: 'gw-a',
      user: 'offbox',
      peer: '127.23.0.1:40112',
      transport: 'cli',
      path: ['router bgp 65002', 'address-family ipv4'],
      line: 'network 23.0.0.0',
      changed: true,
    },
    expect.objectContaining({ line: 'network 23.0.0.0', changed: false }),
  ]);
});

test('a device without power takes no configuration', () => {
  const { writes, network, advertise } = build();
  network.devices['gw-a'].powerOff();
  advertise('gw-a', 'set');
  expect(writes).toEqual([]);
});
