// Owns: the engine: step(entry) → intents. Synchronous, no I/O, no wall clock. Live running, restart, stories and
// backtests are this same code, fed from different places.
//
// E1. Same entries, same intents, same ids (`policy@version/seq/n`, `n` counted per policy).
// E2. Time enters only as `entry.at` (integer ms), never goes back; alarms due by then ring first, each at its own due
//     time, ties in the order they were set. `step` returns `nextDue`; a tick is appended only when that is past and no
//     other entry has passed it. A forward jump of more than 5 s is a `source.gap`.
// E3. An intent is journaled BEFORE anything is done for it; an `attempt` is durable BEFORE the first changing byte; the
//     outcome AFTER. One append holds a batch of intents with `decided`.
// E4. On recovery an intent without an attempt goes again through policy, state and rails; one with an attempt and no
//     outcome is probed; what cannot be probed is `unknown`. Nothing is simply repeated.
// E5. Up to `decidedThrough` derived and recorded intents of the same policy version agree; beyond it they are derived
//     for the first time. A divergence puts that policy in `observe` and the runtime starts all the same.
// E6. What an operator remembers per key, its alarms included, is plain data in a cell. RxJS closures hold wiring only.
// E7. A policy that throws, or does not come back, is stopped by an entry that replay obeys; the others go on. What it did not come
//     back from it is not given again.
// E8. `at` is the admission time; the device's own timestamp is data.
// E9. `step` runs on committed entries only (the journal has taken them), and facts change only on an entry, never on deriving one.
import { type Entry, type EntryOf, isRemoval, type Reading } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import type { Intent, Want } from '../model/intent.ts';
import type { Meaning } from '../model/meaning.ts';
import { WrittenEvent } from '../model/written-event.ts';
import { reasonOf, refuseIntent, refuseRing } from './bounds.ts';
import { CellStore } from './cells.ts';
import { EventClock } from './clock.ts';
import { deriveFhrpChanged } from './derive/fhrp-changed.ts';
import { deriveResync } from './derive/resync.ts';
import { toldEvent } from './derive/told-event.ts';
import { Facts, isFolded } from './facts.ts';
import { Ledger } from './ledger.ts';
import type { DeployedPolicy } from './policy.ts';
import { PolicyRun, type RunHost } from './policy-run.ts';
import { enginePieces, type SavedEngine } from './saved-engine.ts';
import type { Verdict } from './scope.ts';
import { type Match, SelectorIndex } from './selector.ts';
import {
  type CallWatch,
  type PolicyStatus,
  policyEventOf,
  type Slot,
  Slots,
  savedOf,
  serialOf,
  statusOf,
  type Withheld,
} from './slot.ts';

/** A policy that threw: the host journals its quarantine. */
export interface PolicyFault {
  readonly policy: string;
  /** The entry at which it threw. */
  readonly cause: number;
  readonly reason: string;
}

export interface EngineOptions {
  /** Hears what operators say, while explaining. */
  readonly trace?: (verdict: Verdict) => void;
  readonly watch?: CallWatch;
}

/** A policy hears of an entry, or what is known changes by it and no policy wants anything of it, or neither. */
export type Concern = 'policies' | 'facts' | 'nobody';

export interface StepResult {
  readonly intents: readonly Intent[];
  readonly faults: readonly PolicyFault[];
  /** Event time of the next alarm. */
  readonly nextDue: number | undefined;
}

type Found = (matches: readonly Match[], fields: { readonly kind: string }) => void;

const noIntents: readonly Intent[] = [];
const noMeanings: readonly Meaning[] = [];
const noMatches: readonly Match[] = [];
const noFaults: readonly PolicyFault[] = [];

export class Engine {
  readonly facts = new Facts();
  readonly ledger = new Ledger();
  readonly clock = new EventClock();
  readonly cells = new CellStore(this.clock);
  readonly #slots: Slots;
  readonly #index = new SelectorIndex();
  readonly #host: RunHost;
  #entry: Pick<Entry, 'seq' | 'at'> = { seq: 0, at: 0 };
  #woke = false;
  #concern: Concern = 'nobody';
  readonly #watch: CallWatch | undefined;
  /** Nothing is wanted: what is put back has wanted it before. */
  #silent = false;
  readonly #versions = new Map<string, string>();
  readonly #told = new WeakMap<Event | Reading, readonly Meaning[]>();
  #intents: Intent[] = [];
  #faults: PolicyFault[] = [];

  constructor(policies: readonly DeployedPolicy[], { trace, watch }: EngineOptions = {}) {
    this.#slots = new Slots(policies);
    this.#watch = watch;
    for (const [number, { policy }] of policies.entries()) {
      for (const selector of [...policy.on, ...(policy.hold?.until ?? [])]) this.#index.add(selector, number);
    }
    this.#host = {
      clock: this.clock,
      store: this.cells,
      facts: this.facts,
      holds: new Map(),
      entry: () => this.#entry,
      puttingBack: () => this.#silent,
      intend: (number, key, want) => this.#intend(number, key, want),
      guard: (number, act) => this.#ring(this.#slots.at(number), act),
      trace,
    };
  }

  /** Takes one committed entry; returns what the policies want because of it. */
  step(entry: Entry): StepResult {
    this.#entry = entry;
    this.#woke = false;
    this.#concern = 'policies';
    // Before anything rings: what came due while Offbox was down is what it is about.
    if (entry.kind === 'late') this.#dropLate(entry);
    this.clock.advanceTo(entry.at);
    this.#take(entry);
    const result = {
      intents: this.#intents.length > 0 ? this.#intents : noIntents,
      faults: this.#faults.length > 0 ? this.#faults : noFaults,
      nextDue: this.clock.nextDue(),
    };
    if (this.#intents.length > 0) this.#intents = [];
    if (this.#faults.length > 0) this.#faults = [];
    return result;
  }

  /** Whether the last entry reached a policy. */
  get woke(): boolean {
    return this.#woke;
  }

  /** Whom the last entry could concern, time apart. */
  get concern(): Concern {
    return this.#concern;
  }

  /**
   * This policy was ended from outside at entry `cause`. From `from` on it is given nothing, until the entry that says so (law E7). To be
   * said before anything is stepped or put back.
   */
  withhold(policy: string, withheld: Withheld): void {
    const slot = this.#slots.named(policy);
    if (slot) slot.withheld = [...slot.withheld, withheld];
  }

  /** Whether a policy is given nothing for now. */
  withholds(policy: string): boolean {
    return this.#isWithheld(this.#slots.named(policy));
  }

  /** The versions in force, as last journaled, by policy. */
  get versions(): ReadonlyMap<string, string> {
    return this.#versions;
  }

  /** When the oldest hold that is on began; undefined where nothing is held. */
  heldSince(): number | undefined {
    let oldest: number | undefined;
    for (const { since } of this.cells.ofOperator('hold') as Generator<{ readonly since: number }>)
      oldest = Math.min(oldest ?? since, since);
    return oldest;
  }

  /** What a policy holds, or has still to let go of, for people. */
  heldBy(policy: string): readonly string[] {
    return this.#host.holds.get(policy)?.heldPlaces ?? [];
  }

  /** The policies that could not be put back from what is saved now: a pipe of theirs waits for an answer. */
  unsettled(): readonly string[] {
    return this.#slots.unsettled();
  }

  /** By policy, all but those whose files are gone and that hold nothing any more. */
  versionsLeft(): Readonly<Record<string, string>> {
    return this.#slots.versionsLeft((policy) => this.heldBy(policy).length > 0);
  }

  /** All as it is now, as JSON of a SavedEngine in pieces; they are written while they are taken, whatever is stepped meanwhile. */
  save(): Generator<string> {
    const policies = this.#slots.all.map(savedOf);
    const { seq, at } = this.#entry;
    const clock = { now: this.clock.now(), order: this.clock.order };
    const head = { entry: { seq, at }, clock, policies, versions: Object.fromEntries(this.#versions) };
    return enginePieces(head, this.facts.save(), this.ledger.save(), this.cells.save());
  }

  /** Puts back what was saved, and wakes those policies. What was saved becomes ours. Only into a new engine. */
  restore(saved: SavedEngine, which: (policy: string) => boolean = () => true): void {
    this.#entry = saved.entry;
    this.clock.restore(saved.clock.now, saved.clock.order);
    this.facts.restore(saved.facts);
    this.ledger.restore(saved.ledger);
    for (const [policy, version] of Object.entries(saved.versions)) this.#versions.set(policy, version);
    this.#wake(saved, which);
  }

  /** Until wake() they take no part: other policies are brought up to a snapshot alone. Only before the first entry. */
  rest(which: (policy: string) => boolean): void {
    for (const slot of this.#slots.all) slot.dormant = which(slot.deployed.policy.name);
  }

  /** The policies that rested go on as they were saved. The entry it was saved at must have been stepped, and none after it. */
  wake(saved: SavedEngine): void {
    const resting = new Set(this.#slots.all.flatMap(({ dormant, deployed }) => (dormant ? [deployed.policy.name] : [])));
    this.clock.restore(this.clock.now(), saved.clock.order);
    for (const slot of this.#slots.all) slot.dormant = false;
    this.#wake(saved, (policy) => resting.has(policy));
  }

  #wake(saved: SavedEngine, which: (policy: string) => boolean): void {
    const wakes = new Map(saved.policies.map((policy) => [policy.name, policy]));
    this.cells.load(saved.cells, which);
    this.#silent = true;
    for (const slot of this.#slots.all) {
      const found = wakes.get(slot.deployed.policy.name);
      if (!found || !which(found.name)) continue;
      slot.since = found.since;
      slot.stopped = found.reason;
      if (found.state === 'running' || found.state === 'ending') this.#begin(slot);
      if (found.state === 'ending') this.#stop(found.name, found.reason ?? '');
      slot.made = 0;
    }
    this.#silent = false;
  }

  policies(): readonly PolicyStatus[] {
    const remembered = this.cells.rememberedByPolicy();
    return this.#slots.all.map((slot) => statusOf(slot, remembered.get(slot.deployed.policy.name) ?? []));
  }

  /** What an event means for gateways and migrations, beside its own meaning. */
  derived(event: Event): readonly Meaning[] {
    const changed = event.meaning && event.target ? deriveFhrpChanged(this.facts, event.target, event.meaning) : undefined;
    const told = this.#told.get(event) ?? noMeanings;
    return changed ? [changed, ...told] : told;
  }

  /** What a reading was found to mean for migrations. */
  found(reading: Reading): readonly Meaning[] {
    return this.#told.get(reading) ?? noMeanings;
  }

  /** The names of the policies that listen to an event, in any of its meanings. */
  listeners(event: Event): readonly string[] {
    const names: string[] = [];
    this.#match(event, (matches) => names.push(...matches.map(({ policy }) => this.#slots.at(policy).deployed.policy.name)));
    return [...new Set(names)];
  }

  #take(entry: Entry): void {
    if (entry.kind === 'event') {
      if (entry.event instanceof WrittenEvent && !this.#concerns(entry.event)) this.#concern = 'nobody';
      else this.#onEvent(entry);
    } else if (entry.kind === 'reading') this.#onReading(entry);
    else if (entry.kind === 'attempt') this.#onAttempt(entry);
    else if (entry.kind === 'outcome') this.#onOutcome(entry);
    else if (entry.kind === 'deploy') this.#onDeploy(entry);
    else if (entry.kind === 'quarantine') this.#onQuarantine(entry);
    else {
      const told = this.facts.fold(entry);
      this.ledger.fold(entry);
      if (entry.kind === 'intent' && told.length === 0) this.#concern = 'facts';
      for (const meaning of told) this.#dispatch(toldEvent(meaning, 'offbox'), -1);
    }
  }

  #onEvent(entry: EntryOf<'event'>): void {
    const { event } = entry;
    this.#remember(event, this.facts.fold(entry));
    this.#dispatch(event, -1);
    if (event.meaning?.kind === 'source.gap') this.#onGap(event.meaning.reason, event.meaning.targets);
    else if (!this.#woke) this.#concern = event.meaning && isFolded(event.meaning.kind) ? 'facts' : 'nobody';
  }

  #dropLate({ policies, until }: EntryOf<'late'>): void {
    for (const { policy, late } of policies) {
      const slot = this.#slots.named(policy);
      if (late === 'drop' && slot && !slot.dormant) this.cells.dropOverdue(policy, until);
    }
  }

  /** What an event was taken to mean when it came: later the facts have gone on. */
  #remember(said: Event | Reading, told: readonly Meaning[]): void {
    if (told.length > 0) this.#told.set(said, told);
  }

  /** Whether it can change a fact or reach a policy: most events do neither, and are not even read. */
  #concerns({ brief }: WrittenEvent): boolean {
    return this.#index.hears(brief) || (brief.meaning !== null && isFolded(brief.meaning));
  }

  #dispatch(event: Event, except: number): void {
    this.#match(event, (matches, fields) => this.#deliver(matches, event, fields, except));
  }

  /** Calls back for each reading of an event that somebody listens to: its meaning, the derived ones, the message itself. */
  #match(event: Event, found: Found): void {
    const target = event.target ?? '';
    const { meaning } = event;
    if (meaning) {
      const derived = this.derived(event);
      this.#matchMeaning(meaning, target, found);
      for (const each of derived) this.#matchMeaning(each, target, found);
    }
    const { syslog, snmp } = event;
    const bySyslog = syslog ? this.#index.ofSyslog(syslog, target) : noMatches;
    if (bySyslog.length > 0) found(bySyslog, { kind: 'syslog', ...syslog });
    const bySnmp = snmp ? this.#index.ofSnmp(snmp, target) : noMatches;
    if (bySnmp.length > 0) found(bySnmp, { kind: 'snmp', ...snmp });
  }

  #matchMeaning(meaning: Meaning, target: string, found: Found): void {
    const matches = this.#index.ofMeaning(meaning, target);
    if (matches.length > 0) found(matches, meaning);
  }

  #deliver(matches: readonly Match[], event: Event, fields: { readonly kind: string }, except: number): void {
    for (const { policy, groups } of matches) {
      const slot = this.#slots.at(policy);
      if (!slot.run || policy === except) continue;
      this.#woke = true;
      const policyEvent = policyEventOf(event, fields, groups, this.#entry);
      this.#guard(slot, (run) => run.take(policyEvent));
    }
  }

  #onGap(reason: string, targets: readonly string[] | undefined): void {
    for (const slot of this.#slots.all) this.#guard(slot, (run) => run.resync(`a gap: ${reason}`, targets));
  }

  #onReading(entry: EntryOf<'reading'>): void {
    const made = [...deriveResync(this.facts, entry.reading)];
    const told = this.facts.fold(entry);
    this.#remember(entry.reading, told);
    for (const meaning of told) made.push(toldEvent(meaning, entry.reading.target));
    this.ledger.fold(entry);
    const asker = this.#askerOf(entry.reading.intent);
    let looking = -1;
    if (asker) {
      this.#guard(asker.slot, (run) => {
        if (run.onReading(asker.serial, entry)) looking = asker.slot.number;
      });
    }
    // What a reading shows to be otherwise makes the lost event good, for everybody but the exclusive that is looking anyway.
    for (const event of made) this.#dispatch(event, looking);
  }

  #onAttempt(entry: EntryOf<'attempt'>): void {
    this.ledger.fold(entry);
    const asked = this.ledger.get(entry.intent)?.intent;
    const slot = asked && this.#slots.named(asked.policy);
    // Nobody but a hold wants to know.
    if (!asked || !slot?.deployed.policy.hold) this.#concern = 'facts';
    else this.#guard(slot, (run) => run.onAttempt(asked, entry), 'holds');
  }

  #onOutcome(entry: EntryOf<'outcome'>): void {
    const asked = this.ledger.get(entry.intent)?.intent;
    this.ledger.fold(entry);
    const asker = this.#askerOf(entry.intent);
    if (!asker) return;
    const { slot, serial } = asker;
    if (asked && slot.deployed.policy.hold) this.#guard(slot, (run) => run.onHoldOutcome(serial, entry, asked), 'holds');
    this.#guard(slot, (run) => run.onOutcome(serial, entry, asked));
  }

  /** Recovery runs the versions now deployed; older entries only warm them. A change of version voids a round begun. */
  #onDeploy(entry: EntryOf<'deploy'>): void {
    this.#versions.set(entry.policy, entry.version);
    const slot = this.#slots.named(entry.policy);
    if (!slot || slot.dormant) return;
    slot.since = entry.at;
    if (slot.run) {
      this.#guard(slot, (run) => run.resetRounds());
      return;
    }
    if (slot.stopped !== undefined && entry.version !== slot.deployed.version) return;
    slot.stopped = undefined;
    // What was still to be let go of the new one finds in its cells.
    slot.ending = undefined;
    this.#begin(slot);
  }

  #begin(slot: Slot): void {
    // What one holds must be let go of, and building it runs none of its code.
    if (this.#isWithheld(slot) && !slot.deployed.policy.hold) return;
    try {
      this.#watch?.enter(slot.number, this.#entry.seq);
      slot.run = new PolicyRun(slot.deployed, slot.number, this.#host);
    } catch (thrown) {
      this.#fault(slot, thrown);
    } finally {
      this.#watch?.leave(slot.number);
      this.#slots.called(slot);
    }
  }

  #isWithheld(slot: Slot | undefined): boolean {
    return slot?.withheld.some(({ from }) => this.#entry.seq >= from) ?? false;
  }

  /**
   * Its holds are released here and not where it threw: replay obeys the entry, whether or not it throws again (law E7). One that was
   * taken away is no version in force: put back, it is deployed anew.
   */
  #onQuarantine({ policy, reason, cause }: EntryOf<'quarantine'>): void {
    if (isRemoval(reason)) this.#versions.delete(policy);
    const slot = this.#slots.named(policy);
    if (!slot) return;
    slot.withheld = slot.withheld.filter((one) => one.cause !== cause);
    if (slot.dormant) return;
    const why = `${reason} (at entry ${cause})`;
    this.#stop(policy, why);
    if (slot.ending) this.#guard(slot, (run) => run.release(`${policy} is stopped, ${why}`));
  }

  /** `holds`: what becomes of what it holds is followed whatever the policy did; none of its code runs for that. */
  #guard(slot: Slot, act: (run: PolicyRun) => void, what?: 'holds'): void {
    const run = slot.run ?? slot.ending;
    if (!run || (slot.withheld.length > 0 && !what && this.#isWithheld(slot))) return;
    try {
      this.#watch?.enter(slot.number, this.#entry.seq);
      act(run);
      if (run === slot.run) run.check();
    } catch (thrown) {
      this.#fault(slot, thrown);
    } finally {
      this.#watch?.leave(slot.number);
      this.#slots.called(slot);
    }
  }

  /** An alarm of this policy is due. */
  #ring(slot: Slot, act: () => void): void {
    this.#guard(slot, () => {
      this.#count(slot);
      slot.rung += 1;
      refuseRing(slot.rung);
      act();
    });
  }

  #count(slot: Slot): void {
    if (slot.steppedAt === this.#entry.seq) return;
    slot.steppedAt = this.#entry.seq;
    slot.made = 0;
    slot.rung = 0;
  }

  #fault(slot: Slot, thrown: unknown): void {
    const { name } = slot.deployed.policy;
    // It threw while it was letting go: it cannot be helped.
    if (!slot.run) slot.ending = undefined;
    const reason = reasonOf(thrown);
    this.#faults.push({ policy: name, cause: this.#entry.seq, reason });
    this.#stop(name, `threw: ${reason}`);
  }

  #stop(name: string, reason: string): void {
    const slot = this.#slots.named(name);
    if (!slot) return;
    const run = slot.run ?? slot.ending;
    const kept = run?.stop() ?? [];
    slot.ending = kept.length > 0 ? run : undefined;
    slot.run = undefined;
    this.#slots.called(slot);
    // What it remembers goes with it, its alarms first of all: it may be what made it throw.
    this.cells.forget(name, kept);
    slot.stopped = reason;
  }

  #askerOf(id: string): { readonly slot: Slot; readonly serial: string } | undefined {
    const slot = this.#slots.named(id.slice(0, id.indexOf('@')));
    return slot && { slot, serial: serialOf(id) };
  }

  #intend(number: number, key: string, want: Want): string {
    const slot = this.#slots.at(number);
    const { policy, version } = slot.deployed;
    const cause = this.#entry.seq;
    this.#count(slot);
    const serial = `${cause}/${slot.made++}`;
    const intent = { id: `${policy.name}@${version}/${serial}`, policy: policy.name, version, cause, key, want };
    refuseIntent(slot.made, intent);
    if (!this.#silent) this.#intents.push(intent);
    return serial;
  }
}
