// Owns: the backtest: what policies would have done over the recorded past, as a diff of intents against what was done. Nothing
// is touched: what would have been read is answered from the last recorded reading, what would have been done is assumed.
//
// B1. An intent is the same where the same entry causes it, in the same order, and it wants the same; the version may differ. What
//     became of it is then what was recorded.
// B2. One that was never recorded: a `read` is answered from the last recorded reading of the same question, else it is `unknown`;
//     an `ensure` is assumed to have been done.
// B3. A recorded one that is not derived was never done: what became of it is left out, but what was read is true all the same.
// B4. Where this very version did not come back from an entry, or took all memory, it is not given that entry: it stops there, as it did.
// B5. Rails and modes are not simulated: what a policy wants is compared, not what it was allowed.
import { Engine } from '../core/engine.ts';
import type { DeployedPolicy } from '../core/policy.ts';
import type { Entry, EntryBody, EntryOf, Reading } from '../model/entry.ts';
import type { Intent, Want } from '../model/intent.ts';
import type { Journal } from '../ports/journal.ts';
import { runtimeVersion } from './version.ts';

export interface BacktestOptions {
  readonly policies: readonly DeployedPolicy[];
  /** Of what is told, milliseconds since 1970; before it policies are only warmed. */
  readonly from?: number;
  readonly to?: number;
  /** Only what entries from this seq on, and before that one, cause. */
  readonly causes?: { readonly from: number; readonly before: number };
  /** Called now and then with the seq that has been reached. */
  readonly onProgress?: (seq: number) => void;
}

export interface Change {
  /** `+`: would have been wanted and was not. `-`: was wanted and would not have been. */
  readonly change: '+' | '-';
  readonly at: number;
  /** The entry that causes it. */
  readonly cause: number;
  readonly policy: string;
  readonly key: string;
  readonly want: Want;
}

export interface BacktestReport {
  readonly entries: number;
  /** Intents alike, and those that differ, in order. */
  readonly same: number;
  readonly changes: readonly Change[];
  /** Readings that nobody had taken. */
  readonly unknown: number;
  /** Intents whose outcome is assumed. */
  readonly assumed: number;
  /** Policies that threw, and where. */
  readonly faults: readonly { readonly policy: string; readonly cause: number; readonly reason: string }[];
}

const progressEvery = 4_096;

export async function backtest(journal: Pick<Journal, 'read'>, options: BacktestOptions): Promise<BacktestReport> {
  const recorded = new Map<string, EntryOf<'intent'>>();
  const tested = new Set(options.policies.map(({ policy }) => policy.name));
  const stops = new Stops(options.policies);
  for await (const batch of journal.read(0)) {
    for (const entry of batch) {
      stops.take(entry);
      if (entry.kind === 'intent' && tested.has(entry.intent.policy)) recorded.set(placeOf(entry.intent.id), entry);
    }
  }
  const run = new Run(options, recorded, stops);
  for await (const batch of journal.read(0)) for (const entry of batch) run.take(entry);
  return run.report();
}

/** An intent's id without the version: `policy seq/n`. */
function placeOf(id: string): string {
  return `${id.slice(0, id.indexOf('@'))} ${id.slice(id.indexOf('/') + 1)}`;
}

/** Where tested versions were ended from outside, and when they ran again (B4). */
class Stops {
  readonly #tested: ReadonlyMap<string, string>;
  readonly #inForce = new Map<string, string>();
  readonly #ended = new Set<string>();
  readonly ended: { readonly policy: string; readonly cause: number }[] = [];
  /** Seqs of the entries that say so. */
  readonly obeyed = new Set<number>();

  constructor(policies: readonly DeployedPolicy[]) {
    this.#tested = new Map(policies.map(({ policy, version }) => [policy.name, version]));
  }

  take(entry: Entry): void {
    if (entry.kind === 'deploy') {
      const { policy, version, seq } = entry;
      this.#inForce.set(policy, version);
      if (version === this.#tested.get(policy) && this.#ended.delete(policy)) this.obeyed.add(seq);
    } else if (entry.kind === 'quarantine' && entry.ended !== undefined) {
      const { policy, cause, seq } = entry;
      if (!this.#tested.has(policy) || this.#inForce.get(policy) !== this.#tested.get(policy)) return;
      this.#ended.add(policy);
      this.ended.push({ policy, cause });
      this.obeyed.add(seq);
    }
  }
}

/** `of/check` for what was read of an intent's requirement. */
const checked = /\/check$/;

class Run {
  readonly #options: BacktestOptions;
  readonly #engine: Engine;
  readonly #recorded: Map<string, EntryOf<'intent'>>;
  readonly #obeyed: ReadonlySet<number>;
  /** Recorded ids of intents that are derived too. */
  readonly #matched = new Set<string>();
  readonly #readings = new Map<string, Reading['result']>();
  readonly #changes: Change[] = [];
  readonly #faults: BacktestReport['faults'][number][] = [];
  #entries = 0;
  #same = 0;
  #unknown = 0;
  #assumed = 0;
  #begun = false;

  constructor(options: BacktestOptions, recorded: Map<string, EntryOf<'intent'>>, { ended, obeyed }: Stops) {
    this.#options = options;
    this.#recorded = recorded;
    this.#obeyed = obeyed;
    this.#engine = new Engine(options.policies);
    for (const { policy, cause } of ended) this.#engine.withhold(policy, { from: cause, cause });
  }

  take(entry: Entry): void {
    this.#entries += 1;
    if (!this.#begun) this.#begin(entry);
    if (this.#entries % progressEvery === 0) this.#options.onProgress?.(entry.seq);
    this.#step(this.#asItIs(entry));
  }

  report(): BacktestReport {
    for (const { at, intent } of this.#recorded.values()) {
      if (!this.#matched.has(intent.id)) this.#tell('-', at, intent);
    }
    this.#changes.sort((a, b) => a.at - b.at || a.cause - b.cause || (a.change < b.change ? 1 : -1));
    const [entries, same, unknown, assumed] = [this.#entries, this.#same, this.#unknown, this.#assumed];
    return { entries, same, changes: this.#changes, unknown, assumed, faults: this.#faults };
  }

  /** Every version runs from the first entry on. */
  #begin({ at }: Entry): void {
    this.#begun = true;
    for (const { policy, version } of this.#options.policies) {
      this.#step({ kind: 'deploy', policy: policy.name, version, runtime: runtimeVersion, seq: 0, at });
    }
  }

  /** What of the record is true for these policies too; of the rest its time: an alarm rings at the entry that passes it. */
  #asItIs(entry: Entry): Entry {
    const { seq, at } = entry;
    const timeAlone = { kind: 'tick', seq, at } as const;
    switch (entry.kind) {
      case 'deploy':
      case 'quarantine':
        return this.#obeyed.has(seq) ? entry : timeAlone;
      case 'intent':
        return this.#matched.has(entry.intent.id) ? entry : timeAlone;
      case 'attempt':
      case 'outcome':
        return this.#matched.has(entry.intent) ? entry : timeAlone;
      case 'reading': {
        const { reading } = entry;
        this.#readings.set(questionOf(reading), reading.result);
        const asked = reading.intent.replace(checked, '');
        return asked !== reading.intent || this.#matched.has(asked)
          ? entry
          : { ...entry, reading: { ...reading, intent: `~${asked}` } };
      }
      default:
        return entry;
    }
  }

  #step(entry: Entry): void {
    const { intents, faults } = this.#engine.step(entry);
    for (const { policy, cause, reason } of faults) this.#faults.push({ policy, cause, reason });
    for (const intent of intents) this.#meet(intent, entry);
  }

  #meet(intent: Intent, { seq, at }: Entry): void {
    const recorded = this.#recorded.get(placeOf(intent.id));
    if (recorded && JSON.stringify(recorded.intent.want) === JSON.stringify(intent.want)) {
      this.#matched.add(recorded.intent.id);
      if (this.#counts(intent.cause)) this.#same += 1;
      return;
    }
    this.#tell('+', at, intent);
    const answer = this.#answer(intent);
    if (answer) this.#step({ ...answer, seq, at });
  }

  #answer({ id, want }: Intent): EntryBody | undefined {
    if (want.kind === 'read') {
      const known = this.#readings.get(questionOf(want));
      if (!known) this.#unknown += 1;
      const result = known ?? ({ kind: 'unreadable', reason: 'nobody had read it' } as const);
      const { target, query, about } = want;
      return {
        kind: 'reading',
        reading: { target, query, ...(about === undefined ? {} : { about }), intent: id, result, tookMs: 0 },
      };
    }
    if (want.kind !== 'ensure') return undefined;
    this.#assumed += 1;
    return { kind: 'outcome', intent: id, outcome: { kind: 'done', reason: 'assumed' } };
  }

  #counts(cause: number): boolean {
    const { causes } = this.#options;
    return !causes || (cause >= causes.from && cause < causes.before);
  }

  #tell(change: Change['change'], at: number, { cause, policy, key, want }: Intent): void {
    const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = this.#options;
    if (at >= from && at <= to && this.#counts(cause)) this.#changes.push({ change, at, cause, policy, key, want });
  }
}

const questionOf = ({
  target,
  query,
  about = '',
}: {
  readonly target: string;
  readonly query: string;
  readonly about?: string | undefined;
}) => `${target} ${query} ${about}`;

/** A version that ran, and for how long. */
export interface Deployed {
  readonly policy: string;
  readonly version: string;
  /** Of its bundle among the blobs; absent in journals from before bundles were kept. */
  readonly bundle?: string;
  readonly causes: { readonly from: number; readonly before: number };
}

/** Every version that ran, in order. */
export async function deployedOver(journal: Pick<Journal, 'read'>): Promise<readonly Deployed[]> {
  const over: Deployed[] = [];
  const running = new Map<string, EntryOf<'deploy'>>();
  const end = (policy: string, before: number): void => {
    const ran = running.get(policy);
    running.delete(policy);
    if (!ran) return;
    const { version, bundle, seq } = ran;
    over.push({ policy, version, ...(bundle === undefined ? {} : { bundle }), causes: { from: seq, before } });
  };
  for await (const batch of journal.read(0)) {
    for (const entry of batch) {
      if (entry.kind === 'deploy' || entry.kind === 'quarantine') end(entry.policy, entry.seq);
      if (entry.kind === 'deploy') running.set(entry.policy, entry);
    }
  }
  for (const policy of [...running.keys()]) end(policy, Number.POSITIVE_INFINITY);
  return over;
}

/** Several runs as one. */
export function together(reports: readonly BacktestReport[]): BacktestReport {
  const sum = (of: (report: BacktestReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    entries: Math.max(0, ...reports.map(({ entries }) => entries)),
    same: sum(({ same }) => same),
    changes: reports.flatMap(({ changes }) => changes).sort((a, b) => a.at - b.at || a.cause - b.cause),
    unknown: sum(({ unknown }) => unknown),
    assumed: sum(({ assumed }) => assumed),
    faults: reports.flatMap(({ faults }) => faults),
  };
}
