// What an author may write, and what must not compile: each `@ts-expect-error` stands before a mistake that somebody
// will make. Never run; types.test.ts has the compiler look at it.
import {
  absent,
  allOf,
  bgp,
  bgpNetwork,
  config,
  dampening,
  exclusive,
  fhrp,
  filter,
  hsrp,
  interfaces,
  map,
  merge,
  mergeMap,
  ofMeaning,
  type Policy,
  pair,
  policy,
  portSecurity,
  sequence,
  servicePolicy,
  settle,
  snmp,
  source,
  stickyMac,
  suppress,
  syslog,
  threshold,
  violationMode,
  vm,
  vrrp,
  within,
} from 'offbox';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(proof?: T): void => void proof;

// --- selectors ---------------------------------------------------------------------------------------------------

fhrp.changed({ gateway: 'lan23', member: 'r1', role: 'active', from: 'standby', target: 'r1' });
hsrp.stateChanged({ to: 'active', from: 'speak', group: 23, interface: 'Vlan23' });
vrrp.stateChanged({ to: 'master', family: 'ipv6', instance: 'VI_1' });
interfaces.down({ interface: 'Vlan23', admin: false, layer: 'link' });
bgp.neighborChanged({ neighbor: '10.0.0.1', to: 'down', vrf: 'blue' });
portSecurity.violation({ vlan: 20 });
config.changed({ by: 'admin', line: 'vty0', address: '10.31.0.24' });
source.gap({ source: 'syslog' });
syslog({ mnemonic: 'STATECHANGE', matches: /x/, app: 'vrrpd' });
snmp({ oid: 'linkDown' });

// @ts-expect-error a field that the meaning does not have
fhrp.changed({ group: 23 });
// @ts-expect-error a typo in a field
fhrp.changed({ gatway: 'lan23' });
// @ts-expect-error a value that is none of its states
hsrp.stateChanged({ to: 'actve' });
// @ts-expect-error a state of another protocol
hsrp.stateChanged({ to: 'master' });
// @ts-expect-error a state of another protocol
vrrp.stateChanged({ to: 'active' });
// @ts-expect-error a role that there is not
fhrp.changed({ role: 'master' });
// @ts-expect-error a number as text
hsrp.stateChanged({ group: '23' });
// @ts-expect-error down is said already
interfaces.down({ to: 'up' });
// @ts-expect-error a list is no value to compare with
source.gap({ targets: ['r1'] });
// @ts-expect-error the kind is in the selector's name
hsrp.stateChanged({ kind: 'hsrp.state-changed' });
// @ts-expect-error text where a pattern is wanted
syslog({ matches: 'text' });
// @ts-expect-error a trap is named by `oid`
snmp({ name: 'linkDown' });
// @ts-expect-error a meaning that there is not
interfaces.flapped();

// --- events in key, ensure --------------------------------------------------------------------------------------

policy({
  name: 'types',
  on: fhrp.changed({ gateway: 'lan23' }),
  key: (event) => event.gateway,
  settle: { quiet: '2s', atMost: '6s' },
  resync: '5m',
  ensure: (event, { inventory }) => {
    isTrue<Same<typeof event.role, 'active' | 'standby' | 'other'>>();
    isTrue<Same<typeof event.because, 'resync' | 'emit' | undefined>>();
    isTrue<Same<typeof event.trust, 'authenticated' | 'claimed'>>();
    isTrue<Same<typeof event.at, number>>();
    return inventory.membersOf(event.gateway).map((member) => bgpNetwork(member, '23.0.0.0/8').absent());
  },
});

policy({
  name: 'types',
  on: hsrp.stateChanged(),
  // @ts-expect-error a property that an HSRP event does not have
  key: (event) => event.gateway,
  ensure: () => [],
});

policy({
  name: 'types',
  on: fhrp.changed(),
  // @ts-expect-error a key is text
  key: (event) => event.at,
  ensure: () => [],
});

policy({
  name: 'types',
  on: fhrp.changed(),
  // @ts-expect-error a property that the event does not have
  ensure: ({ gatway }) => exclusive(gatway, (member) => bgpNetwork(member, '23.0.0.0/8')),
});

policy({
  name: 'types',
  on: hsrp.stateChanged(),
  ensure: (event) => {
    // @ts-expect-error the interface may not be known
    const name: string = event.interface;
    // @ts-expect-error it can never be so: no overlap
    return event.to === 'actve' ? [bgpNetwork(event, name)] : [];
  },
});

policy({
  name: 'types',
  on: [hsrp.stateChanged(), vrrp.stateChanged()],
  ensure: (event) => {
    isTrue<Same<typeof event.kind, 'hsrp.state-changed' | 'vrrp.state-changed'>>();
    if (event.kind === 'vrrp.state-changed') isTrue<Same<typeof event.to, 'initialize' | 'backup' | 'master' | 'fault'>>();
    // @ts-expect-error only one of the two has an instance
    const { instance } = event;
    return instance ? [] : [];
  },
});

policy({
  name: 'types',
  on: [syslog({ matches: /(?<user>\w+)/ }), snmp()],
  ensure: (event) => {
    if (event.kind === 'syslog') isTrue<Same<typeof event.groups, Readonly<Record<string, string>>>>();
    // @ts-expect-error a trap has no text
    else event.text;
    return [];
  },
});

// --- what ensure gives, and the rest of the declaration -----------------------------------------------------------

// @ts-expect-error ensure wants a desire
policy({ name: 'types', on: syslog(), ensure: () => 'present' });
// @ts-expect-error ensure does not wait
policy({ name: 'types', on: syslog(), ensure: async () => [] });
// @ts-expect-error ensure gives something
policy({ name: 'types', on: syslog(), ensure: () => undefined });
// @ts-expect-error one member's resource is no name of it
exclusive('lan23', (member) => member.target);
// @ts-expect-error a member has no such field
exclusive('lan23', (member) => bgpNetwork({ target: member.name }, '23.0.0.0/8'));
// @ts-expect-error a network is on a target
bgpNetwork('r1', '23.0.0.0/8');
// @ts-expect-error a policy listens to something
policy({ name: 'types', ensure: () => [] });
// @ts-expect-error a selector is called
policy({ name: 'types', on: fhrp.changed, ensure: () => [] });
// @ts-expect-error it has a name
policy({ on: syslog(), ensure: () => [] });
// @ts-expect-error not a length of time
policy({ name: 'types', on: syslog(), settle: { quiet: '2 seconds' }, ensure: () => [] });
// @ts-expect-error a number says no unit
policy({ name: 'types', on: syslog(), resync: 300, ensure: () => [] });
// @ts-expect-error settle needs its quiet
policy({ name: 'types', on: syslog(), settle: { atMost: '6s' }, ensure: () => [] });
// @ts-expect-error a typo in an option
policy({ name: 'types', on: syslog(), resynch: '5m', ensure: () => [] });
// @ts-expect-error neither ensure nor pipe
policy({ name: 'types', on: syslog() });

const made: Policy = policy({ name: 'types', on: syslog(), ensure: () => [] });
// @ts-expect-error a policy is not changed after it was made
made.name = 'other';

// --- pipes --------------------------------------------------------------------------------------------------------

policy({
  name: 'types',
  on: [interfaces.down(), syslog()],
  pipe: (events, { perKey, read, act, inventory }) =>
    events.pipe(
      ofMeaning(interfaces.down()),
      perKey(
        (event) => `${event.target} ${event.interface}`,
        (downs) => downs.pipe(threshold(5, '60s'), settle({ quiet: '2s' })),
      ),
      filter((event) => inventory.target(event.target) !== undefined),
      mergeMap((event) => read(event.target, 'fhrp').pipe(map((rows) => ({ event, rows })))),
      filter(({ rows }) => rows.every(({ role }) => role !== 'active')),
      mergeMap(({ event }) => act(bgpNetwork(event, '23.0.0.0/8').absent())),
      map(({ kind }) => isTrue<Same<typeof kind extends string ? true : false, true>>()),
    ),
});

policy({
  name: 'types',
  on: fhrp.changed(),
  // @ts-expect-error a pipe gives a stream
  pipe: () => [],
});

policy({
  name: 'types',
  on: fhrp.changed(),
  // @ts-expect-error nothing settles beside a pipe
  settle: { quiet: '2s' },
  pipe: (events) => events,
});

// @ts-expect-error ensure or pipe, not both
policy({
  name: 'types',
  on: fhrp.changed(),
  ensure: () => [],
  pipe: (events) => events,
});

policy({
  name: 'types',
  on: fhrp.changed(),
  pipe: (events, { perKey, read, act }) =>
    events.pipe(
      // @ts-expect-error a property that the event does not have
      filter((event) => event.interface === 'Vlan23'),
      // @ts-expect-error it can never be so: no overlap
      filter(({ role }) => role === 'master'),
      // @ts-expect-error a count comes first
      threshold('60s', 5),
      // @ts-expect-error an atMost that is no length of time
      settle({ quiet: '2s', atMost: 'soon' }),
      perKey(
        // @ts-expect-error a key is text
        (event) => event.at,
        (group) => group,
      ),
      mergeMap((event) => {
        // @ts-expect-error nothing of this kind can be read
        const rows = read(event.member, 'interfaces');
        // @ts-expect-error a whole gateway is wanted by returning it, not by act
        const done = act(exclusive('lan23', (member) => bgpNetwork(member, '23.0.0.0/8')));
        return done ? rows : rows;
      }),
    ),
});

// --- correlation --------------------------------------------------------------------------------------------------

policy({
  name: 'types',
  on: [interfaces.stateChanged(), bgp.neighborChanged(), syslog()],
  pipe: (events, { notice }) => {
    const paired = events.pipe(
      pair(interfaces.down(), bgp.neighborChanged({ to: 'down' }), { within: '5s', order: 'given', key: ({ target }) => target }),
      map(([link, neighbor]) => {
        isTrue<Same<typeof link.kind, 'interface.state-changed'>>();
        isTrue<Same<typeof neighbor.neighbor, string>>();
        // @ts-expect-error a property of the other one
        return link.neighbor;
      }),
    );
    const guarded = events.pipe(
      pair(
        (event) => event.kind === 'syslog',
        (event) => event.at > 0,
        { within: '5s' },
      ),
      map(([message, any]) => {
        isTrue<Same<typeof message.kind, 'syslog'>>();
        isTrue<Same<typeof any.kind, 'syslog' | 'interface.state-changed' | 'bgp.neighbor-changed'>>();
      }),
    );
    const followed = events.pipe(
      sequence([interfaces.down(), syslog({ mnemonic: 'X' }), bgp.neighborChanged()], {
        within: '5s',
        unless: interfaces.up(),
        key: (event) => event.target,
      }),
      map((steps) => {
        isTrue<Same<(typeof steps)['length'], 3>>();
        isTrue<Same<(typeof steps)[1]['kind'], 'syslog'>>();
        // @ts-expect-error there are three
        return steps[3];
      }),
    );
    const together = events.pipe(
      allOf([interfaces.down(), bgp.neighborChanged()], { within: '5s' }),
      map(([link, neighbor]) => `${link.interface} ${neighbor.neighbor}`),
    );
    const missing = events.pipe(
      absent(interfaces.up(), { after: interfaces.down(), within: '30s', key: (event) => event.target }),
      mergeMap((down) => notice('stays-down', `${down.interface ?? '?'} stays down`, [down.target])),
    );
    const many = events.pipe(
      within(3, '60s', { key: (event) => event.target }),
      map((list) => list.map(({ at }) => at)),
    );
    const quiet = events.pipe(
      suppress('5m', { key: ({ kind }) => kind }),
      map(({ event, suppressed }) => `${event.target} ${suppressed + 1}`),
    );
    const dampened = events.pipe(
      dampening({ penalty: ({ kind }) => (kind === 'syslog' ? 0 : 1000), halfLife: '1m' }),
      filter(({ kind }) => kind !== 'reused'),
      map((told) => {
        // @ts-expect-error only what is suppressed says until when
        const { reusedAt } = told;
        return told.kind === 'suppressed' ? told.reusedAt : reusedAt;
      }),
    );
    return merge(paired, guarded, followed, together, missing, many, quiet, dampened);
  },
});

policy({
  name: 'types',
  on: [interfaces.down(), bgp.neighborChanged()],
  pipe: (events) =>
    merge(
      // @ts-expect-error `on` does not name it, so it would never come
      events.pipe(pair(interfaces.down(), vrrp.stateChanged(), { within: '5s' })),
      // @ts-expect-error a pair needs its time
      events.pipe(pair(interfaces.down(), bgp.neighborChanged(), {})),
      // @ts-expect-error an order that there is not
      events.pipe(pair(interfaces.down(), bgp.neighborChanged(), { within: '5s', order: 'reverse' })),
      // @ts-expect-error one step is no sequence
      events.pipe(sequence([interfaces.down()], { within: '5s' })),
      // @ts-expect-error what it follows is missing
      events.pipe(absent(bgp.neighborChanged(), { within: '5s' })),
      // @ts-expect-error a count comes first
      events.pipe(within('60s', 3)),
      // @ts-expect-error a number says no unit
      events.pipe(suppress(300)),
      // @ts-expect-error a typo in an option
      events.pipe(dampening({ halflife: '1m' })),
      // @ts-expect-error a key is text
      events.pipe(dampening({ key: ({ at }) => at })),
    ),
});

// --- VMs and holds ------------------------------------------------------------------------------------------------

vm.migrationRequested({ from: 'kvm1', perform: true, target: 'kvm1' });
vm.migrationEnded({ how: 'cancelled' });
vm.lifecycle({ event: 'started', detail: 'migrated' });

// @ts-expect-error a field that the meaning does not have
vm.migrationStarted({ how: 'failed' });
// @ts-expect-error a value that is none of its ends
vm.migrationEnded({ how: 'done' });
// @ts-expect-error a list is no value to compare with
vm.migrated({ macs: ['52:54:00:aa:bb:01'] });
// @ts-expect-error a state that libvirt does not have
vm.lifecycle({ event: 'migrated' });
// @ts-expect-error a meaning that there is not
vm.moved();

const live = (target: string) => servicePolicy({ target, interface: 'Gi1/0/1' }, 'output', 'LIVE-MIGRATION');

policy({
  name: 'types',
  on: [vm.migrationRequested(), vm.migrationStarted()],
  key: ({ uuid }) => uuid,
  until: vm.migrationEnded(),
  atMost: '30m',
  replace: true,
  hold: (event, { inventory }) => {
    isTrue<Same<typeof event.kind, 'vm.migration-requested' | 'vm.migration-started'>>();
    // @ts-expect-error only one of the two has a request
    const { request } = event;
    return inventory.pathBetween(event.from, event.to).map((port) => servicePolicy(port, 'output', String(request)));
  },
});

policy({
  name: 'types',
  on: vm.migrated(),
  ensure: ({ from, vlans, macs }, { inventory }) => {
    isTrue<Same<typeof vlans, number[]>>();
    return inventory
      .portsOf(from, vlans)
      .flatMap((port) => macs.flatMap((mac) => [stickyMac(port, mac).absent({ stays: '5s', unless: stickyMac(port, mac) })]));
  },
});

policy({
  name: 'types',
  on: vm.migrationRequested(),
  // @ts-expect-error what ends it does not have that: the two would never meet
  key: ({ request }) => request,
  until: vm.migrationEnded(),
  atMost: '30m',
  hold: ({ to }) => live(to),
});

// @ts-expect-error nobody says when it ends
policy({ name: 'types', on: vm.migrationStarted(), atMost: '30m', hold: ({ to }) => live(to) });
// @ts-expect-error it may never be said that it has ended
policy({ name: 'types', on: vm.migrationStarted(), until: vm.migrationEnded(), hold: ({ to }) => live(to) });
// @ts-expect-error a number says no unit
policy({ name: 'types', on: vm.migrationStarted(), until: vm.migrationEnded(), atMost: 30, hold: ({ to }) => live(to) });
// @ts-expect-error a selector is called
policy({ name: 'types', on: vm.migrationStarted(), until: vm.migrationEnded, atMost: '30m', hold: ({ to }) => live(to) });
// @ts-expect-error a whole gateway is not held
policy({ name: 'types', on: vm.migrationStarted(), until: vm.migrationEnded(), atMost: '30m', hold: () => exclusive('g', live) });

policy({
  name: 'types',
  on: vm.migrationStarted(),
  until: vm.migrationEnded(),
  atMost: '30m',
  // @ts-expect-error nothing settles what is held
  settle: { quiet: '2s' },
  hold: ({ to }) => live(to),
});

policy({
  name: 'types',
  on: vm.migrationStarted(),
  until: vm.migrationEnded(),
  atMost: '30m',
  // @ts-expect-error leave it out, or say true
  replace: false,
  hold: ({ to }) => live(to),
});

policy({
  name: 'types',
  on: vm.migrationStarted(),
  // @ts-expect-error what is ensured has no end: ensure or hold, not both
  until: vm.migrationEnded(),
  atMost: '30m',
  ensure: () => [],
  hold: ({ to }) => live(to),
});

// @ts-expect-error a direction that there is not
servicePolicy({ target: 'sw1', interface: 'Gi1/0/1' }, 'out', 'LIVE-MIGRATION');
// @ts-expect-error a mode that there is not
violationMode({ target: 'sw1', interface: 'Gi1/0/1' }, 'relaxed');
// @ts-expect-error an address is on a port in a VLAN
stickyMac({ target: 'sw1', interface: 'Gi1/0/1' }, '52:54:00:aa:bb:01');
// @ts-expect-error a number says no unit
stickyMac({ target: 'sw1', interface: 'Gi1/0/1', vlan: 20 }, '52:54:00:aa:bb:01').absent({ stays: 5 });
