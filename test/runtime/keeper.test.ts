// The one who looks after the journal's room: what it says, and when it looks.
import { expect, test } from 'vitest';
import type { Room } from '../../src/ports/journal.ts';
import { Keeper } from '../../src/runtime/keeper.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

function keeperOver(room: () => Promise<Room>) {
  const wall = new VirtualWall(1_767_225_600_000);
  const warnings: string[] = [];
  const keeper = new Keeper({
    wall,
    journal: { room, trim: async () => undefined, deleteBlob: async () => undefined, getBlob: async () => undefined },
    keeping: { keepMs: 1_000, bytesMax: Number.POSITIVE_INFINITY },
    needs: () => ({ seqs: [], since: [] }),
    kept: () => [],
    forget: () => undefined,
    hurry: () => undefined,
    warn: (text) => void warnings.push(text),
  });
  return { keeper, wall, warnings };
}

const ample = { usedBytes: 0, freeBytes: Number.POSITIVE_INFINITY };

test('does not look any more once it is stopped, were it looking just then', async () => {
  let looks = 0;
  let answer = Promise.withResolvers<Room>();
  const { keeper, wall, warnings } = keeperOver(() => {
    looks += 1;
    return answer.promise;
  });
  answer.resolve(ample);
  await keeper.start();
  answer = Promise.withResolvers();
  await wall.advance(1_000);
  expect(looks).toBe(2);
  const stopped = keeper.stop();
  // By then there is little: whoever waits now would wait for ever.
  answer.resolve({ usedBytes: 0, freeBytes: 0 });
  await stopped;
  await keeper.enough();
  await wall.advance(60_000);
  expect([looks, warnings.filter((text) => text.includes('nothing is done'))]).toEqual([2, []]);
});

test('says once what keeps it from looking, and again only when it is something else or came back', async () => {
  let fault: string | undefined = 'the disk is full';
  const { keeper, wall, warnings } = keeperOver(async () => {
    if (fault !== undefined) throw new Error(fault);
    return ample;
  });
  await keeper.start();
  await wall.advance(60_000);
  expect(warnings).toEqual(["the journal's room cannot be looked after: the disk is full"]);
  fault = 'it is damaged';
  await wall.advance(60_000);
  fault = undefined;
  await wall.advance(1_000);
  fault = 'it is damaged';
  await wall.advance(60_000);
  expect(warnings.slice(1)).toEqual(Array(2).fill("the journal's room cannot be looked after: it is damaged"));
  await keeper.stop();
});
