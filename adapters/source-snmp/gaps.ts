// Owns: telling of gaps no oftener than they can be made good: the first at once, those that follow within the interval
// as one at its end. A sender that forges restarts asks for one reading of its target in that time, not for thousands.
import { gapIntervalMs } from '../../src/model/limits.ts';
import type { Sink } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';

export interface Gaps {
  /** Without a target, all are concerned. */
  tell(reason: string, target?: string): void;
  /** Tells what is still held back. */
  close(): void;
}

export function gapTeller(sink: Sink, wall: Wall): Gaps {
  /** Targets told of within the interval (`''` is all of them), with the reason of a later one. */
  const recent = new Map<string, { pending?: string; cancel: () => void }>();

  const say = (reason: string, key: string) => (key === '' ? sink.gap(reason) : sink.gap(reason, [key]));

  function tell(reason: string, target = ''): void {
    const told = recent.get(target);
    if (told) {
      told.pending = reason;
      return;
    }
    say(reason, target);
    const cancel = wall.after(gapIntervalMs, () => {
      const pending = recent.get(target)?.pending;
      recent.delete(target);
      if (pending !== undefined) tell(pending, target);
    });
    recent.set(target, { cancel });
  }

  return {
    tell,
    close() {
      for (const [key, { pending, cancel }] of recent) {
        cancel();
        if (pending !== undefined) say(pending, key);
      }
      recent.clear();
    },
  };
}
