// Owns: the replay at start: a snapshot put back, every entry after it through the engine, and what it derives matched with what was
// recorded (laws E4, E5). From where it begins is told by recovery-base.ts.
import type { Engine, PolicyFault } from '../core/engine.ts';
import type { DeployedPolicy } from '../core/policy.ts';
import type { Ending, Entry } from '../model/entry.ts';
import type { Intent } from '../model/intent.ts';
import { shownAgainEntries } from '../model/limits.ts';
import type { Inventory } from '../model/target.ts';
import { type Base, baseOf, type Deployable } from './recovery-base.ts';
import type { Requests } from './requests.ts';
import type { KeptSnapshot, Snapshot, SnapshotEntry, SnapshotJournal } from './snapshots.ts';
import type { View } from './view.ts';

/** Derived and recorded disagree: the policy goes on, in `observe`. */
export interface Divergence {
  readonly policy: string;
  readonly seq: number;
  readonly expected: string;
  readonly found: string;
}

export interface Recovered {
  /** Replayed. */
  readonly entries: number;
  /** The entry up to which a snapshot was put back; 0 where there was none. */
  readonly restored: number;
  readonly lastSeq: number;
  readonly lastAt: number;
  /** Derived for the first time: they were not decided when Offbox stopped. */
  readonly intents: readonly Intent[];
  readonly faults: readonly PolicyFault[];
  readonly divergences: readonly Divergence[];
  readonly nextDue: number | undefined;
  /** The inventory and versions in force, as last journaled. */
  readonly inventory: Inventory;
  readonly versions: ReadonlyMap<string, string>;
  /** The newest entry that names a snapshot. */
  readonly snapshot: SnapshotEntry | undefined;
  /** Snapshots that are still there, the oldest first. */
  readonly kept: readonly KeptSnapshot[];
  /** What the operator should know of how it was done. */
  readonly said: readonly string[];
}

/** As its quarantine will have it. */
export interface EndedPolicy {
  readonly policy: string;
  readonly cause: number;
  readonly reason: string;
  readonly ended: Ending;
}

export interface RecoveryOptions {
  readonly engine: Engine;
  readonly policies: readonly DeployedPolicy[];
  readonly journal: SnapshotJournal;
  /** Policies that were ended from outside, of which no entry tells yet. */
  readonly ended?: readonly EndedPolicy[];
  /** Policies run elsewhere: the engine is one of stand-ins, and needs nothing of what they remember. */
  readonly cells?: 'elsewhere';
  /** Called after each entry was stepped. */
  readonly onEntry?: (entry: Entry) => void;
  /** A snapshot was put back: what else is in it is the caller's, BEFORE the entries after it. */
  readonly onRestored?: (snapshot: Snapshot) => void;
  /** Called with entries that are only to be shown: they are in the snapshot that is put back next. */
  readonly onShown?: (entry: Entry) => void;
}

/** How a view and the book of requests are brought up beside an engine. */
export function viewed(view: View, requests: Requests): Pick<RecoveryOptions, 'onEntry' | 'onRestored' | 'onShown'> {
  return {
    onEntry: (entry) => view.take(entry),
    onShown: (entry) => view.show(entry),
    onRestored: (snapshot) => requests.restore(snapshot.requests),
  };
}

/** Brings a new engine to where the journal ends. */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { engine, policies, journal, onEntry, onRestored, onShown } = options;
  const deployables = policies.map(({ policy: { name, horizonMs }, version }) => ({ name, version, horizonMs }));
  const found = await baseOf(journal, deployables);
  const base = options.cells === 'elsewhere' ? withoutCells(found) : found;
  const { from, upTo } = base;
  const newest = upTo ?? from;
  await withholdEnded(options, from?.engine.entry.seq ?? 0);
  const replay = new Replay(engine, base, deployables);
  const through = upTo?.engine.entry.seq ?? 0;
  const shownFrom = Math.max((newest?.engine.entry.seq ?? 0) - shownAgainEntries, 0);
  const restored = (): void => {
    if (upTo) replay.wake(upTo);
    if (newest) onRestored?.(newest);
  };
  if (from && !upTo && onShown) await show(journal, shownFrom, from.engine.entry.seq, onShown);
  if (!upTo) restored();
  let awake = !upTo;
  for await (const batch of journal.read((from?.engine.entry.seq ?? 0) + 1)) {
    for (const entry of batch) {
      if (!awake && entry.seq > through) {
        awake = true;
        restored();
      }
      replay.take(entry);
      if (awake) onEntry?.(entry);
      else if (entry.seq > shownFrom) onShown?.(entry);
    }
  }
  if (!awake) restored();
  const { newest: snapshot, kept } = base;
  return {
    ...replay.result(),
    restored: newest?.engine.entry.seq ?? 0,
    snapshot,
    kept,
    said: base.said,
  };
}

function withoutCells(base: Base): Base {
  const { from } = base;
  return from ? { ...base, from: { ...from, engine: { ...from.engine, cells: {} } } } : base;
}

/**
 * What a policy did not come back from lies before the entry that says so: it must be known before it is replayed. What it kept and could
 * not stop keeping it would keep again; where it holds nothing that must be let go of, it is given no entry at all.
 */
async function withholdEnded({ engine, policies, journal, ended = [] }: RecoveryOptions, after: number): Promise<void> {
  const holders = new Set(policies.flatMap(({ policy }) => (policy.hold ? [policy.name] : [])));
  const withhold = ({ policy, cause, ended: how }: Omit<EndedPolicy, 'reason'>): void =>
    engine.withhold(policy, { from: how === 'memory' && !holders.has(policy) ? 0 : cause, cause });
  for await (const batch of journal.ofKind('quarantine', after + 1)) {
    for (const { policy, cause, ended: how } of batch) {
      if (how !== undefined) withhold({ policy, cause, ended: how });
    }
  }
  for (const one of ended) withhold(one);
}

async function show(journal: SnapshotJournal, after: number, through: number, onShown: (entry: Entry) => void): Promise<void> {
  for await (const batch of journal.read(after + 1)) {
    for (const entry of batch) {
      if (entry.seq > through) return;
      onShown(entry);
    }
  }
}

class Replay {
  readonly #engine: Engine;
  readonly #policies: ReadonlyMap<string, Deployable>;
  readonly #alone: ReadonlySet<string>;
  /** Only those in `alone` take part. */
  #resting: boolean;
  /** Derived, and not yet met as recorded; `bound` where it was derived by the version then in force. */
  readonly #derived = new Map<string, { readonly intent: Intent; readonly bound: boolean }>();
  readonly #divergences = new Map<string, Divergence>();
  #faults: PolicyFault[] = [];
  #entries = 0;
  #last: Pick<Entry, 'seq' | 'at'> = { seq: 0, at: 0 };
  #nextDue: number | undefined;

  constructor(engine: Engine, { from, upTo, alone }: Base, policies: readonly Deployable[]) {
    this.#engine = engine;
    this.#policies = new Map(policies.map((policy) => [policy.name, policy]));
    this.#alone = alone;
    this.#resting = upTo !== undefined;
    if (upTo) engine.rest((policy) => !alone.has(policy));
    if (!from) return;
    engine.restore(from.engine, (policy) => !upTo || alone.has(policy));
    this.#restored(from, (policy) => !upTo || alone.has(policy));
  }

  /** The others are put back as they were. */
  wake(upTo: Snapshot): void {
    this.#resting = false;
    this.#engine.wake(upTo.engine);
    this.#restored(upTo, (policy) => !this.#alone.has(policy));
  }

  #restored({ engine: { entry }, derived }: Snapshot, which: (policy: string) => boolean): void {
    this.#last = entry;
    this.#nextDue = this.#engine.clock.nextDue();
    for (const body of derived) {
      if (body.kind === 'intent' && which(body.intent.policy)) this.#derive(body.intent);
      else if (body.kind === 'quarantine' && which(body.policy)) this.#faults.push(body);
    }
  }

  take(entry: Entry): void {
    this.#entries += 1;
    this.#last = entry;
    if (entry.kind === 'decided') this.#expire();
    const { intents, faults, nextDue } = this.#engine.step(entry);
    this.#nextDue = nextDue;
    for (const intent of intents) this.#derive(intent);
    this.#faults.push(...faults);
    if (entry.kind === 'intent') this.#match(entry.seq, entry.intent);
    else if (entry.kind === 'quarantine') this.#faults = this.#faults.filter(({ policy }) => policy !== entry.policy);
  }

  result(): Omit<Recovered, 'restored' | 'snapshot' | 'kept' | 'said'> {
    this.#expire();
    return {
      entries: this.#entries,
      lastSeq: this.#last.seq,
      lastAt: this.#last.at,
      // Nobody has decided on those entries: whatever version is in force now does.
      intents: [...this.#derived.values()].map(({ intent }) => intent),
      faults: this.#faults,
      divergences: [...this.#divergences.values()],
      nextDue: this.#nextDue,
      inventory: this.#engine.facts.inventory,
      versions: this.#engine.versions,
    };
  }

  #derive(intent: Intent): void {
    this.#derived.set(intent.id, { intent, bound: this.#sameVersion(intent.policy) });
  }

  #match(seq: number, recorded: Intent): void {
    const derived = this.#derived.get(recorded.id)?.intent;
    this.#derived.delete(recorded.id);
    if (derived ? JSON.stringify(derived) === JSON.stringify(recorded) : !this.#sameVersion(recorded.policy)) return;
    this.#diverge(recorded.policy, seq, derived ? JSON.stringify(derived.want) : 'nothing', JSON.stringify(recorded.want));
  }

  /** What was derived up to the last `decided` should have stood in the same append as it, unless another version decided it. */
  #expire(): void {
    const through = this.#engine.ledger.decidedThrough;
    for (const { intent, bound } of this.#derived.values()) {
      if (intent.cause > through) continue;
      this.#derived.delete(intent.id);
      if (bound && this.#sameVersion(intent.policy))
        this.#diverge(intent.policy, intent.cause, JSON.stringify(intent.want), 'nothing');
    }
  }

  /** Whether what it derives must be what is recorded. What rests derives nothing; and what has a horizon, not yet the same. */
  #sameVersion(policy: string): boolean {
    if (this.#engine.withholds(policy)) return false;
    if (this.#resting && (!this.#alone.has(policy) || this.#policies.get(policy)?.horizonMs !== undefined)) return false;
    return this.#engine.versions.get(policy) === this.#policies.get(policy)?.version;
  }

  #diverge(policy: string, seq: number, expected: string, found: string): void {
    if (!this.#divergences.has(policy)) this.#divergences.set(policy, { policy, seq, expected, found });
  }
}
