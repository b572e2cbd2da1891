// Other versions of policies while it runs: what is half done stays half done, what is broken changes nothing.

import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { perKey } from '../../src/core/operators/per-key.ts';
import { threshold } from '../../src/core/operators/threshold.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { interfaces, syslog } from '../../src/core/selectors.ts';
import type { Event } from '../../src/model/event.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import { rig } from './rig.ts';

const text = (said: string): Event => ({
  target: 'gw-a',
  meaning: null,
  syslog: { pri: 189, facility: 23, severity: 5, mnemonic: 'TEST-5-X', host: null, app: null, text: said },
  origin: { source: 'test', peer: 'local', transport: 'local', trust: 'claimed', raw: '' },
});

/** After three messages within a minute it wants a network: `prefix` is what an edit changes. */
const counting = (prefix: string, count = 3, name = 'counting'): DeployedPolicy => ({
  version: `${prefix} ${count}`,
  policy: policy({
    name,
    on: syslog(),
    pipe: (events) =>
      events.pipe(
        perKey(
          ({ target }) => target,
          (one) => one.pipe(threshold(count, '60s')),
        ),
        map(({ target }) => bgpNetwork({ target }, prefix)),
      ),
  }),
});
const settling = (prefix: string, quiet: '10s' | '20s' = '10s'): DeployedPolicy => ({
  version: `${prefix} ${quiet}`,
  policy: policy({ name: 'settling', on: syslog(), settle: { quiet }, ensure: ({ target }) => bgpNetwork({ target }, prefix) }),
});

async function running(policies: readonly DeployedPolicy[]) {
  const made = await rig({ policies });
  const say = async (said: string) => {
    made.runtime.host.sink('test').offer([text(said)]);
    await made.pass(0);
  };
  const wanted = () =>
    made
      .ofKind('intent')
      .flatMap(({ intent: { want, version } }) => (want.kind === 'ensure' ? [`${want.resource.prefix} by ${version}`] : []));
  const reload = async (next: readonly DeployedPolicy[]) => {
    const reloaded = made.runtime.reload(next);
    await made.pass(0);
    return reloaded;
  };
  return { ...made, say, wanted, reload };
}

describe('an edited policy', () => {
  test('goes on with a half-full window where its operator is unchanged, and says so', async () => {
    const { say, wanted, reload, ofKind } = await running([counting('10.0.0.0/8')]);
    await say('a');
    await say('b');
    expect(await reload([counting('11.0.0.0/8')])).toMatchObject([
      {
        policy: 'counting',
        from: '10.0.0.0/8 3',
        to: '11.0.0.0/8 3',
        kept: expect.arrayContaining([expect.stringContaining('threshold')]),
        reset: [],
      },
    ]);
    expect(ofKind('deploy').at(-1)).toMatchObject({ policy: 'counting', version: '11.0.0.0/8 3' });
    expect(wanted()).toEqual([]);
    await say('c');
    expect(wanted()).toEqual(['11.0.0.0/8 by 11.0.0.0/8 3']);
  });

  test('has its changed operator filled from the recorded past, and says so; what it would have done then is not done', async () => {
    const { say, wanted, reload } = await running([settling('10.0.0.0/8', '20s')]);
    await say('a');
    const [change] = await reload([settling('10.0.0.0/8', '10s')]);
    expect(change).toMatchObject({ kept: [], reset: [expect.stringContaining('settle')] });
    expect(wanted()).toEqual([]);
  });

  test('rings an alarm that the old version set, at its time', async () => {
    const { say, wanted, reload, pass } = await running([settling('10.0.0.0/8')]);
    await say('a');
    await pass(4_000);
    await reload([settling('11.0.0.0/8')]);
    await pass(5_000);
    expect(wanted()).toEqual([]);
    await pass(2_000);
    expect(wanted()).toEqual(['11.0.0.0/8 by 11.0.0.0/8 10s']);
  });

  test('leaves every other policy as it was, and loses nothing that comes meanwhile', async () => {
    const { say, wanted, runtime, pass } = await running([counting('10.0.0.0/8'), settling('12.0.0.0/8')]);
    await say('a');
    const reloaded = runtime.reload([counting('11.0.0.0/8'), settling('12.0.0.0/8')]);
    for (const said of ['b', 'c']) runtime.host.sink('test').offer([text(said)]);
    await pass(0);
    await reloaded;
    await pass(11_000);
    expect(wanted()).toContain('12.0.0.0/8 by 12.0.0.0/8 10s');
    expect(wanted().filter((want) => /^1[01]\./.test(want))).toHaveLength(1);
  });

  test('is the same after a restart', async () => {
    const { say, reload, journal, wall, world, die, runtime } = await running([counting('10.0.0.0/8')]);
    await say('a');
    await reload([counting('11.0.0.0/8')]);
    await say('b');
    const before = runtime.engine.cells.snapshot();
    die();
    const again = await rig({ policies: [counting('11.0.0.0/8')], journal, wall, world, epoch: 2 });
    expect(again.divergences).toEqual([]);
    expect(again.runtime.engine.cells.snapshot()).toEqual(before);
  });
});

describe('a policy', () => {
  test('that is new runs from its deploy entry on', async () => {
    const { say, wanted, reload } = await running([]);
    expect(await reload([counting('10.0.0.0/8', 1)])).toMatchObject([{ policy: 'counting', to: '10.0.0.0/8 1' }]);
    await say('a');
    expect(wanted()).toEqual(['10.0.0.0/8 by 10.0.0.0/8 1']);
  });

  test('that is gone stops with an entry; put back, also after a restart, it runs again', async () => {
    const one = counting('10.0.0.0/8', 1);
    const { say, wanted, reload, ofKind, journal, wall, world, die } = await running([one]);
    await reload([]);
    expect(ofKind('quarantine')).toMatchObject([{ policy: 'counting', reason: 'removed: its file is gone' }]);
    await say('a');
    expect(wanted()).toEqual([]);
    die();
    const again = await rig({ policies: [one], journal, wall, world, epoch: 2 });
    again.runtime.host.sink('test').offer([text('b')]);
    await again.pass(0);
    expect(again.ofKind('intent').map(({ intent }) => intent.policy)).toEqual(['counting']);
  });

  test('of the same version changes nothing, and makes no entry', async () => {
    const { reload, entries } = await running([counting('10.0.0.0/8')]);
    const before = entries.length;
    expect(await reload([counting('10.0.0.0/8')])).toEqual([]);
    expect(entries).toHaveLength(before);
  });
});

describe('a policy that holds something', () => {
  const holding: DeployedPolicy = {
    version: 'holds',
    policy: policy({
      name: 'holding',
      on: interfaces.down(),
      until: interfaces.up(),
      atMost: '1h',
      hold: ({ target }) => bgpNetwork({ target }, '10.0.0.0/8'),
    }),
  };
  const ensuring: DeployedPolicy = {
    version: 'ensures',
    policy: policy({ name: 'holding', on: interfaces.up(), ensure: () => [] }),
  };
  const uplink = (to: 'down' | 'up'): Meaning => ({ kind: 'interface.state-changed', interface: 'Gi1', to, layer: 'link' });

  async function held() {
    const on = await running([holding]);
    await on.hear('gw-a', uplink('down'));
    await on.pass(1_000);
    const { writes } = on.world.gateways.device('gw-a');
    expect(writes).toEqual(['network 10.0.0.0/8']);
    return { ...on, writes };
  }

  test('is not replaced by a version that could not let go of it: that is said, and the old one goes on', async () => {
    const { reload, hear, pass, writes, entries } = await held();
    const before = entries.length;
    await expect(reload([ensuring])).rejects.toThrow(
      'holding holds bgp-network 10.0.0.0/8 default of gw-a, and its new version has no hold',
    );
    expect(entries).toHaveLength(before);
    await hear('gw-a', uplink('up'));
    await pass(1_000);
    expect(writes).toEqual(['network 10.0.0.0/8', 'no network 10.0.0.0/8']);
    expect(await reload([ensuring])).toMatchObject([{ policy: 'holding', from: 'holds', to: 'ensures' }]);
  });

  test('lets go of it when its file is gone, as soon as the target is back, however long that takes', async () => {
    const { reload, pass, writes, world, runtime } = await held();
    world.setUnreachable('gw-a');
    await reload([]);
    expect(runtime.view.policies()).toMatchObject([{ name: 'holding', state: 'stopped' }]);
    await pass(3 * 3_600_000);
    expect(writes).toHaveLength(1);
    // A start of then would have to let go of it.
    expect(runtime.engine.versionsLeft()).toEqual({ holding: 'holds' });
    world.setReachable('gw-a');
    await pass(3_600_000);
    expect(writes).toEqual(['network 10.0.0.0/8', 'no network 10.0.0.0/8']);
    expect(runtime.engine.versionsLeft()).toEqual({});
    await reload([counting('10.0.0.0/8')]);
    expect(runtime.view.policies().map(({ name }) => name)).toEqual(['counting']);
  });
});

const holding = (version: string, ...prefixes: readonly string[]): DeployedPolicy => ({
  version,
  policy: policy({
    ...{ name: 'holding', on: interfaces.down(), until: interfaces.up(), atMost: '1h' },
    hold: ({ target }) => prefixes.map((prefix) => bgpNetwork({ target }, prefix)),
  }),
});

test.each([
  ['less', ['10.0.0.0/8']],
  ['something else', ['10.0.0.0/8', '12.0.0.0/8']],
])('a version that holds %s than what the one before holds waits until that is let go of', async (_, prefixes) => {
  const uplink = { kind: 'interface.state-changed', interface: 'Gi1', layer: 'link' } as const;
  const on = await rig({ policies: [holding('v1', '10.0.0.0/8', '11.0.0.0/8')] });
  await on.hear('gw-a', { ...uplink, to: 'down' });
  await on.pass(1_000);
  const edited = holding('v2', ...prefixes);
  const refused = expect(on.runtime.reload([edited])).rejects.toThrow(
    /holding holds .*11\.0\.0\.0\/8.*, which its new version does not/,
  );
  await on.pass(0);
  await refused;
  await on.hear('gw-a', { ...uplink, to: 'up' });
  await on.pass(60_000);
  const { writes } = on.world.gateways.device('gw-a');
  expect(writes.slice(2).toSorted()).toEqual(['no network 10.0.0.0/8', 'no network 11.0.0.0/8']);
  const reloaded = on.runtime.reload([edited]);
  await on.pass(0);
  expect(await reloaded).toMatchObject([{ policy: 'holding', to: 'v2' }]);
});
