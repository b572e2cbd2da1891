// When snapshots are taken, and that a start goes on from the newest.
import { describe, expect, test } from 'vitest';
import { snapshotEntries, snapshotMs } from '../../src/model/limits.ts';
import { counting, say } from './counting.ts';
import { eventOf, type Rig, rig } from './rig.ts';

/** Lets the snapshot that is being written be done. */
const written = (on: Rig, count: number): Promise<void> => on.until(() => on.taken.length >= count);

const again = async ({ wall, world, journal, die }: Rig, epoch: number): Promise<Rig> => {
  die();
  return rig({ policies: [counting], wall, world, journal, epoch, snapshots: true });
};

describe('a runtime that takes snapshots', () => {
  test('takes one when enough has come, and starts again from there', async () => {
    const before = await rig({ policies: [counting], snapshots: true });
    await say(before, 2);
    await before.pass(snapshotMs);
    await say(before);
    await written(before, 1);
    expect(before.taken).toHaveLength(1);
    expect(before.ofKind('snapshot')).toMatchObject([{ policies: { counting: 'v1' }, unsettled: [] }]);
    const after = await again(before, 2);
    expect(after.recovered.restored).toBe(before.taken[0]!.through);
    expect(after.recovered.entries).toBeLessThan(8);
    expect(after.divergences).toEqual([]);
    expect(after.runtime.view.events().length).toBeGreaterThan(2);
  });

  test('goes on with a half-full window that only the snapshot remembers', async () => {
    const before = await rig({ policies: [counting], snapshots: true });
    await say(before, 2);
    await before.pass(snapshotMs);
    before.runtime.host.sink('test').offer([eventOf('gw-a', { kind: 'config.changed' })]);
    await written(before, 1);
    expect(before.ofKind('intent')).toEqual([]);
    await before.journal.trim(before.taken[0]!.through);
    const after = await again(before, 2);
    await say(after);
    await after.pass(1_000);
    expect(after.world.gateways.device('gw-a').writes).toEqual(['network 10.0.0.0/8']);
  });

  test('takes one when it stops, so that nothing is left to replay', async () => {
    const before = await rig({ policies: [counting], snapshots: true });
    await say(before, 2);
    const { journal } = before;
    const stopped = before.runtime.stop();
    await before.pass(0);
    await stopped;
    expect(before.taken).toHaveLength(1);
    expect(before.taken[0]!.seq - before.taken[0]!.through).toBeLessThanOrEqual(2);
    expect((await journal.tail().catch(() => 'closed')) === 'closed').toBe(true);
  });

  test('lets the journal forget what is older than asked for, and starts from what is left', async () => {
    const keeping = { keepMs: 3_600_000, bytesMax: Number.POSITIVE_INFINITY };
    const before = await rig({ policies: [counting], snapshots: true, keeping });
    await say(before, 2);
    for (let count = 1; count <= 30; count += 1) {
      await before.pass(snapshotMs);
      before.runtime.host.sink('test').offer([eventOf('gw-a', { kind: 'config.changed' })]);
      await written(before, count);
    }
    await before.pass(2_000);
    let first = 0;
    for await (const [entry] of before.journal.read(0)) {
      first ||= entry!.seq;
    }
    expect(first).toBeGreaterThan(before.taken[0]!.through);
    const cells = before.runtime.engine.cells.snapshot();
    const after = await again(before, 2);
    expect(after.warnings).toEqual([]);
    expect(after.runtime.engine.cells.snapshot()).toEqual(cells);
    // The edited one is warmed from what stands for the beginning.
    after.die();
    const { wall, world, journal } = after;
    const edited = await rig({ policies: [{ ...counting, version: 'v2' }], wall, world, journal, epoch: 3, snapshots: true });
    expect(edited.runtime.engine.cells.remembered('counting')).toMatchObject([{ keys: 1 }]);
    expect(edited.divergences).toEqual([]);
  });

  test('forgets nothing because of one that the disk has lost: an older one stands for the beginning', async () => {
    const before = await rig({ policies: [counting], snapshots: true });
    for (let count = 1; count <= 8; count += 1) {
      await before.pass(snapshotMs);
      await say(before);
      await written(before, count);
    }
    before.die();
    const { wall, world, journal, taken } = before;
    const [older, lost] = taken.slice(3);
    await journal.deleteBlob(lost!.digest);
    const keeping = { keepMs: wall.now() - lost!.at - 1, bytesMax: Number.POSITIVE_INFINITY };
    const after = await rig({ policies: [counting], wall, world, journal, epoch: 2, snapshots: true, keeping });
    await after.pass(2_000);
    const read = journal.read(0)[Symbol.asyncIterator]();
    expect((await read.next()).value[0].seq).toBe(older!.through + 1);
    expect(after.warnings).toEqual([
      `the snapshot of entry ${lost!.seq} cannot be used any more: nothing is forgotten because of it`,
    ]);
  });

  test('is taken before its time where the journal must get shorter, and stands for what goes', async () => {
    const keeping = { keepMs: 30 * 86_400_000, bytesMax: 100_000 };
    const on = await rig({ policies: [counting], snapshots: true, keeping });
    on.runtime.host.sink('test').offer(Array.from({ length: 600 }, () => eventOf('gw-a', { kind: 'config.changed' })));
    await on.pass(12_000);
    on.runtime.host.sink('test').offer([eventOf('gw-a', { kind: 'config.changed' })]);
    await written(on, 1);
    await on.pass(2_000);
    const read = on.journal.read(0)[Symbol.asyncIterator]();
    expect((await read.next()).value[0].seq).toBe(on.taken[0]!.through + 1);
    const cells = on.runtime.engine.cells.snapshot();
    const after = await again(on, 2);
    expect(after.runtime.engine.cells.snapshot()).toEqual(cells);
  });

  test('counts entries too', async () => {
    const on = await rig({ policies: [], snapshots: true });
    on.runtime.host.sink('test').offer(Array.from({ length: snapshotEntries }, () => eventOf(undefined, null)));
    await written(on, 1);
    expect(on.taken).toHaveLength(1);
  });
});
