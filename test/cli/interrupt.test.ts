// Ctrl-C at a request that is followed, as the terminal and the launcher tell it.
import { expect, it } from 'vitest';
import { Interrupt } from '../../src/cli/interrupt.ts';
import { sameSignalMs } from '../../src/model/limits.ts';

function interrupted() {
  const cancelled: string[] = [];
  let now = 0;
  let left = 0;
  const interrupt = new Interrupt(
    async (request) => void cancelled.push(request),
    () => {
      left += 1;
    },
    { monotonic: () => now },
  );
  const hear = (at: number): void => {
    now = at;
    interrupt.hear();
  };
  return { interrupt, hear, cancelled, left: () => left };
}

it('cancels once, however often one signal is passed on, and leaves at the second', () => {
  const { interrupt, hear, cancelled, left } = interrupted();
  interrupt.cancels('r1');
  hear(1_000);
  hear(1_000 + sameSignalMs - 1);
  expect([cancelled, left()]).toEqual([['r1'], 0]);
  hear(1_000 + sameSignalMs);
  expect([cancelled, left()]).toEqual([['r1'], 1]);
});

it('cancels a request as soon as it has its name, where it came before', () => {
  const { interrupt, hear, cancelled } = interrupted();
  hear(0);
  expect(cancelled).toEqual([]);
  interrupt.cancels('r1');
  expect(cancelled).toEqual(['r1']);
});
