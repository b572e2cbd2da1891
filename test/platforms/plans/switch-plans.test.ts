// Plans for switch ports applied to a switch: what was wanted is then so, nothing is left to do, and nothing else moved.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clearsByRpc, rpcClear } from '../../../adapters/platforms/cisco-iosxe/sticky-mac.ts';
import { all as allOf, parseXml } from '../../../adapters/platforms/cisco-iosxe/xml.ts';
import { platforms } from '../../../adapters/platforms/index.ts';
import { TargetError } from '../../../src/model/errors.ts';
import type { Resource } from '../../../src/model/intent.ts';
import type { Target } from '../../../src/model/target.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import { accessVlan, applied, held, type Learned, type Secure, type Switch } from './switch.ts';

const access = { user: 'netop', hostKey: `SHA256:${'A'.repeat(43)}` };
const ways: Readonly<Record<string, Target>> = {
  'cisco-ios': { platform: 'cisco-ios', address: '192.0.2.1', cli: access },
  'cisco-iosxe': { platform: 'cisco-iosxe', address: '192.0.2.1', cli: access },
  'cisco-iosxe over NETCONF': { platform: 'cisco-iosxe', address: '192.0.2.1', cli: access, netconf: access },
};

const names = ['GigabitEthernet1/0/5', 'GigabitEthernet1/0/6'];
const macs = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
const policies = ['LLQ', 'OLD', 'MARK'];
const vlans = [accessVlan, 48];

const place = { port: fc.constantFrom(...names), vlan: fc.constantFrom(...vlans), mac: fc.constantFrom(...macs) };
const secure = fc.record({ ...place, type: fc.constantFrom('SecureSticky', 'SecureDynamic', 'SecureConfigured') });
const learned = fc.record({ ...place, type: fc.constantFrom('DYNAMIC', 'STATIC') });
const policy = fc.option(fc.constantFrom(...policies), { nil: undefined });
const port = fc.record({
  trunk: fc.boolean(),
  violation: fc.constantFrom('shutdown', 'restrict', 'protect'),
  input: policy,
  output: policy,
});
const keyOf = ({ port: name, vlan, mac }: { port: string; vlan: number; mac: string }) => `${name} ${vlan} ${mac}`;

/** Access ports know one VLAN. */
const switches: fc.Arbitrary<Switch> = fc
  .record({
    release: fc.constantFrom('17.06.03', '17.09.04a', 'V169_5_SR'),
    policies: fc.subarray(policies),
    ports: fc.record(Object.fromEntries(names.map((name) => [name, port]))),
    secure: fc.uniqueArray(secure, { selector: keyOf, maxLength: 6 }),
    // An address is at one port of a VLAN.
    learned: fc.uniqueArray(learned, { selector: ({ vlan, mac }) => `${vlan} ${mac}`, maxLength: 6 }),
  })
  .map((box) => {
    const possible = (row: { port: string; vlan: number }) => box.ports[row.port]!.trunk || row.vlan === accessVlan;
    return { ...box, secure: box.secure.filter(possible), learned: box.learned.filter(possible) } as Switch;
  });

const at = { target: fc.constant('sw1'), interface: fc.constantFrom(...names) };
const resources: fc.Arbitrary<Resource> = fc.oneof(
  fc.record({ kind: fc.constant('sticky-mac'), ...at, mac: place.mac, vlan: place.vlan }),
  fc.record({ kind: fc.constant('mac-table-entry'), ...at, mac: place.mac, vlan: place.vlan }),
  fc.record({ kind: fc.constant('violation-mode'), ...at, mode: fc.constantFrom('shutdown', 'restrict', 'protect') }),
  fc.record({
    kind: fc.constant('service-policy'),
    ...at,
    direction: fc.constantFrom('input', 'output'),
    policy: fc.constantFrom(...policies),
  }),
);

/** The plan, or undefined where the driver refuses. */
function planned(box: Switch, way: Target, resource: Resource, desired: 'present' | 'absent'): readonly Command[] | undefined {
  const driver = platforms[way.platform].resources[resource.kind]!;
  try {
    return driver.plan(held(driver.read(resource, way), box), resource, desired, way);
  } catch (error) {
    if (error instanceof TargetError) return undefined;
    throw error;
  }
}

/** What a resource may touch, taken out: the rest must be as it was. */
function others(box: Switch, resource: Resource): unknown {
  const mine = (row: Secure | Learned) =>
    row.port === resource.interface && row.mac === resource.mac && row.vlan === resource.vlan;
  const ports = Object.entries(box.ports).map(([name, { violation, ...rest }]) => {
    if (name !== resource.interface) return [name, violation, rest];
    const policiesLeft = resource.kind === 'service-policy' ? { ...rest, [String(resource.direction)]: 'any' } : rest;
    return [name, resource.kind === 'violation-mode' ? 'any' : violation, policiesLeft];
  });
  return {
    ports,
    secure: box.secure.filter((row) => resource.kind !== 'sticky-mac' || !mine(row)),
    learned: box.learned.filter((row) => resource.kind !== 'mac-table-entry' || !mine(row)),
  };
}

test.each(Object.entries(ways))('%s: a plan applied leaves nothing to plan, and everything else as it was', (_name, way) => {
  let changed = 0;
  fc.assert(
    fc.property(switches, resources, fc.constantFrom('present' as const, 'absent' as const), (box, resource, desired) => {
      const plan = planned(box, way, resource, desired);
      if (plan === undefined) return;
      if (plan.length > 0) changed += 1;
      const after = applied(box, plan);
      expect(planned(after, way, resource, desired)).toEqual([]);
      expect(others(after, resource)).toEqual(others(box, resource));
      const driver = platforms[way.platform].resources[resource.kind]!;
      const verdict = driver.verify(held(driver.read(resource, way), after), resource, desired, way);
      // A host must send before it is seen: nothing else can make a row of the MAC address table.
      if (!(resource.kind === 'mac-table-entry' && desired === 'present')) expect(verdict.effective).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(changed).toBeGreaterThan(100);
});

test('nothing is ever sent to make a row of the MAC address table', () => {
  fc.assert(
    fc.property(switches, resources, (box, resource) => {
      if (resource.kind !== 'mac-table-entry') return;
      for (const way of Object.values(ways)) expect(planned(box, way, resource, 'present')).toEqual([]);
    }),
  );
});

test('only a sticky address goes: what is configured or dynamic stays, whoever wants it absent', () => {
  fc.assert(
    fc.property(switches, resources, (box, resource) => {
      if (resource.kind !== 'sticky-mac') return;
      for (const way of Object.values(ways)) {
        const after = applied(box, planned(box, way, resource, 'absent') ?? []);
        const kept = ({ secure: rows }: Switch) => rows.filter(({ type }) => type !== 'SecureSticky');
        expect(kept(after)).toEqual(kept(box));
      }
    }),
  );
});

test('the RPC that clears is never built without a target', () => {
  const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', '52:54:00:ab:cd', '*', ...macs));
  fc.assert(
    fc.property(anything, fc.oneof(fc.constant(undefined), fc.double(), fc.integer()), (mac, vlan) => {
      let command: Command;
      try {
        command = rpcClear({ mac, vlan });
      } catch (error) {
        expect(error).toBeInstanceOf(TargetError);
        return;
      }
      if (command.kind !== 'rpc') throw new Error(`a ${command.kind} is no RPC`);
      const [request, ...more] = parseXml(command.operation);
      expect(more).toEqual([]);
      expect(request!.children.map(({ name }) => name)).toEqual(['mode', 'mac-addr']);
      expect(allOf(request!.children, 'mac-addr', 'mac-address').map(({ text }) => text)).toEqual([mac.toLowerCase()]);
    }),
  );
});

test('no plan clears a table whole, or a port', () => {
  fc.assert(
    fc.property(switches, resources, fc.constantFrom('present' as const, 'absent' as const), (box, resource, desired) => {
      for (const way of Object.values(ways)) {
        for (const command of planned(box, way, resource, desired) ?? []) {
          if (command.kind === 'cli') expect(command.line).toMatch(/^clear .* address [0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b/);
          if (command.kind === 'configure') {
            expect(command.lines).not.toContain('shutdown');
            expect(command.lines).not.toContain('no shutdown');
          }
        }
      }
    }),
  );
});

test.each([
  ['Cisco IOS XE Software, Version 17.08.01a\n', true],
  ['\nCisco IOS XE Software, Version 17.18.01\nCisco IOS Software [IOSXE]', true],
  ['Cisco IOS XE Software, Version 26.01.01\n', true],
  ['Cisco IOS XE Software, Version 17.07.01\n', false],
  ['Cisco IOS XE Software, Version 16.12.04\n', false],
  ['Cisco IOS XE Software, Version V169_5_SR689355441_2\n', false],
  ['Cisco IOS Software, IOS-XE Software, Catalyst L3 Switch Software, Version 03.06.05E\n', false],
  ['', false],
])('whether %j has the RPC: %s', (version, has) => {
  expect(clearsByRpc(version)).toBe(has);
});
