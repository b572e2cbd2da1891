import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Vms } from '../../src/core/vms.ts';
import { hostsPerVmMax, vmsMax } from '../../src/model/limits.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import { eventOf, start } from './rig.ts';
import { entriesOf, Listener, web1 } from './vm-words.ts';

describe('whatever hosts say', () => {
  const hosts = ['kvm1', 'kvm2', 'kvm3', '', '__proto__', 'constructor'];
  const said = [
    ...['migrated', 'booted', 'restored'].map((detail) => `started ${detail}`),
    ...['migrated', 'post-copy', 'unpaused'].map((detail) => `resumed ${detail}`),
    ...['migrated', 'paused', 'post-copy'].map((detail) => `suspended ${detail}`),
    ...['migrated', 'failed', 'destroyed', 'saved'].map((detail) => `stopped ${detail}`),
    ...['defined added', 'defined updated', 'undefined removed', 'iteration 1'],
    ...['completed migration-out', 'completed save', 'asked kvm2', 'asked kvm3', 'marked kvm2'],
    ...['nothing', 'running/booted', 'running/migrated', 'running/postcopy', 'paused/migration', 'shutoff/migrated'].flatMap(
      (row) => [`lists ${row}`, `reads ${row}`],
    ),
    ...['reads running/booted migration-out', 'reads paused/migration migration-in'],
  ];

  test('at most one migration is open, each that was begun ends once, and none ends that was not', () => {
    const word = fc.tuple(fc.constantFrom(...hosts), fc.constantFrom(...said), fc.nat(70_000));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        const listener = new Listener();
        let at = 0;
        for (const [host, line, ms] of words) {
          at += ms;
          const wasOpen = listener.migration();
          const before = listener.told.length;
          const told = entriesOf(host, line).flatMap((body) => listener.vms.fold({ ...body, seq: 1, at: start + at }));
          listener.told.push(...told);
          const ends = listener.told.slice(before).filter(({ kind }) => kind === 'vm.migration-ended').length;
          const begins = listener.told.slice(before).filter(({ kind }) => kind === 'vm.migrated').length;
          // Besides what was open only what came at once, its start unheard, can end.
          expect(ends).toBeLessThanOrEqual((wasOpen ? 1 : 0) + begins);
          for (const { kind, from, to } of told) expect(kind === 'vm.migrated' && from === to).toBe(false);
        }
        // A start that was told has ended, or is the one that is open.
        const open = listener.migration();
        const started = listener.told.filter(({ kind }) => kind === 'vm.migration-started').length;
        const ended = listener.told.filter(({ kind }) => kind === 'vm.migration-ended').length;
        expect(started).toBeLessThanOrEqual(ended + (open?.told ? 1 : 0));
        const vm = listener.vms.get(web1.uuid);
        expect(listener.vms.all()).toHaveLength(1);
        expect(Object.keys(vm!.places).length).toBeLessThanOrEqual(hosts.length);
        expect(JSON.parse(JSON.stringify(listener.vms.all()))).toEqual(listener.vms.all());
      }),
      { numRuns: 500 },
    );
  });

  test('a copy put back goes on as the one it was taken of', () => {
    const word = fc.tuple(fc.constantFrom('kvm1', 'kvm2'), fc.constantFrom(...said));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), fc.array(word, { maxLength: 20 }), (first, then) => {
        const one = new Listener();
        for (const [index, [host, line]] of first.entries()) one.hear(`${host} ${line}`, index * 10_000);
        const two = new Listener([]);
        two.vms.restore(JSON.parse(JSON.stringify(one.vms.all())));
        for (const [index, [host, line]] of then.entries()) {
          const at = (first.length + index) * 10_000;
          expect(two.hear(`${host} ${line}`, at)).toEqual(one.hear(`${host} ${line}`, at));
        }
        expect(two.vms.all()).toEqual(one.vms.all());
      }),
    );
  });

  test('a listing takes from a host what it has no more, in one order, whatever many VMs went where', () => {
    const [vms, hosts] = [6, 4];
    const words = [
      'started booted',
      'started migrated',
      'suspended migrated',
      'resumed migrated',
      'stopped migrated',
      'stopped failed',
    ];
    const word = fc.tuple(fc.nat(vms - 1), fc.nat(hosts - 1), fc.constantFrom(...words));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), fc.nat(hosts - 1), fc.subarray([0, 1, 2, 3, 4, 5]), (said, host, kept) => {
        const one = new Vms();
        const hear = (into: Vms, meaning: Meaning, on: number, at: number) =>
          into.fold({ kind: 'event', event: eventOf(`kvm${on}`, meaning), seq: at, at });
        for (const [at, [vm, on, line]] of said.entries()) {
          const [event, detail] = line.split(' ') as ['started', string];
          hear(one, { kind: 'vm.lifecycle', vm: `vm${vm}`, uuid: `uuid${vm}`, event, detail }, on, at);
        }
        const two = new Vms();
        two.restore(JSON.parse(JSON.stringify(one.all())));
        const listed: Meaning = { kind: 'vm.listed', uuids: kept.map((vm) => `uuid${vm}`) };
        const told = hear(one, listed, host, 1_000);
        expect(hear(two, listed, host, 1_000)).toEqual(told);
        expect(two.all()).toEqual(one.all());
        for (const { uuid } of one.all()) {
          if (!listed.uuids.includes(uuid)) expect(one.hostsOf(uuid)).not.toContain(`kvm${host}`);
        }
        // Each is told of in the order in which it was first heard of.
        const order = one.all().map(({ uuid }) => uuid);
        const places = told.map(({ uuid }) => order.indexOf(uuid));
        expect(places).toEqual([...places].sort((a, b) => a - b));
      }),
    );
  });

  test('names as long as may be, no NICs and doubled ones are taken as they are', () => {
    const nics = [{ mac: '52:54:00:aa:bb:01', vlan: 20 }, { mac: '52:54:00:aa:bb:01', vlan: 20 }, { mac: '52:54:00:aa:bb:02' }];
    const huge = { vm: 'w'.repeat(100_000), uuid: 'u'.repeat(100_000), nics };
    const listener = new Listener([]);
    listener.hear('kvm1 resumed unpaused', 0, huge);
    listener.hear('kvm2 started migrated', 1, huge);
    listener.hear('kvm2 resumed migrated', 2, { ...huge, nics: [] });
    expect(listener.told.map((each) => ('macs' in each ? each.macs : []))).toEqual([
      ['52:54:00:aa:bb:01', '52:54:00:aa:bb:02'],
      [],
      [],
    ]);
    expect(listener.vms.byName(huge.vm)!.uuid).toBe(huge.uuid);
  });

  test('of one VM no more than some hosts are remembered, and of VMs no more than there is room for', () => {
    const listener = new Listener();
    for (let index = 0; index < 1_000; index += 1) listener.hear(`host${index} started booted`, index);
    expect(Object.keys(listener.vms.get(web1.uuid)!.places)).toHaveLength(hostsPerVmMax);
    const vms = new Vms();
    for (let index = 0; index <= vmsMax; index += 1) {
      const meaning: Meaning = { kind: 'vm.migration-iteration', vm: 'w', uuid: String(index), iteration: 1 };
      vms.fold({ kind: 'event', event: eventOf('kvm1', meaning), seq: index, at: start });
    }
    expect(vms.all()).toHaveLength(vmsMax);
    expect([vms.get('0'), vms.get(String(vmsMax))?.vm]).toEqual([undefined, 'w']);
  });

  test('what no host says is nobody`s word', () => {
    const vms = new Vms();
    const { target: _, ...event } = eventOf('x', { kind: 'vm.listed', uuids: [] });
    expect(vms.fold({ kind: 'event', event, seq: 1, at: start })).toEqual([]);
    expect(vms.all()).toEqual([]);
  });
});
