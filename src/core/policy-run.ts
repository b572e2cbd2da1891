// Owns: one policy while it runs: its pipeline from event to intents, its schedule, and what it waits for. All it must
// remember is in cells; everything else here is wiring that a restart builds again.
import { filter, map, Observable, Subject, type Subscription } from 'rxjs';
import type { Entry, EntryOf } from '../model/entry.ts';
import type { Requirement, Want } from '../model/intent.ts';
import { intentsPerStepMax } from '../model/limits.ts';
import { type Meaning, type MeaningOf, meaningSubjects } from '../model/meaning.ts';
import type { CellStore, Cells } from './cells.ts';
import type { EventClock } from './clock.ts';
import { type Desire, isDesire, type ResourceDesire } from './desire.ts';
import { claimOf, type Facts, type GatewayMember } from './facts.ts';
import { Exclusive, requirement } from './operators/exclusive.ts';
import { perKey } from './operators/per-key.ts';
import { settle, settleByKey } from './operators/settle.ts';
import { threshold } from './operators/threshold.ts';
import type { DeployedPolicy, PipeTools, Policy } from './policy.ts';
import { nextOnGrid } from './schedule.ts';
import { Scope, type Verdict } from './scope.ts';
import type { EventFrame } from './selector.ts';

/** A policy event as it travels: the frame and the meaning's (or message's) own fields. */
export type PolicyEvent = EventFrame & { readonly kind: string } & Readonly<Record<string, unknown>>;

export interface RunHost {
  readonly clock: EventClock;
  readonly store: CellStore;
  readonly facts: Facts;
  /** The entry being stepped: its seq, and its `at` (later than the clock while overdue alarms ring). */
  entry(): Pick<Entry, 'seq' | 'at'>;
  /** Takes an intent and returns its id without the version. */
  intend(policy: number, key: string, want: Want): string;
  readonly trace: ((verdict: Verdict) => void) | undefined;
}

/** How long a plain ensure may wait before it is stale. */
const validForMs = 60_000;

export class PolicyRun {
  readonly deployed: DeployedPolicy;
  readonly #number: number;
  readonly #host: RunHost;
  readonly #scope: Scope;
  readonly #take: (event: PolicyEvent) => void;
  readonly #exclusive: Exclusive;
  /** Plain ensures of a state that can be read stand until it changes: the last event per key, to prove it again. */
  readonly #standing: Cells<PolicyEvent>;
  readonly #schedule: Cells<true>;
  readonly #waiting = new Map<string, (entry: EntryOf<'reading'> | EntryOf<'outcome'>) => void>();
  #subscription: Subscription | undefined;

  constructor(deployed: DeployedPolicy, number: number, host: RunHost) {
    this.deployed = deployed;
    this.#number = number;
    this.#host = host;
    const { policy } = deployed;
    this.#scope = new Scope(
      { policy: policy.name, clock: host.clock, store: host.store, seq: () => host.entry().seq, trace: host.trace },
      policy.name,
      '',
    );
    this.#take = policy.pipe ? this.#buildPipe(policy) : this.#buildEnsure(policy);
    this.#exclusive = new Exclusive({
      scope: this.#scope,
      inventory: host.facts,
      intend: (key, want) => host.intend(number, key, want),
    });
    this.#standing = this.#scope.cells(this.#scope.place('standing'), () => undefined);
    this.#schedule = this.#scope.cells(this.#scope.place('resync'), () => this.#resyncDue());
    if (policy.resyncMs !== undefined && !this.#schedule.hasAlarm('')) this.#armResync();
  }

  take(event: PolicyEvent): void {
    this.#scope.say('on', '', 'passed', () => `${event.kind}${event.target ? ` of ${event.target}` : ''}`);
    this.#take(event);
  }

  onReading(serial: string, entry: EntryOf<'reading'>): void {
    this.#exclusive.onReading(serial, entry);
    this.#wake(serial, entry);
  }

  onOutcome(serial: string, entry: EntryOf<'outcome'>): void {
    this.#exclusive.onOutcome(serial, entry.outcome.kind);
    this.#wake(serial, entry);
  }

  /** Reads and proves again what concerns these targets (all, where none are named): after a gap, or on schedule. */
  resync(reason: string, targets?: readonly string[]): void {
    const { policy } = this.deployed;
    if (!policy.ensure) return;
    for (const selector of policy.on) {
      if (selector.select === 'meaning' && selector.name === 'fhrp.changed')
        this.#resyncGateways(selector.where ?? {}, reason, targets);
    }
    for (const key of this.#standing.keys()) {
      const event = this.#standing.get(key)!;
      if (!targets || targets.includes(event.target)) this.#ensure(key, { ...event, because: 'resync' }, reason);
    }
  }

  /** A round begun by another version of the code is void. */
  resetRounds(): void {
    this.#exclusive.reset();
  }

  stop(): void {
    this.#subscription?.unsubscribe();
    this.#waiting.clear();
  }

  #buildEnsure(policy: Policy): (event: PolicyEvent) => void {
    const fire = (key: string, event: PolicyEvent): void => this.#ensure(key, event, event.because ?? 'an event');
    const after = policy.settle ? settleByKey(this.#scope, policy.settle, fire) : fire;
    return (event) => {
      const key = policy.key ? String(policy.key(event as never)) : subjectKey(event);
      this.#scope.say('key', key, 'passed', () => key);
      after(key, event);
    };
  }

  #buildPipe(policy: Policy): (event: PolicyEvent) => void {
    const events = new Subject<PolicyEvent>();
    let failure: { readonly thrown: unknown } | undefined;
    const next = (value: unknown): void => {
      if (isDesire(value)) this.#intendDesires('', [value], [], 'the pipe');
    };
    const error = (thrown: unknown): void => {
      failure = { thrown };
    };
    this.#scope.build(() => {
      this.#subscription = policy.pipe!(events as unknown as Observable<never>, this.#tools()).subscribe({ next, error });
    });
    return (event) => {
      events.next(event);
      if (failure) throw failure.thrown;
    };
  }

  #tools(): PipeTools {
    const ask = <T>(want: Want, answer: (entry: EntryOf<'reading'> | EntryOf<'outcome'>) => readonly T[]): Observable<T> =>
      new Observable((subscriber) => {
        const serial = this.#host.intend(this.#number, '', want);
        this.#waiting.set(serial, (entry) => {
          for (const value of answer(entry)) subscriber.next(value);
          subscriber.complete();
        });
        return () => void this.#waiting.delete(serial);
      });
    return {
      inventory: this.#host.facts,
      perKey,
      settle,
      threshold,
      read: (target, query) =>
        ask({ kind: 'read', target, query }, (entry) =>
          entry.kind === 'reading' && entry.reading.result.kind === 'rows' ? [entry.reading.result.rows] : [],
        ),
      act: (desire) => ask(ensureWant(desire, []), (entry) => (entry.kind === 'outcome' ? [entry.outcome] : [])),
    };
  }

  #wake(serial: string, entry: EntryOf<'reading'> | EntryOf<'outcome'>): void {
    const waiter = this.#waiting.get(serial);
    // A held intent is not over: the pipeline hears of it when it is.
    if (!waiter || (entry.kind === 'outcome' && entry.outcome.kind === 'held')) return;
    this.#waiting.delete(serial);
    waiter(entry);
  }

  #ensure(key: string, event: PolicyEvent, reason: string): void {
    const returned = this.deployed.policy.ensure!(event as never, { inventory: this.#host.facts });
    const desires = Array.isArray(returned) ? (returned as readonly Desire[]) : [returned as Desire];
    this.#scope.say(
      'ensure',
      key,
      'fired',
      () => `${desires.length} desire${desires.length === 1 ? '' : 's'}, because of ${reason}`,
    );
    const requires = requirementsOf(event, this.#host.facts);
    if (requires.length > 0 && desires.some(({ desire }) => desire === 'resource')) this.#standing.set(key, event);
    this.#intendDesires(key, desires, requires, reason);
  }

  #intendDesires(key: string, desires: readonly Desire[], requires: Requirement[], reason: string): void {
    let exclusives = 0;
    for (const desire of desires.slice(0, intentsPerStepMax)) {
      if (desire.desire === 'exclusive') this.#exclusive.start(key, exclusives++, desire, reason);
      else this.#host.intend(this.#number, key, ensureWant(desire, requires));
    }
    if (desires.length > intentsPerStepMax)
      throw new RangeError(`${desires.length} desires at once; at most ${intentsPerStepMax}`);
  }

  /** Every gateway it listens to, seen or not: as if the member now believed active had just said so. */
  #resyncGateways(where: Readonly<Record<string, unknown>>, reason: string, targets?: readonly string[]): void {
    const { facts } = this.#host;
    for (const gateway of Object.keys(facts.inventory.gateways)) {
      const members = facts.membersOf(gateway);
      if (where.gateway !== undefined && where.gateway !== gateway) continue;
      if (targets && !members.some(({ target }) => targets.includes(target))) continue;
      const believed = members.find(({ target }) => facts.fhrp(gateway, target)?.role === 'active') ?? members[0];
      if (believed) this.#resyncGateway(believed, reason);
    }
  }

  #resyncGateway(believed: GatewayMember, reason: string): void {
    const { gateway, target } = believed;
    const role = this.#host.facts.fhrp(gateway, target)?.role ?? 'other';
    const meaning: MeaningOf<'fhrp.changed'> = { kind: 'fhrp.changed', gateway, member: target, role };
    const event: PolicyEvent = {
      ...meaning,
      seq: this.#host.entry().seq,
      at: this.#scope.now(),
      target,
      trust: 'authenticated',
      because: 'resync',
    };
    const { key } = this.deployed.policy;
    this.#ensure(key ? String(key(event as never)) : subjectKey(event), event, reason);
  }

  #resyncDue(): void {
    this.#armResync();
    this.resync('its schedule');
  }

  /** Several due while Offbox was down ring once: the next one lies beyond the entry being stepped. */
  #armResync(): void {
    const from = Math.max(this.#scope.now(), this.#host.entry().at);
    this.#schedule.set('', true);
    this.#schedule.setAlarm('', nextOnGrid(from, this.deployed.policy.resyncMs!, this.deployed.policy.name));
  }
}

function ensureWant(desire: ResourceDesire, requires: Requirement[]): Want {
  return { kind: 'ensure', resource: desire.resource, desired: desire.desired, requires, validForMs };
}

function subjectKey(event: PolicyEvent): string {
  const fields: readonly string[] = meaningSubjects[event.kind as Meaning['kind']] ?? ['target'];
  return fields.flatMap((field) => (event[field] === undefined ? [] : [String(event[field])])).join(' ');
}

/** What must be read on the target, fresh, before anything of this event is written: its own claim. */
function requirementsOf(event: PolicyEvent, facts: Facts): Requirement[] {
  const meaning = event as unknown as Meaning;
  if (meaning.kind === 'fhrp.changed') {
    const member = facts.membersOf(meaning.gateway).find(({ target }) => target === meaning.member);
    return member ? [requirement(member, meaning.role === 'active' ? 'active' : 'not-active')] : [];
  }
  const claimed = claimOf(meaning);
  if (!claimed) return [];
  const { interface: name, group, instance, family } = claimed.claim;
  const row = {
    ...(name === undefined ? {} : { interface: name }),
    ...(group === undefined ? {} : { group }),
    ...(instance === undefined ? {} : { instance }),
    family: family ?? ('ipv4' as const),
  };
  return [{ target: event.target, query: 'fhrp', ...row, is: claimed.role === 'active' ? 'active' : 'not-active' }];
}

/** In a pipe: lets through what a selector would, by kind and fields. */
export function ofMeaning<E extends EventFrame & { readonly kind: string }>(selector: {
  readonly name?: string;
  readonly where?: Readonly<Record<string, unknown>>;
  readonly event?: E;
}) {
  return (source: Observable<EventFrame & { readonly kind: string }>): Observable<E> =>
    source.pipe(
      filter((event) => {
        const fields = event as unknown as Readonly<Record<string, unknown>>;
        return (
          event.kind === selector.name &&
          Object.entries(selector.where ?? {}).every(([field, wanted]) => fields[field] === wanted)
        );
      }),
      map((event) => event as unknown as E),
    );
}
