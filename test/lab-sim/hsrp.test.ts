// RFC 2281 section 5, event by event, without clock or sockets.
import { expect, test } from 'vitest';
import type { HsrpFacts } from '../../lab/model/config-facts.ts';
import { createHsrpGroup, type HsrpGroup, type HsrpPacket, hsrpNextDue, stepHsrp } from '../../lab/model/hsrp.ts';

const facts: HsrpFacts = {
  interface: 'Vlan10',
  group: 10,
  address: '23.10.0.2',
  virtualIp: '23.10.0.1',
  priority: 120,
  preempt: true,
  helloMs: 300,
  holdMs: 1000,
};
const peer = (priority: number, over: Partial<HsrpPacket> = {}): HsrpPacket => ({
  opcode: 'hello',
  interface: 'Vlan10',
  group: 10,
  state: 'active',
  address: '23.10.0.3',
  priority,
  holdMs: 1000,
  ...over,
});
const path = (steps: { readonly changes: readonly { to: string }[] }) => steps.changes.map(({ to }) => to);

/** Up, and alone until `now`. */
function alone(over: Partial<HsrpFacts>, until: number): HsrpGroup {
  const group = createHsrpGroup({ ...facts, ...over }, 0);
  stepHsrp(group, { kind: 'up' }, 0);
  for (let due = hsrpNextDue(group); due !== undefined && due <= until; due = hsrpNextDue(group))
    stepHsrp(group, { kind: 'timer' }, due);
  return group;
}

test('a router alone listens for a hold time, speaks for another, and is active', () => {
  expect(alone({}, 999).state).toBe('listen');
  expect(alone({}, 1999).state).toBe('speak');
  expect(alone({}, 2000).state).toBe('active');
});

test('a router is silent while it listens and says hello from speak on', () => {
  const group = alone({}, 999);
  expect(stepHsrp(group, { kind: 'timer' }, 999).sends).toEqual([]);
  expect(stepHsrp(group, { kind: 'timer' }, 1000).sends.map(({ opcode, state }) => `${opcode} ${state}`)).toEqual([
    'hello speak',
  ]);
});

test('one that preempts takes over from a weaker active router by a coup', () => {
  const group = alone({}, 500);
  const step = stepHsrp(group, { kind: 'packet', packet: peer(100) }, 500);
  expect(path(step)).toEqual(['active']);
  expect(step.sends.map(({ opcode }) => opcode)).toEqual(['coup']);
});

test('one that does not preempt leaves a weaker active router in place', () => {
  const group = alone({ preempt: false }, 500);
  expect(path(stepHsrp(group, { kind: 'packet', packet: peer(100) }, 500))).toEqual([]);
  expect(group.active).toEqual({ address: '23.10.0.3', priority: 100 });
});

test('an active router steps down for a stronger one and resigns after its coup', () => {
  const group = alone({}, 2000);
  const step = stepHsrp(group, { kind: 'packet', packet: peer(200, { opcode: 'coup' }) }, 2100);
  expect(path(step)).toEqual(['speak']);
  expect(step.sends.map(({ opcode }) => opcode)).toEqual(['resign']);
});

test('a standby router takes over when the active one is not heard for its hold time', () => {
  const group = alone({ priority: 100, preempt: false }, 500);
  for (let now = 500; now <= 2500; now += 250) {
    stepHsrp(group, { kind: 'packet', packet: peer(120) }, now);
    stepHsrp(group, { kind: 'timer' }, now);
  }
  expect(group.state).toBe('standby');
  expect(path(stepHsrp(group, { kind: 'timer' }, 3499))).toEqual([]);
  expect(path(stepHsrp(group, { kind: 'timer' }, 3500))).toEqual(['active']);
});

test('a standby router takes over at once when the active one resigns', () => {
  const group = alone({ priority: 100, preempt: false }, 0);
  for (let now = 0; now <= 2500; now += 250) {
    stepHsrp(group, { kind: 'packet', packet: peer(120) }, now);
    stepHsrp(group, { kind: 'timer' }, now);
  }
  expect(path(stepHsrp(group, { kind: 'packet', packet: peer(120, { opcode: 'resign' }) }, 2501))).toEqual(['active']);
});

test('of two equal priorities the higher address wins', () => {
  const group = alone({}, 2000);
  expect(path(stepHsrp(group, { kind: 'packet', packet: peer(120) }, 2100))).toEqual(['speak']);
  const other = alone({ address: '23.10.0.4' }, 2000);
  expect(path(stepHsrp(other, { kind: 'packet', packet: peer(120) }, 2100))).toEqual([]);
});

test('after a stall of the process the own hello leaves before anybody is taken for dead', () => {
  const group = alone({ priority: 100, preempt: false }, 0);
  for (let now = 0; now <= 2500; now += 250) {
    stepHsrp(group, { kind: 'packet', packet: peer(120) }, now);
    stepHsrp(group, { kind: 'timer' }, now);
  }
  const step = stepHsrp(group, { kind: 'timer' }, 60_000);
  expect(step.sends[0]).toMatchObject({ opcode: 'hello', state: 'standby' });
});

test('a router whose interface goes down resigns and forgets everybody', () => {
  const group = alone({}, 2000);
  const step = stepHsrp(group, { kind: 'down' }, 2100);
  expect(path(step)).toEqual(['init']);
  expect(step.sends.map(({ opcode }) => opcode)).toEqual(['resign']);
  expect(hsrpNextDue(group)).toBeUndefined();
});
