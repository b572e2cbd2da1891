// Owns: the ledger: which intents are open, and how far they got; folded from entries alone. The executor's restart and
// `show intents` read it; policies do not.
import type { Entry, EntryOf } from '../model/entry.ts';
import type { Desired, Intent, Resource } from '../model/intent.ts';
import { isFinal, type Outcome, type OutcomeKind } from '../model/outcome.ts';
import { placeKey } from '../resources/place.ts';

export interface OpenIntent {
  readonly intent: Intent;
  readonly seq: number;
  readonly at: number;
  /** The last attempt: something may have reached the target. */
  readonly attempt?: { readonly at: number; readonly deadlineMs: number };
  /** Set while it is held: why. */
  readonly held?: Outcome;
}

/** An attempt of which nobody has told how it ended: what was sent for it may still reach the place, whatever came after. */
export interface Doubt {
  readonly intent: string;
  readonly resource: Resource;
  readonly desired: Desired;
  readonly deadlineMs: number;
}

/** After these it is known what stands there; after any other the attempt may still be under way. */
const settles: ReadonlySet<OutcomeKind> = new Set(['done', 'already', 'failed']);

export class Ledger {
  readonly #open = new Map<string, OpenIntent>();
  /** By place: one at a time is attempted there. */
  readonly #doubts = new Map<string, Doubt>();
  #decidedThrough = 0;

  /** Everything up to this seq has been decided; its intents are recorded. */
  get decidedThrough(): number {
    return this.#decidedThrough;
  }

  open(): readonly OpenIntent[] {
    return [...this.#open.values()];
  }

  doubts(): readonly Doubt[] {
    return [...this.#doubts.values()];
  }

  get(id: string): OpenIntent | undefined {
    return this.#open.get(id);
  }

  fold(entry: Entry): void {
    if (entry.kind === 'decided') this.#decidedThrough = entry.through;
    else if (entry.kind === 'intent') this.#foldIntent(entry);
    else if (entry.kind === 'attempt') this.#foldAttempt(entry);
    else if (entry.kind === 'reading') this.#open.delete(entry.reading.intent);
    else if (entry.kind === 'outcome') {
      if (settles.has(entry.outcome.kind)) this.#settle(entry.intent);
      if (isFinal(entry.outcome.kind)) this.#open.delete(entry.intent);
      else this.#update(entry.intent, { held: entry.outcome });
    }
  }

  #foldIntent(entry: EntryOf<'intent'>): void {
    if (entry.intent.want.kind === 'notice') return;
    this.#open.set(entry.intent.id, { intent: entry.intent, seq: entry.seq, at: entry.at });
  }

  #foldAttempt({ intent, at, deadlineMs }: EntryOf<'attempt'>): void {
    this.#update(intent, { attempt: { at, deadlineMs } });
    const want = this.#open.get(intent)?.intent.want;
    if (want?.kind !== 'ensure') return;
    const { resource, desired } = want;
    this.#doubts.set(placeKey(resource), { intent, resource, desired, deadlineMs });
  }

  /** A proof or a withdrawal is no answer to an attempt: it waits for none. */
  #settle(id: string): void {
    const want = this.#open.get(id)?.intent.want;
    if (want?.kind === 'ensure' && !want.prove && !want.withdraw) this.#doubts.delete(placeKey(want.resource));
  }

  #update(id: string, change: Partial<OpenIntent>): void {
    const open = this.#open.get(id);
    if (open) this.#open.set(id, { ...open, ...change });
  }
}
