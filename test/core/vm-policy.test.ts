// Policies that listen to migrations, in an engine: what a move wants is wanted once, and not again by a gap.
import { describe, expect, test } from 'vitest';
import { policy } from '../../src/core/policy.ts';
import { servicePolicy, stickyMac } from '../../src/core/resources.ts';
import { vm } from '../../src/core/selectors.ts';
import { cellKeysMax } from '../../src/model/limits.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { port, Stage, told } from './holding.ts';
import { eventOf, gap, lines, Rig, replay } from './rig.ts';
import { entriesOf } from './vm-words.ts';

const host = (address: string) => ({ platform: 'libvirt', address, libvirt: { transport: 'unix', socket: '/run/x' } });
const inventory = inventorySchema.parse({
  targets: {
    kvm1: host('10.0.0.11'),
    kvm2: host('10.0.0.12'),
    sw1: { platform: 'cisco-ios', address: '10.0.0.1' },
    sw2: { platform: 'cisco-ios', address: '10.0.0.2' },
  },
  gateways: {},
  attachments: [
    { hypervisor: 'kvm1', target: 'sw1', interface: 'Gi1/0/1', vlans: [20, 30] },
    { hypervisor: 'kvm2', target: 'sw2', interface: 'Gi1/0/1', vlans: [20, 30] },
  ],
});

const clears = policy({
  name: 'clears',
  on: vm.migrated(),
  ensure: ({ from, macs, vlans }, { inventory: known }) =>
    known.portsOf(from, vlans).flatMap((there) => macs.map((mac) => stickyMac(there, mac).absent({ stays: '5s' }))),
});

function hear(rig: Rig, line: string): readonly string[] {
  const [name, ...said] = line.split(' ');
  rig.now += 100;
  return entriesOf(name!, said.join(' ')).flatMap((body) => lines(rig.feed(body).intents));
}

describe('a VM that moved', () => {
  test('there and back, then a gap: nothing is cleared where it is again', () => {
    const rig = new Rig([clears], { inventory });
    const heard = [
      ...['kvm1 lists running/booted', 'kvm2 lists nothing'],
      ...['kvm2 started migrated', 'kvm2 resumed migrated', 'kvm1 stopped migrated'],
      ...['kvm1 started migrated', 'kvm1 resumed migrated', 'kvm2 stopped migrated'],
    ].flatMap((line) => hear(rig, line));
    expect(heard).toEqual(['absent sw1', 'absent sw2']);
    for (const intent of rig.intents) rig.outcome(intent, 'done');
    const after = rig.intents.length;
    rig.event(gap('kvm1', 'kvm2'));
    rig.event(gap());
    hear(rig, 'kvm2 lists shutoff/migrated');
    hear(rig, 'kvm1 lists running/migrated');
    rig.pass(86_400_000);
    expect(rig.intents.slice(after)).toEqual([]);
    expect(replay([clears], rig.entries).intents).toEqual(rig.intents);
  });

  test('is read to be where it has come to before anything is cleared where it was, in its VLAN only', () => {
    const rig = new Rig([clears], { inventory });
    for (const line of ['kvm1 lists running/booted', 'kvm2 started migrated', 'kvm2 resumed migrated']) hear(rig, line);
    expect(rig.intents.map(({ want }) => want)).toMatchObject([
      {
        resource: { target: 'sw1', vlan: 20, mac: '52:54:00:aa:bb:01' },
        desired: 'absent',
        staysMs: 5_000,
        requires: [{ query: 'domains', target: 'kvm2', is: 'here' }],
      },
    ]);
  });

  test('unheard is made good by a listing', () => {
    const rig = new Rig([clears], { inventory });
    hear(rig, 'kvm1 lists running/booted');
    expect([...hear(rig, 'kvm1 lists nothing'), ...hear(rig, 'kvm2 lists running/migrated')]).toEqual(['absent sw1']);
  });
});

describe('more holds than can be remembered', () => {
  test('let the oldest go', () => {
    const everywhere = policy({
      name: 'qos',
      on: vm.migrationRequested(),
      until: vm.migrationEnded(),
      atMost: '30m',
      hold: ({ vm: name }) => servicePolicy({ ...port('sw1'), interface: name }, 'output', 'LIVE'),
    });
    const stage = new Stage(everywhere);
    stage.ask('web1');
    stage.applied(null);
    const { cells } = stage.rig.engine;
    const [[prefix, , cell]] = cells.snapshot()['qos/1.hold'] as unknown as [readonly [string, string, { data: object }]];
    const more = Array.from({ length: cellKeysMax - 1 }, (_, index) => {
      const key = `vm${index}`;
      return [prefix, key, { data: { ...cell.data, key, places: [] } }] as const;
    });
    cells.restore({ 'qos/1.hold': more });
    expect(told(stage.rig.event(eventOf('kvm1', asked('one more'))))).toEqual([
      'sw1 -LIVE over LIVE',
      'sw1 +LIVE over none|LIVE',
    ]);
  });
});

function asked(name: string) {
  return {
    kind: 'vm.migration-requested',
    vm: name,
    uuid: name,
    from: 'kvm1',
    to: 'kvm2',
    request: name,
    perform: false,
  } as const;
}
