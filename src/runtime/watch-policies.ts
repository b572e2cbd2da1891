// Owns: noticing that policies have changed on disk: an editor saves in several steps, git writes many files.
import { type FSWatcher, watch } from 'node:fs';
import type { Wall } from '../ports/wall.ts';

/** After the last change: a checkout of many files is one change. */
const quietMs = 300;

/** Calls back once things are quiet. Returns what ends it. A folder that cannot be watched is told once. */
export function watchFolder(folder: string, wall: Wall, changed: () => void, failed: (error: Error) => void): () => void {
  let cancel: (() => void) | undefined;
  const later = (): void => {
    cancel?.();
    cancel = wall.after(quietMs, changed);
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, { recursive: true, persistent: false }, later);
    watcher.on('error', failed);
  } catch (thrown) {
    failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
  return () => {
    cancel?.();
    watcher?.close();
  };
}
