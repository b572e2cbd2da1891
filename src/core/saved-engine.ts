// Owns: an engine as a snapshot has it: plain data, and how its parts become one JSON document.
import type { SavedTable } from './cells.ts';
import type { SavedFacts } from './facts.ts';
import type { SavedLedger } from './ledger.ts';

/** A policy as a snapshot has it. */
export interface SavedPolicy {
  readonly name: string;
  readonly version: string;
  /** `ending`: stopped, with something held that is still to be let go of. */
  readonly state: 'running' | 'waiting' | 'ending' | 'stopped';
  readonly reason?: string | undefined;
  readonly since: number;
  /** All it remembers is in cells (PolicyRun.settled). */
  readonly settled: boolean;
}

/** An engine as a snapshot has it. */
export interface SavedEngine {
  readonly entry: { readonly seq: number; readonly at: number };
  readonly clock: { readonly now: number; readonly order: number };
  readonly policies: readonly SavedPolicy[];
  /** In force, as last journaled. */
  readonly versions: Readonly<Record<string, string>>;
  readonly facts: SavedFacts;
  readonly ledger: SavedLedger;
  readonly cells: Readonly<Record<string, SavedTable>>;
}

/** `head`: all but the three parts that are written while the engine goes on. */
export function* enginePieces(
  head: Omit<SavedEngine, 'facts' | 'ledger' | 'cells'>,
  facts: Generator<string>,
  ledger: Generator<string>,
  cells: Generator<string>,
): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"facts":`;
  yield* facts;
  yield ',"ledger":';
  yield* ledger;
  yield ',"cells":';
  yield* cells;
  yield '}';
}
