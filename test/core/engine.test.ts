import fc from 'fast-check';
import { filter, map, mergeMap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { exclusive, present } from '../../src/core/desire.ts';
import { Engine } from '../../src/core/engine.ts';
import { type Policy, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import type { Verdict } from '../../src/core/scope.ts';
import { fhrp, hsrp, syslog } from '../../src/core/selectors.ts';
import type { Entry, Reading } from '../../src/model/entry.ts';
import type { Event } from '../../src/model/event.ts';
import { outcomeKindSchema } from '../../src/model/outcome.ts';
import { WrittenEvent } from '../../src/model/written-event.ts';
import { mark } from './marbles.ts';
import { eventOf, gap, hsrpEvent, inventory, line, lines, origin, Rig, replay, row, start, textEvent } from './rig.ts';

const echo = (name: string, copies = 1): Policy =>
  policy({
    name,
    on: syslog(),
    ensure: ({ text }) => Array.from({ length: copies }, (_, copy) => mark({ text: `${text}${copy}` })),
  });

describe('intents', () => {
  test('have ids of policy, version, the entry that caused them, and a count per policy', () => {
    const rig = new Rig([echo('p', 2), echo('q')], { version: 'abc' });
    const seq = rig.entries.length + 1;
    expect(rig.event(textEvent('x')).map(({ id, cause }) => [id, cause])).toEqual([
      [`p@abc/${seq}/0`, seq],
      [`p@abc/${seq}/1`, seq],
      [`q@abc/${seq}/0`, seq],
    ]);
    const later = rig.entries.length + 1;
    expect(rig.event(textEvent('y'))[0]!.id).toBe(`p@abc/${later}/0`);
  });

  test('count through every event that one entry makes for a policy', () => {
    const both = policy({ name: 'p', on: [hsrp.stateChanged(), fhrp.changed()], ensure: ({ kind }) => mark({ text: kind }) });
    const intents = new Rig([both]).event(hsrpEvent('r1', 'active'));
    expect(lines(intents)).toEqual(['present hsrp.state-changed', 'present fhrp.changed']);
    expect(new Set(intents.map(({ id }) => id)).size).toBe(2);
  });

  test('carry what must be read before anything is written: the claim of the event itself', () => {
    const plain = policy({
      name: 'p',
      on: [fhrp.changed(), hsrp.stateChanged()],
      key: () => 'k',
      ensure: () => mark({ text: 'x' }),
    });
    const requires = (to: 'active' | 'speak') =>
      new Rig([plain]).event(hsrpEvent('r2', to)).flatMap(({ want }) => (want.kind === 'ensure' ? want.requires : []));
    const claim = { target: 'r2', query: 'fhrp', interface: 'Vlan23', group: 23, family: 'ipv4' };
    expect(requires('active')).toEqual([
      { ...claim, is: 'active' },
      { ...claim, is: 'active' },
    ]);
    expect(requires('speak')[0]).toEqual({ ...claim, is: 'not-active' });
  });

  test('of one event are at most a thousand; one more and none is made', () => {
    const rig = new Rig([echo('p', 1_000), echo('q', 1_001)]);
    const { intents, faults } = rig.feed({ kind: 'event', event: textEvent('x') });
    expect(intents).toHaveLength(1_000);
    expect(faults).toEqual([{ policy: 'q', cause: 4, reason: expect.stringContaining('1001 desires at once') }]);
  });
});

describe('time', () => {
  const settled = policy({ name: 'settled', on: syslog(), settle: { quiet: '1s' }, ensure: mark });

  test('rings an alarm before an entry of the same time, in its step', () => {
    const rig = new Rig([echo('direct'), settled]);
    rig.event(textEvent('a'));
    rig.now += 1_000;
    const intents = rig.event(textEvent('b'));
    expect(lines(intents)).toEqual(['present a', 'present b0']);
    expect(new Set(intents.map(({ cause }) => cause))).toEqual(
      new Set([rig.entries.findLast(({ kind }) => kind === 'event')!.seq]),
    );
  });

  test('tells when the next alarm is due, and nothing when there is none', () => {
    const rig = new Rig([settled]);
    expect(rig.feed({ kind: 'tick' }).nextDue).toBeUndefined();
    expect(rig.feed({ kind: 'event', event: textEvent('a') }).nextDue).toBe(start + 1_000);
    rig.pass(1_000);
    expect(rig.feed({ kind: 'tick' }).nextDue).toBeUndefined();
  });

  test('rings what became due while nothing was stamped at its own time, in order', () => {
    const verdicts: Verdict[] = [];
    const keyed = policy({ name: 'p', on: syslog(), key: ({ text }) => text, settle: { quiet: '1s' }, ensure: mark });
    const rig = new Rig([keyed], { trace: (verdict) => verdicts.push(verdict) });
    for (const letter of 'cab') {
      rig.event(textEvent(letter));
      rig.now += 100;
    }
    rig.now += 60_000;
    expect(lines(rig.feed({ kind: 'tick' }).intents)).toEqual(['present c', 'present a', 'present b']);
    const fired = verdicts.filter(({ step, verdict }) => step === 'settle' && verdict === 'fired');
    expect(fired.map(({ at }) => at - start)).toEqual([1_000, 1_100, 1_200]);
  });

  test('never goes back, whatever the wall did', () => {
    const rig = new Rig([settled]);
    rig.event(textEvent('a'));
    rig.now -= 500;
    rig.feed({ kind: 'tick' });
    expect(rig.engine.clock.now()).toBe(start);
  });
});

describe('facts', () => {
  test('do not change when something is derived', () => {
    const rig = new Rig([]);
    rig.event(hsrpEvent('r1', 'active'));
    const before = JSON.stringify(rig.engine.facts.allFhrp());
    expect(rig.engine.derived(hsrpEvent('r1', 'standby'))).toEqual([
      { kind: 'fhrp.changed', gateway: 'lan23', member: 'r1', role: 'standby' },
    ]);
    expect(JSON.stringify(rig.engine.facts.allFhrp())).toBe(before);
  });

  test('are as the entry left them when its policies run', () => {
    const seen: unknown[] = [];
    const looking = policy({
      name: 'p',
      on: fhrp.changed(),
      ensure: (_, { inventory: view }) => {
        seen.push(view.membersOf('lan42').length);
        return [];
      },
    });
    const rig = new Rig([looking]);
    rig.event(hsrpEvent('r1', 'active'));
    rig.feed({ kind: 'inventory', inventory: { ...inventory, gateways: { lan23: inventory.gateways.lan23! } } });
    rig.event(hsrpEvent('r1', 'standby'));
    expect(seen).toEqual([2, 0]);
  });
});

describe('the ledger', () => {
  test('keeps an intent from its entry to its final outcome, and what was decided', () => {
    const rig = new Rig([echo('p')]);
    const [intent] = rig.event(textEvent('a'));
    expect(rig.engine.ledger.open().map((open) => open.intent.id)).toEqual([intent!.id]);
    expect(rig.engine.ledger.decidedThrough).toBe(3);
    rig.now += 10;
    rig.feed({ kind: 'attempt', intent: intent!.id, deadlineMs: 500, plan: ['a line'] });
    expect(rig.engine.ledger.get(intent!.id)!.attempt).toEqual({ at: start + 10, deadlineMs: 500 });
    rig.outcome(intent!, 'held');
    expect(rig.engine.ledger.get(intent!.id)).toMatchObject({ held: { kind: 'held' }, attempt: { deadlineMs: 500 } });
    rig.outcome(intent!, 'done');
    expect(rig.engine.ledger.open()).toEqual([]);
  });

  test('ends a read with its reading, and keeps an ensure whose requirement was read for it', () => {
    const rig = new Rig([advertises]);
    const [read] = rig.event(gap());
    expect(rig.engine.ledger.open()).toHaveLength(3);
    rig.reading(read!, { kind: 'rows', rows: [row('active')] });
    expect(rig.engine.ledger.open()).toHaveLength(2);
    const [give] = rig.pass(600);
    rig.reading(`${give!.id}/check`, { kind: 'rows', rows: [row('active')] }, 'r1');
    expect(rig.engine.ledger.get(give!.id)).toBeDefined();
  });

  test('takes no notice of notices, nor of what it never heard of', () => {
    const rig = new Rig([]);
    const want = { kind: 'notice', code: 'c', text: 't', targets: [] } as const;
    rig.feed({
      kind: 'intent',
      intent: { id: 'p@v/1/0', policy: 'p', version: 'v', cause: 1, key: '', want: { ...want, targets: [] } },
    });
    rig.feed({ kind: 'outcome', intent: 'gone@v/1/0', outcome: { kind: 'done' } });
    rig.feed({ kind: 'outcome', intent: '', outcome: { kind: 'held' } });
    rig.feed({ kind: 'attempt', intent: 'no id at all', deadlineMs: 1, plan: [] });
    rig.reading('', { kind: 'rows', rows: [] }, 'r1');
    expect(rig.engine.ledger.open()).toEqual([]);
  });
});

describe('a version', () => {
  test('runs from its deploy entry on', () => {
    const engine = new Engine([{ policy: echo('p'), version: 'v1' }]);
    const at = (body: Parameters<Rig['feed']>[0], seq: number) => engine.step({ ...body, at: start, seq });
    expect(at({ kind: 'event', event: textEvent('a') }, 1).intents).toEqual([]);
    expect(engine.policies()[0]!.state).toBe('waiting for its deploy entry');
    at({ kind: 'deploy', policy: 'p', version: 'v1', runtime: 'test' }, 2);
    at({ kind: 'deploy', policy: 'unknown', version: 'v1', runtime: 'test' }, 3);
    expect(at({ kind: 'event', event: textEvent('a') }, 4).intents).toHaveLength(1);
    expect(engine.policies()[0]).toMatchObject({ state: 'running', since: start });
  });

  test('keeps half-full windows, and makes a round begun by another void', () => {
    const settled = policy({ name: 'p', on: syslog(), settle: { quiet: '1s' }, ensure: mark });
    const rig = new Rig([settled, advertises]);
    rig.event(textEvent('a'));
    const [read] = rig.event(gap());
    rig.deploy('p', 'v2');
    rig.deploy('advertises', 'v2');
    expect(rig.reading(read!, { kind: 'rows', rows: [row('active')] })).toEqual([]);
    expect(lines(rig.pass(1_000))).toEqual(['present a']);
    expect(lines(rig.event(gap()))).toEqual(['read r1', 'read r2', 'read r3']);
  });
});

describe('replay', () => {
  test('of the same entries gives the same intents, faults and cells, through JSON too', () => {
    fc.assert(
      fc.property(anyLife, (acts) => {
        const rig = live(acts);
        const { engine, intents, faults } = replay(everything, rig.entries);
        expect(intents).toEqual(rig.intents);
        expect(faults).toEqual(rig.faults);
        expect(engine.cells.snapshot()).toEqual(rig.engine.cells.snapshot());
        const text = JSON.stringify(rig.entries);
        const again = replay(everything, JSON.parse(text) as Entry[]);
        expect(JSON.stringify(again.intents)).toBe(JSON.stringify(rig.intents));
        expect(JSON.stringify(again.engine.cells.snapshot())).toBe(JSON.stringify(rig.engine.cells.snapshot()));
        // Nothing that was stepped was changed by it.
        expect(JSON.stringify(rig.entries)).toBe(text);
      }),
      { numRuns: 150 },
    );
  });

  test('goes on from a snapshot of the cells as if nothing had been', () => {
    const remembering = everything.filter(({ name }) => name !== 'asks');
    fc.assert(
      fc.property(anyLife, fc.nat(60), (acts, cut) => {
        const whole = live(acts, remembering, { cut });
        const broken = live(acts, remembering, { cut, restart: true });
        expect(broken.intents.map((intent) => `${timeOf(broken, intent.cause)} ${line(intent)}`)).toEqual(
          whole.intents.map((intent) => `${timeOf(whole, intent.cause)} ${line(intent)}`),
        );
      }),
      { numRuns: 150 },
    );
  });
});

const advertises = policy({
  name: 'advertises',
  on: fhrp.changed(),
  settle: { quiet: '1s', atMost: '3s' },
  resync: '5m',
  ensure: ({ gateway }) => (gateway === 'lan23' ? exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')) : []),
});

/** One of every kind. */
const everything: readonly Policy[] = [
  advertises,
  policy({
    name: 'stands',
    on: hsrp.stateChanged(),
    resync: '7m',
    ensure: ({ target, to }) =>
      to === 'active' ? bgpNetwork({ target }, '42.0.0.0/8') : bgpNetwork({ target }, '42.0.0.0/8').absent(),
  }),
  policy({
    name: 'counts',
    on: syslog(),
    pipe: (letters, { perKey, threshold, settle }) =>
      letters.pipe(
        perKey(
          ({ text }) => text.toLowerCase(),
          (group) => group.pipe(threshold(2, '10s'), settle({ quiet: '2s' })),
        ),
        map(mark),
      ),
  }),
  policy({
    name: 'asks',
    on: syslog(),
    pipe: (letters, { read, act }) =>
      letters.pipe(
        mergeMap(({ target }) => read(target, 'fhrp')),
        filter((rows) => rows.length > 0),
        mergeMap((rows) => act(mark({ text: `${rows.length} rows` }))),
        map(({ kind }) => present({ kind: 'told', target: kind })),
      ),
  }),
  policy({
    name: 'throws',
    on: syslog(),
    settle: { quiet: '1s' },
    ensure: ({ text }) => {
      if (text === 'B') throw new Error('not B');
      return mark({ text });
    },
  }),
];

type Act = (rig: Rig) => void;

const target = fc.constantFrom('r1', 'r2', 'r3');
const results: fc.Arbitrary<Reading['result']> = fc.oneof(
  fc.constantFrom('active', 'standby', 'other').map((role) => ({ kind: 'rows' as const, rows: [row(role as 'active')] })),
  fc.constant<Reading['result']>({ kind: 'rows', rows: [] }),
  fc.constantFrom('unreachable', 'unreadable').map((kind) => ({ kind: kind as 'unreachable', reason: 'so' })),
);
const open = (rig: Rig, read: 'read' | 'ensure', number: number) => {
  const waiting = rig.engine.ledger.open().filter(({ intent }) => intent.want.kind === read);
  return waiting[number % waiting.length]?.intent;
};

/** What can happen to an engine, each as a function: shrinking drops the ones that do not matter. */
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(target, fc.constantFrom('active', 'standby', 'speak'), fc.constantFrom(23, 42)).map(
    ([name, to, group]): Act =>
      (rig) =>
        void rig.event(hsrpEvent(name, to as 'active', group)),
  ),
  fc.constantFrom('a', 'A', 'b', 'B').chain((text) =>
    target.map(
      (name): Act =>
        (rig) =>
          void rig.event(textEvent(text, name)),
    ),
  ),
  fc.constantFrom(1, 100, 999, 1_000, 2_000, 40_000, 600_000).map(
    (ms): Act =>
      (rig) =>
        void rig.pass(ms),
  ),
  fc.constantFrom(500, 3_600_000).map(
    (ms): Act =>
      (rig) =>
        void Object.assign(rig, { now: rig.now + ms }),
  ),
  fc.array(target, { maxLength: 2 }).map(
    (names): Act =>
      (rig) =>
        void rig.event(gap(...names)),
  ),
  fc.tuple(fc.nat(9), results).map(
    ([number, result]): Act =>
      (rig) => {
        const intent = open(rig, 'read', number);
        if (intent) rig.reading(intent, result);
      },
  ),
  fc.tuple(fc.nat(9), results).map(
    ([number, result]): Act =>
      (rig) => {
        const intent = open(rig, 'ensure', number);
        if (intent) rig.reading(`${intent.id}/check`, result, 'r1');
      },
  ),
  fc.tuple(fc.nat(9), fc.constantFrom(...outcomeKindSchema.options)).map(
    ([number, kind]): Act =>
      (rig) => {
        const intent = open(rig, 'ensure', number);
        if (intent) rig.outcome(intent, kind);
      },
  ),
);
const anyLife = fc.array(anyAct, { maxLength: 60, size: 'max' });

function live(acts: readonly Act[], policies = everything, { cut = -1, restart = false } = {}): Rig {
  const rig = new Rig(policies);
  for (const [index, act] of acts.entries()) {
    // A restart stamps entries, which ring what is due by then: so must the life that is not cut.
    if (index === cut) rig.feed({ kind: 'tick' });
    if (index === cut && restart) rig.restart();
    act(rig);
  }
  rig.pass(20_000);
  return rig;
}

const timeOf = (rig: Rig, seq: number): number => rig.entries[seq - 1]!.at;

test('an event of somebody unknown, without a meaning, wakes nobody', () => {
  const rig = new Rig(everything);
  expect(rig.event({ meaning: null, origin })).toEqual([]);
  expect(rig.event(eventOf('nobody', { kind: 'hsrp.state-changed', group: 23, to: 'active', interface: 'Vlan23' }))).not.toEqual(
    [],
  );
  expect(rig.engine.facts.allFhrp()).toEqual([]);
});

describe('a written event', () => {
  const written = (event: Event): WrittenEvent => {
    const { target, ...rest } = event;
    const brief = {
      peer: event.origin.peer,
      host: null,
      mnemonic: event.syslog?.mnemonic ?? null,
      meaning: event.meaning?.kind ?? null,
    };
    return new WrittenEvent(brief, JSON.stringify(rest), target);
  };

  test('does what the event itself does', () => {
    const changed = policy({ name: 'p', on: fhrp.changed(), ensure: () => mark({ text: 'x' }) });
    for (const event of [textEvent('x'), hsrpEvent('r1', 'active'), eventOf('r1', { kind: 'config.changed' })]) {
      const [plain, read] = [event, written(event)].map((each) => {
        const rig = new Rig([echo('all'), changed]);
        return { intents: rig.event(each), facts: rig.engine.facts.allFhrp() };
      });
      expect(read).toEqual(plain);
    }
  });

  test('that nobody listens to is not even read', () => {
    const rig = new Rig([policy({ name: 'p', on: syslog({ mnemonic: 'ELSE' }), ensure: () => [] })]);
    const torn = new WrittenEvent({ peer: '', host: null, mnemonic: 'TEST-5-LETTER', meaning: 'config.changed' }, 'no JSON');
    expect(rig.event(torn)).toEqual([]);
  });
});
