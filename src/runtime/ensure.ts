// Owns: carrying out one ensure, from state to outcome:
//
//   requirements (fresh) → read → plan → requirements still fresh → attempt (durable) → apply → verify → outcome
//
// N1. An empty plan sends nothing: `already`, if it is also effective.
// N2. Every requirement was read less than 2 s before the first changing byte.
// N3. The attempt is durable BEFORE that byte. What is sent is sent once; whatever goes wrong after is found out by reading.
// N4. `done` means effective: configured is not enough.

import type { EntryBody } from '../model/entry.ts';
import { messageOf, OperatorError, TargetError } from '../model/errors.ts';
import type { EnsureWant, Intent } from '../model/intent.ts';
import { applyDeadlineMs, readDeadlineMs, verifyDeadlineMs } from '../model/limits.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Target } from '../model/target.ts';
import type { Command } from '../ports/actuator.ts';
import type { Dialogue, ResourceDriver } from '../ports/platform.ts';
import type { Wall } from '../ports/wall.ts';
import { commandLines, Evidence } from './evidence.ts';
import type { Line } from './line.ts';
import type { Readings } from './readings.ts';

export interface EnsureJob {
  readonly intent: Intent;
  readonly want: EnsureWant;
  /** An attempt without an outcome stands behind it: nothing of it can be under way after this time of the monotonic clock. */
  readonly inDoubtUntil?: number;
}

export interface EnsureOptions {
  readonly wall: Wall;
  readonly line: Line;
  readonly target: Target;
  readonly driver: ResourceDriver;
  readonly readings: Readings;
  readonly journal: (body: EntryBody) => Promise<unknown>;
  /** Too old by now: why. */
  readonly expired: () => string | undefined;
  /** May it write: undefined, or why not (the mode). Asked with the plan in hand. */
  readonly withheld: (plan: readonly string[]) => string | undefined;
  /** Which newer one has taken its place, if any. Asked last: once the attempt is on its way it is carried through. */
  readonly superseded: (again: boolean) => string | undefined;
  /** What was to be sent is sent. */
  readonly applied: () => void;
  readonly signal: AbortSignal;
}

/** To whoever can look where Offbox cannot. */
export const askRemedy = 'Look there yourself and answer with `offbox resolve`.';

/** Between looks while it becomes effective. */
const verifyFirstMs = 10;
const verifyLastMs = 500;
/** Attempts that came too late to be sent, as behind a disk or a line that hangs; readings that were stale when they came. */
const attemptsMax = 3;

export async function ensure(job: EnsureJob, options: EnsureOptions): Promise<Outcome> {
  const run = new Run(job, options);
  try {
    return run.finish(await run.perform());
  } catch (thrown) {
    return run.finish(run.outcomeOf(thrown));
  }
}

type Told = Pick<Outcome, 'kind' | 'reason' | 'withheld'>;

class Run {
  readonly #job: EnsureJob;
  readonly #options: EnsureOptions;
  readonly #evidence = new Evidence();
  readonly #tookMs: Record<string, number> = {};
  readonly #applyMs: number;
  #attempted: boolean;
  /** Finding out what became of an attempt that nobody followed. */
  #probing = false;

  constructor(job: EnsureJob, options: EnsureOptions) {
    this.#job = job;
    this.#options = options;
    this.#applyMs = options.driver.applyDeadlineMs ?? applyDeadlineMs;
    this.#attempted = job.inDoubtUntil !== undefined;
  }

  async perform(): Promise<Told> {
    if (this.#attempted) {
      const found = await this.#probe();
      if (found) return found;
    }
    for (let tries = 1; tries <= attemptsMax; tries += 1) {
      const told = await this.#try(tries);
      if (told) return told;
    }
    return { kind: 'failed', reason: `nothing was sent: ${attemptsMax} times it was too late for it` };
  }

  /** Returns nothing where it came too late to be sent: by then all of it may be otherwise, so it is looked at anew. */
  async #try(tries: number): Promise<Told | undefined> {
    const expired = tries > 1 ? this.#options.expired() : undefined;
    if (expired !== undefined) return { kind: 'expired', reason: expired };
    const refusal = await this.#requirements();
    if (refusal) return refusal;
    const { state, plan } = await this.#timed('read', () => this.#plan());
    if (plan.length === 0 || this.#job.want.prove) return this.#alreadySo(state);
    const foreign = this.#foreign(state);
    if (foreign) return { kind: 'refused', reason: foreign };
    const lines = plan.flatMap(commandLines);
    const withheld = this.#options.withheld(lines);
    if (withheld) return { kind: 'held', reason: withheld, withheld: true };
    const stale = await this.#requirements();
    if (stale) return stale;
    const newer = this.#options.superseded(tries > 1);
    if (newer !== undefined) return { kind: 'superseded', reason: `by ${newer}` };
    const sent = await this.#attempt(plan, lines, this.#options.driver.value?.(state));
    if (sent !== true) return sent || undefined;
    this.#options.applied();
    const missing = await this.#timed('verify', () => this.#untilEffective());
    return missing === undefined ? { kind: 'done' } : { kind: 'failed', reason: `not effective: ${missing}` };
  }

  /** A fault of transport leaves it open; after an attempt it is in doubt and will be probed, never simply repeated. */
  outcomeOf(thrown: unknown): Told {
    if (thrown instanceof TargetError && thrown.retry) {
      return { kind: 'held', reason: this.#attempted ? `in doubt: ${messageOf(thrown)}` : messageOf(thrown) };
    }
    if (this.#probing)
      return { kind: 'unknown', reason: `what became of the attempt cannot be read: ${messageOf(thrown)} ${askRemedy}` };
    // What cannot be read now may be readable soon; what the target refuses it will refuse again.
    const unreadable = thrown instanceof TargetError && thrown.code === 'unreadable';
    if (this.#attempted || unreadable) return { kind: 'failed', reason: messageOf(thrown) };
    const refused = thrown instanceof OperatorError || thrown instanceof TargetError;
    return { kind: refused ? 'refused' : 'failed', reason: messageOf(thrown) };
  }

  finish(told: Told): Outcome {
    const evidence = this.#evidence.lines();
    return {
      ...told,
      ...(evidence.length > 0 ? { evidence } : {}),
      ...(Object.keys(this.#tookMs).length > 0 ? { tookMs: this.#tookMs } : {}),
    };
  }

  /**
   * Journals the attempt, then sends, within the attempt's own time: whoever finds it later reckons with that. Returns
   * false where journaling or the line took too long: nothing has been sent; or why it was not.
   */
  async #attempt(plan: readonly Command[], lines: readonly string[], before: string | null | undefined): Promise<Told | boolean> {
    const { journal, line, wall } = this.#options;
    const until = wall.monotonic() + this.#applyMs;
    const attemptedBefore = this.#attempted;
    await journal({
      kind: 'attempt',
      intent: this.#job.intent.id,
      deadlineMs: this.#applyMs,
      plan: [...lines],
      ...(before === undefined ? {} : { before }),
    });
    const stale = await this.#requirements();
    if (stale) return stale;
    this.#attempted = true;
    // Another dialogue may have had the line for seconds meanwhile, and have shown that it is otherwise now (N2).
    const stands = (): boolean => this.#job.want.requires.every((each) => this.#options.readings.stands(each));
    const isSent = await this.#timed('apply', () => line.write(plan, this.#applyMs, until, this.#evidence.hear, stands));
    if (!isSent) this.#attempted = attemptedBefore;
    return isSent;
  }

  async #requirements(tries = 1): Promise<Told | undefined> {
    for (const requirement of this.#job.want.requires) {
      const answer = await this.#options.readings.check(requirement, this.#job.intent.id);
      if (!answer.holds) return { kind: answer.kind, reason: answer.reason };
    }
    // Checking the last may have taken so long that the first is stale again; one that always does is not asked for ever.
    const stale = this.#job.want.requires.find((requirement) => !this.#options.readings.isFresh(requirement));
    if (!stale) return undefined;
    if (tries < attemptsMax) return this.#requirements(tries + 1);
    return { kind: 'failed', reason: `${stale.target} takes so long to tell how it stands that it may be otherwise by then` };
  }

  /** What stands there is somebody else's: undefined where it may be replaced. */
  #foreign(state: unknown): string | undefined {
    const { replaces } = this.#job.want;
    const value = this.#options.driver.value?.(state);
    if (!replaces || value === undefined || replaces.includes(value)) return undefined;
    // One thing goes before the other comes: between the two our own attempt may have been cut.
    if (value === null && this.#attempted) return undefined;
    const found = value === null ? 'nothing stands there any more' : `${value} stands there, which is not ours to replace`;
    return `${found}. Look who changed it; let the policy replace it if it shall.`;
  }

  async #read(): Promise<unknown> {
    const { driver, line, target } = this.#options;
    return line.read(() => driver.read(this.#job.want.resource, target), readDeadlineMs);
  }

  async #plan(): Promise<{ state: unknown; plan: readonly Command[] }> {
    const { driver, line, target } = this.#options;
    const { resource, desired, prove } = this.#job.want;
    const { state, rest } = await this.#look();
    const plan = driver.plan(state, resource, desired, target);
    // Where nothing is to be changed, all of it must be known: configured is not enough (N4).
    const whole = rest && (plan.length === 0 || prove) ? await line.read(rest, readDeadlineMs) : state;
    this.#evidence.note(`before: ${driver.describe(whole)}`);
    return { state: whole, plan };
  }

  /** As much as a plan needs: what is to be given back is given back before anybody looks for the proof that it is gone. */
  async #look(): Promise<{ readonly state: unknown; readonly rest?: () => Dialogue<unknown> }> {
    const { driver, line, target } = this.#options;
    const { resource } = this.#job.want;
    if (!driver.look) return { state: await this.#read() };
    return line.read(() => driver.look!(resource, target), readDeadlineMs);
  }

  async #alreadySo(state: unknown): Promise<Told> {
    const missing = this.#missing(state) === undefined ? undefined : await this.#timed('verify', () => this.#untilEffective());
    return missing === undefined ? { kind: 'already' } : { kind: 'failed', reason: `not effective: ${missing}` };
  }

  /** After a crash or a lost session: is it so? Only when nothing of the attempt can still be under way may it be tried again. */
  async #probe(): Promise<Told | undefined> {
    const { wall, signal } = this.#options;
    this.#probing = true;
    const found = await this.#effectiveNow().catch((thrown: unknown) => {
      // An answer that cannot be read says nothing of the attempt; the last look is the one that counts.
      if (thrown instanceof TargetError && !thrown.retry) return undefined;
      throw thrown;
    });
    if (found) return found;
    const waitMs = this.#job.inDoubtUntil! - wall.monotonic();
    if (waitMs > 0) await wall.sleep(waitMs, signal);
    const later = await this.#effectiveNow();
    this.#probing = false;
    return later;
  }

  async #effectiveNow(): Promise<Told | undefined> {
    const { state, plan } = await this.#plan();
    const over = this.#abandoned(state);
    if (over !== undefined) return { kind: 'failed', reason: over };
    if (plan.length > 0) return undefined;
    const missing = this.#missing(state) === undefined ? undefined : await this.#untilEffective();
    return missing === undefined
      ? { kind: 'done', reason: 'found applied: the attempt before had taken effect' }
      : { kind: 'failed', reason: `not effective: ${missing}` };
  }

  async #untilEffective(): Promise<string | undefined> {
    const { wall, signal, driver } = this.#options;
    const until = wall.monotonic() + (driver.verifyDeadlineMs ?? verifyDeadlineMs);
    for (let delay = verifyFirstMs; ; delay = Math.min(delay * 2, verifyLastMs)) {
      const state = await this.#read();
      const verdict = driver.verify(state, this.#job.want.resource, this.#job.want.desired, this.#options.target);
      if (verdict.effective || verdict.final || wall.monotonic() + delay > until) {
        this.#evidence.note(`after: ${driver.describe(state)}`);
        return verdict.effective ? undefined : verdict.missing;
      }
      const over = this.#abandoned(state);
      if (over !== undefined) return over;
      await wall.sleep(delay, signal);
    }
  }

  #abandoned(state: unknown): string | undefined {
    const { resource, desired } = this.#job.want;
    return this.#probing ? this.#options.driver.abandoned?.(state, resource, desired) : undefined;
  }

  #missing(state: unknown): string | undefined {
    const { driver, target } = this.#options;
    const verdict = driver.verify(state, this.#job.want.resource, this.#job.want.desired, target);
    return verdict.effective ? undefined : verdict.missing;
  }

  async #timed<T>(part: string, work: () => Promise<T>): Promise<T> {
    const from = this.#options.wall.monotonic();
    try {
      return await work();
    } finally {
      this.#tookMs[part] = Math.round((this.#options.wall.monotonic() - from) * 1000) / 1000;
    }
  }
}
