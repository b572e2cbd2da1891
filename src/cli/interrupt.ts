// Owns: what Ctrl-C does to a request that is followed: the first cancels it, also where it comes before the request has its name; the
// second ends the following.
import { sameSignalMs } from '../model/limits.ts';
import type { Wall } from '../ports/wall.ts';

export class Interrupt {
  readonly #cancel: (request: string) => Promise<unknown>;
  readonly #leave: () => void;
  readonly #wall: Pick<Wall, 'monotonic'>;
  #request: string | undefined;
  #heardAt: number | undefined;

  constructor(cancel: (request: string) => Promise<unknown>, leave: () => void, wall: Pick<Wall, 'monotonic'>) {
    this.#cancel = cancel;
    this.#leave = leave;
    this.#wall = wall;
  }

  cancels(request: string): void {
    this.#request = request;
    if (this.#heardAt !== undefined) this.#cancelNow();
  }

  readonly hear = (): void => {
    const now = this.#wall.monotonic();
    if (this.#heardAt === undefined) {
      this.#heardAt = now;
      this.#cancelNow();
    } else if (now - this.#heardAt >= sameSignalMs) this.#leave();
  };

  #cancelNow(): void {
    if (this.#request !== undefined) void this.#cancel(this.#request).catch(() => undefined);
  }
}
