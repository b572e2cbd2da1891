// Port: how the words of a `report` intent get back to whoever asked. A reporter knows a way there; it decides nothing.
//
// Ordering law: (intent durable) → report → outcome. A report whose outcome is not in the journal is sent again after a
// restart: at least once, under the same `intent`, by which a receiver drops doubles. Those of one request go in order.
import type { Want } from '../model/intent.ts';

/** What becomes of a request. `intent` is the same each time the same report is sent. */
export interface Report extends Omit<Extract<Want, { kind: 'report' }>, 'kind'> {
  readonly intent: string;
}

export interface Reporter {
  /** As in `origin.source`. */
  readonly name: string;
  /**
   * Resolves once the other side has it: for a broker, the broker. Rejects with a TargetError: `retry: true` where it
   * may work later, and it will be asked again; false where this report will never go.
   */
  report(report: Report): Promise<void>;
}
