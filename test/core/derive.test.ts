import { beforeEach, describe, expect, test } from 'vitest';
import { deriveFhrpChanged } from '../../src/core/derive/fhrp-changed.ts';
import { deriveResync } from '../../src/core/derive/resync.ts';
import { Facts } from '../../src/core/facts.ts';
import type { Reading } from '../../src/model/entry.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { FhrpRow } from '../../src/model/query.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { eventOf, hsrpEvent, inventory, row, start } from './rig.ts';

const mixed = inventorySchema.parse({
  ...inventory,
  gateways: {
    ...inventory.gateways,
    edge: {
      protocol: 'vrrp',
      members: [
        { target: 'r1', instance: 'VI_1' },
        { target: 'r2', interface: 'eth0', group: 7, family: 'ipv6' },
      ],
    },
  },
});
let facts: Facts;
const hear = (target: string, meaning: Meaning) =>
  facts.fold({ kind: 'event', event: eventOf(target, meaning), at: start, seq: 2 });

beforeEach(() => {
  facts = new Facts();
  facts.fold({ kind: 'inventory', inventory: mixed, at: start, seq: 1 });
});

describe('fhrp.changed', () => {
  test('is derived from an HSRP change on a member', () => {
    const { meaning } = hsrpEvent('r2', 'speak');
    expect(deriveFhrpChanged(facts, 'r2', meaning!)).toEqual({
      kind: 'fhrp.changed',
      gateway: 'lan23',
      member: 'r2',
      role: 'other',
    });
  });

  test('is derived from a VRRP change, by instance or by group and family, with where it came from', () => {
    expect(
      deriveFhrpChanged(facts, 'r1', { kind: 'vrrp.state-changed', instance: 'VI_1', from: 'backup', to: 'master' }),
    ).toEqual({
      kind: 'fhrp.changed',
      gateway: 'edge',
      member: 'r1',
      role: 'active',
      from: 'standby',
    });
    const change = { kind: 'vrrp.state-changed', group: 7, to: 'backup' } as const;
    expect(deriveFhrpChanged(facts, 'r2', { ...change, family: 'ipv6' })).toMatchObject({ gateway: 'edge', role: 'standby' });
    expect(deriveFhrpChanged(facts, 'r2', { ...change, family: 'ipv4' })).toBeUndefined();
  });

  test('is derived for nobody else: another group, another protocol, another meaning', () => {
    expect(deriveFhrpChanged(facts, 'r1', hsrpEvent('r1', 'active', 24).meaning!)).toBeUndefined();
    expect(
      deriveFhrpChanged(facts, 'r1', { kind: 'vrrp.state-changed', group: 23, interface: 'Vlan23', to: 'master' }),
    ).toBeUndefined();
    expect(deriveFhrpChanged(facts, 'r1', { kind: 'config.changed' })).toBeUndefined();
    expect(deriveFhrpChanged(facts, '', hsrpEvent('', 'active').meaning!)).toBeUndefined();
  });
});

describe('the lost event in a reading', () => {
  const reading = (target: string, ...rows: readonly FhrpRow[]): Reading => ({
    target,
    query: 'fhrp',
    intent: 'p@v/1/0',
    result: { kind: 'rows', rows: [...rows] },
    tookMs: 1,
  });

  test('says what the device would have said, from the state we knew', () => {
    hear('r1', hsrpEvent('r1', 'standby').meaning!);
    const made = deriveResync(facts, reading('r1', row('active')));
    expect(made).toEqual([
      {
        target: 'r1',
        meaning: { kind: 'hsrp.state-changed', interface: 'Vlan23', group: 23, from: 'standby', to: 'active' },
        because: 'resync',
        origin: { source: 'reading', peer: 'r1', transport: 'local', trust: 'authenticated', raw: '' },
      },
    ]);
  });

  test('is one for every gateway of the target that differs', () => {
    for (const group of [23, 42]) hear('r1', hsrpEvent('r1', 'standby', group).meaning!);
    expect(deriveResync(facts, reading('r1', row('active'), row('active', 'active', 42)))).toHaveLength(2);
    expect(deriveResync(facts, reading('r1', row('active'), row('standby', 'standby', 42)))).toHaveLength(1);
  });

  test('speaks VRRP where the gateway does', () => {
    hear('r2', { kind: 'vrrp.state-changed', group: 7, family: 'ipv6', to: 'master' });
    const found: FhrpRow = { interface: 'eth0', group: 7, family: 'ipv6', role: 'standby', state: 'backup' };
    expect(deriveResync(facts, reading('r2', found))[0]!.meaning).toEqual({
      kind: 'vrrp.state-changed',
      interface: 'eth0',
      group: 7,
      family: 'ipv6',
      from: 'master',
      to: 'backup',
    });
  });

  test('is none where only the word differs and not the role', () => {
    hear('r1', hsrpEvent('r1', 'speak').meaning!);
    expect(deriveResync(facts, reading('r1', row('other', 'listen')))).toEqual([]);
  });

  test('is none of a member never heard of, of a failed reading, or of a word that is no state', () => {
    expect(deriveResync(facts, reading('r1', row('active')))).toEqual([]);
    hear('r1', hsrpEvent('r1', 'standby').meaning!);
    expect(deriveResync(facts, reading('r1', row('active', 'ACTIVE?')))).toEqual([]);
    expect(deriveResync(facts, { ...reading('r1'), result: { kind: 'unreachable', reason: 'x' } })).toEqual([]);
    expect(deriveResync(facts, reading('r1'))).toEqual([]);
    expect(deriveResync(facts, reading('r9', row('active')))).toEqual([]);
  });
});
