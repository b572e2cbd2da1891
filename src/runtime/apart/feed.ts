// Owns: what the thread of policies is handed of each append: the entries that concern it, and of the others the time, where that could
// ring an alarm. Bounded: where it is behind, it is handed nothing more, and then told up to where to read in the journal.
//
// F1. An alarm rings at the first entry that passes it. That is the first of an append, for all of one append have the same time; or the
//     one after an entry that set it for now.
// F2. Where the thread has answered everything, it is known when its next alarm is due: an append before that which concerns nobody is
//     decided as it comes, and costs a comparison.
// F3. What changes facts alone is decided as it comes too, for it reaches no policy: it goes before the next entry that one must hear of.
import type { Concern } from '../../core/engine.ts';
import type { Entry, EntryOf } from '../../model/entry.ts';
import { policyAppendsMax, policyFactsMax, policyFactsTextMax, policyTextMax } from '../../model/limits.ts';
import { entryJson } from '../../model/written-event.ts';
import type { Order } from './messages.ts';

export interface FeedBounds {
  /** Appends unanswered, and characters of their text. */
  readonly appends: number;
  readonly text: number;
  /** Entries that wait for another (F3), and characters of their text. */
  readonly facts: number;
  readonly factsText: number;
}

export const feedBounds: FeedBounds = {
  appends: policyAppendsMax,
  text: policyTextMax,
  facts: policyFactsMax,
  factsText: policyFactsTextMax,
};

interface Outstanding {
  readonly through: number;
  readonly characters: number;
  /** Something may come of it. */
  readonly isHeard: boolean;
}

export class Feed {
  readonly #bounds: FeedBounds;
  readonly #order: (order: Order) => void;
  #seqs: number[] = [];
  #texts: (string | null)[] = [];
  #characters = 0;
  #isHeard = false;
  #isAfterOne = false;
  /** Of earlier appends (F3). */
  #facts: { seqs: number[]; texts: string[]; characters: number } = { seqs: [], texts: [], characters: 0 };
  /** Not yet handed over. */
  #decided: EntryOf<'decided'> | undefined;
  #outstanding: Outstanding[] = [];
  #outstandingCharacters = 0;
  #isBehind = false;
  #handed: number;
  #nextDue: number | undefined;

  /** Everything up to `through` it will know by itself, and answers once for it. */
  constructor(through: number, bounds: FeedBounds, order: (order: Order) => void) {
    this.#bounds = bounds;
    this.#order = order;
    this.#handed = through;
    this.#outstanding.push({ through, characters: 0, isHeard: true });
  }

  /** To be called with each entry of an append. */
  see(entry: Entry, concern: Concern): void {
    if (entry.kind === 'decided') this.#decided = entry;
    const concerns = concern !== 'nobody' && entry.kind !== 'decided';
    if (concerns) {
      const text = entryJson(entry);
      this.#push(entry.seq, text);
      this.#characters += text.length;
      if (concern === 'policies') this.#isHeard = true;
    } else if (this.#seqs.length === 0 || this.#isAfterOne) this.#push(entry.seq, null);
    this.#isAfterOne = concerns;
  }

  /** After the append's last entry. Returns whether it is decided as it is: nobody wants anything. */
  appended(through: number, at: number): boolean {
    const [seqs, texts, characters] = [this.#seqs, this.#texts, this.#characters];
    const isQuiet = !this.#isHeard && this.isIdle && (this.#nextDue === undefined || this.#nextDue > at);
    [this.#seqs, this.#texts, this.#characters, this.#isHeard, this.#isAfterOne] = [[], [], 0, false, false];
    this.#handed = through;
    if (isQuiet) {
      this.#keep(seqs, texts, characters);
      if (this.#facts.texts.length >= this.#bounds.facts || this.#facts.characters >= this.#bounds.factsText) this.handFacts(at);
      return true;
    }
    const isToBeRead = this.#isBehind || this.#isFull(characters + this.#facts.characters);
    if (isToBeRead && !this.#isBehind) this.#fallBehind();
    if (isToBeRead) return false;
    const facts = this.#takeFacts();
    this.#hand(through, characters + facts.characters, true);
    this.#step(at, [...facts.seqs, ...seqs], [...facts.texts, ...texts]);
    return false;
  }

  /** What waits for the next entry that a policy must hear of goes now; a snapshot has it, and what was decided. */
  handFacts(at: number): void {
    if (this.#facts.texts.length === 0 && !this.#decided) return;
    if (this.#isBehind) return;
    if (this.#isFull(this.#facts.characters)) {
      this.#fallBehind();
      return;
    }
    const { seqs, texts, characters } = this.#takeFacts();
    this.#hand(this.#handed, characters, false);
    this.#step(at, seqs, texts);
  }

  /** It has answered for everything up to `through`. */
  answered(through: number, nextDue: number | undefined): void {
    this.#nextDue = nextDue;
    while (this.#outstanding[0] && this.#outstanding[0].through <= through)
      this.#outstandingCharacters -= this.#outstanding.shift()!.characters;
    if (this.#isBehind && this.#outstanding.length <= this.#bounds.appends / 2) this.catchUp();
  }

  /** Whatever was not handed over is read. */
  catchUp(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#decided = undefined;
    this.#hand(this.#handed, 0, true);
    this.#order({ kind: 'read-on', through: this.#handed });
  }

  /** Nothing is unanswered of which something may come. */
  get isIdle(): boolean {
    return !this.#isBehind && !this.#outstanding.some(({ isHeard }) => isHeard);
  }

  #keep(seqs: readonly number[], texts: readonly (string | null)[], characters: number): void {
    if (characters === 0) return;
    for (const [index, text] of texts.entries()) {
      if (text === null) continue;
      this.#facts.seqs.push(seqs[index]!);
      this.#facts.texts.push(text);
    }
    this.#facts.characters += characters;
  }

  #takeFacts(): { readonly seqs: number[]; readonly texts: string[]; readonly characters: number } {
    const facts = this.#facts;
    this.#facts = { seqs: [], texts: [], characters: 0 };
    return facts;
  }

  /** It is handed nothing more: what it has not got it reads. */
  #fallBehind(): void {
    this.#isBehind = true;
    this.#takeFacts();
    // One append may be more than all that may wait: no answer is under way that would have it catch up.
    if (this.#outstanding.length === 0) this.catchUp();
  }

  /** With the newest word of what was decided, in its place: a snapshot has it, and nobody else there needs it. */
  #step(at: number, seqs: number[], texts: (string | null)[]): void {
    const decided = this.#decided;
    this.#decided = undefined;
    if (decided) {
      const found = seqs.findIndex((seq) => seq >= decided.seq);
      const place = found < 0 ? seqs.length : found;
      const replaced = seqs[place] === decided.seq ? 1 : 0;
      seqs.splice(place, replaced, decided.seq);
      texts.splice(place, replaced, entryJson(decided));
    }
    this.#order({ kind: 'step', at, seqs, entries: `[${texts.map((text) => text ?? 'null').join()}]`, through: this.#handed });
  }

  #push(seq: number, text: string | null): void {
    this.#seqs.push(seq);
    this.#texts.push(text);
  }

  #hand(through: number, characters: number, isHeard: boolean): void {
    this.#outstanding.push({ through, characters, isHeard });
    this.#outstandingCharacters += characters;
  }

  #isFull(characters: number): boolean {
    return this.#outstanding.length >= this.#bounds.appends || this.#outstandingCharacters + characters > this.#bounds.text;
  }
}
