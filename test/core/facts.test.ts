import { beforeEach, describe, expect, test } from 'vitest';
import { claimOf, Facts, rowOf } from '../../src/core/facts.ts';
import type { Entry, EntryBody } from '../../src/model/entry.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { gapEvent } from '../../src/runtime/entry-bound.ts';
import { gap, hsrpEvent, inventory, row, start } from './rig.ts';

let facts: Facts;
let seq: number;
const fold = (body: EntryBody): Entry => {
  seq += 1;
  const entry = { ...body, at: start + seq, seq };
  facts.fold(entry);
  return entry;
};
const reading = (target: string, result: Extract<EntryBody, { kind: 'reading' }>['reading']['result']) =>
  fold({ kind: 'reading', reading: { target, query: 'fhrp', intent: 'p@v/1/0', result, tookMs: 1 } });

beforeEach(() => {
  facts = new Facts();
  seq = 0;
  fold({ kind: 'inventory', inventory });
});

describe('the inventory in the facts', () => {
  test('is nothing before its entry', () => {
    const empty = new Facts();
    expect([empty.target('r1'), empty.gateway('lan23'), empty.membersOf('lan23'), empty.membersOn('r1')]).toEqual([
      undefined,
      undefined,
      [],
      [],
    ]);
  });

  test('shows targets, gateways and members, each with what its gateway says', () => {
    expect(facts.target('r1')).toMatchObject({ address: '10.0.0.1' });
    expect(facts.gateway('lan23')!.protocol).toBe('hsrp');
    const member = { interface: 'Vlan23', group: 23, family: 'ipv4', gateway: 'lan23', protocol: 'hsrp', vrf: 'default' };
    expect(facts.membersOf('lan23')).toEqual(['r1', 'r2', 'r3'].map((target) => ({ target, ...member })));
    expect(facts.membersOn('r2').map(({ gateway }) => gateway)).toEqual(['lan23', 'lan42']);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', ''])('has nothing called "%s"', (name) => {
    expect([facts.target(name), facts.gateway(name), facts.membersOf(name), facts.membersOn(name)]).toEqual([
      undefined,
      undefined,
      [],
      [],
    ]);
  });

  test('is the last one described', () => {
    fold({ kind: 'inventory', inventory: { targets: {}, gateways: {} } });
    expect([facts.target('r1'), facts.membersOn('r1'), facts.memberOf('r1', 'hsrp', { group: 23 })]).toEqual([
      undefined,
      [],
      undefined,
    ]);
  });
});

describe('whose a state change is', () => {
  test('is told by interface and group together: another Vlan with the same group is not this one', () => {
    const of = (claim: Parameters<Facts['memberOf']>[2]) => facts.memberOf('r1', 'hsrp', claim)?.gateway;
    expect(of({ interface: 'Vlan23', group: 23 })).toBe('lan23');
    expect(of({ interface: 'Vlan42', group: 42 })).toBe('lan42');
    expect(of({ interface: 'Vlan42', group: 23 })).toBeUndefined();
    expect(of({ group: 23 })).toBe('lan23');
    expect(of({ interface: 'Vlan23' })).toBe('lan23');
  });

  test('does not hang on how the interface is written', () => {
    const short = inventorySchema.parse({
      targets: inventory.targets,
      gateways: { lan23: { protocol: 'hsrp', members: [{ target: 'r1', interface: 'Vl23', group: 23 }] } },
    });
    fold({ kind: 'inventory', inventory: short });
    expect(facts.memberOf('r1', 'hsrp', { interface: 'Vlan23', group: 23 })?.gateway).toBe('lan23');
    expect(facts.memberOf('r1', 'hsrp', { interface: 'Vlan42', group: 23 })).toBeUndefined();
    expect(rowOf(facts.membersOn('r1')[0]!, [row('active')])).toEqual(row('active'));
  });

  test('is nobody’s where nothing names it, where more than one could be meant, and for another protocol', () => {
    const twice = inventorySchema.parse({
      targets: inventory.targets,
      gateways: {
        a: { protocol: 'vrrp', members: [{ target: 'r1', interface: 'Vlan1', group: 7 }] },
        b: { protocol: 'vrrp', members: [{ target: 'r1', interface: 'Vlan2', group: 7 }] },
        six: { protocol: 'vrrp', members: [{ target: 'r1', interface: 'Vlan1', group: 7, family: 'ipv6' }] },
      },
    });
    fold({ kind: 'inventory', inventory: twice });
    const of = (claim: Parameters<Facts['memberOf']>[2]) => facts.memberOf('r1', 'vrrp', claim)?.gateway;
    expect(of({})).toBeUndefined();
    expect(of({ group: 7 })).toBeUndefined();
    expect(of({ group: 7, interface: 'Vlan1' })).toBeUndefined();
    expect(of({ group: 7, interface: 'Vlan1', family: 'ipv6' })).toBe('six');
    expect(of({ group: 7, interface: 'Vlan2' })).toBe('b');
    expect(facts.memberOf('r1', 'hsrp', { group: 7, interface: 'Vlan2' })).toBeUndefined();
  });
});

describe('who is active', () => {
  test('is what an event claims, until something newer is known', () => {
    fold({ kind: 'event', event: hsrpEvent('r1', 'active') });
    expect(facts.fhrp('lan23', 'r1')).toEqual({
      gateway: 'lan23',
      target: 'r1',
      role: 'active',
      state: 'active',
      at: start + 2,
      seq: 2,
      by: 'claimed',
    });
    reading('r1', { kind: 'rows', rows: [row('other', 'listen'), row('active', 'active', 42)] });
    expect(facts.fhrp('lan23', 'r1')).toMatchObject({ role: 'other', state: 'listen', seq: 3, by: 'read' });
    expect(facts.fhrp('lan42', 'r1')).toMatchObject({ role: 'active', by: 'read' });
    expect(facts.allFhrp()).toHaveLength(2);
  });

  test('is not learnt from events that speak of nobody we know, or of no gateway', () => {
    const { target: _, ...homeless } = hsrpEvent('r1', 'active');
    fold({ kind: 'event', event: homeless });
    fold({ kind: 'event', event: hsrpEvent('r9', 'active') });
    fold({ kind: 'event', event: hsrpEvent('r1', 'active', 99) });
    fold({ kind: 'event', event: gap() });
    fold({ kind: 'tick' });
    expect(facts.allFhrp()).toEqual([]);
  });

  test('is left alone by a reading that fails or shows no one such row; who can be reached is not', () => {
    fold({ kind: 'event', event: hsrpEvent('r1', 'active') });
    reading('r1', { kind: 'rows', rows: [] });
    reading('r1', { kind: 'rows', rows: [row('standby'), row('other')] });
    reading('r1', { kind: 'unreadable', reason: 'cut short' });
    expect(facts.fhrp('lan23', 'r1')).toMatchObject({ role: 'active', by: 'claimed' });
    expect(facts.allTargets()).toEqual([{ target: 'r1', reachable: true, at: start + 5, reason: 'cut short' }]);
    reading('r1', { kind: 'unreachable', reason: 'no route' });
    expect(facts.allTargets()).toEqual([{ target: 'r1', reachable: false, at: start + 6, reason: 'no route' }]);
  });

  test('is reachable again once its session is back, also where nobody reads there then', () => {
    reading('r1', { kind: 'unreachable', reason: 'no route' });
    reading('r2', { kind: 'unreachable', reason: 'no route' });
    fold({ kind: 'event', event: gap('r1', 'r2', 'r3') });
    expect(facts.allTargets().map(({ reachable }) => reachable)).toEqual([false, false]);
    fold({ kind: 'event', event: gapEvent('session', 'r1 is back', ['r1']) });
    expect(facts.allTargets()).toEqual([
      { target: 'r1', reachable: true, at: start + 5 },
      { target: 'r2', reachable: false, at: start + 3, reason: 'no route' },
    ]);
  });
});

describe('the row of a member', () => {
  const member = { target: 'r1', interface: 'Vlan23', group: 23, family: 'ipv4' as const };

  test('is the one that agrees in all that both say', () => {
    expect(rowOf(member, [row('active', 'active', 42), row('standby')])).toEqual(row('standby'));
    const { interface: _, ...nameless } = row('active');
    expect(rowOf(member, [nameless])).toEqual(nameless);
  });

  test('is none where two agree, none does, or the family is another', () => {
    expect(rowOf(member, [row('active'), row('standby')])).toBeUndefined();
    expect(rowOf(member, [row('active', 'active', 42)])).toBeUndefined();
    expect(rowOf(member, [{ ...row('active'), family: 'ipv6' }])).toBeUndefined();
    expect(rowOf({ interface: 'Vlan23' }, [{ ...row('active'), family: 'ipv6' }])).toBeUndefined();
    expect(rowOf({}, [row('active')])).toBeUndefined();
  });
});

test('a claim is read from both protocols, and from nothing else', () => {
  expect(claimOf({ kind: 'hsrp.state-changed', group: 1, from: 'speak', to: 'standby' })).toMatchObject({
    protocol: 'hsrp',
    role: 'standby',
    from: 'other',
    state: 'standby',
  });
  expect(claimOf({ kind: 'vrrp.state-changed', from: 'master', to: 'fault' })).toMatchObject({
    protocol: 'vrrp',
    role: 'other',
    from: 'active',
    state: 'fault',
  });
  const others: Meaning[] = [{ kind: 'fhrp.changed', gateway: 'g', member: 'r', role: 'active' }, { kind: 'config.changed' }];
  for (const meaning of others) expect(claimOf(meaning)).toBeUndefined();
});
