// Owns: a signal that aborts when the time is up or when another signal does, and cleans up after itself.
import type { Wall } from '../ports/wall.ts';

export function deadline(
  wall: Wall,
  ms: number,
  parent: AbortSignal,
  reason: () => Error,
): { readonly signal: AbortSignal; readonly done: () => void } {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent.reason);
  if (parent.aborted) follow();
  parent.addEventListener('abort', follow);
  const cancel = wall.after(ms, () => controller.abort(reason()));
  return {
    signal: controller.signal,
    done: () => {
      cancel();
      parent.removeEventListener('abort', follow);
    },
  };
}
