// Owns: the replay at start: every entry through the engine, what it derives matched with what was recorded (laws E4, E5).
import type { Engine, PolicyFault } from '../core/engine.ts';
import type { Entry, EntryOf } from '../model/entry.ts';
import type { Intent } from '../model/intent.ts';
import type { Inventory } from '../model/target.ts';
import type { Journal } from '../ports/journal.ts';

/** Derived and recorded disagree: the policy goes on, in `observe`. */
export interface Divergence {
  readonly policy: string;
  readonly seq: number;
  readonly expected: string;
  readonly found: string;
}

export interface Recovered {
  readonly entries: number;
  readonly lastSeq: number;
  readonly lastAt: number;
  /** Derived for the first time: they were not decided when Offbox stopped. */
  readonly intents: readonly Intent[];
  readonly faults: readonly PolicyFault[];
  readonly divergences: readonly Divergence[];
  readonly nextDue: number | undefined;
  /** The inventory and versions in force, as last journaled. */
  readonly inventory: Inventory | undefined;
  readonly versions: ReadonlyMap<string, string>;
}

/** `onEntry` is called after each entry was stepped. */
export async function recover(
  engine: Engine,
  journal: Pick<Journal, 'read'>,
  onEntry: (entry: Entry) => void,
): Promise<Recovered> {
  const replay = new Replay(engine);
  for await (const batch of journal.read(0)) {
    for (const entry of batch) {
      replay.take(entry);
      onEntry(entry);
    }
  }
  return replay.result();
}

class Replay {
  readonly #engine: Engine;
  readonly #current: ReadonlyMap<string, string>;
  readonly #versions = new Map<string, string>();
  /** Derived, and not yet met as recorded. */
  readonly #derived = new Map<string, Intent>();
  readonly #divergences = new Map<string, Divergence>();
  #faults: PolicyFault[] = [];
  #entries = 0;
  #last: Pick<Entry, 'seq' | 'at'> = { seq: 0, at: 0 };
  #nextDue: number | undefined;
  #inventory: Inventory | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#current = new Map(engine.policies().map(({ name, version }) => [name, version]));
  }

  take(entry: Entry): void {
    this.#entries += 1;
    this.#last = entry;
    if (entry.kind === 'decided') this.#expire();
    const { intents, faults, nextDue } = this.#engine.step(entry);
    this.#nextDue = nextDue;
    for (const intent of intents) this.#derived.set(intent.id, intent);
    this.#faults.push(...faults);
    if (entry.kind === 'intent') this.#match(entry.seq, entry.intent);
    else if (entry.kind === 'deploy') this.#versions.set(entry.policy, entry.version);
    else if (entry.kind === 'inventory') this.#inventory = entry.inventory;
    else if (entry.kind === 'quarantine') this.#foldQuarantine(entry);
  }

  /** One that was taken away is no version in force: put back, it is deployed anew. */
  #foldQuarantine({ policy, reason }: EntryOf<'quarantine'>): void {
    this.#faults = this.#faults.filter((fault) => fault.policy !== policy);
    if (reason.startsWith('removed')) this.#versions.delete(policy);
  }

  result(): Recovered {
    this.#expire();
    const intents = [...this.#derived.values()].filter(({ policy }) => this.#sameVersion(policy));
    return {
      entries: this.#entries,
      lastSeq: this.#last.seq,
      lastAt: this.#last.at,
      intents,
      faults: this.#faults,
      divergences: [...this.#divergences.values()],
      nextDue: this.#nextDue,
      inventory: this.#inventory,
      versions: this.#versions,
    };
  }

  #match(seq: number, recorded: Intent): void {
    const derived = this.#derived.get(recorded.id);
    this.#derived.delete(recorded.id);
    if (derived ? JSON.stringify(derived) === JSON.stringify(recorded) : !this.#sameVersion(recorded.policy)) return;
    this.#diverge(recorded.policy, seq, derived ? JSON.stringify(derived.want) : 'nothing', JSON.stringify(recorded.want));
  }

  /** What was derived up to the last `decided` should have stood in the same append as it. */
  #expire(): void {
    const through = this.#engine.ledger.decidedThrough;
    for (const intent of this.#derived.values()) {
      if (intent.cause > through) continue;
      this.#derived.delete(intent.id);
      if (this.#sameVersion(intent.policy)) this.#diverge(intent.policy, intent.cause, JSON.stringify(intent.want), 'nothing');
    }
  }

  #sameVersion(policy: string): boolean {
    return this.#versions.get(policy) === this.#current.get(policy);
  }

  #diverge(policy: string, seq: number, expected: string, found: string): void {
    if (!this.#divergences.has(policy)) this.#divergences.set(policy, { policy, seq, expected, found });
  }
}
