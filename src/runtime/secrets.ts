// Owns: fetching a secret from where its reference says: the environment, a file, a command. Nothing is kept, nothing is
// logged, and an error names the reference, never what was found there.
import { spawn } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OperatorError } from '../model/errors.ts';
import { secretBytesMax, secretCommandMs } from '../model/limits.ts';
import type { SecretReference } from '../model/target.ts';
import type { Secrets } from '../ports/actuator.ts';
import type { Wall } from '../ports/wall.ts';

interface SecretsOptions {
  /** What files are relative to, and where commands run: the folder of offbox.yaml. */
  readonly directory: string;
  readonly wall: Wall;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Told once of every file that others may read. */
  readonly warn?: (text: string) => void;
}

export function secretsFrom({ directory, wall, environment = process.env, warn = () => {} }: SecretsOptions): Secrets {
  const warned = new Set<string>();
  const warnOnce = (path: string) => {
    if (warned.has(path)) return;
    warned.add(path);
    warn(`[secrets] file "${path}" can be read by every user of this machine. Run: chmod 600 ${path}`);
  };
  return async (reference) => {
    if ('env' in reference) return fromEnvironment(reference.env, environment);
    if ('file' in reference) return fromFile(resolve(directory, reference.file), warnOnce);
    return fromCommand(reference.command, directory, wall);
  };
}

function refused(reference: SecretReference, cause: string, remedy: string): OperatorError {
  const [[kind, name] = ['', '']] = Object.entries(reference);
  const what = kind === 'env' ? 'environment variable' : kind;
  return new OperatorError(`[secrets] ${what} "${name}" ${cause}`, { code: 'secret', remedy });
}

function fromEnvironment(name: string, environment: NonNullable<SecretsOptions['environment']>): string {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (value) return value;
  const cause = value === '' ? 'is empty' : 'is not set';
  throw refused({ env: name }, cause, 'Set it where Offbox is started, or refer to a file or a command.');
}

async function fromFile(path: string, openToAll: (path: string) => void): Promise<string> {
  const reference = { file: path };
  let bytes: Uint8Array;
  try {
    // stat before open: opening a FIFO would wait for a writer.
    const about = await stat(path);
    if (!about.isFile()) throw refused(reference, 'is not a regular file', 'Name a file that holds the secret and nothing else.');
    if ((about.mode & 0o004) !== 0) openToAll(path);
    bytes = await readBounded(path);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw refused(reference, 'is not there', 'Write it, or correct the reference.');
    throw refused(reference, `cannot be read (${code})`, 'Check its owner and mode.');
  }
  return secretText(reference, bytes);
}

async function readBounded(path: string): Promise<Uint8Array> {
  const handle = await open(path);
  try {
    const bytes = new Uint8Array(secretBytesMax + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** As text, without the one newline that editors and commands put behind it. */
function secretText(reference: SecretReference, bytes: Uint8Array): string {
  const remedy = 'It must give the secret and nothing else.';
  if (bytes.length > secretBytesMax) throw refused(reference, `gives more than ${secretBytesMax} bytes`, remedy);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw refused(reference, 'gives something that is not UTF-8 text', remedy);
  }
  if (text === '') throw refused(reference, 'gives nothing', remedy);
  return text;
}

/** Through the shell, in a process group of its own, so that whatever it started ends with it. */
function fromCommand(command: string, directory: string, wall: Wall): Promise<string> {
  const reference = { command };
  const remedy = 'Run it by hand, as the user and in the folder Offbox runs in.';
  const { promise, resolve: settle, reject } = Promise.withResolvers<Uint8Array>();
  const child = spawn('/bin/sh', ['-c', command], { cwd: directory, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const parts: Buffer[] = [];
  let size = 0;
  const fail = (cause: string) => reject(refused(reference, cause, remedy));
  const end = (cause: string) => {
    fail(cause);
    child.stdout.destroy();
    endGroup(child.pid);
  };
  const cancel = wall.after(secretCommandMs, () => end(`gave no answer within ${secretCommandMs / 1000} s`));
  child.stdout.on('data', (part: Buffer) => {
    size += part.length;
    if (size > secretBytesMax) end(`gives more than ${secretBytesMax} bytes`);
    else parts.push(part);
  });
  child.on('error', (error: NodeJS.ErrnoException) => fail(`could not be started (${error.code})`));
  child.on('close', (status, signal) => {
    if (status === 0) settle(Buffer.concat(parts));
    else fail(signal ? `was ended by ${signal}` : `ended with status ${status}`);
  });
  return promise.then((bytes) => secretText(reference, bytes)).finally(cancel);
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended by itself. EPERM: it became another user's (sudo) and is out of reach; nobody waits for it any more.
  }
}
