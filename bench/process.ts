// Owns: the processes of the benchmark. Each part of a measurement (sender, floor, Offbox, device) is a process of its own,
// so that none warms up, fills the heap of or waits for another; they answer calls by name over Node's IPC.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a part can be asked; asks and answers travel as structured clones. */
type Calls = Readonly<Record<string, (ask: never) => unknown>>;

interface Asked {
  readonly id: number;
  readonly call: string;
  readonly ask: unknown;
}

type Answered = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly fault: string };

export interface Part<C extends Calls> {
  ask<K extends keyof C & string>(call: K, ask: Parameters<C[K]>[0]): Promise<Awaited<ReturnType<C[K]>>>;
  stop(): Promise<void>;
}

/** Nothing of the benchmark takes longer: what does hangs. */
const answerMs = 60_000;
/** As Offbox is started. What ends a process with the launcher needs a pipe that only the launcher's child has. */
const execArgv = process.execArgv.filter((flag) => !flag.startsWith('--import='));

/** Milliseconds on the one clock that all processes of a machine share. */
export const clockMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** The same clock, for one who asks it tens of thousands of times a second: without a BigInt each time. */
export function steadyClock(): () => number {
  // Between the two look-ups time passes, the first time most of all: the largest difference is the nearest.
  const offset = Math.max(...Array.from({ length: 1_000 }, () => clockMs() - performance.now()));
  return () => performance.now() + offset;
}

/** Starts `file` of this folder. `C` is the type of what it serves. */
export function startPart<C extends Calls>(file: string, flags: readonly string[] = []): Part<C> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: [...execArgv, ...flags],
    serialization: 'advanced',
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  const fail = (why: string) => {
    for (const { reject } of waiting.values()) reject(new Error(`bench/${file} ${why}`));
    waiting.clear();
  };
  child.on('message', (message: Answered) => {
    const wait = waiting.get(message.id);
    waiting.delete(message.id);
    if ('fault' in message) wait?.reject(new Error(`bench/${file}: ${message.fault}`));
    else wait?.resolve(message.answer);
  });
  child.on('exit', (code, signal) => fail(`ended with ${signal ?? code}`));
  return {
    ask(call, ask) {
      const wait = Promise.withResolvers<never>();
      const id = asked++;
      const late = setTimeout(() => wait.reject(new Error(`bench/${file} did not answer ${call} in ${answerMs} ms`)), answerMs);
      waiting.set(id, wait as unknown as PromiseWithResolvers<unknown>);
      child.send({ id, call, ask } satisfies Asked);
      return wait.promise.finally(() => clearTimeout(late));
    },
    stop: () => ended(child),
  };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.disconnect();
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
  });
}

/** In the child: answers calls until the parent is gone, then `close`. */
export function serve<C extends Calls>(calls: C, close: () => Promise<void> | void = () => undefined): C {
  process.on('message', ({ id, call, ask }: Asked) => {
    void (async () => calls[call]!(ask as never))().then(
      (answer) => process.send?.({ id, answer } satisfies Answered),
      (thrown: unknown) => process.send?.({ id, fault: thrown instanceof Error ? (thrown.stack ?? '') : String(thrown) }),
    );
  });
  process.on('disconnect', () => {
    void (async () => close())().finally(() => process.exit(0));
  });
  return calls;
}
