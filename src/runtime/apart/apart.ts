// Owns: policies apart from everything else: the thread that runs them, what it is handed and answers, and another one in its place when
// it has to be ended. The host's loop goes on all the while.
//
// A1. Whatever an old thread still says is not heard: what it wanted and was not recorded the new one wants again, by replay.
// A2. The new one reads up to the entry at which it was begun, between two appends, and is handed everything after it.
// A3. A policy that is named is in a quarantine entry at once; until that is durable it is known here.
import type { Concern } from '../../core/engine.ts';
import type { DeployedPolicy } from '../../core/policy.ts';
import type { Entry, EntryBody } from '../../model/entry.ts';
import { OperatorError, RuntimeFault } from '../../model/errors.ts';
import type { Intent } from '../../model/intent.ts';
import { policyAnswerMs, policyThreadGoodMs, policyThreadsMax } from '../../model/limits.ts';
import type { Wall } from '../../ports/wall.ts';
import { cut } from '../entry-bound.ts';
import type { EndedPolicy, Recovered } from '../recovery.ts';
import type { KeptSnapshot } from '../snapshots.ts';
import { onlyDeclares } from './evaluate.ts';
import { Feed, type FeedBounds } from './feed.ts';
import type {
  BundledPolicy,
  Decision,
  Order,
  PolicyFace,
  RecoveredPolicies,
  Report,
  Standing,
  Told,
  WrittenSnapshot,
} from './messages.ts';
import { standIn } from './stand-in.ts';
import type { Thread, ThreadEars } from './thread.ts';
import type { ThreadEnd } from './watched-thread.ts';

export interface ApartOptions {
  readonly wall: Wall;
  /** Begins another thread. */
  readonly thread: (hears: ThreadEars) => Thread;
  readonly bounds: FeedBounds;
}

/** What was decided, for the host. */
export interface Decided {
  readonly through: number;
  readonly intents: readonly Intent[];
  readonly faults: readonly { readonly policy: string; readonly cause: number; readonly reason: string }[];
  readonly nextDue: number | undefined;
}

export interface Rebuilt extends Pick<RecoveredPolicies, 'entries' | 'restored' | 'divergences' | 'said'> {
  /** From the end of the old thread until the new one decides, milliseconds. */
  readonly tookMs: number;
}

/** The runtime around it. */
export interface Surroundings {
  readonly decided: (decided: Decided) => void;
  /** Calls back between two appends with the seq of the last entry; what was decided and is not recorded is given up there. */
  readonly begunAnew: (work: (lastSeq: number) => void) => void;
  readonly onEnded: (ended: EndedPolicy) => void;
  readonly onRebuilt: (rebuilt: Rebuilt) => void;
  /** Policies cannot be run any more. */
  readonly onFailure: (fault: Error) => void;
}

/** A thread with its policies, before it decides and while it does. */
interface Running {
  readonly thread: Thread;
  readonly bundles: readonly BundledPolicy[];
  readonly deployed: readonly DeployedPolicy[];
  /** Those that have a `hold`. */
  readonly holders: ReadonlySet<string>;
  readonly begunAt: number;
}

type RecoveredAtStart = Omit<RecoveredPolicies, 'intents'> & Pick<Recovered, 'intents'>;

export class Apart {
  readonly #options: ApartOptions;
  #around: Surroundings | undefined;
  #running: Running | undefined;
  #feed: Feed | undefined;
  #standing: Standing = { through: 0, nextDue: undefined, heldSince: undefined, unsettled: [] };
  #ended: readonly EndedPolicy[] = [];
  #bad = 0;
  /** The last that was named. */
  #named: string | undefined;
  #stopped = false;
  #failed: Error | undefined;
  /** At a start: up to where, and who waits for it. */
  #starting: { readonly through: number; readonly done: (recovered: RecoveredPolicies) => void } | undefined;
  /** Since when there has been none that decides. */
  #goneAt: number | undefined;
  readonly #asked = new Map<number, (answer: never) => void>();
  #asks = 0;

  constructor(options: ApartOptions) {
    this.#options = options;
  }

  /** A thread with these policies, evaluated there. Rejects with an OperatorError for what is wrong with them. */
  async load(bundles: readonly BundledPolicy[]): Promise<Running> {
    const { wall } = this.#options;
    const loading = Promise.withResolvers<readonly PolicyFace[]>();
    let running: Running | undefined;
    const thread = this.#options.thread({
      onReport: (report) => {
        if (report.kind === 'loaded') loading.resolve(report.faces);
        else if (report.kind === 'refused') loading.reject(refused(report.faults));
        else if (running) this.#hear(running, report);
      },
      onEnd: (end) => {
        if (running) this.#lost(running, end);
        else loading.reject(refused([`${bundles[end.call?.policy ?? -1]?.file ?? 'policies'}: ${end.reason}. ${onlyDeclares}`]));
      },
    });
    thread.order({ kind: 'load', policies: bundles });
    try {
      const faces = await loading.promise;
      const deployed = faces.map((face, place) => standIn(face, bundles[place]!));
      const holders = new Set(faces.flatMap(({ name, until }) => (until.length > 0 ? [name] : [])));
      running = { thread, bundles, deployed, holders, begunAt: wall.monotonic() };
      return running;
    } catch (thrown) {
      await thread.end();
      throw thrown;
    }
  }

  /** The first that decides. */
  begin(running: Running): readonly DeployedPolicy[] {
    this.#running = running;
    return running.deployed;
  }

  /** Bundles of policies that run, by their names. */
  bundlesOf(names: ReadonlySet<string>): readonly BundledPolicy[] {
    const { deployed = [], bundles = [] } = this.#running ?? {};
    return bundles.filter((_, place) => names.has(deployed[place]!.policy.name));
  }

  /** Where it tells what comes of it. */
  surround(around: Surroundings): void {
    this.#around = around;
  }

  /** Brings policies to the journal's end at a start. `now`: what is due long before is late. */
  async recover(through: number, now: number): Promise<RecoveredAtStart> {
    const recovered = Promise.withResolvers<RecoveredPolicies>();
    this.#starting = { through, done: recovered.resolve };
    this.#recover(through, now);
    const { intents, ...rest } = await recovered.promise;
    return { ...rest, intents: intents.map(intentOf) };
  }

  /** Policies that were ended, of which no entry tells yet. */
  get unrecorded(): readonly EntryBody[] {
    return this.#ended.map((ended) => ({ kind: 'quarantine', ...ended }));
  }

  get heldSince(): number | undefined {
    return this.#standing.heldSince;
  }

  get unsettled(): readonly string[] {
    return this.#standing.unsettled;
  }

  /** To be called with each entry, after it was stepped. */
  see(entry: Entry, concern: Concern): void {
    if (entry.kind === 'quarantine')
      this.#ended = this.#ended.filter(({ policy, cause }) => policy !== entry.policy || cause !== entry.cause);
    this.#feed?.see(entry, concern);
  }

  /** After the last entry of an append. */
  appended(through: number, at: number): void {
    if (!this.#feed?.appended(through, at)) return;
    this.#standing = { ...this.#standing, through };
    this.#around?.decided({ through, intents: [], faults: [], nextDue: this.#standing.nextDue });
  }

  /** A snapshot of this moment, written there. */
  async snapshot(through: number, at: number, older: readonly KeptSnapshot[], requests: string): Promise<WrittenSnapshot> {
    this.#feed?.handFacts(at);
    this.#feed?.catchUp();
    const written = await this.#ask<WrittenSnapshot | string>((id) => ({ kind: 'snapshot', id, through, at, older, requests }));
    if (typeof written === 'string') throw new RangeError(written);
    return written;
  }

  /** What operators remember; undefined where there is no answer in time. */
  async told<W extends Told['what']>(what: W): Promise<Extract<Told, { what: W }> | undefined> {
    const answer = this.#ask<Extract<Told, { what: W }>>((id) => ({ kind: 'ask', id, what }));
    const late = Promise.withResolvers<undefined>();
    const cancel = this.#options.wall.after(policyAnswerMs, () => late.resolve(undefined));
    return Promise.race([answer.catch(() => undefined), late.promise]).finally(cancel);
  }

  /** Another thread, warmed, decides from the entry `through` on. To be called between two appends. */
  takeOver(next: Running, through: number): void {
    const before = this.#running;
    this.#goneAt = undefined;
    this.#switchTo(next, through, { kind: 'take-over', through });
    void before?.thread.end();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#feed = undefined;
    await this.#running?.thread.end();
    this.#giveUpAsked();
  }

  #switchTo(running: Running, through: number, order: Order): void {
    this.#giveUpAsked();
    this.#running = running;
    this.#feed = new Feed(through, this.#options.bounds, (next) => running.thread.order(next));
    running.thread.order(order);
  }

  #recover(through: number, now: number): void {
    this.#switchTo(this.#running!, through, { kind: 'recover', through, ended: this.#ended, now });
  }

  #hear(running: Running, report: Report): void {
    if (running !== this.#running) {
      warming.get(running)?.(report);
      return;
    }
    if (report.kind === 'decided') this.#decided(report.decision);
    else if (report.kind === 'recovered') {
      this.#back(report.recovered);
    } else if (report.kind === 'written') this.#answer(report.id, report.snapshot);
    else if (report.kind === 'told') this.#answer(report.id, report.told);
    else if (report.kind === 'failed') this.#lost(running, { how: 'died', reason: report.reason });
  }

  #back(recovered: RecoveredPolicies): void {
    const { entries, restored, divergences, said } = recovered;
    const [starting, goneAt] = [this.#starting, this.#goneAt];
    [this.#starting, this.#goneAt] = [undefined, undefined];
    if (starting) {
      this.#stands(recovered);
      starting.done(recovered);
      return;
    }
    this.#decided(recovered);
    const tookMs = this.#options.wall.monotonic() - (goneAt ?? 0);
    this.#around?.onRebuilt({ entries, restored, divergences, said, tookMs });
  }

  #stands({ through, nextDue, heldSince, unsettled }: Standing): void {
    // What changed facts alone it answers when all of it was decided already.
    this.#standing = { through: Math.max(through, this.#standing.through), nextDue, heldSince, unsettled };
    this.#feed?.answered(through, nextDue);
  }

  #decided(decision: Decision): void {
    const { nextDue, intents, faults } = decision;
    this.#stands(decision);
    const { through } = this.#standing;
    this.#around?.decided({ through, intents: intents.map(intentOf), faults, nextDue });
  }

  #lost(running: Running, { how, call, reason }: ThreadEnd): void {
    void running.thread.end();
    if (running !== this.#running) {
      warming.get(running)?.({ kind: 'failed', reason: whose(running, call, reason) });
      return;
    }
    if (this.#stopped) return;
    this.#feed = undefined;
    this.#giveUpAsked();
    const policy = call && running.deployed[call.policy]?.policy.name;
    if (policy !== undefined) {
      const ended: EndedPolicy = { policy, cause: call!.seq, reason: cut(reason), ended: how === 'memory' ? 'memory' : 'hung' };
      this.#ended = [...this.#ended, ended];
      this.#around?.onEnded(ended);
    }
    // Named again, it was not kept from running: as if nobody had been named.
    if (policy === undefined || policy === this.#named) {
      const wasGood = this.#options.wall.monotonic() - running.begunAt >= policyThreadGoodMs;
      this.#bad = wasGood ? 1 : this.#bad + 1;
    }
    this.#named = policy;
    if (this.#bad < policyThreadsMax) void this.#anew(running).catch((thrown: Error) => this.#fail(thrown));
    else this.#fail(noThread(reason));
  }

  /** None comes any more: nobody is left to wait for an answer. */
  #fail(fault: Error): void {
    this.#failed = fault;
    this.#giveUpAsked();
    this.#around?.onFailure(fault);
  }

  async #anew(lost: Running): Promise<void> {
    const { wall } = this.#options;
    this.#goneAt ??= wall.monotonic();
    const next = await this.load(lost.bundles);
    const begin = (lastSeq: number): void => {
      this.#running = next;
      this.#recover(lastSeq, wall.now());
    };
    // Other versions may have been put in force meanwhile, in a thread of their own: what that one wants stands.
    if (this.#stopped || this.#running !== lost) void next.thread.end();
    else if (this.#starting) begin(this.#starting.through);
    else this.#around?.begunAnew(begin);
  }

  #ask<T>(order: (id: number) => Order): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#running || this.#stopped || this.#failed) {
        reject(this.#failed ?? noThread('there is none'));
        return;
      }
      this.#asks += 1;
      const id = this.#asks;
      this.#asked.set(id, (answer: never) => (answer === gone ? reject(noThread('it was begun anew')) : resolve(answer)));
      this.#running.thread.order(order(id));
    });
  }

  #answer(id: number, answer: unknown): void {
    this.#asked.get(id)?.(answer as never);
    this.#asked.delete(id);
  }

  #giveUpAsked(): void {
    for (const id of [...this.#asked.keys()]) this.#answer(id, gone);
  }
}

/** Instead of an answer: the thread that was asked is no more. */
const gone = Symbol('gone');

/** Threads that are warmed beside the one that decides, and who waits for them. */
const warming = new WeakMap<Running, (report: Report) => void>();

/** Brings a thread to where the journal ended at entry `through`; rejects in words where a policy of it does not get there. */
export async function warmedThread(running: Running, through: number, now: number): Promise<RecoveredPolicies> {
  const warmed = Promise.withResolvers<RecoveredPolicies>();
  warming.set(running, (report) => {
    if (report.kind === 'recovered') warmed.resolve(report.recovered);
    else if (report.kind === 'failed') warmed.reject(refused([report.reason]));
  });
  running.thread.order({ kind: 'recover', through, ended: [], now });
  return warmed.promise.finally(() => warming.delete(running));
}

export type { Running };

const intentOf = (text: string): Intent => JSON.parse(text) as Intent;

function whose({ deployed }: Running, call: ThreadEnd['call'], reason: string): string {
  const policy = call && deployed[call.policy]?.policy.name;
  return policy === undefined ? reason : `${policy}: ${reason}, at entry ${call!.seq} of the past`;
}

function refused(faults: readonly string[]): OperatorError {
  return new OperatorError(faults.join('\n'), {
    code: 'policies-broken',
    remedy: `Mend ${faults.length === 1 ? 'it' : 'them'} and run \`offbox check\`.`,
  });
}

function noThread(reason: string): RuntimeFault {
  return new RuntimeFault(`[policies] cannot be run: ${reason}`, {
    code: 'no-policies',
    remedy: 'Start Offbox again; if it comes back, take the policy out that was deployed last.',
  });
}
