// Owns: loading policies: one file each, its version the digest of its bundle (`offbox` and rxjs stay outside it), its
// git revision where there is one. Every fault names the file, the line where there is one, and the remedy.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Message } from 'esbuild';
import { type DeployedPolicy, isPolicy } from '../core/policy.ts';
import { messageOf, OperatorError } from '../model/errors.ts';
import { policyAt, taken } from './apart/evaluate.ts';
import type { BundledPolicy } from './apart/messages.ts';
import { gitRevision } from './git-state.ts';

export interface LoadedPolicy extends DeployedPolicy {
  readonly file: string;
}

/** Every policy of a folder as a bundle, not yet evaluated: what stands at the top of a file may not come back. */
export async function bundlePolicies(folder: string): Promise<readonly BundledPolicy[]> {
  const { made, faults } = await ofEach(folder, bundlePolicy);
  if (faults.length > 0) throw broken(faults);
  return made;
}

/** What `work` makes of each policy's file, and what is wrong with the others. */
async function ofEach<T>(
  folder: string,
  work: (path: string, revision: string | undefined) => Promise<T>,
): Promise<{ readonly made: readonly T[]; readonly faults: string[] }> {
  const files = await policyFiles(folder);
  const revision = await gitRevision(folder);
  const results = await Promise.allSettled(files.map((file) => work(file, revision)));
  return {
    made: results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    faults: results.flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : [])),
  };
}

/** One policy as a bundle, not yet evaluated. Rejects with an OperatorError that names its file. */
export async function bundlePolicy(path: string, revision?: string): Promise<BundledPolicy> {
  const file = relative(process.cwd(), path) || path;
  const { bundle, map } = await bundled(path, file);
  return { file, path, bundle, map, version: versionOf(bundle), ...(revision ? { revision } : {}) };
}

/** Where its parts lie is no part of what it does. */
export function versionOf(bundle: string): string {
  const hash = createHash('sha256').update(bundle.replace(/^\/\/ .*\n/gm, ''));
  return hash.digest('hex').slice(0, 12);
}

function broken(faults: readonly string[]): OperatorError {
  return new OperatorError(faults.join('\n'), {
    code: 'policies-broken',
    remedy: `Mend ${faults.length === 1 ? 'it' : 'them'} and run \`offbox check\`.`,
  });
}

/** Loads every `*.ts` and `*.js` of a folder but tests and declarations. Rejects with one OperatorError for all faults. */
export async function loadPolicies(folder: string): Promise<readonly LoadedPolicy[]> {
  const { made: loaded, faults } = await ofEach(folder, loadPolicy);
  for (const [index, { policy, file }] of loaded.entries()) {
    const twin = loaded.slice(0, index).find((other) => other.policy.name === policy.name);
    if (twin) faults.push(taken(policy.name, file, twin.file));
  }
  if (faults.length > 0) throw broken(faults);
  return loaded;
}

export async function loadPolicy(path: string, revision?: string): Promise<LoadedPolicy> {
  const { file, bundle, version } = await bundlePolicy(path);
  const policy = await policyAt(`${pathToFileURL(path).href}?${version}`, file);
  return { file, policy, version, bundle, ...(revision ? { revision } : {}) };
}

/** A policy as it ran that day, from its bundle. `folder` is one from which `offbox` is found. */
export async function loadBundle(bundle: string, version: string, folder: string): Promise<DeployedPolicy> {
  const path = join(folder, `${version}.mjs`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(path, bundle);
  const { default: policy } = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  if (isPolicy(policy)) return { policy, version, bundle };
  throw new OperatorError(`the bundle of version ${version} holds no policy`, {
    code: 'policy-missing',
    remedy: 'Leave --as-deployed out.',
  });
}

function noFolder(folder: string, thrown: unknown): OperatorError {
  const { code } = thrown as NodeJS.ErrnoException;
  const causes: Readonly<Record<string, readonly [cause: string, remedy: string]>> = {
    ENOENT: ['there is no such folder of policies', 'Make it, or say with `policies:` in offbox.yaml where it is.'],
    ENOTDIR: ['it is a file, not the folder of policies', 'Name its folder with `policies:` in offbox.yaml.'],
  };
  const [cause, remedy] = causes[code ?? ''] ?? [
    `the folder of policies cannot be read (${code ?? messageOf(thrown)})`,
    'Check its owner and mode, or say with `policies:` in offbox.yaml where it is.',
  ];
  return new OperatorError(`${folder}: ${cause}`, { code: 'policies-missing', remedy, cause: thrown });
}

async function policyFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]))
      .filter((name) => /\.(ts|js|mts|mjs)$/.test(name) && !/\.(test|d)\./.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (thrown) {
    throw noFolder(folder, thrown);
  }
}

/** Looked at more closely where one of these words is in there, in a string or a comment too. */
const maybeAsync = /\basync\b|\bawait\b|\bimport\s*\(/;

/** What goes on after a policy has returned is in no replay, and past every watch: esbuild knows where it is. */
async function refuseAsync(path: string, file: string): Promise<void> {
  const none = { 'async-await': false, 'async-generator': false, 'for-await': false, 'top-level-await': false, generator: false };
  const errors: readonly Message[] = await build({ ...bundling(path), logLimit: 0, supported: none }).then(
    () => [],
    (thrown: { readonly errors?: readonly Message[] }) => thrown.errors ?? [],
  );
  // What only makes generators is none of it.
  const found = errors.filter(({ text }) => /async|await/i.test(text));
  if (found.length === 0) return;
  throw new OperatorError(
    `${found.map(({ location }) => `${placeOf(location, file)}: a policy has no async functions and no await`).join('\n')}`,
    {
      code: 'policy-async',
      remedy: 'Use read, act and prove in a pipe: their answers come as entries, and are there again in a replay.',
    },
  );
}

/** It may be in a file that the policy imports. */
function placeOf(location: Message['location'], file: string): string {
  if (!location) return file;
  return `${relative(process.cwd(), resolve(location.file)) || file}:${location.line}:${location.column + 1}`;
}

/** How a policy becomes one module of text, which esbuild hands over and writes nowhere. */
export const bundling = (path: string) =>
  ({
    entryPoints: [path],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    external: ['offbox', 'offbox/*', 'rxjs', 'rxjs/*'],
    logLevel: 'silent',
    // The bundle, and so its digest, must not depend on where the checkout lies.
    absWorkingDir: process.cwd(),
  }) satisfies BuildOptions;

async function bundled(path: string, file: string): Promise<{ readonly bundle: string; readonly map: string }> {
  try {
    // Beside the bundle, for the digest is of what runs.
    const options = { sourcemap: 'external', sourcesContent: false, outdir: process.cwd() } as const;
    const { outputFiles } = await build({ ...bundling(path), ...options, legalComments: 'none' });
    const textOf = (isMap: boolean) => outputFiles.find(({ path: out }) => out.endsWith('.map') === isMap)?.text ?? '';
    const bundle = textOf(false);
    if (maybeAsync.test(bundle)) await refuseAsync(path, file);
    return { bundle, map: textOf(true) };
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    if (!existsSync(path)) {
      const remedy = 'Name the file of a policy; a folder of stories bears the name of its policy.';
      throw new OperatorError(`${file}: there is no such file`, { code: 'no-policy-file', remedy });
    }
    const errors = (thrown as { readonly errors?: readonly Message[] }).errors ?? [];
    const told = errors.map(({ text, location }) => `${placeOf(location, file)}: ${text}`);
    throw new OperatorError(told.join('\n') || `${file}: ${messageOf(thrown)}`, {
      code: 'policy-does-not-compile',
      remedy: errors.every(({ text }) => text.startsWith('Could not resolve'))
        ? 'A policy imports from `offbox`, from rxjs and from files beside it: correct the import.'
        : 'Mend it there; `offbox check` shows the types too.',
      cause: thrown,
    });
  }
}
