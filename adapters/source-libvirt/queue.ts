// Owns: the events of one hypervisor between the wire and their telling: in order, bounded, over when the connection is.

export class Queue<T> {
  readonly #max: number;
  #items: T[] = [];
  #closed = false;
  #taking = false;
  #wake = (): void => undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** The taker waits, and nothing is there for it: what comes now may as well be told at once. */
  get idle(): boolean {
    return this.#taking && this.#items.length === 0;
  }

  /** False where there is no room: it was not taken. */
  push(item: T): boolean {
    if (this.#items.length >= this.#max) return false;
    this.#items.push(item);
    this.#wake();
    return true;
  }

  /** Nothing more will come; what is there can still be taken. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** The next one, once there is one; undefined when it is over. For one taker. */
  async take(): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#closed) {
      this.#taking = true;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#taking = false;
    return this.#items.shift();
  }
}
