// Owns: what git says of a folder: the commit it is at, and whether git is just writing there.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperatorError } from '../model/errors.ts';
import { gitBusyLookMs, gitBusyMs } from '../model/limits.ts';
import type { Wall } from '../ports/wall.ts';

function git(folder: string, ...words: readonly string[]): Promise<string> {
  return new Promise((done) => {
    execFile('git', ['-C', folder, ...words], { timeout: 5_000 }, (error, stdout) => done(error ? '' : stdout.trim()));
  });
}

/** The commit the folder is at, with a `+` when it has changes; nothing outside git. */
export async function gitRevision(folder: string): Promise<string | undefined> {
  const head = await git(folder, 'rev-parse', '--short', 'HEAD');
  if (head === '') return undefined;
  return (await git(folder, 'status', '--porcelain', '--', '.')) === '' ? head : `${head}+`;
}

/** Git keeps this file while it writes a working tree (checkout, pull, reset): what is there is half of two revisions. */
async function lockOf(folder: string): Promise<string | undefined> {
  const path = await git(folder, 'rev-parse', '--git-path', 'index.lock');
  return path === '' ? undefined : resolve(folder, path);
}

/**
 * Resolves with what `load` gives, of a moment in which git writes nothing there. Rejects with an OperatorError where git does not
 * come to an end.
 */
export async function whenGitIsDone<T>(folder: string, wall: Wall, load: () => Promise<T>): Promise<T> {
  const lock = await lockOf(folder);
  const until = wall.monotonic() + gitBusyMs;
  const isBusy = (): boolean => lock !== undefined && existsSync(lock);
  for (;;) {
    if (!isBusy()) {
      const [result] = await Promise.allSettled([load()]);
      if (!isBusy()) {
        if (result.status === 'rejected') throw result.reason;
        return result.value;
      }
    }
    if (wall.monotonic() > until) {
      throw new OperatorError(`git has been writing in ${folder} for more than a minute (${lock} is there)`, {
        code: 'git-busy',
        remedy: 'Where no git runs any more, delete that file; then save a policy again.',
      });
    }
    await wall.sleep(gitBusyLookMs);
  }
}
