// Owns: writing many plain things down as they were at one moment, over a while, while the work goes on. Whoever is about to change
// one of them says so first; then that one is written at once.

export class Sweep<T extends object> {
  readonly #items: readonly T[];
  readonly #textOf: (item: T) => string;
  /** Written before its turn. */
  readonly #early = new Map<T, string>();

  /** `items`: a copy of the list, as it is now. */
  constructor(items: readonly T[], textOf: (item: T) => string) {
    this.#items = items;
    this.#textOf = textOf;
  }

  /** It is about to change or to go. Said of one that is written already, or came later, it costs its text and does no harm. */
  before(item: T): void {
    if (!this.#early.has(item)) this.#early.set(item, this.#textOf(item));
  }

  /** The texts in order, some joined by commas, so that one piece takes a fraction of a millisecond. */
  *pieces(itemsEach = 64): Generator<string> {
    for (let from = 0; from < this.#items.length; from += itemsEach) {
      const some = this.#items.slice(from, from + itemsEach).map((item) => this.#early.get(item) ?? this.#textOf(item));
      yield (from === 0 ? '' : ',') + some.join(',');
    }
  }
}

/** A JSON array of what never changes in place, in pieces: a copy of the list is enough. */
export function* arrayPieces(items: readonly object[]): Generator<string> {
  yield '[';
  yield* new Sweep(items, (item) => JSON.stringify(item)).pieces();
  yield ']';
}
