// Owns: running other people's programs from the lab: commands with a deadline, long runners that die with us, and
// waiting for a state of the real world that nothing announces.
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeFault } from '../../src/model/errors.ts';

const commandMs = 20_000;

/** Runs to the end and returns what was printed; a failure names the command and what it said. */
export function output(argv: readonly string[], options: { readonly timeoutMs?: number } = {}): Promise<string> {
  const [file, ...args] = argv as [string, ...string[]];
  const timeout = options.timeoutMs ?? commandMs;
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const said = `${stdout}${stderr}`.trim() || (error.killed ? `no end within ${timeout} ms` : error.message);
      reject(
        new RuntimeFault(`[lab] "${argv.join(' ')}" failed: ${said}`, {
          code: 'lab-command',
          remedy: 'Run it by hand in the node to see why.',
          cause: error,
        }),
      );
    }).stdin?.end();
  });
}

/** Starts what runs until we stop it. The kernel kills it when we die, however we die, so that a crash leaves nothing behind. */
export function start(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], { stdio: ['pipe', 'pipe', 'pipe'], ...options });
}

/** Ends a process we started and waits until it is gone; one that does not heed the signal is killed after five seconds. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(hard);
}

/** Asks again and again until there is an answer: routers announce little of what they do. Throws when time is up. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  limits: { readonly withinMs: number; readonly everyMs?: number },
): Promise<T> {
  const deadline = performance.now() + limits.withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new RuntimeFault(`[lab] no ${what} within ${limits.withinMs} ms`, {
        code: 'lab-wait',
        remedy: 'Look at the nodes: the cause is the last failure seen.',
        cause: last,
      });
    }
    await sleep(limits.everyMs ?? 200);
  }
}

/** The lines of a child's output as they come; a line cut in two chunks is put together. */
export function onLines(child: ChildProcess, line: (text: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = `${rest}${chunk}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) line(part);
  });
}
