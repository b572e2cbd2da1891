// Owns: putting in force what lies in the policies' folder: when it changes there, and again once what a version waits for is over.
import { messageOf } from '../model/errors.ts';
import { heldLookMs } from '../model/limits.ts';
import type { Wall } from '../ports/wall.ts';
import type { Apart } from './apart/apart.ts';
import type { BundledPolicy } from './apart/messages.ts';
import { whenGitIsDone } from './git-state.ts';
import { bundlePolicies } from './policies.ts';
import { StillHeld, type VersionChange } from './reload.ts';
import { watchFolder } from './watch-policies.ts';

export interface InForceOptions {
  readonly wall: Wall;
  readonly folder: string;
  readonly apart: Pick<Apart, 'told'>;
  readonly reload: (bundles: readonly BundledPolicy[]) => Promise<readonly VersionChange[]>;
  readonly onReload?: ((changes: readonly VersionChange[]) => void) | undefined;
  readonly onFailed?: ((why: string) => void) | undefined;
}

/** `waiting`: what lies there is not all in force from the beginning. Returns what ends it. */
export function keepInForce(options: InForceOptions, waiting: boolean): () => void {
  const { wall, folder, apart, reload, onReload, onFailed } = options;
  let attempts = 0;
  let cancel: (() => void) | undefined;
  const attempt = async (toldBefore?: string): Promise<void> => {
    cancel?.();
    attempts += 1;
    const mine = attempts;
    try {
      const changes = await reload(await whenGitIsDone(folder, wall, () => bundlePolicies(folder)));
      if (changes.length > 0) onReload?.(changes);
    } catch (thrown) {
      const why = messageOf(thrown);
      if (why !== toldBefore) onFailed?.(why);
      if (thrown instanceof StillHeld && mine === attempts) lookAgain(thrown, why);
    }
  };
  const lookAgain = (held: StillHeld, told: string): void => {
    const mine = attempts;
    cancel = wall.after(heldLookMs, async () => {
      const now = (await apart.told('held'))?.held;
      // Another attempt has begun, or all is over.
      if (mine !== attempts) return;
      const isOver = now && !now[held.policy]?.some((place) => held.places.includes(place));
      if (isOver) await attempt(told);
      else lookAgain(held, told);
    });
  };
  const unwatch = watchFolder(
    folder,
    wall,
    () => void attempt(),
    (error) => onFailed?.(messageOf(error)),
  );
  if (waiting) void attempt();
  return () => {
    attempts += 1;
    cancel?.();
    unwatch();
  };
}
