// Owns: who is told that what they wait for is durable: in the order of the journal, and when the disk is asked for it. Where somebody
// waits it is asked at once; what sources offered, and what policies want, is thought about meanwhile, and can wait for the next that
// somebody waits for: one sync for all of it.
import type { EntryBody } from '../model/entry.ts';
import type { Appended } from '../ports/journal.ts';
import type { Wall } from '../ports/wall.ts';

/** Nothing that is taken is left to a power cut for longer. */
const unsyncedMs = 1;

/** Called once, with the error or with the seq of the last entry. */
export type Committed = (error: Error | undefined, seq: number) => void;

/** What came together; it is appended together. */
export interface Pending {
  readonly bodies: readonly EntryBody[];
  readonly committed: Committed | undefined;
  /** By a source, which counts what is not taken. */
  readonly offered: boolean;
}

/** One append of them. */
interface Untold extends Appended {
  readonly taken: readonly Pending[];
}

export interface TellingOptions {
  readonly wall: Pick<Wall, 'after'>;
  /** What is taken cannot be made durable any more; of these nobody was told. */
  readonly onFailure: (fault: unknown, taken: readonly Pending[]) => void;
}

export class Telling {
  readonly #options: TellingOptions;
  #untold: Untold[] = [];
  #syncing: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #fault: { readonly thrown: unknown } | undefined;

  constructor(options: TellingOptions) {
    this.#options = options;
  }

  /** So many waiting ones are taken, from `firstSeq` on. */
  appended(taken: readonly Pending[], { firstSeq, durable }: Appended): void {
    if (!durable && !this.#syncing && this.#untold.length === 0) {
      tell(taken, firstSeq);
      return;
    }
    this.#untold.push({ taken, firstSeq, durable });
    if (!durable || taken.some(({ offered }) => !offered)) this.#sync();
    else this.#cancel ??= this.#options.wall.after(unsyncedMs, () => this.#sync());
  }

  /** Resolves when everybody has been told. */
  async end(): Promise<void> {
    if (this.#untold.length > 0) this.#sync();
    await this.#syncing;
  }

  #sync(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const all = this.#untold.splice(0);
    // It, and all before it.
    const durable = all.at(-1)?.durable;
    const syncing = Promise.all([this.#syncing, durable?.()]).then(
      () => this.#told(all),
      (thrown: unknown) => {
        this.#fault ??= { thrown };
        this.#told(all);
      },
    );
    this.#syncing = syncing;
    void syncing.then(() => {
      if (this.#syncing === syncing) this.#syncing = undefined;
    });
  }

  /** What could not be brought to the disk once may be gone from memory as well, whatever the next time says. */
  #told(all: readonly Untold[]): void {
    if (this.#fault)
      this.#options.onFailure(
        this.#fault.thrown,
        all.flatMap(({ taken }) => taken),
      );
    else for (const { taken, firstSeq } of all) tell(taken, firstSeq);
  }
}

function tell(taken: readonly Pending[], firstSeq: number): void {
  let seq = firstSeq - 1;
  for (const { bodies, committed } of taken) {
    seq += bodies.length;
    committed?.(undefined, seq);
  }
}

export function refuse(taken: readonly Pending[], fault: Error): void {
  for (const { committed } of taken) committed?.(fault, 0);
}
