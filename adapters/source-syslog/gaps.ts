// Owns: how often a gap is told. A forged or broken counter jumps with every datagram; each gap makes policies read
// devices again, so a target has at most one in `gapIntervalMs`, and what came meanwhile is told with the next.
import { gapIntervalMs } from '../../src/model/limits.ts';
import type { Sink } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';

interface Held {
  toldAt: number;
  reason: string;
  more: number;
}

export class Gaps {
  readonly #sink: Pick<Sink, 'gap'>;
  readonly #wall: Pick<Wall, 'monotonic'>;
  /** By target, '' for senders that are nobody we know: as many as there are targets. */
  readonly #held = new Map<string, Held>();

  constructor(sink: Pick<Sink, 'gap'>, wall: Pick<Wall, 'monotonic'>) {
    this.#sink = sink;
    this.#wall = wall;
  }

  tell(reason: string, target = ''): void {
    const now = this.#wall.monotonic();
    const held = this.#held.get(target);
    if (held && now - held.toldAt < gapIntervalMs) {
      held.reason = reason;
      held.more += 1;
      return;
    }
    this.#held.set(target, { toldAt: now, reason: '', more: 0 });
    this.#say(target, reason);
  }

  /** Tells what has waited long enough. */
  flush(): void {
    const now = this.#wall.monotonic();
    for (const [target, held] of this.#held) {
      if (now - held.toldAt < gapIntervalMs) continue;
      this.#held.delete(target);
      if (held.more === 0) continue;
      this.tell(held.more === 1 ? held.reason : `${held.reason}; and ${held.more - 1} gaps before it`, target);
    }
  }

  #say(target: string, reason: string): void {
    if (target === '') this.#sink.gap(reason);
    else this.#sink.gap(reason, [target]);
  }
}
