// What another Offbox left behind: its snapshots are not put back, but they are there, and stand for what they are of. And what a start
// with a wrong clock leaves of it.
import { describe, expect, test } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { bgpNetwork, config, policy } from '../../src/index.ts';
import { snapshotMs } from '../../src/model/limits.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { eventOf, type Rig, rig } from './rig.ts';

const wanting: DeployedPolicy = {
  version: 'v1',
  policy: policy({ name: 'wanting', on: config.changed(), ensure: ({ target }) => bgpNetwork({ target }, '10.0.0.0/8') }),
};

/** A journal whose snapshots are all of another Offbox. */
function ofAnother(journal: Journal): Journal {
  return {
    ...journal,
    append: (batch, expect) =>
      journal.append(
        batch.map((entry) => (entry.kind === 'snapshot' ? { ...entry, runtime: '0.0.1' } : entry)),
        expect,
      ),
  };
}

/** Says something, lets a snapshot be due, so many times. */
async function live(on: Rig, count: number): Promise<void> {
  for (let taken = 1; taken <= count; taken += 1) {
    await on.pass(snapshotMs);
    on.runtime.host.sink('test').offer([eventOf(undefined, null)]);
    await on.until(() => on.taken.length >= taken);
  }
  expect(on.taken).toHaveLength(count);
}

async function firstOf(journal: Journal): Promise<number> {
  for await (const [entry] of journal.read(0)) return entry!.seq;
  throw new Error('it is empty');
}

const everything = { keepMs: Number.MAX_SAFE_INTEGER, bytesMax: Number.POSITIVE_INFINITY };

describe('after an upgrade', () => {
  test('a journal that must get shorter forgets one snapshot`s entries at a time, and not all there are', async () => {
    const journal = memoryJournal();
    const before = await rig({ policies: [wanting], journal: ofAnother(journal), snapshots: true, keeping: everything });
    await live(before, 12);
    before.die();
    const { wall, world, taken } = before;
    const room = { usedBytes: 0, freeBytes: Number.POSITIVE_INFINITY };
    const narrow: Journal = { ...journal, room: async () => room };
    const keeping = { keepMs: Number.MAX_SAFE_INTEGER, bytesMax: 1_000 };
    const after = await rig({ policies: [wanting], wall, world, journal: narrow, epoch: 2, snapshots: true, keeping });
    await live(after, 1);
    expect(await firstOf(journal)).toBe(1);
    room.usedBytes = 900;
    await after.pass(1_000);
    room.usedBytes = 0;
    await after.pass(5_000);
    expect(after.warnings).toEqual([
      `snapshots up to entry ${taken.at(-1)!.seq} are of Offbox 0.0.1`,
      'no snapshot fits: every entry there is is replayed',
    ]);
    expect(await firstOf(journal)).toBe(taken[0]!.through + 1);
  });

  test('what is older than asked for goes as before, without a word', async () => {
    const journal = memoryJournal();
    const keeping = { keepMs: 6 * snapshotMs, bytesMax: Number.POSITIVE_INFINITY };
    const before = await rig({ policies: [wanting], journal: ofAnother(journal), snapshots: true, keeping });
    await live(before, 20);
    await before.pass(2_000);
    const first = await firstOf(journal);
    expect(first).toBeGreaterThan(1);
    before.die();
    const { wall, world } = before;
    const after = await rig({ policies: [wanting], wall, world, journal, epoch: 2, snapshots: true, keeping });
    await live(after, 24);
    await after.pass(2_000);
    expect(after.warnings.filter((text) => text.includes('cannot be used any more'))).toEqual([]);
    expect(await firstOf(journal)).toBeGreaterThan(first);
  });
});

test('a clock that is years ahead at the start, until it is set, costs nothing of what is kept', async () => {
  const journal = memoryJournal();
  const keeping = { keepMs: 86_400_000, bytesMax: Number.POSITIVE_INFINITY };
  const before = await rig({ policies: [wanting], journal, snapshots: true, keeping });
  await live(before, 12);
  before.die();
  const { wall, world } = before;
  const now = wall.now.bind(wall);
  wall.now = () => now() + 10 * 365 * 86_400_000;
  const after = await rig({ policies: [wanting], wall, world, journal, epoch: 2, snapshots: true, keeping });
  await after.pass(3_000);
  wall.now = now;
  await after.pass(snapshotMs);
  expect(await firstOf(journal)).toBe(1);
});
