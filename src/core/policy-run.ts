// Owns: one policy while it runs: its pipeline from event to intents, its schedule, and what it waits for. All it must
// remember is in cells; everything else here is wiring that a restart builds again.
import { filter, map, Observable, Subject, type Subscription } from 'rxjs';
import { type Entry, type EntryOf, rowsOf } from '../model/entry.ts';
import { OperatorError } from '../model/errors.ts';
import type { EnsureWant, Intent, Requirement, Want } from '../model/intent.ts';
import { ensureValidMs, intentsPerStepMax } from '../model/limits.ts';
import { type Meaning, type MeaningOf, meaningSubjects, type Role, roleSchema } from '../model/meaning.ts';
import type { Outcome } from '../model/outcome.ts';
import { spanText } from '../model/time.ts';
import { placeText } from '../resources/place.ts';
import type { CellStore, Cells } from './cells.ts';
import type { EventClock } from './clock.ts';
import { type Desire, isDesire, type ResourceDesire } from './desire.ts';
import { claimOf, type Facts, type GatewayMember } from './facts.ts';
import { absent } from './operators/absent.ts';
import { allOf } from './operators/all-of.ts';
import { dampening } from './operators/dampening.ts';
import { Exclusive, requirement } from './operators/exclusive.ts';
import { Hold } from './operators/hold.ts';
import { pair } from './operators/pair.ts';
import { perKey } from './operators/per-key.ts';
import { sequence } from './operators/sequence.ts';
import { settle, settleByKey } from './operators/settle.ts';
import { suppress } from './operators/suppress.ts';
import { threshold } from './operators/threshold.ts';
import { within } from './operators/within.ts';
import type { DeployedPolicy, HoldSpec, PipeTools, Policy } from './policy.ts';
import { nextOnGrid } from './schedule.ts';
import { isBuilding, Scope, type Verdict } from './scope.ts';
import { type EventFrame, fieldsMatch, type Selector } from './selector.ts';
import { isMeant } from './vm-migration.ts';

/** A policy event as it travels: the frame and the meaning's (or message's) own fields. */
export type PolicyEvent = EventFrame & { readonly kind: string } & Readonly<Record<string, unknown>>;

export interface RunHost {
  readonly clock: EventClock;
  readonly store: CellStore;
  readonly facts: Facts;
  /** What policies hold, by their names. */
  readonly holds: Map<string, Hold>;
  /** The entry being stepped: its seq, and its `at` (later than the clock while overdue alarms ring). */
  entry(): Pick<Entry, 'seq' | 'at'>;
  puttingBack(): boolean;
  /** Takes an intent and returns its id without the version. */
  intend(policy: number, key: string, want: Want): string;
  /** Runs what an alarm of this policy sets off; a throw stops the policy. */
  guard(policy: number, act: () => void): void;
  readonly trace: ((verdict: Verdict) => void) | undefined;
}

const operators = { absent, allOf, dampening, pair, perKey, sequence, settle, suppress, threshold, within };

export class PolicyRun {
  readonly deployed: DeployedPolicy;
  /** Its place among those deployed. */
  readonly number: number;
  readonly #host: RunHost;
  readonly #scope: Scope;
  readonly #exclusive: Exclusive;
  readonly #hold: Hold | undefined;
  /** Plain ensures of a state that can be read stand until it changes: the last event per key, to prove it again. */
  readonly #standing: Cells<PolicyEvent>;
  readonly #schedule: Cells<true>;
  readonly #waiting = new Map<string, (entry: EntryOf<'reading'> | EntryOf<'outcome'>) => void>();
  readonly #take: (event: PolicyEvent) => void;
  #closureKnows = false;
  #subscription: Subscription | undefined;
  #stopped = false;
  /** What the pipe threw: RxJS hands it to the subscriber, whoever rang or asked. */
  #failure: { readonly thrown: unknown } | undefined;

  constructor(deployed: DeployedPolicy, number: number, host: RunHost) {
    this.deployed = deployed;
    this.number = number;
    this.#host = host;
    const { policy } = deployed;
    this.#scope = new Scope(
      {
        policy: policy.name,
        clock: host.clock,
        store: host.store,
        entry: () => host.entry(),
        puttingBack: () => host.puttingBack(),
        guard: (act) => host.guard(number, act),
        trace: host.trace,
      },
      policy.name,
      '',
    );
    this.#exclusive = new Exclusive({
      scope: this.#scope,
      inventory: host.facts,
      intend: (key, want) => host.intend(number, key, want),
    });
    this.#hold = policy.hold && this.#buildHold(policy.hold);
    this.#standing = this.#scope.cells(this.#scope.place('standing'), () => undefined);
    this.#schedule = this.#scope.cells(this.#scope.place('resync'), () => this.#resyncDue());
    if (policy.resyncMs !== undefined && !this.#schedule.hasAlarm('')) this.#armResync();
    // Last: a pipe may want something as soon as it is subscribed to.
    this.#take = policy.pipe ? this.#buildPipe(policy) : policy.hold ? this.#holding(policy.hold) : this.#buildEnsure(policy);
    this.check();
  }

  /** Throws what the pipe threw. To be called after anything that may have moved it. */
  check(): void {
    if (this.#failure) throw this.#failure.thrown;
  }

  take(event: PolicyEvent): void {
    this.#scope.say('on', '', 'passed', () => `${event.kind}${event.target ? ` of ${event.target}` : ''}`);
    this.#take(event);
  }

  /** Returns whether an exclusive was waiting for it. */
  onReading(serial: string, entry: EntryOf<'reading'>): boolean {
    if (this.#stopped) return false;
    const awaited = this.#exclusive.onReading(serial, entry);
    this.#wake(serial, entry);
    return awaited;
  }

  /** `asked` is the intent that is attempted. */
  onAttempt(asked: Intent, entry: EntryOf<'attempt'>): void {
    this.#hold?.onAttempt(asked, entry);
  }

  /** `asked` is the intent that is over. */
  onHoldOutcome(serial: string, { outcome }: EntryOf<'outcome'>, asked: Intent): void {
    this.#hold?.onOutcome(serial, asked, outcome);
  }

  /** `asked` is the intent that is over, where it was open. */
  onOutcome(serial: string, entry: EntryOf<'outcome'>, asked: Intent | undefined): void {
    if (this.#stopped) return;
    if (entry.outcome.kind === 'expired' && asked) this.#givenUp(asked);
    this.#exclusive.onOutcome(serial, entry.outcome.kind);
    this.#wake(serial, entry);
  }

  /** Reads and proves again what concerns these targets (all, where none are named): after a gap, or on schedule. */
  resync(reason: string, targets?: readonly string[]): void {
    const { policy } = this.deployed;
    this.#hold?.resync(targets);
    if (!policy.ensure || this.#stopped) return;
    const proved = this.#resyncGateways(reason, targets);
    for (const key of this.#standing.keys()) {
      const event = this.#standing.get(key);
      if (!event || proved.has(key) || (targets && !targets.includes(event.target))) continue;
      this.#ensure(key, { ...event, because: 'resync' }, reason);
    }
  }

  /**
   * Whether all it remembers is in cells: nothing that a pipe asked for is unanswered, so that its closures hold wiring only. A pipe,
   * or a group in it, that asks as soon as it is subscribed to keeps what came of it in its closures, and one that has ended that it
   * has: they are never settled. What a declared `horizon` says is apart from it.
   */
  get settled(): boolean {
    return this.#waiting.size === 0 && !this.#closureKnows;
  }

  /** A round begun by another version of the code is void. */
  resetRounds(): void {
    this.#exclusive.reset();
  }

  /** It takes nothing in any more. What it holds it still has to let go of; returns where that is remembered, if anything is. */
  stop(): readonly string[] {
    this.#stopped = true;
    this.#subscription?.unsubscribe();
    this.#waiting.clear();
    return this.#hold && !this.#hold.isIdle ? this.#hold.cellPaths : [];
  }

  /** Lets go of what it holds. */
  release(why: string): void {
    this.#hold?.endAll(why);
  }

  #buildEnsure(policy: Policy): (event: PolicyEvent) => void {
    const fire = (key: string, event: PolicyEvent): void => this.#ensure(key, event, event.because ?? 'an event');
    const after = policy.settle ? settleByKey(this.#scope, policy.settle, fire).take : fire;
    return (event) => {
      const key = this.#keyOf(event);
      this.#scope.say('key', key, 'passed', () => key);
      after(key, event);
    };
  }

  #buildHold({ atMostMs, lingersMs, replace }: HoldSpec): Hold {
    return new Hold({
      scope: this.#scope,
      holds: this.#host.holds,
      intend: (key, want) => this.#host.intend(this.number, key, want),
      migration: (uuid) => this.#host.facts.vms.get(uuid)?.migration,
      nameOf: (uuid) => this.#host.facts.vms.get(uuid)?.vm,
      atMostMs,
      lingersMs,
      replace,
    });
  }

  /** What ends it is looked for first: an event may be both. */
  #holding({ until, desires }: HoldSpec): (event: PolicyEvent) => void {
    const { on } = this.deployed.policy;
    const isOne = (selectors: readonly Selector[], event: PolicyEvent): boolean =>
      selectors.some((one) => one.name === event.kind && fieldsMatch(one.where, event as never, event.target));
    return (event) => {
      const key = this.#keyOf(event);
      if (isOne(until, event) && !this.#isStillOn(event)) this.#hold!.over(key, event.kind);
      if (!isOne(on, event)) return;
      const returned = desires(event as never, { inventory: this.#host.facts });
      const wanted = (Array.isArray(returned) ? returned : [returned]) as readonly ResourceDesire[];
      if (wanted.length > intentsPerStepMax) throw tooManyDesires(wanted.length);
      this.#hold!.begin(key, wanted, requirementsOf(event, this.#host.facts), uuidOf(event));
    };
  }

  /**
   * Somebody says that a migration is over, and the hypervisors show that it is on: they tell its end as well. Or it is another that
   * is on or asked for by now; one that has taken its place this very moment begins anew.
   */
  #isStillOn(event: PolicyEvent): boolean {
    const ended = event as unknown as Meaning;
    if (ended.kind !== 'vm.migration-ended') return false;
    const vm = this.#host.facts.vms.get(ended.uuid);
    if (!vm?.migration) return false;
    const { to, phase, since } = vm.migration;
    return to === ended.to ? phase !== 'requested' || !isMeant(ended, vm) : since < event.at;
  }

  #buildPipe(policy: Policy): (event: PolicyEvent) => void {
    const events = new Subject<PolicyEvent>();
    const error = (thrown: unknown): void => {
      this.#failure ??= { thrown };
    };
    // Caught here: what a subscriber throws RxJS would throw again from a timer, past every guard (law E7).
    const next = (value: unknown): void => {
      try {
        if (!this.#failure && isDesire(value)) this.#intendDesires('', [value], [], 'the pipe');
      } catch (thrown) {
        error(thrown);
      }
    };
    // Where it ends as soon as it is begun it does so again.
    const complete = (): void => {
      if (!isBuilding()) this.#closureKnows = true;
    };
    this.#scope.build(() => {
      this.#subscription = policy.pipe!(events as unknown as Observable<never>, this.#tools()).subscribe({
        next,
        error,
        complete,
      });
    });
    return (event) => events.next(event);
  }

  #tools(): PipeTools {
    const ask = <T>(want: Want, answer: (entry: EntryOf<'reading'> | EntryOf<'outcome'>) => readonly T[]): Observable<T> =>
      new Observable((subscriber) => {
        if (isBuilding()) this.#closureKnows = true;
        const serial = this.#host.intend(this.number, '', want);
        this.#waiting.set(serial, (entry) => {
          for (const value of answer(entry)) subscriber.next(value);
          subscriber.complete();
        });
        return () => void this.#waiting.delete(serial);
      });
    return {
      inventory: this.#host.facts,
      ...operators,
      read: (target, query, about) =>
        ask({ kind: 'read', target, query, ...(about === undefined ? {} : { about }) }, (entry) => {
          const rows = entry.kind === 'reading' ? rowsOf(entry.reading, query) : undefined;
          return rows ? [rows] : [];
        }),
      act: (desire, event) => {
        const requires = event ? requirementsOf(event as PolicyEvent, this.#host.facts) : [];
        return ask(ensureWant(desire, requires), outcomeOf);
      },
      prove: (desire) => ask({ ...ensureWant(desire, []), prove: true }, outcomeOf),
      notice: (code, text, targets = []) => this.#saying('', { kind: 'notice', code, text, targets: [...targets] }),
      isMeant: (ended) => isMeant(ended, this.#host.facts.vms.get(ended.uuid) ?? ended),
      stands: ({ uuid, request }) => this.#host.facts.vms.get(uuid)?.migration?.request === request,
      report: ({ request }, state, text) => {
        const final = state !== 'accepted' && state !== 'running';
        return this.#saying(request, { kind: 'report', request, state, text, final });
      },
    };
  }

  /** What waits for no answer. */
  #saying(key: string, want: Want): Observable<never> {
    return new Observable((subscriber) => {
      this.#host.intend(this.number, key, want);
      subscriber.complete();
    });
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
    // A VM that moved is an edge: what is ensured then ends when verified.
    const stands = requires.some(({ query }) => query === 'fhrp') && desires.some(({ desire }) => desire === 'resource');
    if (stands) this.#standing.set(key, event);
    else this.#standing.delete(key);
    this.#intendDesires(key, desires, requires, reason, event);
  }

  #intendDesires(key: string, desires: readonly Desire[], requires: Requirement[], reason: string, event?: PolicyEvent): void {
    if (desires.length > intentsPerStepMax) throw tooManyDesires(desires.length);
    for (const desire of desires) {
      if (desire.desire === 'exclusive') this.#exclusive.start(key, desire, reason);
      else this.#host.intend(this.number, key, this.#lasting(ensureWant(desire, requires), event));
    }
  }

  /** What waits for long may find its VM gone on. Where it was it is not: that is what a thing left behind is taken away for. */
  #lasting(want: EnsureWant, event: PolicyEvent | undefined): EnsureWant {
    const { validForMs } = this.deployed.policy;
    if (validForMs === undefined) return want;
    const moved = event as unknown as Meaning | undefined;
    if (moved?.kind !== 'vm.migrated' || moved.from === '' || want.desired === 'present') return { ...want, validForMs };
    const requires = want.requires.map((each) => (each.query === 'domains' ? { ...each, orGoneFrom: moved.from } : each));
    return { ...want, validForMs, requires };
  }

  /** Nobody asks for it again: then somebody must hear of it. An exclusive hears by itself. */
  #givenUp({ key, want }: Intent): void {
    const { validForMs } = this.deployed.policy;
    if (want.kind !== 'ensure' || validForMs === undefined || want.validForMs !== validForMs) return;
    const { resource, desired } = want;
    const text = `${placeText(resource)} could not be made ${desired} within ${spanText(validForMs)} and is given up: look there.`;
    this.#host.intend(this.number, key, { kind: 'notice', code: 'ensure-given-up', text, targets: [resource.target] });
  }

  /** Every gateway it listens to, seen or not: as if a member had just said what is believed of it. Returns the keys. */
  #resyncGateways(reason: string, targets: readonly string[] | undefined): ReadonlySet<string> {
    const { facts } = this.#host;
    const proved = new Set<string>();
    const selectors = this.deployed.policy.on.filter(({ name }) => name === 'fhrp.changed');
    for (const gateway of selectors.length > 0 ? Object.keys(facts.inventory.gateways) : []) {
      const members = facts.membersOf(gateway);
      if (targets && !members.some(({ target }) => targets.includes(target))) continue;
      for (const { where } of selectors) {
        const event = this.#resyncEvent(members, where);
        const key = event && this.#keyOf(event);
        if (key === undefined || proved.has(key)) continue;
        proved.add(key);
        this.#ensure(key, event!, reason);
      }
    }
    return proved;
  }

  /** The member believed active first. Where none is what the selector asks for, one is taken to be: it is read before a write. */
  #resyncEvent(members: readonly GatewayMember[], where: Selector['where']): PolicyEvent | undefined {
    const known = members.map((member) => ({ member, role: this.#host.facts.fhrp(member.gateway, member.target)?.role }));
    const ordered = [...known.filter(({ role }) => role === 'active'), ...known.filter(({ role }) => role !== 'active')];
    const asked = roleSchema.safeParse(where?.role).data;
    const { seq } = this.#host.entry();
    const events = (role: (known?: Role) => Role): PolicyEvent[] =>
      ordered.map((each) => {
        const { gateway, target } = each.member;
        const meaning: MeaningOf<'fhrp.changed'> = { kind: 'fhrp.changed', gateway, member: target, role: role(each.role) };
        return { ...meaning, seq, at: this.#scope.now(), target, trust: 'authenticated', because: 'resync' };
      });
    return [...events((role) => role ?? 'other'), ...(asked ? events(() => asked) : [])].find((event) =>
      fieldsMatch(where, event as never, event.target),
    );
  }

  #keyOf(event: PolicyEvent): string {
    const { key } = this.deployed.policy;
    return key ? String(key(event as never)) : subjectKey(event);
  }

  #resyncDue(): void {
    // A version before this one had a schedule, and its alarm was remembered.
    if (this.deployed.policy.resyncMs === undefined) return;
    this.#armResync();
    this.resync('its schedule');
  }

  /** Several due while Offbox was down ring once: the next one lies beyond the entry being stepped. */
  #armResync(): void {
    this.#schedule.set('', true);
    this.#schedule.setAlarm('', nextOnGrid(this.#scope.entryAt(), this.deployed.policy.resyncMs!, this.deployed.policy.name));
  }
}

function outcomeOf(entry: EntryOf<'reading'> | EntryOf<'outcome'>): readonly Outcome[] {
  return entry.kind === 'outcome' ? [entry.outcome] : [];
}

function ensureWant({ resource, desired, staysMs, unless }: ResourceDesire, requires: Requirement[]): EnsureWant {
  const stays = staysMs === undefined ? {} : { staysMs };
  return {
    kind: 'ensure',
    resource,
    desired,
    requires,
    validForMs: ensureValidMs,
    ...stays,
    ...(unless === undefined ? {} : { unless }),
  };
}

function tooManyDesires(count: number): OperatorError {
  return new OperatorError(`${count} desires at once`, {
    code: 'too-many-desires',
    remedy: `Want at most ${intentsPerStepMax} for one event; give the policy a narrower key.`,
  });
}

/** Which VM an event of a migration speaks of. */
function uuidOf({ kind, uuid }: PolicyEvent): string | null {
  return kind.startsWith('vm.') && typeof uuid === 'string' ? uuid : null;
}

function subjectKey(event: PolicyEvent): string {
  const fields: readonly string[] = meaningSubjects[event.kind as Meaning['kind']] ?? ['target'];
  // An interface whose name could not be found out is still another than its neighbour.
  const text = (field: string): unknown => event[field] ?? (field === 'interface' ? event.ifIndex : undefined);
  return fields.flatMap((field) => (text(field) === undefined ? [] : [String(text(field))])).join(' ');
}

/** What must be read on the target, fresh, before anything of this event is written: its own claim. */
function requirementsOf(event: PolicyEvent, facts: Facts): Requirement[] {
  const meaning = event as unknown as Meaning;
  if (meaning.kind === 'fhrp.changed') {
    const member = facts.membersOf(meaning.gateway).find(({ target }) => target === meaning.member);
    return member ? [requirement(member, meaning.role === 'active' ? 'active' : 'not-active')] : [];
  }
  if (meaning.kind === 'vm.migrated') {
    const { to, uuid } = meaning;
    return [{ query: 'domains', target: to, uuid, is: 'here' }];
  }
  if (meaning.kind === 'vm.migration-requested' || meaning.kind === 'vm.migration-started') {
    const { from, uuid } = meaning;
    return from === '' ? [] : [{ query: 'domains', target: from, uuid, is: 'there' }];
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
  readonly select: Selector['select'];
  readonly name?: string;
  readonly where?: Readonly<Record<string, unknown>>;
  readonly event?: E;
}) {
  if (selector.select !== 'meaning') {
    throw new OperatorError(`ofMeaning() was given a selector of ${selector.select}`, {
      code: 'of-meaning',
      remedy: `Write filter((event) => event.kind === '${selector.select}') instead.`,
    });
  }
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
