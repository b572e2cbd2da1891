// Threads of policies that end one after another, with nobody to name: then there is none to ask, and nobody waits for its answer.
import { expect, test } from 'vitest';
import { Apart } from '../../../src/runtime/apart/apart.ts';
import { feedBounds } from '../../../src/runtime/apart/feed.ts';
import type { ThreadEars } from '../../../src/runtime/apart/thread.ts';
import { turn } from '../../../src/runtime/wall.ts';
import { VirtualWall } from '../../../src/testing/virtual-wall.ts';

test('whoever asks for a snapshot once policies cannot be run any more is refused', async () => {
  const wall = new VirtualWall(1_767_225_600_000);
  const threads: ThreadEars[] = [];
  const apart = new Apart({
    wall,
    bounds: feedBounds,
    thread: (hears) => {
      threads.push(hears);
      return {
        order: (order) => {
          if (order.kind === 'load') queueMicrotask(() => hears.onReport({ kind: 'loaded', faces: [] }));
        },
        end: async () => undefined,
      };
    },
  });
  const failures: Error[] = [];
  apart.surround({
    decided: () => undefined,
    begunAnew: (work) => work(0),
    onEnded: () => undefined,
    onRebuilt: () => undefined,
    onFailure: (fault) => void failures.push(fault),
  });
  apart.begin(await apart.load([]));
  while (failures.length === 0) {
    threads.at(-1)!.onEnd({ how: 'died', reason: 'it exited' });
    await turn();
  }
  expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining('cannot be run: it exited')]);
  const asked = apart.snapshot(1, 1, [], '').then(
    () => 'written',
    (thrown: Error) => thrown.message,
  );
  const waited = turn().then(() => 'still waited for');
  expect(await Promise.race([asked, waited])).toContain('cannot be run');
});
