// Owns: a thread that runs policies, watched from this one: a look at it every 100 ms. A call of a policy that does not come back, or takes
// memory without end, ends the thread.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Ending } from '../../model/entry.ts';
import { messageOf } from '../../model/errors.ts';
import { policyCallBytesMax, policyHeapMb, policyLookMs, policyLooksMax } from '../../model/limits.ts';
import type { Wall } from '../../ports/wall.ts';
import { callMemory, type RunningCall, runningCall } from './call-cell.ts';

/** Why a thread ended. Without `call` nobody can be named. */
export interface ThreadEnd {
  readonly how: Ending | 'died';
  readonly call?: Pick<RunningCall, 'policy' | 'seq'>;
  readonly reason: string;
}

export interface WatchedOptions<Report> {
  readonly wall: Wall;
  /** As people see it among the threads of the process. */
  readonly name: string;
  readonly file: URL;
  /** What the thread is given besides `calls`, the memory that both share. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly onReport: (report: Report) => void;
  /** Once, unless it was ended on purpose. */
  readonly onEnd: (end: ThreadEnd) => void;
}

export const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576);

/** The flags of the thread that starts it are not for it but for one: where the code of a checkout is found. */
const conditions = extname(import.meta.url) === '.ts' ? ['--conditions=offbox-source'] : [];

export class WatchedThread<Order, Report> {
  readonly #options: WatchedOptions<Report>;
  readonly #worker: Worker;
  readonly #calls = callMemory();
  #cancelLook: () => void;
  #call: RunningCall | undefined;
  #looks = 0;
  #rssBefore = 0;
  #ended = false;

  constructor(options: WatchedOptions<Report>) {
    this.#options = options;
    const { file, name, data } = options;
    this.#worker = new Worker(file, {
      name,
      workerData: { ...data, calls: this.#calls },
      execArgv: [...conditions, '--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: policyHeapMb },
    });
    this.#worker.on('message', (report: Report) => {
      if (!this.#ended) options.onReport(report);
    });
    this.#worker.on('error', (thrown) => this.#died(thrown));
    this.#worker.on('exit', () => this.#died(new Error('it exited')));
    this.#worker.unref();
    this.#cancelLook = this.#lookLater();
  }

  /** `awaited`: the process lives until somebody says `answered`. */
  order(order: Order, awaited: boolean): void {
    if (this.#ended) return;
    if (awaited) this.#worker.ref();
    this.#worker.postMessage(order);
  }

  answered(): void {
    this.#worker.unref();
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelLook();
    await this.#worker.terminate();
  }

  /** Ends it, and says so. */
  endWith(end: ThreadEnd): void {
    if (this.#ended) return;
    void this.end();
    this.#options.onEnd(end);
  }

  #lookLater(): () => void {
    return this.#options.wall.after(policyLookMs, () => {
      this.#look();
      if (!this.#ended) this.#cancelLook = this.#lookLater();
    });
  }

  #look(): void {
    const call = runningCall(this.#calls);
    if (!call || call.call !== this.#call?.call) {
      this.#call = call;
      this.#looks = 0;
      if (call) this.#rssBefore = process.memoryUsage.rss();
      return;
    }
    this.#looks += 1;
    const grown = process.memoryUsage.rss() - this.#rssBefore;
    if (grown > policyCallBytesMax)
      this.endWith({ how: 'hung', call, reason: `it took ${megabytes(grown)} MB of memory at once and did not come back` });
    else if (this.#looks >= policyLooksMax)
      this.endWith({ how: 'hung', call, reason: `it did not come back within ${(policyLooksMax * policyLookMs) / 1000} s` });
  }

  #died(thrown: unknown): void {
    const isMemory = (thrown as { readonly code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY';
    const call = runningCall(this.#calls);
    const reason = isMemory ? 'there was no memory left for policies' : `the thread of policies died: ${messageOf(thrown)}`;
    this.endWith({ how: isMemory ? 'memory' : 'died', ...(call ? { call } : {}), reason });
  }
}
