// What the journal would not take as an entry ends nothing but itself.
import { expect, test } from 'vitest';
import { config, filter, interfaces, mergeMap, policy } from '../../src/index.ts';
import { storyPlatforms } from '../../src/testing/platform.ts';
import { eventOf, rig } from './rig.ts';

const down = { kind: 'interface.state-changed', interface: 'Vlan1', layer: 'link', to: 'down' } as const;

test('a device with more rows than an entry holds cannot be read', async () => {
  const rows = Array.from({ length: 4_000 }, (_, group) => {
    return { interface: `Vlan${group}`, group, family: 'ipv4', role: 'active', state: 'active' } as const;
  });
  const fhrp = function* () {
    yield* [];
    return rows;
  };
  const ios = { ...storyPlatforms['cisco-ios']!, queries: { fhrp } };
  const asking = policy({
    name: 'asking',
    on: interfaces.down(),
    pipe: (events, { read }) =>
      events.pipe(
        mergeMap(({ target }) => read(target!, 'fhrp')),
        filter((want) => 'kind' in want),
      ),
  });
  const on = await rig({
    policies: [{ policy: asking, version: 'v1' }],
    platforms: { ...storyPlatforms, 'cisco-ios': ios as never },
  });
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
