// A requirement of a VM's place: read at the host it came to, and where it has gone on, at the one it left.
import { describe, expect, test } from 'vitest';
import { platforms } from '../../adapters/platforms/index.ts';
import type { DomainRow } from '../../src/model/query.ts';
import { inventorySchema, type Target } from '../../src/model/target.ts';
import type { Command } from '../../src/ports/actuator.ts';
import type { Platform } from '../../src/ports/platform.ts';
import { Line } from '../../src/runtime/line.ts';
import { Readings } from '../../src/runtime/readings.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const uuid = 'c7a5fdbd-0000-4000-8000-000000000001';
const booted: DomainRow = { uuid, vm: 'web1', state: 'running', reason: 'booted', nics: [] };
const hypervisor = { platform: 'libvirt', address: '192.0.2.1', libvirt: { transport: 'unix', socket: '/none' } };
const inventory = inventorySchema.parse({ targets: { kvm1: hypervisor, kvm2: { ...hypervisor, address: '192.0.2.2' } } });

/** `has`: which hosts have the guest; those in `away` do not answer. */
function readings(has: readonly string[], away: readonly string[] = [], guest = booted): Readings {
  const wall = new VirtualWall(0);
  const nameOf = (target: Target): string => Object.entries(inventory.targets).find(([, each]) => each === target)![0];
  const domains = function* (target: Target) {
    const { text } = yield { kind: 'libvirt', call: 'domains' } as const;
    return text === '' && has.includes(nameOf(target)) ? [guest] : [];
  };
  const libvirt = { queries: { domains }, resources: {} } as unknown as Platform;
  const line = (name: string): Line => {
    const session = { run: async () => ({ text: '' }), close: async () => undefined, closed: new Promise<void>(() => undefined) };
    const open = async () => {
      if (away.includes(name)) throw new Error('no answer');
      return session;
    };
    const target = inventory.targets[name]!;
    return new Line({ name, target, actuators: [{ transport: 'libvirt', open }], wall, onBack: () => undefined });
  };
  const lines = new Map(Object.keys(inventory.targets).map((name) => [name, line(name)]));
  return new Readings({ wall, lines, platforms: { libvirt }, inventory, journal: async () => undefined });
}

const hasCome = { query: 'domains', target: 'kvm2', uuid, is: 'here' } as const;
const orGoneOn = { ...hasCome, orGoneFrom: 'kvm1' };
const check = async (requirement: typeof hasCome | typeof orGoneOn, ...of: Parameters<typeof readings>) =>
  (await readings(...of).check(requirement, 'p@v/1/0')).holds;

describe('that a VM has come to a host', () => {
  test('holds where it is read there', async () => {
    expect(await check(hasCome, ['kvm2'])).toBe(true);
    expect(await check(hasCome, ['kvm1'])).toBe(false);
    expect(await check(hasCome, [])).toBe(false);
  });

  test('or, where that is enough, that it is not at the one it left', async () => {
    expect(await check(orGoneOn, ['kvm2'])).toBe(true);
    expect(await check(orGoneOn, [])).toBe(true);
    expect(await check(orGoneOn, ['kvm1'])).toBe(false);
  });

  test('holds from the word that it runs there on, while both still have the job', async () => {
    const job = 'migration-in';
    const reads = (state: DomainRow['state'], reason: string) => check(hasCome, ['kvm2'], [], { ...booted, state, reason, job });
    expect(await reads('running', 'migrated')).toBe(true);
    expect(await reads('running', 'postcopy')).toBe(true);
    expect(await reads('paused', 'user')).toBe(true);
    expect(await reads('paused', 'migration')).toBe(false);
    expect(await reads('shutoff', 'destroyed')).toBe(false);
  });

  test('needs no word of the one it left while it is read at the other', async () => {
    expect(await check(orGoneOn, ['kvm2'], ['kvm1'])).toBe(true);
    expect(await check(orGoneOn, [], ['kvm1'])).toBe(false);
  });
});

describe('who is active on a router in gateways of both protocols', () => {
  const access = { user: 'offbox', hostKey: `SHA256:${'A'.repeat(43)}` };
  const member = { target: 'gw', interface: 'Vlan10', group: 10 };
  const both = inventorySchema.parse({
    targets: { gw: { platform: 'cisco-ios', address: '192.0.2.1', cli: access } },
    gateways: {
      one: { protocol: 'hsrp', prefixes: [], members: [member] },
      two: { protocol: 'vrrp', prefixes: [], members: [{ ...member, interface: 'Vlan20', group: 20 }] },
    },
  });
  const hsrp = `Interface   Grp  Pri P State   Active          Standby         Virtual IP
Vl10        10   110 P Active  local           10.0.0.3        10.0.0.1`;
  const vrrp = `Interface          Grp Pri Time  Own Pre State   Master addr     Group addr
Vl20               20  100 3609       Y  Backup  10.0.1.3        10.0.1.1`;

  const read = async (answers: Readonly<Record<string, string>>) => {
    const wall = new VirtualWall(0);
    const session = {
      run: async (command: Command) => ({ text: (command.kind === 'cli' && answers[command.line]) || 'nonsense' }),
      close: async () => undefined,
      closed: new Promise<void>(() => undefined),
    };
    const actuators = [{ transport: 'cli' as const, open: async () => session }];
    const line = new Line({ name: 'gw', target: both.targets.gw!, actuators, wall, onBack: () => undefined });
    const lines = new Map([['gw', line]]);
    const asked = new Readings({ wall, lines, platforms, inventory: both, journal: async () => undefined });
    const { result } = await asked.take({ target: 'gw', query: 'fhrp' }, 'p@v/1/0');
    return result.kind === 'rows' ? result.rows.map((row) => `${row.interface} ${row.group} ${row.state}`) : result.kind;
  };

  test('is read in both', async () => {
    expect(await read({ 'show standby brief': hsrp, 'show vrrp brief': vrrp })).toEqual(['Vlan10 10 active', 'Vlan20 20 backup']);
  });

  test('is read in the one where the other cannot be read, and in none where neither can', async () => {
    expect(await read({ 'show standby brief': hsrp })).toEqual(['Vlan10 10 active']);
    expect(await read({ 'show vrrp brief': vrrp })).toEqual(['Vlan20 20 backup']);
    expect(await read({})).toBe('unreadable');
  });
});

test('a reading of a target that is away says why, and names the target no second time', async () => {
  const { result } = await readings([], ['kvm1']).take({ target: 'kvm1', query: 'domains' }, 'p@v/1/0');
  expect(result).toEqual({ kind: 'unreachable', reason: 'no answer' });
  expect(await readings([], ['kvm2']).check(hasCome, 'p@v/1/0')).toMatchObject({
    kind: 'held',
    reason: 'kvm2 cannot be reached: no answer',
  });
});
