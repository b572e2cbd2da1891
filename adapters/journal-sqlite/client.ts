// Owns: the caller's end of the journal's thread: one call, one promise, in order; and what becomes of them if it dies.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../src/model/errors.ts';
import { type Answered, type Asked, type Calls, type Opened, type ThreadOptions, thrown } from './calls.ts';
import { fault } from './faults.ts';

export interface Client {
  call<C extends keyof Calls>(call: C, ask: Calls[C]['ask'], handOver?: readonly ArrayBuffer[]): Promise<Calls[C]['answer']>;
  /** Waits for what was asked before, then ends the thread. */
  close(): Promise<void>;
  readonly cut: string | undefined;
  /** It is open, and asked for nothing but to sync. */
  readonly isFree: boolean;
}

interface Pending {
  readonly call: keyof Calls;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** The thread's file as it lies beside this one: .ts in a checkout, .js in a package. */
const threadFile = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

export async function startThread(options: ThreadOptions): Promise<Client> {
  const worker = new Worker(threadFile, { workerData: options, name: 'journal' });
  const opened = await new Promise<Opened>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  worker.removeAllListeners('error');
  if ('fault' in opened) throw thrown(opened.fault);
  return clientOf(worker, options.path, opened.cut);
}

export function clientOf(worker: Worker, path: string, cut: string | undefined): Client {
  const pending = new Map<number, Pending>();
  let ids = 0;
  /** Asked for, syncing apart. */
  let busy = 0;
  let ended: string | undefined;
  let closing: Promise<void> | undefined;

  const refused = () =>
    fault('journal-closed', `${path} ${ended ?? 'is closed'}`, 'Nothing may be appended or read any more; restart Offbox.');

  worker.on('message', (message: Answered) => {
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    if (waiting && waiting.call !== 'sync') busy -= 1;
    if (pending.size === 0) worker.unref();
    if ('fault' in message) waiting?.reject(thrown(message.fault));
    else waiting?.resolve(message.answer as never);
  });
  // The process may end while the journal is idle, but not while somebody waits for it. (Listening has just ref'd it.)
  worker.unref();
  worker.on('error', (error) => {
    ended = `lost its thread: ${messageOf(error)}`;
  });
  worker.on('exit', () => {
    ended ??= closing ? 'is closed' : 'lost its thread';
    // Not a refusal: what was under way may be in the file or not.
    for (const { reject } of pending.values()) reject(new Error(`[journal-sqlite] no answer: ${path} ${ended}`));
    pending.clear();
  });

  function ask<C extends keyof Calls>(
    call: C,
    asked: Calls[C]['ask'],
    handOver: readonly ArrayBuffer[],
  ): Promise<Calls[C]['answer']> {
    return new Promise((resolve, reject) => {
      ids += 1;
      worker.postMessage({ id: ids, call, ask: asked } satisfies Asked, [...handOver]);
      pending.set(ids, { call, resolve, reject });
      if (call !== 'sync') busy += 1;
      worker.ref();
    });
  }

  return {
    cut,
    get isFree() {
      return busy === 0 && closing === undefined && ended === undefined;
    },
    call: (call, asked, handOver = []) => (closing || ended ? Promise.reject(refused()) : ask(call, asked, handOver)),
    close() {
      if (!closing) closing = ended ? Promise.resolve() : ask('close', undefined, []).then(() => undefined);
      return closing;
    },
  };
}
