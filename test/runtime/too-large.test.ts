// What the journal would not take as an entry ends nothing but itself.
import { expect, test } from 'vitest';
import { bgpNetwork, config, filter, interfaces, mergeMap, policy } from '../../src/index.ts';
import { TargetError } from '../../src/model/errors.ts';
import { journalEntryBytesMax } from '../../src/model/limits.ts';
import type { FhrpRow } from '../../src/model/query.ts';
import { compactOf, WrittenEvent } from '../../src/model/written-event.ts';
import { storyPlatforms } from '../../src/testing/platform.ts';
import { eventOf, type Rig, rig } from './rig.ts';

const down = { kind: 'interface.state-changed', interface: 'Vlan1', layer: 'link', to: 'down' } as const;

/** A policy asks who is active where a port goes down, and so it is answered. */
function asking(fhrp: () => Generator<never, readonly FhrpRow[]>): Promise<Rig> {
  const ios = { ...storyPlatforms['cisco-ios']!, queries: { fhrp } };
  const asks = policy({
    name: 'asking',
    on: interfaces.down(),
    pipe: (events, { read }) =>
      events.pipe(
        mergeMap(({ target }) => read(target!, 'fhrp')),
        filter((want) => 'kind' in want),
      ),
  });
  const platforms = { ...storyPlatforms, 'cisco-ios': ios as never };
  return rig({ policies: [{ policy: asks, version: 'v1' }], platforms });
}

test('a device with more rows than an entry holds cannot be read', async () => {
  const rows = Array.from({ length: 4_000 }, (_, group) => {
    return { interface: `Vlan${group}`, group, family: 'ipv4', role: 'active', state: 'active' } as const;
  });
  const fhrp = function* () {
    yield* [];
    return rows;
  };
  const on = await asking(fhrp);
  await on.hear('gw-a', down);
  await on.pass(1_000);
  expect(on.failures).toEqual([]);
  expect(on.ofKind('reading').map(({ reading }) => reading.result)).toMatchObject([
    { kind: 'unreadable', reason: expect.stringMatching(/^it says \d+ bytes of fhrp/) },
  ]);
});

test.each([
  ['tells of as much', (text: string) => text],
  [
    'throws as much',
    (text: string) => {
      throw new Error(text);
    },
  ],
])('a policy that %s is quarantined, and so it is at the next start', async (_, make) => {
  const talking = policy({
    name: 'talking',
    on: config.changed(),
    pipe: (events, { notice }) => events.pipe(mergeMap(() => notice('x', make('a'.repeat(300_000)), []))),
  });
  const on = await rig({ policies: [{ policy: talking, version: 'v1' }] });
  await on.hear('gw-a', { kind: 'config.changed' });
  await on.pass(1_000);
  expect([on.failures, on.ofKind('quarantine').map((entry) => entry.policy)]).toEqual([[], ['talking']]);
  on.die();
  const { journal, wall, world } = on;
  const again = await rig({ policies: [{ policy: talking, version: 'v1' }], journal, wall, world, epoch: 2 });
  await again.pass(1_000);
  expect([again.failures, again.divergences]).toEqual([[], []]);
});

test('what is put in by hand is refused with the bound, and ends nothing', async () => {
  const on = await rig({ policies: [] });
  const syslog = { pri: 189, facility: 23, severity: 5, mnemonic: 'TEST-5-X', host: null, app: null, text: '"'.repeat(200_000) };
  await expect(on.runtime.host.emit({ ...eventOf('gw-a', null), syslog })).rejects.toThrow(/too large.*262144 bytes at most/);
  await on.hear('gw-a', { kind: 'config.changed' });
  expect(on.failures).toEqual([]);
});

const wanting = policy({ name: 'wanting', on: config.changed(), ensure: ({ target }) => bgpNetwork({ target }, '10.0.0.0/8') });

/** Where a network is put on a device by such a driver. */
const wanted = async (driver: object) => {
  const whole = {
    *read() {
      yield* [];
      return {};
    },
    plan: () => [{ kind: 'cli', line: 'network' }],
    verify: () => ({ effective: false, final: true, missing: 'it is not' }),
    describe: () => 'nothing',
    ...driver,
  };
  const ios = { ...storyPlatforms['cisco-ios']!, resources: { 'bgp-network': whole } };
  const policies = [{ policy: wanting, version: 'v1' }];
  const platforms = { ...storyPlatforms, 'cisco-ios': ios as never };
  const on = await rig({ policies, platforms });
  await on.hear('gw-a', { kind: 'config.changed' });
  await on.pass(60_000);
  on.die();
  const { journal, wall, world } = on;
  const again = await rig({ policies, platforms, journal, wall, world, epoch: 2 });
  await again.pass(60_000);
  return { on, again, outcome: [...on.ofKind('outcome'), ...again.ofKind('outcome')].map(({ outcome }) => outcome) };
};

const huge = 'x'.repeat(300_000);
const refusing = function* () {
  yield* [];
  throw new TargetError(huge, { code: 'refused', retry: false, remedy: 'Look.' });
};

test.each([
  ['the reason of an outcome is cut, and says so', { read: refusing }, 'refused', /^x{16384} … 2836\d\d characters more$/],
  [
    'a plan is never cut: nothing is sent',
    { plan: () => [{ kind: 'cli', line: huge }] },
    'refused',
    /attempt is 300\d\d\d bytes/,
  ],
  ['nor is what stood there', { value: () => huge }, 'refused', /attempt is 300\d\d\d bytes/],
])('%s', async (_, driver, kind, reason) => {
  const { on, again, outcome } = await wanted(driver);
  expect([on.failures, again.failures]).toEqual([[], []]);
  expect(outcome).toMatchObject([{ kind, reason: expect.stringMatching(reason) }]);
});

test('evidence counts as the journal writes it, and what there is no room for is counted and told by its digest', async () => {
  const { on, again, outcome } = await wanted({ describe: () => '\u0001'.repeat(60_000) });
  expect([on.failures, again.failures]).toEqual([[], []]);
  const [{ evidence } = {}] = outcome;
  expect(evidence).toEqual([expect.stringMatching(/^… 60008 characters more, sha256 [0-9a-f]{64}$/)]);
});

test('why a device cannot be reached is cut, and it stays one that blocks nobody', async () => {
  const fhrp = function* () {
    yield* [];
    throw new TargetError(huge, { code: 'unreachable', retry: true, remedy: 'Look.' });
  };
  const on = await asking(fhrp);
  await on.hear('gw-a', down);
  await on.pass(1_000);
  expect(on.ofKind('reading').map(({ reading }) => reading.result)).toMatchObject([
    { kind: 'unreachable', reason: expect.stringMatching(/^x+ … \d+ characters more$/) },
  ]);
});

test('in place of an event of a source there is a gap of its target', async () => {
  const on = await rig({ policies: [] });
  const sink = on.runtime.host.sink('test');
  const event = { ...eventOf('gw-a', { kind: 'config.changed', by: 'é'.repeat(140_000) }) };
  const committed: unknown[] = [];
  sink.offer([event, eventOf('gw-b', { kind: 'config.changed' })], (error) => void committed.push(error));
  sink.gap(huge, ['gw-a']);
  await on.pass(1_000);
  expect([on.failures, committed]).toEqual([[], [undefined]]);
  const heard = on.ofKind('event').slice(-3);
  expect(heard.map(({ event: { target, meaning } }) => [target, meaning])).toEqual([
    [
      'gw-a',
      {
        kind: 'source.gap',
        source: 'test',
        reason: expect.stringMatching(/^an event of 280\d\d\d bytes was not kept/),
        targets: ['gw-a'],
      },
    ],
    ['gw-b', { kind: 'config.changed' }],
    [undefined, { kind: 'source.gap', source: 'test', reason: expect.stringMatching(/characters more$/), targets: ['gw-a'] }],
  ]);
});

test('an event that was written down where it was received is measured as well, and one that just fits is kept', async () => {
  const on = await rig({ policies: [] });
  const sink = on.runtime.host.sink('test');
  const written = (letters: number): WrittenEvent => {
    const raw = '\u0001'.repeat(letters);
    const syslog = { pri: 189, facility: 23, severity: 5, mnemonic: null, host: null, app: null, text: '' };
    const origin = { source: 'syslog', peer: '192.0.2.1', transport: 'udp', trust: 'claimed', raw } as const;
    const brief = { peer: '192.0.2.1', host: null, mnemonic: null, meaning: null };
    return new WrittenEvent(brief, compactOf({ meaning: null, syslog, origin })!);
  };
  sink.offer([written(43_000), written(44_000)]);
  await on.pass(1_000);
  expect(on.failures).toEqual([]);
  const [kept, gap] = on.ofKind('event').slice(-2);
  expect([kept!.event.origin.raw.length, kept!.event.target]).toEqual([43_000, 'gw-a']);
  expect(gap!.event).toMatchObject({ target: 'gw-a', meaning: { kind: 'source.gap', source: 'syslog' } });
});

test('what is offered is written as it is measured', async () => {
  const on = await rig({ policies: [] });
  const letters = (by: number) => eventOf('gw-a', { kind: 'config.changed', by: 'x'.repeat(by) });
  const around = JSON.stringify({ kind: 'event', event: letters(0), at: on.wall.now() }).length;
  on.runtime.host.sink('test').offer([letters(journalEntryBytesMax - around - 200)]);
  await on.pass(1_000);
  expect([on.failures, on.ofKind('event').at(-1)!.event.meaning?.kind]).toEqual([[], 'config.changed']);
});
