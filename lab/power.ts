// Owns: the power of one device: off at once, on again when it has booted; and its way to the management network.
import type { Wall } from '../src/ports/wall.ts';
import type { Chassis } from './model/chassis.ts';
import type { Host } from './servers/host.ts';

export interface PowerOptions {
  readonly device: Chassis;
  readonly host: Host;
  readonly wall: Wall;
  readonly bootMs: number;
  readonly stopped: AbortSignal;
}

export interface Power {
  off(): void;
  /** Resolves when it is reachable, or another fault overtook the boot, or the lab was stopped. */
  boot(): Promise<void>;
}

export function createPower({ device, host, wall, bootMs, stopped }: PowerOptions): Power {
  /** Counts power cycles: a boot that another fault overtook is not finished. */
  let cycles = 0;
  /** False where the lab was stopped meanwhile. */
  const pause = () =>
    wall.sleep(bootMs, stopped).then(
      () => true,
      () => false,
    );
  return {
    off() {
      cycles += 1;
      device.powerOff();
      host.powerOff();
    },
    async boot() {
      cycles += 1;
      const cycle = cycles;
      if (!(await pause()) || cycles !== cycle) return;
      await host.powerOn();
      if (cycles === cycle) device.boot();
    },
  };
}
