// Owns: watching that what was done stays done: a switch may learn an address again as long as its guest still sends from there.

import type { EnsureWant } from '../model/intent.ts';
import { readDeadlineMs } from '../model/limits.ts';
import type { Target } from '../model/target.ts';
import type { ResourceDriver } from '../ports/platform.ts';
import type { Wall } from '../ports/wall.ts';
import type { Line } from './line.ts';

export interface Watched {
  readonly want: EnsureWant;
  readonly line: Line;
  readonly driver: ResourceDriver;
  readonly target: Target;
  readonly wall: Wall;
  readonly signal: AbortSignal;
  /** Whether the `unless` of the want is read to be there. */
  readonly cannotComeBack: () => Promise<boolean>;
}

/** Between looks: a guest that still sends is heard within some hundred milliseconds. */
const lookMs = 250;

/** Resolves with false as soon as it is otherwise again; rejects where it cannot be read any more. */
export async function stays({ want, line, driver, target, wall, signal, cannotComeBack }: Watched): Promise<boolean> {
  const until = wall.monotonic() + (want.staysMs ?? 0);
  while (wall.monotonic() < until) {
    await wall.sleep(Math.min(lookMs, until - wall.monotonic()), signal);
    const state = await line.read(() => driver.read(want.resource, target), readDeadlineMs);
    if (!driver.verify(state, want.resource, want.desired, target).effective) return false;
    if (await cannotComeBack()) return true;
  }
  return true;
}
