// Law E7: a policy that throws is stopped by an entry that replay obeys; the others go on, and nothing is thrown later.
import { config, map, mergeMap, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { type Policy, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { fhrp, syslog } from '../../src/core/selectors.ts';
import { messageOf } from '../../src/model/errors.ts';
import { mark, piped } from './marbles.ts';
import { gap, hsrpEvent, lines, Rig, replay, row, textEvent } from './rig.ts';

const bad = (): never => {
  throw new Error('bad code');
};
const echo = (name: string, settle?: '1s'): Policy =>
  policy({ name, on: syslog(), ...(settle ? { settle: { quiet: settle } } : {}), ensure: mark });

const feed = (rig: Rig) => rig.feed({ kind: 'event', event: textEvent('a') });
const afterASecond = (rig: Rig) => {
  rig.event(textEvent('a'));
  rig.now += 1_000;
  return rig.feed({ kind: 'tick' });
};
const afterAnAnswer = (rig: Rig) => {
  const read = rig.event(textEvent('a')).find(({ want }) => want.kind === 'read');
  const reading = {
    target: 'r1',
    query: 'fhrp' as const,
    intent: read!.id,
    result: { kind: 'rows' as const, rows: [] },
    tookMs: 1,
  };
  return rig.feed({ kind: 'reading', reading });
};
const shared = exclusive('lan23', () => bgpNetwork({ target: 'r1' }, '23.0.0.0/8'));
const settle = { quiet: '1s' } as const;
type Throwing = readonly [where: string, subject: Policy, set: (rig: Rig) => ReturnType<Rig['feed']>];

const throwing: readonly Throwing[] = [
  ['key', policy({ name: 'bad', on: syslog(), key: bad, ensure: mark }), feed],
  ['ensure', policy({ name: 'bad', on: syslog(), ensure: bad }), feed],
  ['ensure, in an alarm', policy({ name: 'bad', on: syslog(), settle, ensure: bad }), afterASecond],
  ['the function of an exclusive', policy({ name: 'bad', on: syslog(), ensure: () => exclusive('lan23', bad) }), feed],
  [
    'the function of an exclusive, in an alarm',
    policy({ name: 'bad', on: syslog(), settle, ensure: () => exclusive('lan23', bad) }),
    afterASecond,
  ],
  ['an exclusive with one thing for two members', policy({ name: 'bad', on: syslog(), ensure: () => shared }), feed],
  ['an operator of a pipe', policy({ name: 'bad', on: syslog(), pipe: (events) => events.pipe(map(bad)) }), feed],
  [
    'an operator of a pipe, in an alarm',
    policy({ name: 'bad', on: syslog(), pipe: (events, tools) => events.pipe(tools.settle(settle), map(bad)) }),
    afterASecond,
  ],
  [
    'an operator of a pipe, in an answer',
    policy({
      name: 'bad',
      on: syslog(),
      pipe: (events, { read }) =>
        events.pipe(
          mergeMap(({ target }) => read(target, 'fhrp')),
          map(bad),
        ),
    }),
    afterAnAnswer,
  ],
  [
    'what a pipe wants',
    policy({ name: 'bad', on: syslog(), pipe: (events) => events.pipe(map(() => exclusive('lan23', bad))) }),
    feed,
  ],
  [
    'what a pipe wants, in an alarm',
    policy({
      name: 'bad',
      on: syslog(),
      pipe: (events, tools) =>
        events.pipe(
          tools.settle(settle),
          map(() => shared),
        ),
    }),
    afterASecond,
  ],
  [
    'a key in a pipe',
    policy({ name: 'bad', on: syslog(), pipe: (events, { perKey }) => events.pipe(perKey(bad, (group) => group)) }),
    feed,
  ],
  [
    'a group in a pipe',
    policy({ name: 'bad', on: syslog(), pipe: (events, { perKey }) => events.pipe(perKey(({ text }) => text, bad)) }),
    feed,
  ],
];

beforeEach(() => {
  // What RxJS could not give to anybody it throws from a timer: with none set, nothing of ours ends there.
  vi.useFakeTimers();
  config.onUnhandledError = null;
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe.each(throwing)('a policy that throws in %s', (_, subject, set) => {
  test('is stopped, and named with the entry, while the others go on', () => {
    const rig = new Rig([echo('before'), subject, echo('after'), echo('settled', '1s')]);
    const { intents, faults } = set(rig);
    const reason = faults[0]?.reason ?? '';
    expect(faults).toEqual([
      {
        policy: 'bad',
        cause: rig.entries.findLast(({ kind }) => kind !== 'decided' && kind !== 'intent' && kind !== 'quarantine')!.seq,
        reason,
      },
    ]);
    expect(reason).toMatch(/^bad code$|names the same bgp-network for two members/);
    expect(rig.engine.policies().map(({ state }) => state)).toEqual(['running', 'stopped', 'running', 'running']);
    expect(rig.engine.policies()[1]!.reason).toContain(reason);
    expect(intents.filter(({ policy }) => policy === 'bad')).toEqual([]);
    expect(lines(rig.event(textEvent('z'))).filter((line) => line === 'present z')).toHaveLength(2);
    expect(lines(rig.pass(1_000))).toContain('present z');
    expect(rig.faults).toHaveLength(1);
  });

  test('is stopped by the same entries in a replay', () => {
    const rig = new Rig([subject, echo('other')]);
    set(rig);
    feed(rig);
    const { intents, faults } = replay([subject, echo('other')], rig.entries);
    expect(intents).toEqual(rig.intents);
    expect(faults).toEqual(rig.faults);
  });
});

describe('a pipe that cannot be built', () => {
  test.each([
    ['throws', piped(bad)],
    ['throws when subscribed to', piped(() => throwError(() => new Error('bad code')))],
    ['wants what cannot be at once', policy({ name: 'marbles', on: syslog(), pipe: () => of(exclusive('lan23', bad)) })],
  ])('is a fault of the deploy: it %s', (_, subject) => {
    const rig = new Rig([subject, echo('other')]);
    expect(rig.faults).toEqual([{ policy: 'marbles', cause: 2, reason: 'bad code' }]);
    expect(lines(rig.event(textEvent('a')))).toEqual(['present a']);
  });

  test('may want something as soon as it is there', () => {
    const eager = policy({
      name: 'p',
      on: syslog(),
      pipe: () => of(exclusive('lan42', (member) => bgpNetwork(member, '42.0.0.0/8'))),
    });
    expect(lines(new Rig([eager]).intents)).toEqual(['read r1', 'read r2']);
  });
});

describe('a quarantine', () => {
  const settled = echo('p', '1s');

  test('stops a policy, with the alarms it had set, in a replay by mended code too', () => {
    const rig = new Rig([settled, echo('other', '1s')]);
    rig.event(textEvent('a'));
    rig.feed({ kind: 'quarantine', policy: 'p', cause: 1, reason: 'an operator said so' });
    expect(rig.pass(5_000).map(({ policy }) => policy)).toEqual(['other']);
    expect(rig.engine.policies()[0]).toMatchObject({ state: 'stopped', reason: expect.stringContaining('an operator said so') });
    expect(replay([settled, echo('other', '1s')], rig.entries).intents).toEqual(rig.intents);
  });

  test('stops a schedule and a round that is on', () => {
    const scheduled = policy({
      name: 'p',
      on: fhrp.changed({ gateway: 'lan42' }),
      resync: '5m',
      ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '42.0.0.0/8')),
    });
    const rig = new Rig([scheduled]);
    const [read] = rig.event(gap());
    rig.feed({ kind: 'quarantine', policy: 'p', cause: 1, reason: 'so' });
    expect(rig.reading(read!, { kind: 'rows', rows: [row('active', 'active', 42)] })).toEqual([]);
    expect(rig.pass(3_600_000)).toEqual([]);
    expect(rig.feed({ kind: 'tick' }).nextDue).toBeUndefined();
  });

  test('ends with the deploy of this version, and it begins anew', () => {
    const rig = new Rig([settled]);
    rig.event(textEvent('a'));
    rig.feed({ kind: 'quarantine', policy: 'p', cause: 1, reason: 'so' });
    rig.deploy('p', 'another');
    expect(rig.engine.policies()[0]!.state).toBe('stopped');
    rig.deploy('p');
    expect(rig.engine.policies()[0]).toMatchObject({ state: 'running' });
    expect(rig.pass(5_000)).toEqual([]);
    rig.event(textEvent('b'));
    expect(lines(rig.pass(1_000))).toEqual(['present b']);
  });

  test('of a policy that is not there is nothing', () => {
    const rig = new Rig([settled]);
    expect(rig.feed({ kind: 'quarantine', policy: 'gone', cause: 1, reason: 'so' }).faults).toEqual([]);
  });
});

test('what has no text can be thrown too', () => {
  const odd = [
    undefined,
    null,
    'text',
    7,
    Object.create(null),
    { toString: bad },
    Symbol('s'),
    Object.assign(new Error(), { message: { toString: bad } }),
  ];
  for (const thrown of odd) {
    const subject = policy({
      name: 'bad',
      on: syslog(),
      ensure: () => {
        throw thrown;
      },
    });
    expect(feed(new Rig([subject])).faults).toMatchObject([{ policy: 'bad', reason: expect.any(String) }]);
    expect(typeof messageOf(thrown)).toBe('string');
  }
});

test('a policy that wants without end is stopped, and the rest of the step goes on', () => {
  const endless = policy({
    name: 'bad',
    on: fhrp.changed(),
    pipe: (events, { act }) =>
      events.pipe(
        mergeMap(() => Array.from({ length: 200_000 }, (_, index) => index)),
        mergeMap((index) => act(mark({ text: String(index) }))),
      ),
  });
  const rig = new Rig([endless, policy({ name: 'other', on: fhrp.changed(), ensure: () => mark({ text: 'x' }) })]);
  const { intents, faults } = rig.feed({ kind: 'event', event: hsrpEvent('r1', 'active') });
  expect(faults).toMatchObject([{ policy: 'bad', reason: expect.stringContaining('more than 100000 intents in one step') }]);
  expect(intents.filter(({ policy }) => policy === 'other')).toHaveLength(1);
});
