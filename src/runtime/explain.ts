// Owns: explaining: replays the journal with every operator speaking, and gathers what follows from one entry.
import { Engine } from '../core/engine.ts';
import type { DeployedPolicy } from '../core/policy.ts';
import type { Verdict } from '../core/scope.ts';
import { selectorMiss } from '../core/selector.ts';
import type { Entry } from '../model/entry.ts';
import { OperatorError } from '../model/errors.ts';
import type { Journal } from '../ports/journal.ts';
import { narrator } from './narrate.ts';

export interface Step {
  readonly step: string;
  readonly verdict: Verdict['verdict'];
  readonly detail: string;
  /** The entry at which it said so, and how long after the one explained. */
  readonly seq: number;
  readonly afterMs: number;
}

export interface Explanation {
  readonly entry: Entry;
  /** The entry in words. */
  readonly said: string;
  readonly policies: readonly { readonly policy: string; readonly steps: readonly Step[]; readonly conclusion: string }[];
}

/** A chain that has not ended by then is not told further. */
const stepsMax = 200;

export async function explain(
  journal: Pick<Journal, 'read'>,
  policies: readonly DeployedPolicy[],
  seq: number,
  only?: string,
): Promise<Explanation> {
  const chosen = policies.filter(({ policy }) => only === undefined || policy.name === only);
  if (chosen.length === 0) throw noPolicy(only, policies);
  const teller = new Explainer(policies, seq);
  for await (const batch of journal.read(0)) for (const entry of batch) teller.take(entry);
  if (!teller.entry)
    throw new OperatorError(`there is no entry ${seq}`, {
      code: 'usage',
      remedy: 'Take a number from `offbox show events` or `offbox show intents`.',
    });
  return { entry: teller.entry, said: teller.said, policies: chosen.map((deployed) => teller.conclude(deployed)) };
}

function noPolicy(name: string | undefined, policies: readonly DeployedPolicy[]): OperatorError {
  const known = policies.map(({ policy }) => policy.name).join(', ') || 'none';
  return new OperatorError(`there is no policy ${name ?? ''}`, { code: 'usage', remedy: `There is: ${known}.` });
}

/**
 * Follows one entry: what a policy says at it; then, per key it touched, what it says until the key's chain comes to
 * rest (a round is finished or stopped), and the outcomes of the intents on the way.
 */
class Explainer {
  readonly #seq: number;
  readonly #engine: Engine;
  readonly #narrate: ReturnType<typeof narrator>;
  readonly #steps = new Map<string, Step[]>();
  readonly #keys = new Map<string, Set<string>>();
  readonly #ended = new Set<string>();
  readonly #misses = new Map<string, string>();
  entry: Entry | undefined;
  said = '';

  constructor(policies: readonly DeployedPolicy[], seq: number) {
    this.#seq = seq;
    this.#engine = new Engine(policies, (verdict) => this.#hear(verdict));
    this.#narrate = narrator();
    this.#policies = policies;
  }
  readonly #policies: readonly DeployedPolicy[];

  take(entry: Entry): void {
    if (entry.seq === this.#seq) this.#meet(entry);
    this.#engine.step(entry);
    const phrases = this.#narrate(entry, this.#engine);
    if (entry.seq === this.#seq)
      this.said = phrases.map(({ what, who, text }) => `${what} ${who} ${text}`).join('; ') || entry.kind;
    if (this.entry && entry.seq > this.#seq) this.#follow(entry, phrases);
  }

  conclude({ policy }: DeployedPolicy): Explanation['policies'][number] {
    const steps = this.#steps.get(policy.name) ?? [];
    const last = steps.at(-1);
    if (steps.length > 0) {
      const open =
        last?.verdict === 'waiting'
          ? 'It waits.'
          : last?.verdict === 'stopped'
            ? `It stopped at ${last.step}.`
            : 'It went through.';
      return { policy: policy.name, steps, conclusion: open };
    }
    const miss = this.#misses.get(policy.name);
    const step: Step = { step: 'on', verdict: 'stopped', detail: miss ?? 'not woken by this entry', seq: this.#seq, afterMs: 0 };
    return { policy: policy.name, steps: [step], conclusion: 'It did not fire: stopped at on.' };
  }

  #meet(entry: Entry): void {
    this.entry = entry;
    if (entry.kind !== 'event') return;
    const derived = this.#engine.derived(entry.event);
    for (const { policy } of this.#policies) {
      const misses = policy.on.map((selector) => selectorMiss(selector, entry.event, derived));
      if (!misses.includes(undefined)) this.#misses.set(policy.name, misses.join('; or '));
    }
  }

  #hear({ policy, seq, at, step, key, verdict, detail }: Verdict): void {
    if (!this.entry || this.#ended.has(`${policy} ${key}`)) return;
    const keys = this.#keys.get(policy) ?? new Set<string>();
    this.#keys.set(policy, keys);
    if (seq === this.#seq) keys.add(key);
    else if (!keys.has(key)) return;
    this.#add(policy, { step, verdict, detail, seq, afterMs: at - this.entry.at });
    // A round that came to rest ends the chain of this entry; another event of the same key is another story.
    if (step === 'exclusive' && (verdict === 'stopped' || detail.startsWith('as it should be')))
      this.#ended.add(`${policy} ${key}`);
    if (step === 'on' && seq > this.#seq) this.#ended.add(`${policy} ${key}`);
  }

  #follow(entry: Entry, phrases: ReturnType<ReturnType<typeof narrator>>): void {
    const id =
      entry.kind === 'outcome' || entry.kind === 'attempt' ? entry.intent : entry.kind === 'intent' ? entry.intent.id : undefined;
    const policy = id?.slice(0, id.indexOf('@'));
    if (policy === undefined || !this.#steps.has(policy)) return;
    for (const { what, who, text } of phrases) {
      if (what === 'asks') continue;
      const verdict =
        what === 'done' || what === 'already'
          ? 'passed'
          : what === 'apply' || what === 'wants'
            ? 'fired'
            : what === 'held'
              ? 'waiting'
              : 'stopped';
      if (![...(this.#keys.get(policy) ?? [])].every((key) => this.#ended.has(`${policy} ${key}`))) {
        this.#add(policy, { step: what, verdict, detail: `${who} ${text}`, seq: entry.seq, afterMs: entry.at - this.entry!.at });
      }
    }
  }

  #add(policy: string, step: Step): void {
    const steps = this.#steps.get(policy) ?? [];
    this.#steps.set(policy, steps);
    if (steps.length < stepsMax) steps.push(step);
  }
}
