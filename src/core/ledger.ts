// Owns: the ledger: which intents are open, and how far they got; folded from entries alone. The executor's restart and
// `show intents` read it; policies do not.
import type { Entry, EntryOf } from '../model/entry.ts';
import type { Intent } from '../model/intent.ts';
import { isFinal, type Outcome } from '../model/outcome.ts';

export interface OpenIntent {
  readonly intent: Intent;
  readonly seq: number;
  readonly at: number;
  /** The last attempt: something may have reached the target. */
  readonly attempt?: { readonly at: number; readonly deadlineMs: number };
  /** Set while it is held: why. */
  readonly held?: Outcome;
}

export class Ledger {
  readonly #open = new Map<string, OpenIntent>();
  #decidedThrough = 0;

  /** Everything up to this seq has been decided; its intents are recorded. */
  get decidedThrough(): number {
    return this.#decidedThrough;
  }

  open(): readonly OpenIntent[] {
    return [...this.#open.values()];
  }

  get(id: string): OpenIntent | undefined {
    return this.#open.get(id);
  }

  fold(entry: Entry): void {
    if (entry.kind === 'decided') this.#decidedThrough = entry.through;
    else if (entry.kind === 'intent') this.#foldIntent(entry);
    else if (entry.kind === 'attempt') this.#update(entry.intent, { attempt: { at: entry.at, deadlineMs: entry.deadlineMs } });
    else if (entry.kind === 'reading') this.#open.delete(entry.reading.intent);
    else if (entry.kind === 'outcome') {
      if (isFinal(entry.outcome.kind)) this.#open.delete(entry.intent);
      else this.#update(entry.intent, { held: entry.outcome });
    }
  }

  #foldIntent(entry: EntryOf<'intent'>): void {
    if (entry.intent.want.kind === 'notice') return;
    this.#open.set(entry.intent.id, { intent: entry.intent, seq: entry.seq, at: entry.at });
  }

  #update(id: string, change: Partial<OpenIntent>): void {
    const open = this.#open.get(id);
    if (open) this.#open.set(id, { ...open, ...change });
  }
}
