// Owns: noticing that policies have changed on disk: an editor saves in several steps, git writes many files, and a policy may
// import what lies in a folder below.
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Wall } from '../ports/wall.ts';

/** After the last change: a checkout of many files is one change. */
const quietMs = 300;
/** Folders below that hold no code of policies. */
const passedOver = new Set(['node_modules', 'stories', '.git']);
/** A folder of policies has a handful. */
const foldersMax = 256;

/** Calls back once things are quiet. Returns what ends it. A folder that cannot be watched is told once. */
export function watchFolder(folder: string, wall: Wall, changed: () => void, failed: (error: Error) => void): () => void {
  // Each folder by itself: Node's own recursive watcher may keep a process from ending.
  const watched = new Map<string, FSWatcher>();
  let cancel: (() => void) | undefined;
  const look = (): void => {
    for (const path of foldersOf(folder)) {
      if (watched.has(path)) continue;
      const watcher = watch(path, { persistent: false }, later);
      watcher.on('error', failed);
      watched.set(path, watcher);
    }
  };
  const later = (): void => {
    cancel?.();
    cancel = wall.after(quietMs, () => {
      attempt();
      changed();
    });
  };
  const attempt = (): void => {
    try {
      look();
    } catch (thrown) {
      failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  };
  attempt();
  return () => {
    cancel?.();
    for (const watcher of watched.values()) watcher.close();
  };
}

/** The folder and those below, each once. */
function foldersOf(folder: string): readonly string[] {
  const found = [folder];
  for (let next = 0; next < found.length && found.length < foldersMax; next += 1) {
    const below = readdirSync(found[next]!, { withFileTypes: true });
    found.push(
      ...below.filter((one) => one.isDirectory() && !passedOver.has(one.name)).map(({ name }) => join(found[next]!, name)),
    );
  }
  return found;
}
