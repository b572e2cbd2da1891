import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  hsrpStateSchema,
  type Meaning,
  type MeaningKind,
  meaningSchema,
  meaningSubjects,
  roleOfHsrp,
  roleOfVrrp,
  vrrpStateSchema,
} from '../../src/model/meaning.ts';

/** The least of each kind, and the most. */
const examples: Readonly<Record<MeaningKind, readonly Meaning[]>> = {
  'hsrp.state-changed': [
    { kind: 'hsrp.state-changed', group: 0, to: 'active' },
    { kind: 'hsrp.state-changed', interface: 'Vlan23', ifIndex: 7, group: 4_095, from: 'speak', to: 'standby' },
  ],
  'vrrp.state-changed': [
    { kind: 'vrrp.state-changed', to: 'master' },
    {
      kind: 'vrrp.state-changed',
      interface: 'eth0',
      ifIndex: 7,
      group: 255,
      instance: 'VI_1',
      family: 'ipv6',
      from: 'initialize',
      to: 'fault',
    },
  ],
  'fhrp.changed': [
    { kind: 'fhrp.changed', gateway: 'g', member: 'r1', role: 'active' },
    { kind: 'fhrp.changed', gateway: 'g', member: 'r1', role: 'other', from: 'standby' },
  ],
  'interface.state-changed': [
    { kind: 'interface.state-changed', layer: 'link', to: 'up' },
    { kind: 'interface.state-changed', interface: 'Vlan23', ifIndex: 7, layer: 'protocol', to: 'down', admin: true, reason: 'x' },
  ],
  'bgp.neighbor-changed': [
    { kind: 'bgp.neighbor-changed', neighbor: '10.0.0.1', to: 'up' },
    { kind: 'bgp.neighbor-changed', neighbor: 'fe80::1', to: 'down', vrf: 'blue', as: 4_200_000_000, reason: 'x' },
  ],
  'port-security.violation': [
    { kind: 'port-security.violation', mac: '00:60:9f:a4:d3:9a' },
    { kind: 'port-security.violation', interface: 'Vlan23', ifIndex: 7, mac: '00:60:9f:a4:d3:9a', vlan: 20 },
  ],
  'interface.err-disabled': [
    { kind: 'interface.err-disabled', cause: 'bpduguard' },
    { kind: 'interface.err-disabled', interface: 'Vlan23', ifIndex: 7, cause: 'psecure-violation' },
  ],
  'config.changed': [
    { kind: 'config.changed' },
    { kind: 'config.changed', by: 'admin', from: 'vty', line: 'vty0', address: '10.31.0.24' },
  ],
  'vm.lifecycle': [
    { kind: 'vm.lifecycle', vm: 'web1', uuid: 'c7a5fdbd-0000-4000-8000-000000000001', event: 'stopped', detail: 'migrated' },
    {
      kind: 'vm.lifecycle',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      event: 'started',
      detail: 'migrated',
      nics: [{ mac: '52:54:00:aa:bb:01', source: 'br0', vlan: 10 }],
    },
  ],
  'vm.observed': [
    {
      kind: 'vm.observed',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      state: 'running',
      reason: 'migrated',
      nics: [{ mac: '52:54:00:aa:bb:01', source: 'br0', vlan: 10 }],
    },
  ],
  'vm.listed': [{ kind: 'vm.listed', uuids: [] }],
  'vm.migration-iteration': [
    { kind: 'vm.migration-iteration', vm: 'web1', uuid: 'c7a5fdbd-0000-4000-8000-000000000001', iteration: 1 },
  ],
  'vm.job-completed': [
    { kind: 'vm.job-completed', vm: 'web1', uuid: 'c7a5fdbd-0000-4000-8000-000000000001', operation: 'save' },
    {
      kind: 'vm.job-completed',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      operation: 'migration-out',
      elapsedMs: 305,
      downtimeMs: 10,
    },
  ],
  'vm.metadata-changed': [
    { kind: 'vm.metadata-changed', vm: 'web1', uuid: 'c7a5fdbd-0000-4000-8000-000000000001', type: 'title' },
    {
      kind: 'vm.metadata-changed',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      type: 'element',
      uri: 'urn:offbox:migration',
      request: { to: 'kvm2' },
    },
  ],
  'vm.migration-requested': [
    {
      kind: 'vm.migration-requested',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      request: 'r1',
      perform: false,
    },
    {
      kind: 'vm.migration-requested',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      request: 'r1',
      perform: true,
      allow: ['relax'],
      bandwidthMiBs: 100,
    },
  ],
  'vm.migration-started': [
    {
      kind: 'vm.migration-started',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      macs: [],
    },
  ],
  'vm.migrated': [
    {
      kind: 'vm.migrated',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      macs: [],
      vlans: [],
      nics: [],
    },
    {
      kind: 'vm.migrated',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      macs: ['52:54:00:aa:bb:01'],
      vlans: [10],
      nics: [{ mac: '52:54:00:aa:bb:01', source: 'br0', vlan: 10 }],
      offline: true,
    },
  ],
  'vm.migration-failed': [
    {
      kind: 'vm.migration-failed',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      reason: 'x',
    },
  ],
  'vm.migration-ended': [
    {
      kind: 'vm.migration-ended',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      how: 'migrated',
    },
    {
      kind: 'vm.migration-ended',
      vm: 'web1',
      uuid: 'c7a5fdbd-0000-4000-8000-000000000001',
      from: 'kvm1',
      to: 'kvm2',
      how: 'failed',
      request: 'r-42',
      reason: 'x',
    },
  ],
  'source.gap': [
    { kind: 'source.gap', source: 'offbox', reason: 'x' },
    { kind: 'source.gap', source: 'syslog', reason: 'x', targets: ['r1'] },
  ],
};
const all = Object.values(examples).flat();

describe('the schema of meanings', () => {
  test('has an example of every kind here', () => {
    expect(Object.keys(examples).sort()).toEqual(meaningSchema.options.map(({ shape }) => shape.kind.value).sort());
    // The most of each kind has every field its schema knows.
    for (const option of meaningSchema.options) {
      const most = examples[option.shape.kind.value].at(-1)!;
      expect(Object.keys(most).sort()).toEqual(Object.keys(option.shape).sort());
    }
  });

  test.each(all)('takes %j as it is, and through JSON', (meaning) => {
    expect(meaningSchema.parse(meaning)).toEqual(meaning);
    expect(meaningSchema.parse(JSON.parse(JSON.stringify(meaning)))).toEqual(meaning);
  });

  test('takes no meaning without a field that it needs', () => {
    for (const least of Object.values(examples).map(([first]) => first!)) {
      for (const field of Object.keys(least)) {
        const { [field as 'kind']: _, ...rest } = least;
        expect(meaningSchema.safeParse(rest).success, `${least.kind} without ${field}`).toBe(false);
      }
    }
  });

  test('takes no field of another type', () => {
    for (const most of Object.values(examples).map((each) => each.at(-1)!)) {
      for (const field of Object.keys(most))
        expect(meaningSchema.safeParse({ ...most, [field]: Symbol('no') }).success, `${most.kind} with a wrong ${field}`).toBe(
          false,
        );
    }
  });

  test('takes whatever comes or refuses it, and never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...all), (anything, meaning) => {
        expect(typeof meaningSchema.safeParse(anything).success).toBe('boolean');
        expect(typeof meaningSchema.safeParse({ ...meaning, to: anything }).success).toBe('boolean');
      }),
    );
  });
});

test('the subject of a meaning is its target or fields it has', () => {
  for (const option of meaningSchema.options) {
    const subject: readonly string[] = meaningSubjects[option.shape.kind.value];
    expect(subject.length).toBeGreaterThan(0);
    for (const field of subject)
      expect(field === 'target' || field in option.shape, `${option.shape.kind.value} ${field}`).toBe(true);
  }
});

test('only HSRP Active and VRRP Master are active; what is neither that nor ready is other', () => {
  const hsrp = hsrpStateSchema.options.map((state) => `${state} ${roleOfHsrp(state)}`);
  expect(hsrp).toEqual([
    'disabled other',
    'init other',
    'learn other',
    'listen other',
    'speak other',
    'standby standby',
    'active active',
  ]);
  const vrrp = vrrpStateSchema.options.map((state) => `${state} ${roleOfVrrp(state)}`);
  expect(vrrp).toEqual(['initialize other', 'backup standby', 'master active', 'fault other']);
});
