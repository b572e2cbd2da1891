import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { bgpNetwork, config, exclusive, fhrp, policy } from '../../src/index.ts';
import type { NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { eventOf, hsrpOf, type Rig, rig } from './rig.ts';

const advertises = (prefix = '23.0.0.0/8') =>
  policy({
    name: 'advertises',
    on: fhrp.changed(),
    settle: { quiet: '2s' },
    ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, prefix)),
  });
const throwing = policy({
  name: 'throwing',
  on: config.changed(),
  ensure: () => {
    throw new Error('out of its depth');
  },
});

const network = bgpNetwork({ target: 'gw-a' }, '23.0.0.0/8');

async function again(before: Rig, policies: Parameters<typeof rig>[0]['policies'], epoch = 2): Promise<Rig> {
  before.die();
  const { wall, world, journal } = before;
  return rig({ policies, wall, world, journal, epoch });
}

async function lived(): Promise<Rig> {
  const on = await rig({ policies: [{ policy: advertises(), version: 'v1' }] });
  on.world.gateways.setState('gw-a', 'active');
  on.world.gateways.setState('gw-b', 'standby');
  await on.hear('gw-a', hsrpOf('active'));
  await on.pass(10_000);
  return on;
}

describe('recovery', () => {
  it('goes on behind the numbers given up for an append that the crash cut short', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offbox-recovery-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [path, copy] = ['journal.sqlite', 'copy.sqlite'].map((name) => join(folder, name)) as [string, string];
    const whole = await openSqliteJournal({ path });
    const before = await rig({ policies: [], journal: whole });
    await before.runtime.host.emit(eventOf('gw-a', null));
    before.die();
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    truncateSync(`${copy}-wal`, statSync(`${copy}-wal`).size - 1);
    await whole.close();
    const lost: string[] = [];
    const journal = await openSqliteJournal({ path: copy, onCut: (what) => lost.push(what) });
    onTestFinished(() => journal.close());
    expect(lost).toHaveLength(1);
    const { lastSeq: givenUp } = await journal.tail();
    const after = await rig({ policies: [], journal, epoch: 2 });
    expect(after.entries[0]!.seq).toBe(givenUp + 1);
    expect(await after.runtime.host.emit(eventOf('gw-a', null))).toBeGreaterThan(givenUp + 1);
    expect(after.failures).toEqual([]);
  });

  it('derives nothing anew from what was decided', async () => {
    const before = await lived();
    const after = await again(before, [{ policy: advertises(), version: 'v1' }]);
    await after.pass(10_000);
    expect(after.divergences).toEqual([]);
    expect(after.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
  });

  it('knows again who was active, and what is open', async () => {
    const before = await lived();
    const facts = before.runtime.engine.facts.allFhrp();
    const after = await again(before, [{ policy: advertises(), version: 'v1' }]);
    expect(after.runtime.engine.facts.allFhrp()).toEqual(facts);
  });

  it('puts a policy that wants something else under the same version in observe, and starts all the same', async () => {
    const before = await lived();
    const after = await again(before, [{ policy: advertises('24.0.0.0/8'), version: 'v1' }]);
    expect(after.divergences).toEqual(['advertises']);
    await after.pass(60_000);
    expect(after.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    expect(after.runtime.modes.of('advertises', 'gw-a')).toBe('observe');
  });

  it('lets another version of a policy want something else', async () => {
    const before = await lived();
    const after = await again(before, [{ policy: advertises('24.0.0.0/8'), version: 'v2' }]);
    expect(after.divergences).toEqual([]);
    await after.pass(60_000);
    expect(after.world.gateways.device('gw-a').writes).toContain('network 24.0.0.0/8');
    expect(after.ofKind('deploy')).toHaveLength(1);
  });

  it('does not wake a policy that was stopped, until it is another', async () => {
    const before = await rig({ policies: [{ policy: throwing, version: 'v1' }] });
    await before.hear('gw-a', { kind: 'config.changed' });
    await before.pass(100);
    expect(before.ofKind('quarantine')).toMatchObject([{ policy: 'throwing', reason: 'out of its depth' }]);
    const after = await again(before, [{ policy: throwing, version: 'v1' }]);
    await after.hear('gw-a', { kind: 'config.changed' });
    await after.pass(100);
    expect(after.ofKind('quarantine')).toEqual([]);
    expect(after.runtime.view.policies()[0]).toMatchObject({ state: 'stopped' });
    const mended = await again(after, [{ policy: throwing, version: 'v2' }], 3);
    await mended.hear('gw-a', { kind: 'config.changed' });
    await mended.pass(100);
    expect(mended.ofKind('quarantine')).toHaveLength(1);
  });

  it('decides for the first time what came before the crash and was not decided', async () => {
    const before = await lived();
    const { journal, wall } = before;
    before.die();
    const tail = await journal.tail();
    const origin = { source: 'test', peer: 'local', transport: 'local', trust: 'claimed', raw: '' } as const;
    const late: NewEntry = { kind: 'event', at: wall.now(), event: { target: 'gw-b', meaning: hsrpOf('active'), origin } };
    await journal.append([late], { epoch: 1, lastSeq: tail.lastSeq });
    before.world.gateways.setState('gw-a', 'standby');
    before.world.gateways.setState('gw-b', 'active');
    const after = await rig({
      policies: [{ policy: advertises(), version: 'v1' }],
      wall,
      world: before.world,
      journal,
      epoch: 2,
    });
    await after.pass(10_000);
    expect(after.world.gateways.via('23.0.0.0/8')).toEqual(['gw-b']);
  });

  it('decides it also by another version, and the version before, put back, finds nothing amiss', async () => {
    const once = policy({ name: 'once', on: config.changed(), ensure: () => network });
    const before = await rig({ policies: [{ policy: once, version: 'v1' }] });
    before.die();
    const { lastSeq, lastAt, epoch } = await before.journal.tail();
    const event = eventOf('gw-a', { kind: 'config.changed' });
    await before.journal.append([{ kind: 'event', event, at: lastAt }], { epoch, lastSeq });
    const edited = await again(before, [{ policy: once, version: 'v2' }]);
    await edited.pass(10_000);
    expect(before.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    for (const version of ['v2', 'v1', 'v3']) {
      const after = await again(edited, [{ policy: once, version }], 3);
      await after.pass(10_000);
      expect(after.divergences, version).toEqual([]);
    }
    expect(before.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
  });

  it('finds nothing amiss where what one version wanted is recorded just before the next is in force', async () => {
    const once = policy({ name: 'once', on: config.changed(), ensure: () => network });
    const inner = memoryJournal();
    const full = new RuntimeFault('[test] no room', { code: 'journal-full', remedy: 'Make some.' });
    let isFull = false;
    const journal: Journal = {
      ...inner,
      async append(batch, expect) {
        if (isFull) throw full;
        const answer = await inner.append(batch, expect);
        // There is just room for what was heard.
        isFull = batch.some((entry) => entry.kind === 'event' && entry.event.meaning?.kind === 'config.changed');
        return answer;
      },
    };
    const on = await rig({ policies: [{ policy: once, version: 'v1' }], journal });
    await on.hear('gw-a', { kind: 'config.changed' });
    await on.runtime.reload([{ policy: once, version: 'v2' }]);
    isFull = false;
    await on.pass(10_000);
    expect(on.world.gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
    for (const version of ['v2', 'v1']) expect((await again(on, [{ policy: once, version }])).divergences).toEqual([]);
  });

  it('ends the same wherever it is killed during a failover: gw-b has it, gw-a has not, nothing written twice', async () => {
    for (let ms = 0; ms < 2_600; ms += ms < 1_990 ? 331 : 7) {
      const before = await lived();
      before.world.gateways.setState('gw-a', 'standby');
      before.world.gateways.setState('gw-b', 'active');
      await before.hear('gw-b', hsrpOf('active'));
      await before.pass(ms);
      const after = await again(before, [{ policy: advertises(), version: 'v1' }]);
      await after.pass(60_000);
      expect(after.world.gateways.via('23.0.0.0/8'), `killed after ${ms} ms`).toEqual(['gw-b']);
      expect(after.world.gateways.device('gw-b').writes, `killed after ${ms} ms`).toEqual(['network 23.0.0.0/8']);
      expect(after.world.gateways.device('gw-a').writes, `killed after ${ms} ms`).toEqual([
        'network 23.0.0.0/8',
        'no network 23.0.0.0/8',
      ]);
      expect(after.divergences).toEqual([]);
    }
  });

  it('has the newest of one place live, also where it is derived only after the restart', async () => {
    const lastWord = policy({
      name: 'last-word',
      on: config.changed(),
      ensure: ({ by }) => (by === 'ada' ? network : network.absent()),
    });
    const policies = [{ policy: lastWord, version: 'v1' }];
    const on = await rig({ policies });
    on.world.setUnreachable('gw-a');
    await on.hear('gw-a', { kind: 'config.changed', by: 'ada' });
    await on.pass(5_000);
    expect(on.outcomes()).toEqual(['held']);
    on.die();
    // Durable, and not decided: Offbox died in between.
    const event = eventOf('gw-a', { kind: 'config.changed', by: 'bob' });
    const { lastSeq, lastAt, epoch } = await on.journal.tail();
    await on.journal.append([{ kind: 'event', event, at: lastAt }], { epoch, lastSeq });
    on.world.setReachable('gw-a');
    const after = await again(on, policies);
    await after.pass(60_000);
    expect(after.outcomes()).toEqual(['superseded', 'already']);
    expect(on.world.gateways.device('gw-a').writes).toEqual([]);
  });
});
