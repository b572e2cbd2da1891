// Owns: how much of what hypervisors say is handed on and not yet durable. Beyond the bound none of them is read: it waits in
// their sockets, in order, until there is room again.
import { libvirtUncommittedMax } from '../../src/model/limits.ts';
import type { Sink } from '../../src/ports/source.ts';

/** Whoever reads. */
export interface Readers {
  pause(): void;
  resume(): void;
}

/** A sink that counts what is not yet durable, and has the readers wait where it is too much. */
export function flowing(sink: Sink, readers: Readers): Sink {
  let uncommitted = 0;
  let isPaused = false;
  const settle = (events: number): void => {
    uncommitted -= events;
    if (!isPaused || uncommitted > libvirtUncommittedMax / 2) return;
    isPaused = false;
    readers.resume();
  };
  const settleOne = (): void => settle(1);
  return {
    gap: sink.gap,
    offer(events, committed) {
      const { length } = events;
      const whenDurable: typeof committed = committed
        ? (error, seq) => {
            settle(length);
            committed(error, seq);
          }
        : length === 1
          ? settleOne
          : () => settle(length);
      // Counted before: it may be durable before offer() returns.
      uncommitted += length;
      if (!sink.offer(events, whenDurable)) {
        uncommitted -= length;
        return false;
      }
      if (!isPaused && uncommitted >= libvirtUncommittedMax) {
        isPaused = true;
        readers.pause();
      }
      return true;
    },
  };
}
