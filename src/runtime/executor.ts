// Owns: the executor: takes committed intents, does them on targets, hands back attempts, readings and outcomes to be
// journaled. One queue a target, targets in parallel.
//
// Q1. Per (target, place) only the newest ensure lives: an older one that has not begun ends `superseded`.
// Q2. One ensure at a time per target, but for those that take long (a migration): beside them others go on, and only one for
//     the same place waits until what they send is sent; readings do not wait for it, only for the dialogue that is on.
// Q3. A held intent goes again, through everything, when its line is back, or that of a target whose state it requires; unless
//     it is too old by then: `expired`. What a mode withheld is so within minutes, however long its policy would wait for a target.
// Q4. What shall stay so is watched beside the queue, and done again while it comes back.
// Q5. While an attempt on a place is in doubt, nothing else is done or believed there: what it sent may arrive yet.
import type { Doubt, OpenIntent } from '../core/ledger.ts';
import type { EntryBody, Reading } from '../model/entry.ts';
import { messageOf, TargetError } from '../model/errors.ts';
import type { EnsureWant, Intent, Resource } from '../model/intent.ts';
import { applyDeadlineMs, comesBackMax, readDeadlineMs, targetQueueMax, withheldValidMs } from '../model/limits.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Inventory } from '../model/target.ts';
import { spanText } from '../model/time.ts';
import type { Actuator } from '../ports/actuator.ts';
import type { Platform } from '../ports/platform.ts';
import type { Wall } from '../ports/wall.ts';
import { placeKey, placeValue } from '../resources/place.ts';
import { askRemedy, type EnsureJob, ensure } from './ensure.ts';
import { Line, type LineStatus } from './line.ts';
import type { Modes } from './modes.ts';
import { type Question, Readings } from './readings.ts';
import type { Reports } from './reports.ts';
import { stays } from './stays.ts';

export interface ExecutorOptions {
  readonly wall: Wall;
  readonly inventory: Inventory;
  readonly actuators: readonly Actuator[];
  readonly platforms: Readonly<Record<string, Platform>>;
  readonly modes: Modes;
  /** Resolves AFTER the entry is durable. */
  readonly journal: (body: EntryBody) => Promise<unknown>;
  /** A target that was down is back: what it said meanwhile is lost. */
  readonly onBack: (target: string) => void;
  /** Delivers a report and journals its outcome. */
  readonly report: Reports['take'];
}

interface Job extends EnsureJob {
  readonly key: string;
  readonly at: number;
  /** How often it has come back. */
  readonly times?: number;
  /** The last time a mode withheld it. */
  readonly withheld?: boolean;
}

/** One that takes long, from when it is begun to when it is over. */
interface Slow {
  readonly job: Job;
  /** The id of the newest one for its place that came since. */
  supersededBy?: string;
  /** It has sent what it sends, or sends nothing. */
  readonly applied: PromiseWithResolvers<void>;
}

interface Queue {
  readonly waiting: Job[];
  /** The last of each place. */
  readonly slow: Map<string, Slow>;
  readonly held: Map<string, Job>;
  /** Done, and watched whether it stays so. */
  readonly watched: Map<string, { readonly job: Job; readonly superseded: AbortController }>;
  /** By place: until when, on the monotonic clock, what was attempted there may still arrive. */
  readonly doubts: Map<string, { readonly doubt: Pick<Doubt, 'resource' | 'desired'>; readonly until: number }>;
  running: boolean;
}

/** What only looks stands in nobody's way. */
function keyOf({ id }: Intent, { prove, resource }: EnsureWant): string {
  return prove ? `prove ${id}` : placeKey(resource);
}

/** How old it may be. What a mode withheld does not wait for another mode. */
const validForMs = ({ want, withheld }: Job): number => (withheld ? Math.min(want.validForMs, withheldValidMs) : want.validForMs);

/** What waits for the same place, if anything does: at most one. */
const newerId = (queue: Queue, job: Job): string | undefined => queue.waiting.find(({ key }) => key === job.key)?.intent.id;

const tooOldText = (job: Job): string => `it was to be done within ${spanText(validForMs(job))}`;

/** Whether it could not be done because this target did not answer. */
const concerns = ({ resource, requires }: EnsureWant, target: string): boolean =>
  resource.target === target ||
  requires.some((each) => each.target === target || (each.query === 'domains' && each.orGoneFrom === target));

export class Executor {
  readonly #options: ExecutorOptions;
  readonly #lines = new Map<string, Line>();
  readonly #queues = new Map<string, Queue>();
  readonly #readings: Readings;
  readonly #stopped = new AbortController();
  readonly #busy = new Set<Promise<unknown>>();

  constructor(options: ExecutorOptions) {
    this.#options = options;
    const { wall, inventory, actuators, platforms, journal } = options;
    for (const [name, target] of Object.entries(inventory.targets)) {
      this.#lines.set(name, new Line({ name, target, actuators, wall, onBack: (back) => this.#back(back) }));
      this.#queues.set(name, {
        waiting: [],
        slow: new Map(),
        held: new Map(),
        watched: new Map(),
        doubts: new Map(),
        running: false,
      });
    }
    this.#readings = new Readings({ wall, lines: this.#lines, platforms, inventory, journal });
  }

  /** Opens the lines; does not wait for them. */
  start(): void {
    for (const line of this.#lines.values()) void line.open();
  }

  /** Does a committed intent. `at` is its entry's. */
  submit(intent: Intent, at: number): void {
    const { want } = intent;
    if (want.kind === 'ensure') this.#enqueue({ intent, want, key: keyOf(intent, want), at });
    else if (want.kind === 'read') this.#track(this.#readings.take(want, intent.id));
    else if (want.kind === 'report') this.#track(this.#options.report(intent.id, want, at, this.#stopped.signal));
  }

  /** Reads something now, for somebody who watches: nothing is journaled. */
  peek(question: Question): Promise<Reading['result']> {
    return this.#readings.peek(question);
  }

  /**
   * After a restart: what was open goes again, what was attempted is probed first (law E4). How long ago that was cannot be told:
   * the wall may have jumped. So what is in doubt is given its whole time from now on.
   */
  resume(open: readonly OpenIntent[], doubts: readonly Doubt[]): void {
    const now = this.#options.wall.monotonic();
    for (const doubt of doubts) {
      const queue = this.#queues.get(doubt.resource.target);
      queue?.doubts.set(placeKey(doubt.resource), { doubt, until: now + doubt.deadlineMs });
    }
    for (const { intent, at, attempt, held } of open) {
      const { want } = intent;
      if (want.kind === 'ensure' && held?.withheld) this.#enqueue({ intent, want, key: keyOf(intent, want), at, withheld: true });
      else if (want.kind !== 'ensure' || !attempt) this.submit(intent, at);
      else this.#enqueue({ intent, want, key: keyOf(intent, want), at, inDoubtUntil: now + attempt.deadlineMs });
    }
  }

  status(): readonly (LineStatus & { readonly waiting: number; readonly held: number })[] {
    return [...this.#lines].map(([name, line]) => {
      const queue = this.#queues.get(name)!;
      return { ...line.status(), waiting: queue.waiting.length + (queue.running ? 1 : 0), held: queue.held.size };
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('stopping'));
    await Promise.allSettled([...this.#lines.values()].map((line) => line.close()));
    await Promise.allSettled([...this.#busy]);
  }

  #enqueue(job: Job): void {
    const queue = this.#queues.get(job.want.resource.target);
    if (!queue) {
      this.#end(job, {
        ...(job.inDoubtUntil === undefined
          ? { kind: 'refused', reason: `${job.want.resource.target} is not in the inventory. Add it, or mend the policy.` }
          : {
              kind: 'unknown',
              reason: `it was attempted, and ${job.want.resource.target} is not in the inventory any more. ${askRemedy}`,
            }),
      });
      return;
    }
    this.#supersede(queue, job);
    if (queue.waiting.length >= targetQueueMax) {
      this.#end(job, {
        kind: 'refused',
        reason: `${targetQueueMax} intents wait for ${job.want.resource.target} already. Look why it does not get on.`,
      });
      return;
    }
    queue.waiting.push(job);
    if (!queue.running) this.#track(this.#work(queue));
  }

  #supersede(queue: Queue, job: Job): void {
    const watched = queue.watched.get(job.key);
    if (watched && watched.job.intent.id !== job.intent.id) {
      watched.superseded.abort(new Error('superseded'));
      queue.watched.delete(job.key);
      this.#end(watched.job, { kind: 'superseded', reason: `by ${job.intent.id}` });
    }
    const slow = queue.slow.get(job.key);
    if (slow && slow.job.intent.id !== job.intent.id) slow.supersededBy = job.intent.id;
    const held = queue.held.get(job.key);
    const index = queue.waiting.findIndex(({ key }) => key === job.key);
    const older = held ?? queue.waiting[index];
    if (!older) return;
    if (held) queue.held.delete(job.key);
    else queue.waiting.splice(index, 1);
    this.#end(older, { kind: 'superseded', reason: `by ${job.intent.id}` });
  }

  async #work(queue: Queue): Promise<void> {
    queue.running = true;
    // What came in the same turn takes the place of what came before it in that turn, not begun yet.
    await Promise.resolve();
    for (let job = queue.waiting.shift(); job && !this.#stopped.signal.aborted; job = queue.waiting.shift()) {
      // A migration takes as long as it takes, and a proof until others have done their part: neither holds anybody up.
      const slow = job.want.prove === true || this.#readings.driver(job.want.resource)?.verifyDeadlineMs !== undefined;
      if (!slow) await this.#finish(queue, job);
      else this.#track(this.#beside(queue, job));
    }
    queue.running = false;
  }

  async #beside(queue: Queue, job: Job): Promise<void> {
    const older = queue.slow.get(job.key);
    const slow: Slow = { job, applied: Promise.withResolvers() };
    queue.slow.set(job.key, slow);
    try {
      // Else it would find the state from before, and leave it at that.
      if (older) await older.applied.promise;
      await this.#finish(queue, job, slow);
    } finally {
      slow.applied.resolve();
      if (queue.slow.get(job.key) === slow) queue.slow.delete(job.key);
    }
  }

  async #finish(queue: Queue, asked: Job, slow?: Slow): Promise<void> {
    const isExpired = asked.inDoubtUntil === undefined && this.#isTooOld(asked);
    const job = isExpired ? asked : await this.#inDoubt(queue, asked);
    const outcome: Outcome = isExpired ? { kind: 'expired', reason: tooOldText(asked) } : await this.#perform(job, queue, slow);
    if (this.#stopped.signal.aborted) return;
    const fine = outcome.kind === 'done' || outcome.kind === 'already';
    if (fine && job.want.staysMs !== undefined) {
      // A newer one that waits may want the opposite: nothing is done again for the older (Q1).
      const newer = newerId(queue, job);
      if (newer !== undefined) this.#end(job, { ...outcome, kind: 'superseded', reason: `by ${newer}` });
      else this.#track(this.#watch(queue, job, outcome));
      return;
    }
    this.#end(job, outcome.kind === 'held' ? this.#hold(queue, job, outcome, slow?.supersededBy) : outcome);
  }

  /** Beside the queue: others of the target do not wait for it. It is done again as often as it comes back (Q4). */
  async #watch(queue: Queue, job: Job, outcome: Outcome): Promise<void> {
    const { wall, inventory } = this.#options;
    const name = job.want.resource.target;
    const superseded = new AbortController();
    queue.watched.set(job.key, { job, superseded });
    const signal = AbortSignal.any([superseded.signal, this.#stopped.signal]);
    const watched = {
      want: job.want,
      line: this.#lines.get(name)!,
      driver: this.#readings.driver(job.want.resource)!,
      wall,
      signal,
    };
    let told: Outcome | 'again';
    try {
      const cannotComeBack = () => this.#isThere(job.want.unless);
      const stayed = await stays({ ...watched, target: inventory.targets[name]!, cannotComeBack });
      told = stayed ? outcome : 'again';
    } catch (thrown) {
      const kind = thrown instanceof TargetError && thrown.retry ? 'held' : 'failed';
      told = { ...outcome, kind, reason: `whether it stays so cannot be read: ${messageOf(thrown)}` };
    }
    if (signal.aborted) return;
    queue.watched.delete(job.key);
    const times = (job.times ?? 0) + 1;
    if (told === 'again' && times <= comesBackMax) this.#enqueue({ ...job, at: wall.now(), times });
    else if (told === 'again') this.#end(job, { ...outcome, kind: 'failed', reason: `it came back ${times} times` });
    else this.#end(job, told.kind === 'held' ? this.#hold(queue, { ...job, at: wall.now() }, told) : told);
  }

  /** Read on its own target; what cannot be read is not there. */
  async #isThere(resource: Resource | undefined): Promise<boolean> {
    const line = resource && this.#lines.get(resource.target);
    const driver = resource && this.#readings.driver(resource);
    if (!line || !driver) return false;
    const target = this.#options.inventory.targets[resource.target]!;
    try {
      const state = await line.read(() => driver.read(resource, target), readDeadlineMs);
      return driver.verify(state, resource, 'present', target).effective;
    } catch {
      return false;
    }
  }

  /**
   * A newer one for the same place may have come while this one was on, and be held already itself: then this one is over. Returns what
   * became of it.
   */
  #hold(queue: Queue, job: Job, outcome: Outcome, supersededBy?: string): Outcome {
    const inDoubt = outcome.reason?.startsWith('in doubt') === true;
    const until = this.#options.wall.monotonic() + (this.#readings.driver(job.want.resource)?.applyDeadlineMs ?? applyDeadlineMs);
    if (inDoubt) queue.doubts.set(job.key, { doubt: job.want, until });
    const newer = newerId(queue, job) ?? supersededBy;
    if (newer !== undefined) return { ...outcome, kind: 'superseded', reason: `by ${newer}; it was held: ${outcome.reason}` };
    const withheld = outcome.withheld === true;
    queue.held.set(job.key, { ...job, withheld, ...(inDoubt ? { inDoubtUntil: until } : {}) });
    return outcome;
  }

  #isTooOld(job: Job): boolean {
    return !job.want.withdraw && this.#options.wall.now() - job.at > validForMs(job);
  }

  /** An attempt of the same is probed as if it were one's own; while another one may arrive, nothing is done at the place (Q5). */
  async #inDoubt(queue: Queue, job: Job): Promise<Job> {
    const { wall } = this.#options;
    const known = queue.doubts.get(job.key);
    if (!known || job.want.prove || job.want.withdraw) return job;
    queue.doubts.delete(job.key);
    const { doubt, until } = known;
    const same = doubt.desired === job.want.desired && placeValue(doubt.resource) === placeValue(job.want.resource);
    if (same) return { ...job, inDoubtUntil: Math.max(job.inDoubtUntil ?? 0, until) };
    const waitMs = until - wall.monotonic();
    if (waitMs > 0) await wall.sleep(waitMs, this.#stopped.signal);
    return job;
  }

  async #perform(job: Job, queue: Queue, slow: Slow | undefined): Promise<Outcome> {
    const { wall, inventory, journal, modes } = this.#options;
    const { want, intent } = job;
    if (want.withdraw) return { kind: 'already', reason: 'it only takes the place of what had not begun' };
    const line = this.#lines.get(want.resource.target)!;
    const target = inventory.targets[want.resource.target]!;
    const driver = this.#readings.driver(want.resource);
    if (!driver)
      return {
        kind: 'refused',
        reason: `Offbox cannot manage a ${want.resource.kind} on ${target.platform}. See \`offbox show targets\`.`,
      };
    const withheld = (plan: readonly string[]): string | undefined => modes.withheld(intent.policy, want.resource.target, plan);
    return ensure(job, {
      wall,
      line,
      target,
      driver,
      readings: this.#readings,
      journal,
      withheld,
      expired: () => (this.#isTooOld(job) ? tooOldText(job) : undefined),
      superseded: (again) => slow?.supersededBy ?? (again ? newerId(queue, job) : undefined),
      applied: () => slow?.applied.resolve(),
      signal: this.#stopped.signal,
    });
  }

  #back(target: string): void {
    this.#options.onBack(target);
    for (const { held } of this.#queues.values()) {
      const concerned = [...held.values()].filter(({ want }) => concerns(want, target));
      for (const job of concerned) held.delete(job.key);
      for (const job of concerned) this.#enqueue(job);
    }
  }

  #end(job: { readonly intent: Intent; readonly want: EnsureWant }, outcome: Outcome): void {
    this.#track(this.#options.journal({ kind: 'outcome', intent: job.intent.id, outcome }));
  }

  /** What goes wrong with the journal is the host's to tell; nothing is acted on after it. */
  #track(work: Promise<unknown>): void {
    const tracked: Promise<unknown> = work.catch(() => undefined).finally(() => this.#busy.delete(tracked));
    this.#busy.add(tracked);
  }
}
