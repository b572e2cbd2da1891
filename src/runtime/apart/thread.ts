// Owns: one thread of policies as the main one sees it: what it is asked and answers.
import type { Wall } from '../../ports/wall.ts';
import type { Order, Report } from './messages.ts';
import { megabytes, type ThreadEnd, WatchedThread } from './watched-thread.ts';

/** Whoever began a thread hears of it. */
export interface ThreadEars {
  readonly onReport: (report: Report) => void;
  /** Once, unless it was ended on purpose. */
  readonly onEnd: (end: ThreadEnd) => void;
}

export interface Thread {
  order(order: Order): void;
  /** Ends it, whatever it is doing. */
  end(): Promise<void>;
}

export interface ThreadOptions extends ThreadEars {
  readonly wall: Wall;
  /** The thread's file, and the journal it reads. */
  readonly file: URL;
  readonly journal: string;
}

export class PolicyThread implements Thread {
  readonly #onReport: ThreadEars['onReport'];
  readonly #watched: WatchedThread<Order, Report>;

  constructor({ wall, file, journal, onReport, onEnd }: ThreadOptions) {
    this.#onReport = onReport;
    const hear = (report: Report): void => this.#hear(report);
    this.#watched = new WatchedThread({ wall, file, name: 'policies', data: { journal }, onReport: hear, onEnd });
  }

  order(order: Order): void {
    // Somebody waits for the answer; otherwise it keeps no process alive.
    this.#watched.order(order, order.kind !== 'step' && order.kind !== 'read-on');
  }

  end(): Promise<void> {
    return this.#watched.end();
  }

  #hear(report: Report): void {
    if (report.kind === 'heavy') {
      const { policy, seq, keptBytes } = report;
      const reason = `it keeps more and more memory: some ${megabytes(keptBytes)} MB`;
      this.#watched.endWith(policy < 0 ? { how: 'memory', reason } : { how: 'memory', call: { policy, seq }, reason });
      return;
    }
    if (report.kind !== 'decided') this.#watched.answered();
    this.#onReport(report);
  }
}
