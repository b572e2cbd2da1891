// Owns: what caused an intent in the end: not the answer or the alarm at which it was made, but the event whose doing that
// was. Hears what a replay says, entry by entry, in order.
import type { Policy } from '../core/policy.ts';
import type { Verdict } from '../core/scope.ts';
import { serialOf } from '../core/slot.ts';
import type { Entry } from '../model/entry.ts';
import type { Intent } from '../model/intent.ts';

/** Of an intent: whose it is, and the entry that all began with. */
export interface Origin {
  readonly policy: string;
  readonly key: string;
  readonly root: number;
}

/** When and at which entry a pipe was woken. */
interface Waking {
  readonly at: number;
  readonly seq: number;
}

/** No window looks back over more events than that. */
const wakingsMax = 100_000;

export class Origins {
  readonly #pipes: ReadonlySet<string>;
  /** By policy and serial: another version of a policy makes the same ones. */
  readonly #intents = new Map<string, Origin>();
  /** By policy and key: the entry that woke it last, and the one its last intent began with. */
  readonly #woken = new Map<string, number>();
  readonly #chains = new Map<string, number>();
  readonly #wakings = new Map<string, Waking[]>();
  #said: Verdict[] = [];

  constructor(policies: readonly Policy[]) {
    this.#pipes = new Set(policies.flatMap(({ name, pipe }) => (pipe ? [name] : [])));
  }

  /** To be called with all that is said at an entry, before take(). */
  hear(verdict: Verdict): void {
    this.#said.push(verdict);
  }

  /** To be called when an entry has been stepped, with what the policies wanted because of it. */
  take(entry: Entry, intents: readonly Intent[]): void {
    for (const verdict of this.#said) {
      const { step, policy, key } = verdict;
      if (step === 'key' || (step === 'ensure' && !this.#isSettled(verdict))) this.#woken.set(`${policy}\n${key}`, entry.seq);
      if (step === 'on' && this.#pipes.has(policy)) this.#wake(policy, entry);
    }
    for (const intent of intents) this.#keep(intent, this.#rootOf(intent, entry));
    // The policies have changed since.
    if (entry.kind === 'intent' && !this.#intents.has(nameOf(entry.intent.id))) this.#keep(entry.intent, entry.intent.cause);
    if (this.#said.length > 0) this.#said = [];
  }

  /** Of an intent, or of what was done for one; undefined of any other entry, and where its intent is not known. */
  of(entry: Entry): Origin | undefined {
    const id = intentOf(entry);
    return id === undefined ? undefined : this.#intents.get(nameOf(id));
  }

  /** What is ensured after quiet is ensured for what came before. */
  #isSettled({ policy, key }: Verdict): boolean {
    return this.#said.some((one) => one.step === 'settle' && one.verdict === 'fired' && one.policy === policy && one.key === key);
  }

  #keep({ id, policy, key }: Intent, root: number): void {
    this.#intents.set(nameOf(id), { policy, key, root });
    this.#chains.set(`${policy}\n${key}`, root);
  }

  #wake(policy: string, { at, seq }: Entry): void {
    const wakings = this.#wakings.get(policy) ?? [];
    this.#wakings.set(policy, wakings);
    wakings.push({ at, seq });
    if (wakings.length > 2 * wakingsMax) wakings.splice(0, wakingsMax);
  }

  #rootOf({ policy, key }: Intent, entry: Entry): number {
    const said = this.#said.filter((verdict) => verdict.policy === policy);
    const answered = this.of(entry);
    if (this.#pipes.has(policy)) {
      if (said.some(({ step }) => step === 'on')) return entry.seq;
      return answered?.policy === policy ? answered.root : this.#rungFor(policy, said, entry);
    }
    const place = `${policy}\n${key}`;
    const of = (step: string, verdict: Verdict['verdict']): Verdict | undefined =>
      said.find((one) => one.step === step && one.verdict === verdict && (one.key === key || step === 'on'));
    const keyed = said.some(({ step }) => step === 'key');
    if (keyed ? of('key', 'passed') : of('on', 'passed')) return entry.seq;
    const begun = of('exclusive', 'fired');
    // After quiet, or after a round that was on: for what came last.
    if (of('settle', 'fired') || begun?.detail.startsWith('something came meanwhile')) return this.#woken.get(place) ?? entry.seq;
    // By itself: a look again, or on schedule.
    if (begun || of('ensure', 'fired')) return entry.seq;
    if (answered?.policy === policy && answered.key === key) return answered.root;
    return this.#chains.get(place) ?? this.#woken.get(place) ?? entry.seq;
  }

  /** An alarm rang: for the event that a window began with, else for the last one. */
  #rungFor(policy: string, said: readonly Verdict[], { seq }: Entry): number {
    const wakings = this.#wakings.get(policy) ?? [];
    const since = said.findLast(({ verdict, since }) => verdict === 'fired' && since !== undefined)?.since;
    const begun = since === undefined ? undefined : wakings.findLast(({ at }) => at === since);
    return (begun ?? wakings.at(-1))?.seq ?? seq;
  }
}

/** Whether it is an intent, or was done for one. */
export const isOfIntent = (entry: Entry): boolean => intentOf(entry) !== undefined;

function intentOf(entry: Entry): string | undefined {
  if (entry.kind === 'intent') return entry.intent.id;
  if (entry.kind === 'attempt' || entry.kind === 'outcome') return entry.intent;
  return entry.kind === 'reading' ? entry.reading.intent : undefined;
}

/** Without the version; and without what stands behind the number, as with a reading that a requirement asked for. */
function nameOf(id: string): string {
  const [seq = '', number = ''] = serialOf(id).split('/');
  return `${id.slice(0, id.indexOf('@'))}/${seq}/${number}`;
}
