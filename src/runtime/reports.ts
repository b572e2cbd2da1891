// Owns: delivering reports: in the order they were intended, each until it is delivered, will never be, or is too old.
// One that is not delivered when Offbox ends stays open in the ledger and goes again after the restart.
import type { EntryBody } from '../model/entry.ts';
import { messageOf, TargetError } from '../model/errors.ts';
import type { Want } from '../model/intent.ts';
import { reconnectFirstMs, reconnectLastMs, reportKeptMs, reportsWaitingMax } from '../model/limits.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Report, Reporter } from '../ports/reporter.ts';
import type { Wall } from '../ports/wall.ts';

export interface ReportsOptions {
  readonly wall: Wall;
  readonly reporters: readonly Reporter[];
  /** Resolves AFTER the entry is durable. */
  readonly journal: (body: EntryBody) => Promise<unknown>;
}

type ReportWant = Extract<Want, { kind: 'report' }>;

export class Reports {
  readonly #options: ReportsOptions;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Settles when it has an outcome, or when `signal` says that Offbox ends. `at` is the entry's of the intent. */
  take(intent: string, { kind: _, ...words }: ReportWant, at: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting >= reportsWaitingMax)
      return this.#end(intent, { kind: 'failed', reason: `${reportsWaitingMax} reports wait already` });
    this.#waiting += 1;
    const done = this.#last.then(() => this.#deliver({ ...words, intent }, at, signal)).finally(() => (this.#waiting -= 1));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #deliver(report: Report, at: number, signal: AbortSignal): Promise<void> {
    const { wall, reporters } = this.#options;
    for (let delay = reconnectFirstMs, tries = 1; !signal.aborted; delay = Math.min(delay * 2, reconnectLastMs), tries += 1) {
      if (wall.now() - at > reportKeptMs)
        return this.#end(report.intent, {
          kind: 'expired',
          reason: `it could not be delivered in ${reportKeptMs / 3_600_000} h`,
        });
      try {
        await Promise.all(reporters.map((reporter) => reporter.report(report)));
        const nobody = reporters.length === 0 ? { reason: 'nobody is told: it can be asked for' } : {};
        return this.#end(report.intent, { kind: 'done', ...nobody });
      } catch (thrown) {
        const later = thrown instanceof TargetError && thrown.retry;
        if (!later) return this.#end(report.intent, { kind: 'failed', reason: messageOf(thrown) });
        if (tries === 1) await this.#end(report.intent, { kind: 'held', reason: messageOf(thrown) });
      }
      await wall.sleep(delay, signal).catch(() => undefined);
    }
  }

  async #end(intent: string, outcome: Outcome): Promise<void> {
    await this.#options.journal({ kind: 'outcome', intent, outcome });
  }
}
