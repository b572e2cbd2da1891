// Owns: what Ctrl-C and SIGTERM mean: the first ends in order, a second one at once. And what the first is to a request that is followed.
import { sameSignalMs } from '../model/limits.ts';
import type { Wall } from '../ports/wall.ts';

/** Hears signals: `end` at the first, `leave` at each that is not the first one passed on. */
export function twice(wall: Pick<Wall, 'monotonic'>, end: () => void, leave: () => void): () => void {
  let heardAt: number | undefined;
  return () => {
    const now = wall.monotonic();
    if (heardAt === undefined) {
      heardAt = now;
      end();
    } else if (now - heardAt >= sameSignalMs) leave();
  };
}

/** Cancels the request, also where the signal comes before the request has its name; a second one ends the following. */
export class Interrupt {
  readonly hear: () => void;
  readonly #cancel: (request: string) => Promise<unknown>;
  #request: string | undefined;
  #came = false;

  constructor(cancel: (request: string) => Promise<unknown>, leave: () => void, wall: Pick<Wall, 'monotonic'>) {
    this.#cancel = cancel;
    this.hear = twice(wall, () => this.#come(), leave);
  }

  cancels(request: string): void {
    this.#request = request;
    if (this.#came) this.#cancelNow();
  }

  #come(): void {
    this.#came = true;
    this.#cancelNow();
  }

  #cancelNow(): void {
    if (this.#request !== undefined) void this.#cancel(this.#request).catch(() => undefined);
  }
}
