import { describe, expect, test } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { type Policy, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { nextOnGrid } from '../../src/core/schedule.ts';
import { fhrp, hsrp, source, syslog } from '../../src/core/selectors.ts';
import { mark } from './marbles.ts';
import { gap, hsrpEvent, lines, Rig, row, start, textEvent } from './rig.ts';

const give = (name: string, gateway?: string): Policy =>
  policy({
    name,
    on: gateway === undefined ? fhrp.changed() : fhrp.changed({ gateway }),
    resync: '5m',
    ensure: (event) => exclusive(event.gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
  });

/** Each time a policy's `ensure` is called: at which second, with what. */
function heard(on: Parameters<typeof policy>[0]['on'], options: { readonly resync?: '5m'; readonly stands?: true } = {}) {
  const calls: string[] = [];
  const listening = policy({
    name: 'hears',
    on,
    ...(options.resync ? { resync: options.resync } : {}),
    ensure: (event) => {
      const { kind, member, target, role, to, because = 'event' } = event as Record<string, string>;
      calls.push([kind, member ?? target, role ?? to, because].filter(Boolean).join(' '));
      return options.stands ? mark({ text: 'x' }) : [];
    },
  });
  return { calls, listening };
}

describe('resync on schedule', () => {
  test('lies on the grid of event time, with the phase of the name', () => {
    const times: number[] = [];
    const ensure = ({ at }: { readonly at: number }) => {
      times.push(at);
      return [];
    };
    new Rig([policy({ name: 'p', on: fhrp.changed({ gateway: 'lan42' }), resync: '5m', ensure })]).pass(15 * 60_000);
    const first = nextOnGrid(start, 300_000, 'p');
    expect(times).toEqual([first, first + 300_000, first + 600_000]);
  });

  test('rings once for all that came due while Offbox was down, and a round begun then still has its time', () => {
    const rig = new Rig([give('p', 'lan42')]);
    rig.now += 30 * 86_400_000;
    const { intents, nextDue } = rig.feed({ kind: 'tick' });
    expect(lines(intents)).toEqual(['read r1', 'read r2']);
    expect(nextDue).toBe(Math.min(rig.now + 30_000, nextOnGrid(rig.now, 300_000, 'p')));
  });

  test('calls the policy once for it', () => {
    const { calls, listening } = heard(fhrp.changed({ gateway: 'lan42' }), { resync: '5m' });
    const rig = new Rig([listening]);
    rig.now += 86_400_000;
    rig.feed({ kind: 'tick' });
    expect(calls).toHaveLength(1);
  });

  test('gives a round that was cut by a long downtime up, and looks again from now on', () => {
    const rig = new Rig([
      policy({
        name: 'p',
        on: fhrp.changed(),
        ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
      }),
    ]);
    rig.event(hsrpEvent('r1', 'active', 42));
    rig.now += 86_400_000;
    expect(lines(rig.feed({ kind: 'tick' }).intents)).toEqual(['notice unreadable']);
    expect(lines(rig.pass(1_999))).toEqual([]);
    expect(lines(rig.pass(1))).toEqual(['read r1', 'read r2']);
  });

  test('reads once, not once a minute, for a round that had been inconclusive before a long downtime', () => {
    const rig = new Rig([give('p', 'lan42')]);
    for (const read of rig.event(gap())) rig.reading(read, { kind: 'unreachable', reason: 'down' });
    rig.now += 86_400_000;
    expect(lines(rig.feed({ kind: 'tick' }).intents)).toEqual(['read r1', 'read r2']);
  });

  test('goes on where it was after a restart, though the policy is deployed again', () => {
    const rig = new Rig([give('p', 'lan42')]);
    rig.pass(60_000);
    rig.restart();
    rig.pass(600_000);
    const due = nextOnGrid(start, 300_000, 'p');
    expect(rig.intents.map(({ cause }) => rig.entries[cause - 1]!.at)[0]).toBe(due);
  });
});

describe('a gap', () => {
  test('wakes the policies of the targets concerned, and no other', () => {
    const rig = new Rig([give('both'), give('only23', 'lan23'), give('only42', 'lan42')]);
    const woken = (...targets: string[]) => {
      const keys = rig.event(gap(...targets)).map(({ policy: name, key }) => `${name} ${key}`);
      rig.engine
        .policies()
        .forEach(({ name }) => void rig.feed({ kind: 'quarantine', policy: name, cause: 1, reason: 'to begin anew' }));
      rig.engine.policies().forEach(({ name }) => void rig.deploy(name));
      return [...new Set(keys)];
    };
    expect(woken('r3')).toEqual(['both lan23', 'only23 lan23']);
    expect(woken('r1', 'r3')).toEqual(['both lan23', 'both lan42', 'only23 lan23', 'only42 lan42']);
    expect(woken()).toEqual(['both lan23', 'both lan42', 'only23 lan23', 'only42 lan42']);
    expect(woken('nobody')).toEqual([]);
  });

  test('proves what stands on the target concerned, with the claim it had', () => {
    const { calls, listening } = heard(hsrp.stateChanged(), { stands: true });
    const rig = new Rig([listening]);
    rig.event(hsrpEvent('r1', 'active'));
    rig.event(hsrpEvent('r2', 'standby'));
    calls.length = 0;
    const [intent] = rig.event(gap('r1'));
    expect(calls).toEqual(['hsrp.state-changed r1 active resync']);
    expect(intent!.want).toMatchObject({ requires: [{ target: 'r1', is: 'active' }] });
  });

  test('does not prove what a policy no longer wants', () => {
    const fickle = policy({
      name: 'p',
      on: hsrp.stateChanged(),
      ensure: ({ to }) => (to === 'active' ? mark({ text: 'x' }) : []),
    });
    const rig = new Rig([fickle]);
    rig.event(hsrpEvent('r1', 'active'));
    rig.event(hsrpEvent('r1', 'standby'));
    expect(rig.event(gap())).toEqual([]);
  });

  test('proves no mere edge', () => {
    const { calls, listening } = heard(syslog(), { stands: true });
    const rig = new Rig([listening]);
    rig.event(textEvent('a'));
    rig.event(gap());
    expect(calls).toEqual(['syslog r1 event']);
  });

  test('shows a gateway as the member believed active had last said', () => {
    const { calls, listening } = heard(fhrp.changed({ gateway: 'lan42' }));
    const rig = new Rig([listening]);
    rig.event(gap());
    rig.event(hsrpEvent('r2', 'active', 42));
    rig.event(gap());
    rig.event(hsrpEvent('r2', 'speak', 42));
    rig.event(gap());
    expect(calls.filter((call) => call.endsWith('resync'))).toEqual([
      'fhrp.changed r1 other resync',
      'fhrp.changed r2 active resync',
      'fhrp.changed r1 other resync',
    ]);
  });

  test('proves a gateway once, for two selectors that both know it, and for what stands', () => {
    const { calls, listening } = heard([fhrp.changed({ gateway: 'lan42' }), fhrp.changed()], { stands: true });
    const rig = new Rig([listening]);
    rig.event(hsrpEvent('r1', 'active', 42));
    calls.length = 0;
    rig.event(gap());
    expect(calls).toEqual(['fhrp.changed r1 other resync', 'fhrp.changed r1 active resync']);
  });

  test('never shows a policy an event its selector would not take', () => {
    for (const role of ['active', 'standby'] as const) {
      const { calls, listening } = heard(fhrp.changed({ role, gateway: 'lan42' }));
      const rig = new Rig([listening]);
      rig.event(gap());
      rig.event(hsrpEvent('r2', role, 42));
      rig.event(gap());
      expect(calls.filter((call) => call.endsWith('resync'))).toEqual([
        `fhrp.changed r1 ${role} resync`,
        `fhrp.changed r2 ${role} resync`,
      ]);
    }
    const { calls, listening } = heard(fhrp.changed({ from: 'active' }));
    new Rig([listening]).event(gap());
    expect(calls).toEqual([]);
  });

  test('is an event too, for those who listen to gaps', () => {
    const { calls, listening } = heard(source.gap());
    new Rig([listening]).event(gap('r1'));
    expect(calls).toHaveLength(1);
  });
});

describe('a reading that differs from the facts', () => {
  const differing = () => {
    const { calls, listening } = heard([hsrp.stateChanged(), fhrp.changed()], { stands: true });
    const rig = new Rig([give('p', 'lan23'), listening]);
    for (const [name, to] of [
      ['r1', 'active'],
      ['r2', 'standby'],
    ] as const)
      rig.event(hsrpEvent(name, to));
    calls.length = 0;
    return { calls, rig };
  };

  test('becomes the event that was lost, for others than the exclusive that asked', () => {
    const { calls, rig } = differing();
    const reads = rig.engine.ledger.open().filter(({ intent }) => intent.want.kind === 'read');
    const before = rig.intents.length;
    rig.reading(reads[1]!.intent, { kind: 'rows', rows: [row('active')] });
    expect(calls).toEqual(['hsrp.state-changed r2 active resync', 'fhrp.changed r2 active resync']);
    expect(rig.intents.slice(before).filter(({ policy: name }) => name === 'p')).toEqual([]);
    expect(rig.engine.facts.fhrp('lan23', 'r2')).toMatchObject({ role: 'active', by: 'read' });
  });

  test('becomes an event for a policy whose requirement it was: it only learns of it so', () => {
    const { calls, rig } = differing();
    const mine = rig.intents.find(({ policy: name }) => name === 'hears')!;
    rig.reading(`${mine.id}/check`, { kind: 'rows', rows: [row('standby')] }, 'r1');
    expect(calls).toEqual(['hsrp.state-changed r1 standby resync', 'fhrp.changed r1 standby resync']);
  });

  test('is none where it agrees, is of somebody never heard of, or could not be read', () => {
    const { calls, rig } = differing();
    const read = (target: string, result: Parameters<Rig['reading']>[1]) => rig.reading('p@v1/1/0', result, target);
    read('r1', { kind: 'rows', rows: [row('active')] });
    read('r3', { kind: 'rows', rows: [row('active')] });
    read('r1', { kind: 'unreachable', reason: 'x' });
    read('r2', { kind: 'rows', rows: [] });
    read('r2', { kind: 'rows', rows: [row('active'), row('active')] });
    expect(calls).toEqual([]);
  });
});
