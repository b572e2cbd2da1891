// Stories of one gateway, each cut by a crash before every line and replayed: see telling.ts.
import { describe, expect, test } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import type { Verdict } from '../../src/core/scope.ts';
import { fhrp } from '../../src/core/selectors.ts';
import { gap, gatewayOf, hsrpEvent, inventory, line, lines, Rig, row } from './rig.ts';
import { advertises, story } from './telling.ts';

describe('exclusive gives before it takes', () => {
  test('at a failover, to the member read active', () => {
    story(`
      r2 says active    -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r2 ends done      -> absent r1
      r1 ends done      ->
      100000 ms pass    ->`);
  });

  test('when the first preempts back', () => {
    story(`
      r2 says active    -> read r1, read r2
      r2 reads active   ->
      r1 is unreachable -> present r2
      r2 ends done      -> absent r1
      r1 ends held      ->
      r1 says active    -> read r1, read r2
      r1 reads active   ->
      r2 reads standby  -> present r1
      r1 ends done      -> absent r2
      r2 ends done      ->`);
  });

  test('when everything is so already', () => {
    story(`
      gap               -> read r1, read r2
      r1 reads active   ->
      r2 reads standby  -> present r1
      r1 ends already   -> absent r2
      r2 ends already   ->
      100000 ms pass    ->`);
  });

  test('among three, taking from both others at once', () => {
    story(
      `
      gap               -> read r1, read r2, read r3
      r3 reads other    ->
      r2 reads active   ->
      r1 reads standby  -> present r2
      r2 ends done      -> absent r1, absent r3
      r3 ends done      ->
      r1 ends already   ->`,
      { members: ['r1', 'r2', 'r3'] },
    );
  });

  test('and has nobody to take from where there is one member', () => {
    story(
      `
      gap               -> read r1
      r1 reads active   -> present r1
      r1 ends done      ->
      100000 ms pass    ->`,
      { members: ['r1'] },
    );
  });

  test('turned round, where the active one shall not have it', () => {
    const subject = policy({
      name: 'advertises',
      on: fhrp.changed(),
      ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8').absent()),
    });
    story(
      `
      gap               -> read r1, read r2
      r1 reads active   ->
      r2 reads standby  -> absent r1
      r1 ends done      -> present r2
      r2 ends done      ->`,
      { subject },
    );
  });
});

describe('exclusive takes nothing away', () => {
  test('where two are active; and gives nothing either', () => {
    story(`
      r2 says active    -> read r1, read r2
      r1 reads active   ->
      r2 reads active   -> notice several-active
      2000 ms pass      -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r2 ends done      -> absent r1
      r1 ends done      ->`);
  });

  test('where none is active, telling so once, and looks again ever more rarely', () => {
    story(`
      r1 says speak     -> read r1, read r2
      r1 reads other    ->
      r2 reads standby  -> notice none-active
      1999 ms pass      ->
      1 ms pass         -> read r1, read r2
      r1 reads other    ->
      r2 reads standby  ->
      3999 ms pass      ->
      1 ms pass         -> read r1, read r2
      r2 reads standby  ->
      r1 is unreachable ->
      8000 ms pass      -> read r1, read r2`);
  });

  test('where a member could not be read, though the active one is given to', () => {
    story(`
      r2 says active    -> read r1, read r2
      r1 is unreadable  ->
      r2 reads active   -> present r2
      r2 ends done      -> notice unreadable
      2000 ms pass      -> read r1, read r2`);
  });

  test.each(['reads nothing', 'reads the group twice', 'reads another group'])('where a member %s', (how) => {
    story(
      `
      gap               -> read r1, read r2
      r1 ${how}         ->
      r2 reads active   -> present r2
      r2 ends already   -> notice unreadable`.replace(/ +->/g, ' ->'),
    );
  });

  test('where the one that could not be read may be the active one', () => {
    story(`
      gap               -> read r1, read r2
      r1 is unreadable  ->
      r2 reads standby  -> notice unreadable`);
  });

  test('where nobody can be reached', () => {
    story(`
      gap               -> read r1, read r2
      r1 is unreachable ->
      r2 is unreachable -> notice none-active`);
  });

  test.each(['held', 'rejected', 'refused', 'failed', 'superseded', 'expired', 'unknown'])('where giving ends %s', (kind) => {
    story(
      `
      r2 says active    -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r2 ends ${kind}   -> notice give-${kind}
      1999 ms pass      ->
      1 ms pass         -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r2 ends done      -> absent r1`.replace(/ +->/g, ' ->'),
    );
  });

  test('where a second one turns out active while the first is given to', () => {
    story(`
      r2 says active    -> read r1, read r2
      r2 reads active   ->
      500 ms pass       -> present r2
      r1 reads active   -> notice several-active
      r2 ends done      ->
      2000 ms pass      -> read r1, read r2`);
  });
});

describe('a take', () => {
  test.each(['rejected', 'refused', 'failed', 'superseded', 'expired', 'unknown'])(
    'that ends %s is told and tried again, from the reading on',
    (kind) => {
      story(
        `
      r2 says active    -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r2 ends done      -> absent r1
      r1 ends ${kind}   -> notice take-${kind}
      2000 ms pass      -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r2 ends already   -> absent r1
      r1 ends done      ->
      100000 ms pass    ->`.replace(/ +->/g, ' ->'),
      );
    },
  );

  test('that is held blocks nobody and stays held', () => {
    story(`
      r2 says active    -> read r1, read r2
      r1 is unreachable ->
      r2 reads active   -> present r2
      r2 ends done      -> absent r1
      r1 ends held      ->
      100000 ms pass    ->
      r1 ends done      ->`);
  });
});

describe('a member that does not answer', () => {
  test('holds up the giving for 500 ms and no longer, whoever else answers meanwhile', () => {
    story(
      `
      r2 says active    -> read r1, read r2, read r3
      r2 reads active   ->
      400 ms pass       ->
      r3 reads standby  ->
      99 ms pass        ->
      1 ms pass         -> present r2
      r2 ends done      ->
      r1 is unreachable -> absent r1, absent r3
      r3 ends done      ->
      r1 ends held      ->`,
      { members: ['r1', 'r2', 'r3'] },
    );
  });

  test('within 30 s counts as unreadable, and a late answer is of no use', () => {
    story(`
      r2 says active    -> read r1, read r2
      r2 reads active   ->
      500 ms pass       -> present r2
      r2 ends done      ->
      29499 ms pass     ->
      1 ms pass         -> notice unreadable
      r1 reads standby  ->
      2000 ms pass      -> read r1, read r2`);
  });

  test('and is the only one that could be active leaves all as it is', () => {
    story(`
      r1 says init      -> read r1, read r2
      r2 reads standby  ->
      30000 ms pass     -> notice unreadable`);
  });

  test('is waited for still while the giving takes its time', () => {
    story(`
      r2 says active    -> read r1, read r2
      r2 reads active   ->
      500 ms pass       -> present r2
      r1 reads standby  ->
      40000 ms pass     ->
      r2 ends done      -> absent r1`);
  });
});

describe('an event during a round', () => {
  test('while reading has those read again who had answered', () => {
    story(`
      r2 says active    -> read r1, read r2
      r1 reads active   ->
      r1 says standby   -> read r1
      r2 reads active   ->
      r1 reads standby  -> present r2`);
  });

  test('does not put off the deadline of those who have not', () => {
    story(`
      r2 says active    -> read r1, read r2
      r2 reads standby  ->
      after 20000 ms r2 says standby -> read r2
      r2 reads standby  ->
      9999 ms pass      ->
      1 ms pass         -> notice unreadable`);
  });

  test('while giving is looked into when the giving has ended', () => {
    story(`
      r2 says active    -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r1 says active    ->
      r2 ends done      -> absent r1
      r1 ends rejected  -> notice take-rejected, read r1, read r2
      r1 reads active   ->
      r2 reads standby  -> present r1
      r1 ends done      -> absent r2`);
  });

  test('while giving has all but the silent read again when it was given', () => {
    story(`
      r2 says active    -> read r1, read r2
      r2 reads active   ->
      500 ms pass       -> present r2
      r1 says standby   ->
      r2 ends done      -> read r2
      r2 reads active   ->
      r1 is unreachable -> present r2
      r2 ends already   -> absent r1`);
  });

  test('while taking begins another round after it', () => {
    story(`
      r2 says active    -> read r1, read r2
      r1 reads standby  ->
      r2 reads active   -> present r2
      r2 ends done      -> absent r1
      r1 says active    ->
      r1 ends done      -> read r1, read r2
      r1 reads active   ->
      r2 reads standby  -> present r1`);
  });

  test('at rest does not wait for the next look', () => {
    story(`
      gap               -> read r1, read r2
      r1 is unreachable ->
      r2 is unreachable -> notice none-active
      r1 says active    -> read r1, read r2
      2000 ms pass      ->`);
  });
});

describe('a notice', () => {
  test('is told once for a condition, again for another, and anew after all was well', () => {
    story(`
      gap               -> read r1, read r2
      r1 reads standby  ->
      r2 reads standby  -> notice none-active
      2000 ms pass      -> read r1, read r2
      r1 reads active   ->
      r2 reads active   -> notice several-active
      4000 ms pass      -> read r1, read r2
      r1 reads active   ->
      r2 reads standby  -> present r1
      r1 ends already   -> absent r2
      r2 ends already   ->
      gap               -> read r1, read r2
      r1 reads active   ->
      r2 reads active   -> notice several-active
      2000 ms pass      -> read r1, read r2`);
  });

  test('says what was read of whom, and names them', () => {
    const rig = story(`
      gap               -> read r1, read r2
      r1 is unreachable ->
      r2 reads other    -> notice none-active`);
    expect(rig.intents.at(-1)!.want).toEqual({
      kind: 'notice',
      code: 'none-active',
      text: 'Gateway lan23: nobody is read active: r1 so, r2 listen. Nothing is taken away; Offbox looks again by itself.',
      targets: ['r1', 'r2'],
    });
  });
});

describe('what is asked of a device', () => {
  test('carries what must be read there before: a give the active, a take both', () => {
    const rig = story(`
      gap               -> read r1, read r2
      r1 reads active   ->
      r2 reads standby  -> present r1
      r1 ends done      -> absent r2`);
    const place = { query: 'fhrp', interface: 'Vlan23', group: 23, family: 'ipv4' };
    const active = { ...place, target: 'r1', is: 'active' };
    expect(rig.intents.flatMap(({ want }) => (want.kind === 'ensure' ? [want.requires] : []))).toEqual([
      [active],
      [{ ...place, target: 'r2', is: 'not-active' }, active],
    ]);
  });

  test('is apart for two things on one gateway, whatever order they are named in', () => {
    let prefixes = ['23.0.0.0/8', '24.0.0.0/8'];
    const two = policy({
      name: 'advertises',
      on: fhrp.changed(),
      ensure: ({ gateway }) => prefixes.map((prefix) => exclusive(gateway, (member) => bgpNetwork(member, prefix))),
    });
    const rig = new Rig([two], { inventory: gatewayOf('r1', 'r2') });
    expect(lines(rig.event(gap()))).toEqual(['read r1', 'read r2', 'read r1', 'read r2']);
    const first = rig.intents.slice(0, 2);
    const given = first.flatMap((intent, index) =>
      rig.reading(intent, { kind: 'rows', rows: [row(index === 0 ? 'active' : 'standby')] }),
    );
    expect(given[0]!.want).toMatchObject({ resource: { prefix: '23.0.0.0/8' } });
    rig.outcome(given[0]!, 'done').map((take) => rig.outcome(take, 'done'));
    prefixes = ['24.0.0.0/8', '23.0.0.0/8'];
    // The second is being read still: nobody has answered. The first is at rest, and begins anew.
    const begun = rig.event(gap());
    expect(lines(begun)).toEqual(['read r1', 'read r2']);
    const again = begun.flatMap((intent, index) =>
      rig.reading(intent, { kind: 'rows', rows: [row(index === 0 ? 'active' : 'standby')] }),
    );
    expect(again[0]!.want).toMatchObject({ resource: { prefix: '23.0.0.0/8' } });
  });

  test('is not asked again of a gateway that the inventory no longer describes so', () => {
    const rig = new Rig([advertises], { inventory: gatewayOf('r1', 'r2') });
    for (const read of rig.event(gap())) rig.reading(read, { kind: 'unreachable', reason: 'x' });
    rig.feed({ kind: 'inventory', inventory: gatewayOf('r1') });
    expect(lines(rig.pass(2_000))).toEqual([]);
    expect(lines(rig.event(gap()))).toEqual(['read r1']);
    rig.feed({ kind: 'inventory', inventory: { ...inventory, gateways: {} } });
    expect(lines(rig.pass(100_000))).toEqual(['notice unreadable']);
    expect(rig.event(gap())).toEqual([]);
  });

  test('is nothing of a gateway that is not there, whatever it is called', () => {
    for (const name of ['gone', 'constructor', '__proto__', 'toString']) {
      const verdicts: Verdict[] = [];
      const subject = policy({
        name: 'p',
        on: fhrp.changed(),
        ensure: () => exclusive(name, (member) => bgpNetwork(member, '23.0.0.0/8')),
      });
      const rig = new Rig([subject], { trace: (verdict) => verdicts.push(verdict) });
      expect(rig.event(gap())).toEqual([]);
      expect(rig.faults).toEqual([]);
      expect(verdicts.map(({ detail }) => detail)).toContain(`no gateway ${name} in the inventory`);
    }
  });
});

test('what it says of a round can be followed', () => {
  const verdicts: Verdict[] = [];
  const rig = new Rig([advertises], { inventory: gatewayOf('r1', 'r2'), trace: (verdict) => verdicts.push(verdict) });
  const [first, second] = rig.event(hsrpEvent('r2', 'active'));
  rig.reading(first!, { kind: 'rows', rows: [row('other')] });
  const [give] = rig.reading(second!, { kind: 'rows', rows: [row('active')] });
  const [take] = rig.outcome(give!, 'done');
  rig.outcome(take!, 'already');
  expect(verdicts.filter(({ step }) => step === 'exclusive').map(({ verdict, detail }) => `${verdict}: ${detail}`)).toEqual([
    'fired: an event: who is active? asks r1, r2',
    'waiting: r1 reads other (listen)',
    'waiting: r2 reads active',
    'passed: r2 is the active one: it gets bgp-network first',
    'waiting: give to r2: done',
    'passed: r2 has it, verified; it is taken from r1',
    'waiting: take from r1: already',
    'passed: as it should be, 0.000 s after the round began',
  ]);
  expect(line(take!)).toBe('absent r1');
});

test('it does not say that all is as it should be while a take is held', () => {
  const verdicts: Verdict[] = [];
  const rig = new Rig([advertises], { inventory: gatewayOf('r1', 'r2'), trace: (verdict) => verdicts.push(verdict) });
  const [first, second] = rig.event(hsrpEvent('r2', 'active'));
  rig.reading(first!, { kind: 'unreachable', reason: 'cannot be reached' });
  const [give] = rig.reading(second!, { kind: 'rows', rows: [row('active')] });
  const [take] = rig.outcome(give!, 'done');
  rig.outcome(take!, 'held');
  expect(verdicts.slice(-2).map(({ verdict, detail }) => `${verdict}: ${detail}`)).toEqual([
    'waiting: take from r1: held',
    'waiting: as far as it can be, 0.000 s after the round began: what is taken from r1 is held',
  ]);
});
