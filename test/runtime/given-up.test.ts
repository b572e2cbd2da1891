// What a damaged log has lost has numbers that are never used again: a hole of thousands, behind which everything is still to be found.
import { expect, test } from 'vitest';
import { snapshotMs } from '../../src/model/limits.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { counting, say } from './counting.ts';
import { rig } from './rig.ts';

/** The same journal, in which so many numbers after its last one were given up. */
function givenUp(journal: Journal, after: number, lost: number): Journal {
  const shown = (seq: number): number => (seq > after ? seq + lost : seq);
  const inner = (seq: number): number => (seq > after ? Math.max(after + 1, seq - lost) : seq);
  async function* each<T extends { readonly seq: number }>(batches: AsyncIterable<readonly T[]>) {
    for await (const batch of batches) yield batch.map((entry) => ({ ...entry, seq: shown(entry.seq) }));
  }
  return {
    ...journal,
    read: (from) => each(journal.read(inner(from))),
    ofKind: (kind, from) => each(journal.ofKind(kind, inner(from))),
    trim: (before) => journal.trim(inner(before)),
    async tail() {
      const tail = await journal.tail();
      return { ...tail, lastSeq: tail.lastSeq === after ? after + lost : shown(tail.lastSeq) };
    },
    async append(batch, { epoch, lastSeq }) {
      const { firstSeq } = await journal.append(batch, { epoch, lastSeq: lastSeq - lost });
      return { firstSeq: shown(firstSeq) };
    },
  };
}

test('a start finds the snapshot before them, and so does the next one', async () => {
  const before = await rig({ policies: [counting], snapshots: true });
  await say(before);
  await before.pass(snapshotMs);
  await say(before);
  await before.until(() => before.taken.length > 0);
  const [taken] = before.taken;
  await before.journal.trim(taken!.through + 1);
  before.die();
  const { wall, world } = before;
  const journal = givenUp(before.journal, (await before.journal.tail()).lastSeq, 1_000_000);
  const after = await rig({ policies: [counting], wall, world, journal, epoch: 2, snapshots: true });
  expect([after.recovered.restored, after.warnings]).toEqual([taken!.through, []]);
  after.die();
  const again = await rig({ policies: [counting], wall, world, journal, epoch: 3, snapshots: true });
  expect([again.recovered.restored, again.warnings]).toEqual([taken!.through, []]);
  await say(again);
  await again.pass(1_000);
  expect(again.world.gateways.device('gw-a').writes).toEqual(['network 10.0.0.0/8']);
});
