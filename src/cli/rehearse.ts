// Owns: what stories need before they are played: their files, and their policies as bundles.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { messageOf } from '../model/errors.ts';
import type { Inventory } from '../model/target.ts';
import type { BundledPolicy } from '../runtime/apart/messages.ts';
import type { Stage } from '../testing/stage.ts';
import { policiesBeside } from '../testing/transcript.ts';

export interface StoryFile {
  readonly file: string;
  /** As people name it. */
  readonly where: string;
  readonly text: string;
  /** Its own: the name of its folder. */
  readonly policy: string;
  /** All that it plays, its own among them, in the order they are deployed in. */
  readonly policies: readonly string[];
}

export async function storiesOf(root: string): Promise<readonly StoryFile[]> {
  const folder = join(root, 'stories');
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found
    .flatMap((entry) => (entry.isDirectory() ? [] : [relative(folder, join(entry.parentPath, entry.name))]))
    .filter((name) => /^[^/]+\/[^/]+\.txt$/.test(name))
    .sort()
    .map((name) => ({ file: join(folder, name), policy: name.slice(0, name.indexOf('/')) }));
  return Promise.all(
    files.map(async ({ file, policy }) => {
      const text = await readFile(file, 'utf8');
      const policies = [...new Set([policy, ...policiesBeside(text)])].sort();
      return { file, where: relative(process.cwd(), file), text, policy, policies };
    }),
  );
}

export interface Rehearsed {
  /** Why policies cannot be played. */
  readonly faults: ReadonlyMap<string, string>;
  /** Policies that are not there. */
  readonly missing: ReadonlySet<string>;
}

export const policyPath = (root: string, name: string): string => join(root, `${name}.ts`);

/** Loads the policies of stories on the stage. */
export async function rehearsed(root: string, stories: readonly StoryFile[], stage: Stage): Promise<Rehearsed> {
  const named = [...new Set(stories.flatMap(({ policies }) => policies))].sort();
  const names = named.filter((name) => existsSync(policyPath(root, name)));
  const { bundlePolicy } = await import('../main.ts');
  const faults = new Map<string, string>();
  const bundles = new Map<string, BundledPolicy>();
  const bundled = await Promise.allSettled(names.map((name) => bundlePolicy(policyPath(root, name))));
  for (const [index, one] of bundled.entries()) {
    if (one.status === 'fulfilled') bundles.set(names[index]!, one.value);
    else faults.set(names[index]!, messageOf(one.reason));
  }
  for (const [name, policy] of await stage.load(bundles)) if (typeof policy === 'string') faults.set(name, policy);
  return { faults, missing: new Set(named.filter((name) => !names.includes(name))) };
}

/** The inventory of a policy's stories: beside them, else beside all stories. Each is read once. */
export function inventories(root: string): (policy: string) => Promise<Inventory> {
  const read = new Map<string, Promise<Inventory>>();
  return (policy) => {
    const own = join(root, 'stories', policy, 'inventory.yaml');
    const path = existsSync(own) ? own : join(root, 'stories', 'inventory.yaml');
    const inventory = read.get(path) ?? import('../main.ts').then(({ loadInventory }) => loadInventory(path));
    read.set(path, inventory);
    return inventory;
  };
}
