// The judgement of preflight: each condition, and its boundary.
import { describe, expect, test } from 'vitest';
import { Facts } from '../../src/core/facts.ts';
import { judge } from '../../src/core/preflight.ts';
import type { Attachment, Inventory } from '../../src/model/target.ts';
import { inventorySchema } from '../../src/model/target.ts';

type Answers = Parameters<typeof judge>[1];
type Request = Parameters<typeof judge>[0];
type Needs = NonNullable<Answers['needs']>[number];
type Host = NonNullable<Answers['from']>[number];
type End = Answers['ends'][number];
type Hop = Answers['hops'][number];

const gib = 2 ** 30;
const request: Request = {
  ...{ kind: 'vm.migration-requested', vm: 'web1', uuid: 'u-1', from: 'kvm1', to: 'kvm2', request: 'r-1', perform: true },
};
const needs: Needs = {
  ...{ uuid: 'u-1', vm: 'web1', memoryBytes: 4 * gib, cpu: 'Haswell' },
  nics: [{ mac: '52:54:00:aa:bb:01', source: 'br0', vlan: 20 }],
  disks: [{ source: '/images/web1.qcow2', pool: 'vms', bytes: 40 * gib }],
};
const host: Host = {
  ...{ hostname: 'kvm', arch: 'x86_64', cpuModel: 'Skylake', cpuFeatures: ['vmx', 'aes'], networks: ['br0'] },
  pools: [{ name: 'vms', path: '/images', active: true, availableBytes: 40 * gib }],
};
const attachments: readonly [Attachment, Attachment] = [
  { hypervisor: 'kvm1', target: 'acc-1', interface: 'Gi1/0/1', vlans: [20, 30] },
  { hypervisor: 'kvm2', target: 'acc-2', interface: 'Gi1/0/1', vlans: [20, 30] },
];
const end = (attachment: Attachment, change: Partial<End> = {}): End => ({
  attachment,
  vnis: [{ vlan: 20, vni: 10020 }],
  switchport: [{ interface: 'GigabitEthernet1/0/1', mode: 'trunk', allowed: [20, 30] }],
  security: [{ interface: 'GigabitEthernet1/0/1', enabled: true, sticky: true, violation: 'restrict', status: 'secure-up' }],
  ...change,
});
const [here, there] = attachments;
const hop: Hop = {
  ...{ target: 'acc-1', interface: 'GigabitEthernet1/0/24' },
  policyMaps: [{ policy: 'LIVE-MIGRATION', classes: [{ class: 'MIGRATION', dscp: ['cs4'] }] }],
  routes: [{ prefix: '10.255.0.2/32', interface: 'Gi1/0/24' }],
};
const fine: Answers = { needs: [needs], from: [host], to: [host], ends: [end(here), end(there)], hops: [hop] };

const inventory: Inventory = inventorySchema.parse({
  targets: {
    kvm1: {
      platform: 'libvirt',
      address: '192.0.2.1',
      libvirt: { transport: 'tcp', write: true, migrationUri: 'qemu+tls://kvm1/system' },
    },
    kvm2: { platform: 'libvirt', address: '192.0.2.2', libvirt: { transport: 'tcp', migrationUri: 'qemu+tls://kvm2/system' } },
  },
  gateways: {},
  attachments,
  paths: [{ from: 'kvm1', to: 'kvm2', toward: '10.255.0.2', dscp: '32', egress: [{ target: 'acc-1', interface: 'Gi1/0/24' }] }],
});

function viewOf(described: Inventory): Facts {
  const facts = new Facts();
  facts.fold({ kind: 'inventory', inventory: described, seq: 1, at: 0 });
  return facts;
}

/** `condition: text` of each refusal. */
function refusals(change: Partial<Answers>, asked: Partial<Request> = {}, described = inventory): readonly string[] {
  return judge({ ...request, ...asked }, { ...fine, ...change }, viewOf(described), 'LIVE-MIGRATION').map(
    ({ condition, text }) => `${condition}: ${text}`,
  );
}

const onlyOne = (found: readonly string[], what: RegExp): void => {
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(what);
};

test('nothing stands against a migration where everything fits', () => {
  expect(refusals({})).toEqual([]);
});

describe('who cannot be read', () => {
  test('the guest: nothing else is judged', () => {
    onlyOne(refusals({ needs: undefined, to: undefined }), /^vm: web1 cannot be read on kvm1\./);
    onlyOne(refusals({ needs: [] }), /^vm: web1 cannot be read/);
  });

  test('a hypervisor: it is named', () => {
    onlyOne(refusals({ from: undefined }), /^vm: kvm1 cannot be read/);
    onlyOne(refusals({ to: undefined }), /^vm: kvm2 cannot be read/);
  });

  test('a switch: once, with all that it did not tell, and nothing is concluded from that', () => {
    const silent = end(there, { vnis: undefined, switchport: undefined, security: undefined });
    onlyOne(
      refusals({ ends: [end(here), silent] }),
      /^reading: acc-2 does not tell: VNIs, the VLANs of Gi1\/0\/1, port security of Gi1\/0\/1\./,
    );
    onlyOne(refusals({ hops: [{ ...hop, routes: undefined }] }), /^reading: acc-1 does not tell: routes\./);
  });
});

describe('who begins it', () => {
  const readOnly = inventorySchema.parse({
    ...inventory,
    targets: { ...inventory.targets, kvm1: { ...inventory.targets.kvm1, libvirt: { transport: 'tcp' } } },
  });
  const unreached = inventorySchema.parse({
    ...inventory,
    targets: { ...inventory.targets, kvm2: { ...inventory.targets.kvm2, libvirt: { transport: 'tcp' } } },
  });

  test('Offbox must be allowed to write on the source, and know the way to the destination', () => {
    onlyOne(refusals({}, {}, readOnly), /^vm: Offbox may not write on kvm1\. Give targets\.kvm1\.libvirt\.write/);
    onlyOne(refusals({}, {}, unreached), /^vm: nobody knows where kvm1 reaches kvm2\./);
  });

  test('somebody else needs neither', () => {
    expect(refusals({}, { perform: false }, readOnly)).toEqual([]);
    expect(refusals({}, { perform: false }, unreached)).toEqual([]);
  });
});

describe('storage', () => {
  const pool = host.pools[0]!;
  const to = (change: Partial<typeof pool>): Partial<Answers> => ({ to: [{ ...host, pools: [{ ...pool, ...change }] }] });

  test('exactly as much room as is needed is enough; a byte less is not', () => {
    expect(refusals(to({ availableBytes: 40 * gib }))).toEqual([]);
    onlyOne(
      refusals(to({ availableBytes: 40 * gib - 1 })),
      /^storage: pool vms of kvm2 is too full: 40\.0 GiB free, 40\.0 GiB needed/,
    );
  });

  test('disks of one pool are added up', () => {
    const two = { ...needs, disks: [...needs.disks, { source: '/images/data.qcow2', pool: 'vms', bytes: 1 }] };
    onlyOne(refusals({ needs: [two] }), /^storage: pool vms of kvm2 is too full/);
  });

  test('the pool must be there, be active, and have the same path', () => {
    onlyOne(refusals({ to: [{ ...host, pools: [] }] }), /^storage: kvm2 has no active storage pool vms\. .* at \/images/);
    onlyOne(refusals(to({ active: false })), /^storage: kvm2 has no active storage pool vms/);
    onlyOne(refusals(to({ path: '/srv' })), /^storage: pool vms is \/images on kvm1 and \/srv on kvm2/);
  });

  test('a disk in no pool is refused; a guest without disks needs none', () => {
    onlyOne(
      refusals({ needs: [{ ...needs, disks: [{ source: '/tmp/x.img', bytes: 1 }] }] }),
      /^storage: \/tmp\/x\.img is in no storage pool/,
    );
    expect(refusals({ needs: [{ ...needs, disks: [] }], to: [{ ...host, pools: [] }] })).toEqual([]);
  });
});

test('each bridge or network that is missing is named once', () => {
  const nics = [...needs.nics, { mac: '52:54:00:aa:bb:02', source: 'br0', vlan: 20 }, { mac: '52:54:00:aa:bb:03', vlan: 20 }];
  onlyOne(
    refusals({ needs: [{ ...needs, nics }], to: [{ ...host, networks: [] }] }),
    /^network: kvm2 has no bridge or network br0/,
  );
});

describe('CPU', () => {
  const other = { ...host, cpuModel: 'Broadwell' };
  const less = { ...host, cpuFeatures: ['aes'] };
  const more = { ...host, cpuFeatures: ['vmx', 'aes', 'avx512f'] };
  const wanting = (cpu: string, to: Host): readonly string[] => refusals({ needs: [{ ...needs, cpu }], to: [to] });

  test('a named model runs on whatever has its architecture', () => {
    expect(wanting('Haswell', other)).toEqual([]);
    expect(wanting('', less)).toEqual([]);
    onlyOne(wanting('Haswell', { ...host, arch: 'aarch64' }), /^cpu: the CPU of kvm1 is x86_64, that of kvm2 aarch64/);
  });

  test.each(['host-model', 'host-passthrough'])('%s needs the same model, and every feature', (cpu) => {
    expect(wanting(cpu, host)).toEqual([]);
    expect(wanting(cpu, more)).toEqual([]);
    onlyOne(wanting(cpu, other), /^cpu: .*Broadwell/);
    onlyOne(wanting(cpu, less), /^cpu: .*lacks vmx/);
  });
});

describe('the VLAN', () => {
  test('must be one VNI at both VTEPs', () => {
    onlyOne(
      refusals({ ends: [end(here), end(there, { vnis: [{ vlan: 20, vni: 10099 }] })] }),
      /^vni: VLAN 20 is VNI 10020 at acc-1 and 10099 at acc-2/,
    );
    onlyOne(refusals({ ends: [end(here), end(there, { vnis: [] })] }), /^vni: acc-2 maps VLAN 20 to no VNI/);
  });

  test('is asked of the VTEP where that is another than the switch', () => {
    const behind = end({ ...there, vtep: 'leaf-2' }, { vnis: [{ vlan: 20, vni: 1 }] });
    onlyOne(refusals({ ends: [end(here), behind] }), /^vni: .* and 1 at leaf-2/);
  });

  test('of the guest alone counts: another one may differ', () => {
    const vnis = [
      { vlan: 20, vni: 10020 },
      { vlan: 30, vni: 7 },
    ];
    expect(refusals({ ends: [end(here), end(there, { vnis })] })).toEqual([]);
  });

  test('that nothing says is every one of the source’s port', () => {
    const nics = [{ mac: '52:54:00:aa:bb:01', source: 'br0' }];
    onlyOne(refusals({ needs: [{ ...needs, nics }] }), /^vni: acc-1 and acc-2 map VLAN 30 to no VNI/);
  });

  test('must reach the destination’s port', () => {
    onlyOne(refusals({ ends: [end(here), end({ ...there, vlans: [30] })] }), /^vni: VLAN 20 does not reach kvm2/);
    onlyOne(refusals({ ends: [end(here)] }), /^vni: nobody knows which switch port kvm2 is behind/);
  });

  test('native on one side is the classic fault, said once', () => {
    const native = [{ interface: 'GigabitEthernet1/0/1', mode: 'trunk' as const, allowed: [20, 30], native: 20 }];
    onlyOne(
      refusals({ ends: [end(here), end(there, { switchport: native })] }),
      /^tagging: VLAN 20 is tagged on acc-1 Gi1\/0\/1 and untagged on acc-2 Gi1\/0\/1/,
    );
    const both = [end({ ...here, native: 20 }, { switchport: native }), end({ ...there, native: 20 }, { switchport: native })];
    expect(refusals({ ends: both })).toEqual([]);
  });

  test('must be sent as the hypervisor expects it', () => {
    const access = [{ interface: 'GigabitEthernet1/0/1', mode: 'access' as const, access: 20 }];
    const both = [end(here, { switchport: access }), end(there, { switchport: access })];
    expect(refusals({ ends: both })).toHaveLength(2);
    expect(refusals({ ends: both })[0]).toMatch(/^tagging: acc-1 Gi1\/0\/1 sends VLAN 20 untagged\. kvm1 expects it tagged/);
    const pruned = [{ interface: 'GigabitEthernet1/0/1', mode: 'trunk' as const, allowed: [30] }];
    onlyOne(
      refusals({ ends: [end(here), end(there, { switchport: pruned })] }),
      /^tagging: acc-2 Gi1\/0\/1 does not carry VLAN 20/,
    );
    const all = [{ interface: 'GigabitEthernet1/0/1', mode: 'trunk' as const }];
    expect(refusals({ ends: [end(here), end(there, { switchport: all })] })).toEqual([]);
  });
});

describe('port security', () => {
  const row = end(there).security![0]!;
  const secured = (change: Partial<typeof row>, asked: Partial<Request> = {}): readonly string[] =>
    refusals({ ends: [end(here), end(there, { security: [{ ...row, ...change }] })] }, asked);

  test('that shuts down is refused, unless it may be relaxed', () => {
    onlyOne(secured({ violation: 'shutdown' }), /^port-security: acc-2 Gi1\/0\/1 shuts down on a violation/);
    expect(secured({ violation: 'shutdown' }, { allow: ['relax'] })).toEqual([]);
    onlyOne(secured({ violation: 'shutdown' }, { allow: ['post-copy'] }), /^port-security/);
  });

  test('that is off, or only drops, is fine', () => {
    expect(secured({ violation: 'shutdown', enabled: false })).toEqual([]);
    expect(secured({ violation: 'protect' })).toEqual([]);
  });

  test('that has err-disabled a port is refused, whatever is allowed', () => {
    onlyOne(secured({ status: 'secure-shutdown' }, { allow: ['relax'] }), /^port-security: acc-2 Gi1\/0\/1 is err-disabled/);
  });

  test('of a port that the switch does not know is refused', () => {
    onlyOne(refusals({ ends: [end(here), end(there, { security: [] })] }), /^port-security: .* cannot be read/);
  });
});

describe('the way', () => {
  test('must be described', () => {
    onlyOne(refusals({ hops: [] }, {}, { ...inventory, paths: [] }), /^path: path unknown from kvm1 to kvm2/);
  });

  test('must be the one that the routes take; one of several equal ones is enough', () => {
    const by = (...names: string[]): Partial<Answers> => ({
      hops: [{ ...hop, routes: names.map((name) => ({ prefix: '10.255.0.2/32', interface: name })) }],
    });
    onlyOne(refusals(by('Gi1/0/23')), /^path: path unknown: acc-1 reaches 10\.255\.0\.2 by GigabitEthernet1\/0\/23, not by/);
    onlyOne(refusals(by()), /^path: .* by no interface, not by/);
    expect(refusals(by('Gi1/0/23', 'GigabitEthernet1/0/24'))).toEqual([]);
  });

  test('must have the policy-map, with a class that takes the traffic as it is marked, in whatever words', () => {
    const with_ = (policy: string, ...dscp: string[]): Partial<Answers> => ({
      hops: [
        {
          ...hop,
          policyMaps: [
            {
              policy,
              classes: [
                { class: 'ONE', dscp: [] },
                { class: 'TWO', dscp },
              ],
            },
          ],
        },
      ],
    });
    onlyOne(refusals(with_('OTHER', 'cs4')), /^policy-map: acc-1 has no policy-map LIVE-MIGRATION\./);
    onlyOne(refusals(with_('LIVE-MIGRATION', 'cs3')), /^policy-map: no class of LIVE-MIGRATION on acc-1 matches dscp cs4/);
    onlyOne(refusals(with_('LIVE-MIGRATION')), /^policy-map: no class/);
    expect(refusals(with_('LIVE-MIGRATION', 'cs4'))).toEqual([]);
  });
});

test('whatever stands against it is said at once', () => {
  const found = refusals({
    to: [{ ...host, networks: [], pools: [] }],
    ends: [end(here), end(there, { vnis: [] })],
    hops: [{ ...hop, policyMaps: [] }],
  });
  expect(found.map((each) => each.split(':')[0])).toEqual(['storage', 'network', 'vni', 'policy-map']);
});
