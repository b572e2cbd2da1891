// Owns: what stories need before they are played: their files, their policies as bundles, and what the check finds about those.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { messageOf } from '../model/errors.ts';
import type { Inventory } from '../model/target.ts';
import type { BundledPolicy } from '../runtime/apart/messages.ts';
import type { Finding } from '../runtime/check-policies.ts';
import type { Stage } from '../testing/stage.ts';
import { policiesBeside } from '../testing/transcript.ts';
import { typeErrors } from './findings.ts';

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
  /** What the check finds. */
  readonly findings: readonly Finding[];
  /** Policies that do not pass it. */
  readonly unfit: ReadonlySet<string>;
}

export const policyPath = (root: string, name: string): string => join(root, `${name}.ts`);

/** Loads the policies of stories on the stage, and checks them meanwhile. */
export async function rehearsed(root: string, stories: readonly StoryFile[], stage: Stage): Promise<Rehearsed> {
  const named = [...new Set(stories.flatMap(({ policies }) => policies))].sort();
  const names = named.filter((name) => existsSync(policyPath(root, name)));
  const paths = names.map((name) => policyPath(root, name));
  const { lintFiles } = await import('../runtime/check-policies.ts');
  // It is a process of its own, and goes on beside what follows.
  const types = typeErrors(root, paths);
  const { faults, pipes, memory } = await loaded(root, names, stage);
  const own = [...(await lintFiles(paths)), ...pipes, ...memory];
  // What we said of a line says it better.
  const said = new Set(own.map(placeOf));
  const findings = [...own, ...(await types).filter((finding) => !said.has(placeOf(finding)))];
  const at = findings.map(({ path }) => path && resolve(path));
  // What is found elsewhere they may import.
  const isElsewhere = at.some((path) => path === undefined || !paths.includes(path));
  const unfit = names.filter((name) => isElsewhere || at.includes(policyPath(root, name)));
  return { faults, missing: new Set(named.filter((name) => !names.includes(name))), findings, unfit: new Set(unfit) };
}

const placeOf = ({ path = '', line }: Finding): string => `${resolve(path)}:${line}`;

async function loaded(root: string, names: readonly string[], stage: Stage) {
  const [{ bundlePolicy }, { checkPipes }, { checkMemory }] = await Promise.all([
    import('../main.ts'),
    import('../runtime/check-pipes.ts'),
    import('../runtime/check-memory.ts'),
  ]);
  const faults = new Map<string, string>();
  const bundles = new Map<string, BundledPolicy>();
  const bundled = await Promise.allSettled(names.map((name) => bundlePolicy(policyPath(root, name))));
  for (const [index, one] of bundled.entries()) {
    if (one.status === 'fulfilled') bundles.set(names[index]!, one.value);
    else faults.set(names[index]!, messageOf(one.reason));
  }
  const sound: Parameters<typeof checkPipes>[0][number][] = [];
  for (const [name, policy] of await stage.load(bundles)) {
    if (typeof policy === 'string') faults.set(name, policy);
    else sound.push({ policy, file: bundles.get(name)!.file });
  }
  const [pipes, memory] = await Promise.all([checkPipes(sound), checkMemory(sound)]);
  return { faults, pipes, memory };
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
