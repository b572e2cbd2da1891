// A pipe with RxJS operators that remember in closures: no snapshot has that, so a start replays it from its horizon on.
import { bufferCount, map, scan } from 'rxjs';
import { expect, test } from 'vitest';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { bgpNetwork, type Policy, policy, syslog, threshold } from '../../src/index.ts';
import { snapshotMs } from '../../src/model/limits.ts';
import { eventOf, type Rig, rig } from './rig.ts';

const text = {
  ...eventOf('gw-a', null),
  syslog: { pri: 189, facility: 23, severity: 5, mnemonic: 'TEST-5-X', host: null, app: null, text: 'x' },
};

/** Every third message, by RxJS; the horizon is what is tried. */
const thirds = (horizon?: '10m'): Policy =>
  policy({
    name: 'thirds',
    on: syslog(),
    ...(horizon ? { horizon } : {}),
    pipe: (events) =>
      events.pipe(
        bufferCount(3),
        map(([{ target } = undefined!]) => bgpNetwork({ target }, '10.0.0.0/8')),
      ),
  });

/** How many it has seen, told by the network that it wants. */
const seen = policy({
  name: 'seen',
  on: syslog(),
  horizon: '10m',
  pipe: (events) =>
    events.pipe(
      scan((count) => count + 1, 0),
      map((count) => bgpNetwork({ target: 'gw-a' }, `10.${count}.0.0/16`)),
    ),
});

/** The same in cells, beside it. */
const beside = policy({
  name: 'beside',
  on: syslog(),
  pipe: (events) =>
    events.pipe(
      threshold(3, '12h'),
      map(({ target }) => bgpNetwork({ target }, '11.0.0.0/8')),
    ),
});

const deployed = (...policies: readonly Policy[]): readonly DeployedPolicy[] =>
  policies.map((policy) => ({ policy, version: 'v1' }));

async function say(on: Rig): Promise<void> {
  on.runtime.host.sink('test').offer([text]);
  await on.pass(0);
}

/** A message, and the snapshot that is due is written. */
async function sayAndSnapshot(on: Rig): Promise<void> {
  const count = on.taken.length + 1;
  await on.pass(snapshotMs);
  await say(on);
  await on.until(() => on.taken.length >= count);
  expect(on.taken).toHaveLength(count);
}

const again = ({ wall, world, journal, die }: Rig, policies: readonly DeployedPolicy[]): Promise<Rig> => {
  die();
  return rig({ policies, wall, world, journal, epoch: 2, snapshots: true });
};

const wanted = (on: Rig): readonly unknown[] =>
  on
    .ofKind('intent')
    .flatMap(({ intent: { policy, want } }) => (want.kind === 'ensure' ? [`${policy} ${want.resource.prefix}`] : []));

test('is brought up by a replay, while what has cells goes on from the snapshot', async () => {
  const policies = deployed(thirds('10m'), beside);
  const before = await rig({ policies, snapshots: true });
  await say(before);
  await sayAndSnapshot(before);
  const after = await again(before, policies);
  expect(after.recovered.restored).toBe(before.taken[0]!.through);
  expect(after.recovered.said).toEqual(['thirds: replayed alone from entry 1 on']);
  expect(after.divergences).toEqual([]);
  expect(wanted(after)).toEqual([]);
  await say(after);
  expect(wanted(after)).toEqual(['thirds 10.0.0.0/8', 'beside 11.0.0.0/8']);
});

test('would have forgotten what it had, without its horizon', async () => {
  const policies = deployed(thirds(), beside);
  const before = await rig({ policies, snapshots: true });
  await say(before);
  await sayAndSnapshot(before);
  const after = await again(before, policies);
  await say(after);
  expect(wanted(after)).toEqual(['beside 11.0.0.0/8']);
});

test('is replayed from so long before as it says, and from no earlier', async () => {
  const policies = deployed(seen, beside);
  const before = await rig({ policies, snapshots: true });
  // A message each five minutes, and a snapshot after each but the first: 0, 5, 10, 15, 20, 25.
  await say(before);
  for (let count = 0; count < 5; count += 1) await sayAndSnapshot(before);
  const [, , tenBefore] = before.taken;
  const after = await again(before, policies);
  expect(after.recovered.restored).toBe(before.taken.at(-1)!.through);
  expect(after.recovered.said).toEqual([`seen: replayed alone from entry ${tenBefore!.through + 1} on`]);
  await say(after);
  // Of the six before it the two of the last ten minutes.
  expect(wanted(after).at(-1)).toBe('seen 10.3.0.0/16');
});
