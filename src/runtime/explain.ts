// Owns: explaining: replays the journal with every operator speaking, and gathers what follows from one entry.
import { Engine } from '../core/engine.ts';
import { claimOf, type GatewayMember } from '../core/facts.ts';
import type { DeployedPolicy } from '../core/policy.ts';
import type { Verdict } from '../core/scope.ts';
import { selectorMiss } from '../core/selector.ts';
import type { PolicyStatus } from '../core/slot.ts';
import { type Entry, type EntryOf, isRemoval } from '../model/entry.ts';
import { OperatorError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import type { Journal } from '../ports/journal.ts';
import { isOfIntent, type Origin, Origins } from './explain-cause.ts';
import { entryText } from './explain-entry.ts';
import { PipeTrail, pipeConclusion } from './explain-pipe.ts';
import { narrator, type Phrase } from './narrate.ts';
import { timeText } from './wall.ts';

export interface Step {
  readonly step: string;
  readonly verdict: Verdict['verdict'];
  readonly detail: string;
  /** The entry at which it said so, and how long after the one explained. */
  readonly seq: number;
  readonly afterMs: number;
}

export interface PolicyExplained {
  readonly policy: string;
  readonly steps: readonly Step[];
  readonly conclusion: string;
}

interface Explained {
  readonly entry: Entry;
  /** The entry in words. */
  readonly said: string;
  readonly policies: readonly PolicyExplained[];
}

export interface Explanation extends Explained {
  /** Of an intent, and of what was done for one: the entry that it began with, and what its policy made of that. */
  readonly cause?: Explained;
  /** Why there is no more to tell. */
  readonly note?: string;
}

/** A chain that has not ended by then is not told further. */
const stepsMax = 200;

export async function explain(
  journal: Read,
  policies: readonly DeployedPolicy[],
  seq: number,
  only?: string,
): Promise<Explanation> {
  const chosen = policies.filter(({ policy }) => only === undefined || policy.name === only);
  if (chosen.length === 0) throw noPolicy(only, policies);
  const teller = await told(journal, new Explainer(policies, seq, new Origins(policies.map(({ policy }) => policy))));
  const { entry, said } = teller;
  if (!entry)
    throw new OperatorError(`there is no entry ${seq}`, {
      code: 'usage',
      remedy: 'Take a number from `offbox show events` or `offbox show intents`.',
    });
  if (entry.kind === 'event') return { entry, said, policies: chosen.map((deployed) => teller.conclude(deployed)) };
  const { origin } = teller;
  const woken = chosen.filter(({ policy: { name } }) => teller.woke(name, origin !== undefined));
  const explained = { entry, said, policies: woken.map((deployed) => teller.conclude(deployed)) };
  if (origin) return { ...explained, ...(await fromOrigin(journal, policies, origin, only)) };
  const note = isOfIntent(entry)
    ? 'What caused it is not known: its intent is not in the journal any more.'
    : only === undefined
      ? 'Nobody is woken by it.'
      : `${only} is not woken by it.`;
  return woken.length > 0 ? explained : { ...explained, note };
}

type Read = Pick<Journal, 'read' | 'ofKind'>;

async function told(journal: Read, teller: Explainer): Promise<Explainer> {
  for await (const batch of journal.ofKind('quarantine', 0)) for (const entry of batch) teller.withhold(entry);
  for await (const batch of journal.read(0)) for (const entry of batch) teller.take(entry);
  return teller;
}

/** What the policy that wanted it made of the entry that it began with. */
async function fromOrigin(
  journal: Read,
  policies: readonly DeployedPolicy[],
  { policy, root }: Origin,
  only: string | undefined,
): Promise<Pick<Explanation, 'cause' | 'note'>> {
  if (only !== undefined && only !== policy) return { note: `It is of ${policy}; ${only} has no part in it.` };
  const teller = await told(journal, new Explainer(policies, root));
  const { entry, said } = teller;
  if (!entry) return { note: `It was caused by entry ${root}, which is not in the journal any more.` };
  const deployed = policies.find((each) => each.policy.name === policy);
  if (deployed && teller.woke(policy)) return { cause: { entry, said, policies: [teller.conclude(deployed)] } };
  const note = deployed
    ? `${policy}, as it is now, is not woken by that.`
    : `There is no policy ${policy} any more, so that it cannot be followed.`;
  return { cause: { entry, said, policies: [] }, note };
}

function noPolicy(name: string | undefined, policies: readonly DeployedPolicy[]): OperatorError {
  const known = policies.map(({ policy }) => policy.name).join(', ') || 'none';
  return new OperatorError(`there is no policy ${name ?? ''}`, { code: 'usage', remedy: `There is: ${known}.` });
}

/** Where a key's chain is: waiting for quiet, for a round that is on to end, being followed, or at its end. */
type Stage = 'settling' | 'queued' | 'followed' | 'ended';

/**
 * Follows one entry: what each policy says at it; then, per key it touched, what it says until that key's chain comes
 * to rest, and what became of the intents on the way. What other events do to the same key meanwhile is left out.
 */
class Explainer {
  readonly #seq: number;
  readonly #policies: readonly DeployedPolicy[];
  readonly #engine: Engine;
  readonly #narrate = narrator();
  readonly #steps = new Map<string, Step[]>();
  /** By policy, then key. */
  readonly #stages = new Map<string, Map<string, Stage>>();
  /** Of the policies that are pipes. */
  readonly #trails = new Map<string, PipeTrail>();
  readonly #misses = new Map<string, string>();
  /** The policies that it stopped. */
  readonly #stops = new Map<string, Step>();
  readonly #origins: Origins | undefined;
  entry: Entry | undefined;
  said = '';
  /** Of an intent, and of what was done for one. */
  origin: Origin | undefined;

  constructor(policies: readonly DeployedPolicy[], seq: number, origins?: Origins) {
    this.#seq = seq;
    this.#policies = policies;
    this.#origins = origins;
    this.#engine = new Engine(policies, { trace: (verdict) => this.#hear(verdict) });
  }

  /** What a policy did not come back from it is not given here either. To be said before the first entry. */
  withhold({ policy, cause, ended }: EntryOf<'quarantine'>): void {
    if (ended !== undefined) this.#engine.withhold(policy, { from: cause, cause });
  }

  take(entry: Entry): void {
    if (entry.seq === this.#seq) this.#meet(entry);
    else if (entry.kind === 'quarantine' && entry.cause === this.#seq && !isRemoval(entry.reason)) this.#stop(entry);
    const { intents } = this.#engine.step(entry);
    const phrases = this.#narrate(entry, this.#engine);
    if (entry.seq <= this.#seq) this.#origins?.take(entry, intents);
    if (entry.seq === this.#seq) {
      this.said = phrases.map(({ what, who, text }) => `${what} ${who} ${text}`).join('; ') || entryText(entry);
      this.origin = entry.kind === 'quarantine' ? stopOrigin(entry) : this.#origins?.of(entry);
    } else if (this.entry) this.#follow(entry, phrases);
  }

  /** Whether a policy had something to say at the entry, or `itself` was woken by it and did not only get its answer. */
  woke(policy: string, itself = false): boolean {
    const steps = this.#steps.get(policy) ?? [];
    return itself ? steps[0]?.step === 'on' : steps.length > 0 || this.#stops.has(policy);
  }

  conclude({ policy: { name } }: DeployedPolicy): PolicyExplained {
    const steps = this.#steps.get(name);
    const stop = this.#stops.get(name);
    if (stop) return { policy: name, steps: [...(steps ?? []), stop], conclusion: 'It was stopped by this entry.' };
    if (!steps) {
      const detail = this.#misses.get(name) ?? 'not woken by this entry';
      const step: Step = { step: 'on', verdict: 'stopped', detail, seq: this.#seq, afterMs: 0 };
      return { policy: name, steps: [step], conclusion: 'It did not fire: stopped at on.' };
    }
    const trail = this.#trails.get(name);
    if (trail) return { policy: name, steps, conclusion: pipeConclusion(steps, trail.waits) };
    const last = steps.at(-1)!;
    if (last.verdict === 'stopped') return { policy: name, steps, conclusion: `It was stopped at ${last.step}.` };
    if (last.verdict !== 'waiting') return { policy: name, steps, conclusion: 'It fired and went through.' };
    const open = [...this.#stages.get(name)!.values()].some((stage) => stage !== 'ended');
    return { policy: name, steps, conclusion: open ? `It still waits at ${last.step}.` : `It is ${last.detail}.` };
  }

  #meet(entry: Entry): void {
    this.entry = entry;
    for (const { policy } of this.#policies) if (policy.pipe) this.#trails.set(policy.name, new PipeTrail(entry));
    if (entry.kind !== 'event') return;
    const derived = this.#engine.derived(entry.event);
    const idle = new Map(
      this.#engine.policies().flatMap((status) => (status.state === 'running' ? [] : [[status.name, idleText(status)]])),
    );
    for (const { policy } of this.#policies) {
      const misses = policy.on.map((selector) => selectorMiss(selector, entry.event, derived));
      if (misses.includes(undefined)) {
        const why = idle.get(policy.name);
        if (why !== undefined) this.#misses.set(policy.name, why);
        continue;
      }
      const listens = policy.on.some(({ name }) => name === 'fhrp.changed');
      this.#misses.set(policy.name, [...misses, ...(listens ? this.#noMember(entry.event) : [])].join('; '));
    }
  }

  /** A state change that is no declared gateway's is often the reason: Vlan20 with the group number of Vlan10. */
  #noMember({ meaning, target }: Event): readonly string[] {
    const claimed = meaning && target ? claimOf(meaning) : undefined;
    if (!claimed || target === undefined) return [];
    const { facts } = this.#engine;
    const { protocol, claim } = claimed;
    const like = facts.membersLike(target, protocol, claim);
    if (like.length === 1) return [];
    const said = `${target} ${claim.interface ?? claim.instance ?? ''} group ${claim.group ?? '-'}`;
    if (like.length > 1) return [`${said} could be any of ${like.map(memberText).join(', ')}`];
    const declared = facts.membersOn(target).filter((member) => member.protocol === protocol);
    return [`no gateway has ${said} (${declared.map(memberText).join(', ') || `none has ${target} with ${protocol}`})`];
  }

  #stop({ policy, reason, seq, at }: EntryOf<'quarantine'>): void {
    if (this.entry)
      this.#stops.set(policy, { step: 'stopped', verdict: 'stopped', detail: reason, seq, afterMs: at - this.entry.at });
  }

  #hear(verdict: Verdict): void {
    const { policy, seq, at, step, key, until } = verdict;
    if (seq <= this.#seq) this.#origins?.hear(verdict);
    if (!this.entry) return;
    const detail = until === undefined ? verdict.detail : `${verdict.detail} until ${clockText(until, this.entry.at)}`;
    const said: Step = { step, verdict: verdict.verdict, detail, seq, afterMs: at - this.entry.at };
    const trail = this.#trails.get(policy);
    if (trail) {
      if (trail.concerns(verdict)) this.#add(policy, said);
      return;
    }
    if (step === 'on' && seq !== this.#seq) return;
    const stages = this.#stages.get(policy) ?? new Map<string, Stage>();
    this.#stages.set(policy, stages);
    const stage = seq === this.#seq ? (stages.get(key) ?? 'followed') : stages.get(key);
    if (stage === undefined || stage === 'ended' || !relevant(stage, verdict, seq === this.#seq)) return;
    if (step !== 'on') stages.set(key, stageAfter(stage, verdict));
    this.#add(policy, said);
  }

  #follow(entry: Entry, phrases: readonly Phrase[]): void {
    for (const [policy, trail] of this.#trails) if (trail.follows(entry)) this.#tell(policy, entry, phrases);
    const id =
      entry.kind === 'outcome' || entry.kind === 'attempt' ? entry.intent : entry.kind === 'intent' ? entry.intent.id : undefined;
    const policy = id?.slice(0, id.indexOf('@'));
    if (policy !== undefined && [...(this.#stages.get(policy)?.values() ?? [])].includes('followed'))
      this.#tell(policy, entry, phrases);
  }

  #tell(policy: string, { seq, at }: Entry, phrases: readonly Phrase[]): void {
    for (const { what, who, text } of phrases) {
      if (what === 'asks') continue;
      const verdict = verdictOf[what] ?? 'stopped';
      this.#add(policy, { step: what, verdict, detail: `${who} ${text}`, seq, afterMs: at - this.entry!.at });
    }
  }

  #add(policy: string, step: Step): void {
    const steps = this.#steps.get(policy) ?? [];
    this.#steps.set(policy, steps);
    // What is said of two keys is said twice.
    const known = steps.some((one) => one.seq === step.seq && one.step === step.step && one.detail === step.detail);
    if (steps.length < stepsMax && !known) steps.push(step);
  }
}

/** It began with the entry that the policy did not get over. */
const stopOrigin = ({ policy, cause, reason }: EntryOf<'quarantine'>): Origin | undefined =>
  isRemoval(reason) ? undefined : { policy, key: '', root: cause };

const idleText = ({ state, reason }: PolicyStatus): string =>
  state === 'stopped' ? `it was stopped before: ${reason}` : 'it did not run yet';

const memberText = ({ gateway, target, interface: name, instance, group }: GatewayMember): string =>
  `${gateway} has ${target} ${name ?? instance ?? ''} group ${group ?? '-'}`;

const verdictOf: Readonly<Record<string, Verdict['verdict']>> = {
  done: 'passed',
  already: 'passed',
  apply: 'fired',
  wants: 'fired',
  held: 'waiting',
  notice: 'fired',
  report: 'fired',
};

/** `10:00:05`, with the date where it is another day's. */
function clockText(at: number, from: number): string {
  const [text, today] = [timeText(at).replace(/\.000$/, ''), timeText(from)];
  return text.slice(0, 10) === today.slice(0, 10) ? text.slice(11) : text;
}

/** While it settles only settling matters, while it waits for a round only the next one's beginning. */
function relevant(stage: Stage, { step, verdict }: Verdict, own: boolean): boolean {
  if (own) return true;
  if (stage === 'settling') return step === 'settle' && verdict === 'fired';
  if (stage === 'queued') return step === 'exclusive' && verdict === 'fired';
  return step !== 'settle' && step !== 'key';
}

function stageAfter(stage: Stage, { step, verdict, detail }: Verdict): Stage {
  if (step === 'settle') return verdict === 'waiting' ? 'settling' : 'followed';
  if (step !== 'exclusive') return stage;
  if (verdict === 'waiting' && detail.includes('another follows')) return 'queued';
  // A round that came to rest ends the chain.
  return verdict === 'stopped' || /^as (it should|far as it can) be/.test(detail) ? 'ended' : 'followed';
}
