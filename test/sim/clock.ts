// Owns: the time of a simulated world: one true time that everything is ordered by, and the wall clock that its machines
// show, which jumps and drifts away from it.
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const worldBegins = 1_767_225_600_000;

export class SimClock {
  /** True time; its timers are the world's own, not those of a process. */
  readonly base = new VirtualWall(worldBegins);
  #offsetMs = 0;
  #rate = 1;
  #driftFrom = 0;

  /** Milliseconds since the world began. */
  get time(): number {
    return this.base.monotonic();
  }

  /** What a machine's clock shows. */
  now(): number {
    return Math.floor(worldBegins + this.#offsetMs + this.#driftFrom + (this.time - this.#driftFrom) * this.#rate);
  }

  jump(ms: number): void {
    this.#offsetMs += ms;
  }

  /** From now on the shown clock runs at `rate` seconds a second. */
  drift(rate: number): void {
    this.#offsetMs += (this.time - this.#driftFrom) * (this.#rate - 1);
    this.#driftFrom = this.time;
    this.#rate = rate;
  }
}
