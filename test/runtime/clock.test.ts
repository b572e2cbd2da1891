// A clock that is set back: event time never falls, and does not stand still either.
import { expect, test } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { bgpNetwork, config, policy } from '../../src/index.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { rig } from './rig.ts';

const start = 1_767_225_600_000;
const settling: DeployedPolicy = {
  version: 'v1',
  policy: policy({
    name: 'settling',
    on: config.changed(),
    settle: { quiet: '2s' },
    ensure: ({ target }) => bgpNetwork({ target }, '10.0.0.0/8'),
  }),
};

test('what settles does so within twice its time, and the wall comes abreast of the entries again', async () => {
  const on = await rig({ policies: [settling], wall: new VirtualWall(start) });
  await on.hear('gw-a', { kind: 'config.changed' });
  await on.pass(10_000);
  const { writes } = on.world.gateways.device('gw-a');
  expect(writes.length).toBe(1);
  const now = on.wall.now.bind(on.wall);
  on.wall.now = () => now() - 600_000;
  on.world.gateways.device('gw-a').networks.clear();
  await on.hear('gw-a', { kind: 'config.changed' });
  await on.pass(4_100);
  expect(writes.length).toBe(2);
  await on.pass(1_300_000);
  await on.hear('gw-a', { kind: 'config.changed' });
  expect(on.entries.at(-1)!.at).toBe(on.wall.now());
  const times = on.entries.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('so it does at the start behind a journal that was written with the clock an hour ahead', async () => {
  const journal = memoryJournal();
  const before = await rig({ policies: [settling], journal, wall: new VirtualWall(start + 3_600_000) });
  await before.pass(1_000);
  before.die();
  const on = await rig({ policies: [settling], journal, wall: new VirtualWall(start), epoch: 2 });
  await on.hear('gw-a', { kind: 'config.changed' });
  await on.pass(10_000);
  expect(on.world.gateways.device('gw-a').writes).toEqual(['network 10.0.0.0/8']);
});
