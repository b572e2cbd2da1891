// Owns: the ledger: which intents are open, and how far they got; which ones nobody can tell what became of; folded from entries
// alone. The executor's restart and `show intents` read it; policies do not.
import type { Entry, EntryOf } from '../model/entry.ts';
import type { Desired, Intent, Resource } from '../model/intent.ts';
import { unknownIntentsMax } from '../model/limits.ts';
import { isFinal, type Outcome, type OutcomeKind } from '../model/outcome.ts';
import { placeKey } from '../resources/place.ts';
import { arrayPieces } from './sweep.ts';

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

/** Over, and nobody can tell how: until an operator answers, or a later intent for the same place ends well. */
export interface UnknownIntent extends OpenIntent {
  readonly outcome: Outcome;
  readonly endedAt: number;
}

/** The ledger as a snapshot has it. */
export interface SavedLedger {
  readonly decidedThrough: number;
  readonly open: readonly OpenIntent[];
  readonly doubts: readonly Doubt[];
  readonly unknown: readonly UnknownIntent[];
}

/** After these it is known what stands there; after any other the attempt may still be under way. */
const settles: ReadonlySet<OutcomeKind> = new Set(['done', 'already', 'failed']);

export class Ledger {
  readonly #open = new Map<string, OpenIntent>();
  /** By place: one at a time is attempted there. */
  readonly #doubts = new Map<string, Doubt>();
  readonly #unknown = new Map<string, UnknownIntent>();
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

  /** Those that wait for an operator's answer, the oldest first. */
  unknown(): readonly UnknownIntent[] {
    return [...this.#unknown.values()];
  }

  /** All as it is now, as JSON in pieces. */
  save(): Generator<string> {
    const through = this.#decidedThrough;
    const open = arrayPieces(this.open());
    const doubts = arrayPieces(this.doubts());
    const unknown = arrayPieces(this.unknown());
    return (function* pieces() {
      yield `{"decidedThrough":${through},"open":`;
      yield* open;
      yield ',"doubts":';
      yield* doubts;
      yield ',"unknown":';
      yield* unknown;
      yield '}';
    })();
  }

  /** What was saved becomes ours. Only before the first entry. */
  restore({ decidedThrough, open, doubts, unknown }: SavedLedger): void {
    this.#decidedThrough = decidedThrough;
    for (const one of open) this.#open.set(one.intent.id, one);
    for (const one of doubts) this.#doubts.set(placeKey(one.resource), one);
    for (const one of unknown) this.#unknown.set(one.intent.id, one);
  }

  fold(entry: Entry): void {
    if (entry.kind === 'decided') this.#decidedThrough = entry.through;
    else if (entry.kind === 'intent') this.#foldIntent(entry);
    else if (entry.kind === 'attempt') this.#foldAttempt(entry);
    else if (entry.kind === 'reading') this.#open.delete(entry.reading.intent);
    else if (entry.kind === 'outcome') this.#foldOutcome(entry);
    else if (entry.kind === 'command' && entry.verb === 'resolve') this.#foldAnswer(entry);
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
  #settle({ want }: Intent): void {
    if (want.kind !== 'ensure' || want.prove || want.withdraw) return;
    const place = placeKey(want.resource);
    this.#doubts.delete(place);
    for (const [id, { intent }] of this.#unknown)
      if (intent.want.kind === 'ensure' && placeKey(intent.want.resource) === place) this.#unknown.delete(id);
  }

  #foldOutcome({ intent: id, outcome, at }: EntryOf<'outcome'>): void {
    const open = this.#open.get(id);
    if (open && settles.has(outcome.kind)) this.#settle(open.intent);
    if (!isFinal(outcome.kind)) {
      this.#update(id, { held: outcome });
      return;
    }
    this.#open.delete(id);
    if (open && outcome.kind === 'unknown') this.#keepUnknown({ ...open, outcome, endedAt: at });
  }

  /** Beyond the bound the oldest is given up: it stays in the journal. */
  #keepUnknown(unknown: UnknownIntent): void {
    if (this.#unknown.size >= unknownIntentsMax) this.#unknown.delete(this.#unknown.keys().next().value!);
    this.#unknown.set(unknown.intent.id, unknown);
  }

  /** `done` and `failed`: then it is known what stands there. `again`: it is open as if never tried, from now on. */
  #foldAnswer({ arguments: [id = '', answer], seq, at }: EntryOf<'command'>): void {
    const unknown = this.#unknown.get(id);
    if (!unknown) return;
    this.#unknown.delete(id);
    if (answer === 'again') this.#open.set(id, { intent: unknown.intent, seq, at });
    else this.#settle(unknown.intent);
  }

  #update(id: string, change: Partial<OpenIntent>): void {
    const open = this.#open.get(id);
    if (open) this.#open.set(id, { ...open, ...change });
  }
}
