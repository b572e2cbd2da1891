// Owns: the real process that the crash tests start and kill, and their waiting.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..');
const lookMs = 50;

/** `offbox WORDS…` from the source; what it complains of comes out here. */
export function offbox(...words: string[]): ChildProcess {
  const flags = ['--conditions=offbox-source', '--disable-warning=ExperimentalWarning', join(root, 'src', 'cli', 'offbox.ts')];
  const child = spawn(process.execPath, [...flags, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout!.resume();
  child.stderr!.on('data', (text) => process.stderr.write(text));
  return child;
}

/** Resolves when it has ended, however. */
export function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) =>
    child.exitCode === null && child.signalCode === null ? child.once('exit', () => resolve()) : resolve(),
  );
}

/** Waits until it holds; what throws does not hold. Rejects after `ms`, with what `look` shows then. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  look: () => Promise<unknown>,
  ms = 60_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end)
      throw new Error(`${what}: not within ${ms} ms; ${JSON.stringify(await look().catch((thrown: unknown) => String(thrown)))}`);
    await pause(lookMs);
  }
}
