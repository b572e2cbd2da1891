import { describe, expect, it } from 'vitest';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { hsrp } from '../../src/core/selectors.ts';
import { bgpNetwork, config, mergeMap, policy } from '../../src/index.ts';
import type { Intent } from '../../src/model/intent.ts';
import { storyPlatforms } from '../../src/testing/platform.ts';
import { hsrpOf, type Rig, rig } from './rig.ts';

/** Ensures without a state to read: the plainest way to the executor. */
const plain = (desired: 'present' | 'absent') =>
  policy({
    name: `plain-${desired}`,
    on: config.changed(desired === 'present' ? { by: 'give' } : { by: 'take' }),
    ensure: ({ target }) =>
      desired === 'present' ? bgpNetwork({ target }, '23.0.0.0/8') : bgpNetwork({ target }, '23.0.0.0/8').absent(),
  });
const both = [plain('present'), plain('absent')].map((one) => ({ policy: one, version: 'v1' }));
const give = (on: Rig) => on.hear('gw-a', { kind: 'config.changed', by: 'give' });
const take = (on: Rig) => on.hear('gw-a', { kind: 'config.changed', by: 'take' });

/** The prefix is advertised where a router says that it is active: and is, by its own word. */
const claimed: DeployedPolicy = {
  version: 'v1',
  policy: policy({
    name: 'claimed',
    on: hsrp.stateChanged({ interface: 'Vlan10', group: 10, to: 'active' }),
    ensure: ({ target }) => bgpNetwork({ target }, '23.0.0.0/8'),
  }),
};

const asks: Intent = {
  id: 'q@v1/1/0',
  policy: 'q',
  version: 'v1',
  cause: 1,
  key: '',
  want: { kind: 'read', target: 'gw-a', query: 'fhrp' },
};

describe('the executor', () => {
  it('applies, verifies and ends done; the second time it is already so and nothing is sent', async () => {
    const on = await rig({ policies: both });
    await give(on);
    await on.pass(1_000);
    await give(on);
    await on.pass(1_000);
    expect(on.outcomes()).toEqual(['done', 'already']);
    expect(on.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    expect(on.ofKind('attempt')).toHaveLength(1);
  });

  it('has the attempt durable before the first changing byte, and the outcome after', async () => {
    const on = await rig({ policies: both });
    const writes = on.world.gateways.device('gw-a').writes;
    await give(on);
    while (on.ofKind('attempt').length === 0) await on.pass(1);
    expect(writes).toEqual([]);
    expect(on.outcomes()).toEqual([]);
    await on.pass(1_000);
    expect(writes).toHaveLength(1);
    expect(on.outcomes()).toEqual(['done']);
  });

  it('lets only the newest ensure of a resource live: an older one that has not begun is superseded', async () => {
    const on = await rig({ policies: both });
    await on.pass(100);
    on.world.set('gw-a', { answerMs: 1_000 });
    await give(on);
    await take(on);
    await give(on);
    await on.pass(20_000);
    expect(on.ofKind('outcome').map(({ intent, outcome }) => `${intent.split('@')[0]} ${outcome.kind}`)).toEqual([
      'plain-absent superseded',
      'plain-present done',
      'plain-present already',
    ]);
  });

  it('holds what cannot be reached, and does it when the target is back', async () => {
    const on = await rig({ policies: both });
    await on.pass(100);
    on.world.setUnreachable('gw-a');
    await give(on);
    await on.pass(5_000);
    expect(on.outcomes()).toEqual(['held']);
    on.world.setReachable('gw-a');
    await on.pass(20_000);
    expect(on.outcomes()).toEqual(['held', 'done']);
    expect(on.runtime.engine.ledger.open()).toEqual([]);
  });

  it('does what was held for want of another target’s state when that one is back', async () => {
    const across = policy({
      name: 'across',
      on: hsrp.stateChanged({ interface: 'Vlan10', group: 10, to: 'standby' }),
      pipe: (events, { act }) => events.pipe(mergeMap((event) => act(bgpNetwork({ target: 'gw-a' }, '23.0.0.0/8'), event))),
    });
    const on = await rig({ policies: [{ policy: across, version: 'v1' }] });
    on.world.gateways.setState('gw-b', 'standby');
    await on.pass(100);
    on.world.setUnreachable('gw-b');
    await on.hear('gw-b', hsrpOf('standby'));
    await on.pass(5_000);
    expect(on.outcomes()).toEqual(['held']);
    on.world.setReachable('gw-b');
    await on.pass(20_000);
    expect(on.outcomes()).toEqual(['held', 'done']);
    expect(on.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
  });

  it('lets what was held too long expire', async () => {
    const on = await rig({ policies: both });
    await on.pass(100);
    on.world.setUnreachable('gw-a');
    await give(on);
    await on.pass(120_000);
    on.world.setReachable('gw-a');
    await on.pass(20_000);
    expect(on.outcomes()).toEqual(['held', 'expired']);
    expect(on.world.gateways.device('gw-a').writes).toEqual([]);
  });

  it('says failed: not effective, when configured is all it becomes', async () => {
    const on = await rig({ policies: both });
    on.world.gateways.device('gw-a').advertises = false;
    await give(on);
    await on.pass(60_000);
    expect(on.ofKind('outcome')[0]!.outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('not effective') });
  });

  it('refuses what is not in the inventory, naming it', async () => {
    const stray = policy({ name: 'stray', on: config.changed(), ensure: () => bgpNetwork({ target: 'nobody' }, '23.0.0.0/8') });
    const on = await rig({ policies: [{ policy: stray, version: 'v1' }] });
    await give(on);
    await on.pass(100);
    expect(on.ofKind('outcome')[0]!.outcome).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('nobody is not in the inventory'),
    });
  });

  it('writes nothing in observe, and says what it would send', async () => {
    const on = await rig({ policies: both, modes: { default: 'observe', policies: {}, targets: {} } });
    await give(on);
    await on.pass(1_000);
    expect(on.world.gateways.device('gw-a').writes).toEqual([]);
    expect(on.ofKind('outcome')[0]!.outcome).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('it would send to gw-a: network 23.0.0.0/8'),
    });
  });

  it('holds to the more careful of the policy and the target', async () => {
    const on = await rig({
      policies: both,
      modes: { default: 'observe', policies: { 'plain-present': 'enforce' }, targets: { 'gw-a': 'observe' } },
    });
    await give(on);
    await on.pass(1_000);
    expect(on.world.gateways.device('gw-a').writes).toEqual([]);
  });

  it('writes nothing on a claim that reads otherwise, and reads it less than 2 s before it writes', async () => {
    const on = await rig({ policies: [claimed] });
    on.world.gateways.setState('gw-a', 'standby');
    await on.hear('gw-a', hsrpOf('active'));
    await on.pass(1_000);
    expect(on.outcomes()).toEqual(['rejected']);
    on.world.gateways.setState('gw-a', 'active');
    await on.hear('gw-a', hsrpOf('active'));
    await on.pass(5_000);
    expect(on.outcomes()).toEqual(['rejected', 'done']);
    const reading = on.ofKind('reading').at(-1)!;
    const attempt = on.ofKind('attempt')[0]!;
    expect(attempt.at - reading.at).toBeLessThan(2_000);
  });

  it('reads the state again where reading the resource took so long that it is stale', async () => {
    const on = await rig({ policies: [claimed] });
    await on.pass(100);
    on.world.gateways.setState('gw-a', 'active');
    on.world.set('gw-a', { answerMs: 1_200 });
    await on.hear('gw-a', hsrpOf('active'));
    await on.pass(20_000);
    const reads = on.ofKind('reading').filter(({ reading }) => reading.target === 'gw-a');
    const attempt = on.ofKind('attempt')[0]!;
    expect(reads.length).toBeGreaterThan(1);
    expect(attempt.at - reads.filter(({ at }) => at <= attempt.at).at(-1)!.at).toBeLessThan(2_000);
  });

  it('writes nothing upon a state that went stale while the line was busy, nor upon one that was read otherwise since', async () => {
    for (const see of ['peek', 'take'] as const) {
      const on = await rig({ policies: [claimed] });
      await on.pass(100);
      on.world.gateways.setState('gw-a', 'active');
      await on.hear('gw-a', hsrpOf('active'));
      await on.pass(15);
      // Its prefix is being read; somebody else asks next, and the answer takes long.
      on.world.set('gw-a', { answerMs: see === 'peek' ? 4_000 : 1_000 });
      if (see === 'peek') void on.runtime.executor.peek({ target: 'gw-a', query: 'fhrp' });
      else on.runtime.executor.submit(asks, on.wall.now());
      on.world.gateways.setState('gw-a', 'standby');
      await on.pass(60_000);
      expect(on.outcomes()).toEqual(['rejected']);
      expect(on.world.gateways.device('gw-a').writes).toEqual([]);
    }
  });

  it('fails, and says why, where the state is always stale when it comes', async () => {
    const on = await rig({ policies: [claimed] });
    await on.pass(100);
    on.world.gateways.setState('gw-a', 'active');
    on.world.set('gw-a', { answerMs: 2_100 });
    await on.hear('gw-a', hsrpOf('active'));
    await on.pass(60_000);
    expect(on.ofKind('outcome').map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'failed', reason: expect.stringContaining('takes so long to tell how it stands') },
    ]);
    expect(on.world.gateways.device('gw-a').writes).toEqual([]);
  });
});

/** What is begun once: where it has not come about, nobody begins it again. */
const onceOnly = Object.fromEntries(
  Object.entries(storyPlatforms).map(([name, platform]) => {
    const driver = platform.resources['bgp-network']!;
    const abandoned = (state: unknown): string | undefined =>
      (state as { readonly configured: boolean }).configured ? undefined : 'it is over, and not so';
    return [name, { ...platform, resources: { 'bgp-network': { ...driver, abandoned } } }];
  }),
);

describe('what takes long', () => {
  const slowPlatforms = Object.fromEntries(
    Object.entries(storyPlatforms).map(([name, platform]) => {
      const driver = { ...platform.resources['bgp-network']!, verifyDeadlineMs: 600_000 };
      return [name, { ...platform, resources: { 'bgp-network': driver } }];
    }),
  );

  it('is superseded by a newer one for its place until its attempt is on its way', async () => {
    const on = await rig({ policies: both, platforms: slowPlatforms });
    await on.pass(100);
    on.world.set('gw-a', { answerMs: 200 });
    await give(on);
    await on.pass(100);
    await take(on);
    await on.pass(5_000);
    expect(on.world.gateways.device('gw-a').writes).toEqual([]);
    expect(on.ofKind('outcome').map(({ intent, outcome }) => `${intent.split('@')[0]} ${outcome.kind}`)).toEqual([
      'plain-present superseded',
      'plain-absent already',
    ]);
  });

  it('is undone by a newer one once it is sent, not before', async () => {
    const on = await rig({ policies: both, platforms: slowPlatforms });
    await on.pass(100);
    on.world.set('gw-a', { answerMs: 200 });
    await give(on);
    while (on.ofKind('attempt').length === 0) await on.pass(1);
    await take(on);
    await on.pass(5_000);
    expect(on.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8', 'no network 23.0.0.0/8']);
  });

  it('is over where both are held: the newer one is what goes on when the target is back', async () => {
    const on = await rig({ policies: both, platforms: slowPlatforms });
    on.world.gateways.device('gw-a').advertises = false;
    await give(on);
    await on.pass(1_000);
    await take(on);
    while (on.ofKind('attempt').length < 2) await on.pass(1);
    on.world.setUnreachable('gw-a');
    await on.pass(10_000);
    expect(on.ofKind('outcome').map(({ intent, outcome }) => `${intent.split('@')[0]} ${outcome.kind}`)).toEqual(
      expect.arrayContaining(['plain-present superseded', 'plain-absent held']),
    );
    on.world.setReachable('gw-a');
    await on.pass(60_000);
    expect(on.runtime.engine.ledger.open()).toEqual([]);
    expect(on.world.gateways.device('gw-a').writes.at(-1)).toBe('no network 23.0.0.0/8');
  });

  it('holds nobody up', async () => {
    const on = await rig({ policies: both, platforms: slowPlatforms });
    on.world.gateways.device('gw-a').advertises = false;
    await give(on);
    await on.pass(1_000);
    expect(on.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    await take(on);
    await on.pass(1_000);
    expect(on.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8', 'no network 23.0.0.0/8']);
  });
});

describe('after a crash', () => {
  async function crashed(
    killAfter: (on: Rig) => Promise<void>,
    platforms = storyPlatforms,
  ): Promise<{ readonly before: Rig; readonly after: Rig }> {
    const before = await rig({ policies: both, platforms });
    await give(before);
    await killAfter(before);
    before.die();
    const { wall, world, journal } = before;
    const after = await rig({ policies: both, platforms, wall, world, journal, epoch: 2 });
    await after.pass(60_000);
    return { before, after };
  }

  it('an intent without an attempt goes again', async () => {
    const { after } = await crashed(async (on) => {
      while (on.ofKind('intent').length === 0) await on.pass(1);
    });
    expect(after.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    expect(after.outcomes()).toEqual(['done']);
  });

  it('an attempt that took effect is found so, and not written again', async () => {
    const { after } = await crashed(async (on) => {
      while (on.world.gateways.device('gw-a').writes.length === 0) await on.pass(1);
    });
    expect(after.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    expect(after.ofKind('outcome')[0]!.outcome).toMatchObject({ kind: 'done', reason: expect.stringContaining('found applied') });
  });

  it('an attempt that did not reach the device is tried again only after its deadline has passed', async () => {
    const { before, after } = await crashed(async (on) => {
      while (on.ofKind('attempt').length === 0) await on.pass(1);
    });
    const [first] = before.ofKind('attempt');
    const [second] = after.ofKind('attempt');
    expect(after.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    expect(second!.at).toBeGreaterThanOrEqual(first!.at + first!.deadlineMs);
    expect(after.outcomes()).toEqual(['done']);
  });

  it('an attempt that is not to be made twice fails at once where it has not come about', async () => {
    const { after } = await crashed(async (on) => {
      while (on.ofKind('attempt').length === 0) await on.pass(1);
    }, onceOnly);
    expect(after.world.gateways.device('gw-a').writes).toEqual([]);
    const [outcome] = after.ofKind('outcome');
    expect(outcome!.outcome).toMatchObject({ kind: 'failed', reason: 'it is over, and not so' });
    expect(outcome!.at - after.entries[0]!.at).toBeLessThan(1_000);
  });

  it('an attempt that is not to be made twice is done where it has come about', async () => {
    const { after } = await crashed(async (on) => {
      while (on.world.gateways.device('gw-a').writes.length === 0) await on.pass(1);
    }, onceOnly);
    expect(after.outcomes()).toEqual(['done']);
  });

  it('leaves nothing open, wherever it is killed', async () => {
    for (let ms = 0; ms < 200; ms += 3) {
      const { after } = await crashed((on) => on.pass(ms));
      expect(after.world.gateways.device('gw-a').writes, `killed after ${ms} ms`).toEqual(['network 23.0.0.0/8']);
      expect(after.runtime.engine.ledger.open(), `killed after ${ms} ms`).toEqual([]);
    }
  });
});
