// Runs the real command line in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const flags = ['--conditions=offbox-source', '--disable-warning=ExperimentalWarning', join(root, 'src', 'cli', 'offbox.ts')];

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function startOffbox(folder: string, ...words: string[]): ChildProcess {
  return spawn(process.execPath, [...flags, ...words], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
}

/** Runs a verb to its end. `input` is its standard input. */
export function runOffbox(folder: string, words: readonly string[], input: string | Buffer = ''): Promise<Ran> {
  return ended(startOffbox(folder, ...words), input);
}

export function ended(child: ChildProcess, input: string | Buffer = ''): Promise<Ran> {
  const ran = { out: '', err: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    ran.out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    ran.err += text;
  });
  child.stdin!.on('error', () => undefined);
  child.stdin!.end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...ran })));
}

/** Resolves when the child has printed what `form` matches. */
export function printed(child: ChildProcess, form: RegExp): Promise<string> {
  let out = '';
  return new Promise((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (form.test(out)) resolve(out);
    });
    child.once('close', (code) => reject(new Error(`ended with ${code} before it printed ${form}: ${out}`)));
  });
}
