// Owns: one running Offbox: recovery, then the host, the executor and the sources, and their orderly end.
import { Engine } from '../core/engine.ts';
import type { DeployedPolicy } from '../core/policy.ts';
import type { CallWatch, PolicyStatus } from '../core/slot.ts';
import type { Answer } from '../model/answer.ts';
import type { Config } from '../model/config.ts';
import { type Entry, type EntryBody, removedReason } from '../model/entry.ts';
import { messageOf, OperatorError } from '../model/errors.ts';
import type { Intent } from '../model/intent.ts';
import type { Inventory } from '../model/target.ts';
import type { Actuator } from '../ports/actuator.ts';
import type { Journal } from '../ports/journal.ts';
import type { Lease } from '../ports/lease.ts';
import type { Platform } from '../ports/platform.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Source } from '../ports/source.ts';
import type { Wall } from '../ports/wall.ts';
import { type Apart, type Rebuilt, type Running, type Surroundings, warmedThread } from './apart/apart.ts';
import type { BundledPolicy, Told } from './apart/messages.ts';
import { gapEvent } from './entry-bound.ts';
import { Executor } from './executor.ts';
import { Host } from './host.ts';
import { Keeper, type Keeping } from './keeper.ts';
import { lateEntries } from './late.ts';
import { type Modes, modesFrom } from './modes.ts';
import { type Divergence, type Recovered, recover, viewed } from './recovery.ts';
import {
  cellTexts,
  changesOf,
  deployEntry,
  heldBy,
  keptOf,
  refuseWhatIsLeft,
  refuseWhileHeld,
  type VersionChange,
  warmed,
} from './reload.ts';
import { Reports } from './reports.ts';
import { Requests } from './requests.ts';
import type { Needs } from './retention.ts';
import { SnapshotTaker, type SnapshotWays, type TakenSnapshot } from './snapshot-taker.ts';
import { forgetUnnamed } from './unnamed-blobs.ts';
import { View } from './view.ts';

/** Those who watch: the story on the terminal, a test. Called in the order of the journal. */
export interface Watcher {
  readonly onRecovered?: (recovered: Recovered, tookMs: number) => void;
  readonly onEntry?: (entry: Entry, engine: Engine) => void;
  readonly onDivergence?: (divergence: Divergence) => void;
  readonly onFailure?: (fault: Error) => void;
  /** The thread of policies was ended and decides again. */
  readonly onRebuilt?: (rebuilt: Rebuilt) => void;
  /** What the operator should know: of snapshots, of the journal's room. */
  readonly onWarning?: (text: string) => void;
  readonly onSnapshot?: (taken: TakenSnapshot) => void;
  /** Other versions of policies are in force. */
  readonly onReload?: (changes: readonly VersionChange[]) => void;
  /** What is on disk cannot be put in force: the versions that were go on. */
  readonly onReloadFailed?: (why: string) => void;
}

export interface RuntimeOptions {
  readonly wall: Wall;
  readonly journal: Journal;
  readonly lease: Lease;
  readonly inventory: Inventory;
  /** Where they run apart, their stand-ins. */
  readonly policies: readonly DeployedPolicy[];
  /** Policies that ran when it stopped, and whose files are gone: they are stopped first of all, and let go of what they hold. */
  readonly gone?: readonly DeployedPolicy[];
  /** The thread they run in; without it they run here, and `calls` is told of each call of one. */
  readonly apart?: Apart;
  readonly calls?: CallWatch | undefined;
  readonly platforms: Readonly<Record<string, Platform>>;
  readonly actuators: readonly Actuator[];
  readonly sources: readonly Source[];
  /** Whom reports of requests go to. */
  readonly reporters?: readonly Reporter[];
  /** The book that sources of requests look things up in. */
  readonly requests?: Requests;
  readonly modes: Config['modes'];
  /** What the journal lost to damage, in sentences: a gap each. */
  readonly lost?: readonly string[];
  /** Whether snapshots are taken: a start then replays only what came after the newest. */
  readonly snapshots?: boolean | SnapshotWays;
  /** How much the journal keeps; without it, everything. */
  readonly keeping?: Keeping;
  readonly watch?: Watcher;
}

type CellsTold = Extract<Told, { readonly what: 'cells' }> | undefined;

export class Runtime {
  readonly #options: RuntimeOptions;
  /** Intents that the start itself brings, until those are resumed that were open before: of one place the newest lives. */
  #early: (readonly [intent: Intent, at: number])[] | undefined = [];
  readonly #snapshots: SnapshotTaker | undefined;
  readonly #keeper: Keeper | undefined;
  readonly #closing: (() => Promise<void>)[] = [];
  #begun = false;
  #reloading: Promise<unknown> = Promise.resolve();
  /** Beside everything else: it may read all of the journal. */
  #forgetting: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  #engine: Engine;
  #policies: readonly DeployedPolicy[];
  /** Stopped, and still letting go. */
  #retired: readonly DeployedPolicy[];
  readonly view: View;
  readonly requests: Requests;
  readonly modes: Modes;
  readonly host: Host;
  readonly executor: Executor;

  constructor(options: RuntimeOptions) {
    const { wall, journal, lease, inventory, platforms, actuators, policies, gone = [], watch, calls } = options;
    this.#options = options;
    this.#engine = new Engine([...policies, ...gone], calls ? { watch: calls } : {});
    this.#policies = policies;
    this.#retired = gone;
    this.requests = options.requests ?? new Requests();
    this.requests.lookIn(() => this.#engine.facts);
    this.view = new View(this.engine, this.requests);
    this.modes = modesFrom(options.modes);
    this.host = new Host({
      journal,
      epoch: lease.epoch,
      engine: () => this.#engine,
      wall,
      apart: options.apart,
      execute: (intent, at) => {
        if (this.#early) this.#early.push([intent, at]);
        else this.executor.submit(intent, at);
      },
      onEntry: (entry) => {
        this.view.take(entry);
        watch?.onEntry?.(entry, this.engine);
      },
      onAppended: (entries, moment) => this.#snapshots?.appended(entries, moment),
      onFailure: (fault) => watch?.onFailure?.(fault),
      onFull: (fault) =>
        this.#warn(`${messageOf(fault)} Nothing is decided or done, and what comes is not kept, until there is room.`),
      onRoom: (dropped) => this.#warn(`the journal has room again; ${dropped} events were not kept meanwhile`),
    });
    const toJournal = async (body: EntryBody): Promise<number> => {
      if (body.kind === 'attempt') await this.#keeper?.enough();
      return this.host.submit(body);
    };
    this.#snapshots = options.snapshots ? this.#taker(toJournal) : undefined;
    this.#keeper = options.keeping ? this.#keeperOf(options.keeping) : undefined;
    options.apart?.surround(this.#surroundings());
    const reports = new Reports({ wall, reporters: options.reporters ?? [], journal: toJournal });
    this.executor = new Executor({
      wall,
      inventory,
      actuators,
      platforms,
      modes: this.modes,
      journal: toJournal,
      report: (...report) => reports.take(...report),
      onBack: (target) =>
        void this.host
          .submit({ kind: 'event', event: gapEvent('session', `${target} is back`, [target]) })
          .catch(() => undefined),
    });
  }

  #surroundings(): Surroundings {
    const { watch } = this.#options;
    return {
      decided: (decided) => this.host.decided(decided),
      begunAnew: (work) => this.host.beginAnew(work),
      onEnded: (ended) => {
        // Before it has begun it is among its first entries.
        if (this.#begun) void this.host.submit({ kind: 'quarantine', ...ended }).catch(() => undefined);
      },
      onRebuilt: (rebuilt) => {
        this.#demote(rebuilt.divergences);
        watch?.onRebuilt?.(rebuilt);
      },
      onFailure: (fault) => watch?.onFailure?.(fault),
    };
  }

  #demote(divergences: readonly Divergence[]): void {
    for (const divergence of divergences) {
      const { policy, seq } = divergence;
      this.modes.demote(policy, `was put in observe: replaying entry ${seq} it wants something else than was recorded`);
      this.#options.watch?.onDivergence?.(divergence);
    }
  }

  #taker(submit: (body: EntryBody) => Promise<number>): SnapshotTaker {
    const { wall, journal, watch, snapshots } = this.#options;
    return new SnapshotTaker({
      wall,
      ways: typeof snapshots === 'object' ? snapshots : undefined,
      journal,
      engine: () => this.#engine,
      requests: this.requests,
      submit,
      apart: this.#options.apart,
      warn: (text) => this.#warn(text),
      onTaken: (taken) => watch?.onSnapshot?.(taken),
    });
  }

  #keeperOf(keeping: Keeping): Keeper {
    const { wall, journal } = this.#options;
    return new Keeper({
      wall,
      journal,
      keeping,
      needs: () => this.#needs(),
      kept: () => this.#snapshots?.kept ?? [],
      forget: (gone) => this.#snapshots?.forget(gone),
      hurry: () => this.#snapshots?.hurry(),
      warn: (text) => this.#warn(text),
    });
  }

  #needs(): Needs {
    const { ledger } = this.#engine;
    const held = this.#options.apart ? this.#options.apart.heldSince : this.#engine.heldSince();
    const horizonMs = Math.max(0, ...this.#policies.map(({ policy }) => policy.horizonMs ?? 0));
    return {
      seqs: [...ledger.open(), ...ledger.unknown()].map(({ seq }) => seq),
      since: [this.#options.wall.now() - horizonMs, ...(held === undefined ? [] : [held])],
    };
  }

  #warn(text: string): void {
    this.#options.watch?.onWarning?.(text);
  }

  /** An operator's answer for an intent of which nobody can tell what became (law E4). Resolves with the seq of its entry. */
  async resolve(intent: string, answer: Answer, by: string): Promise<number> {
    const unknown = this.#engine.ledger.unknown().find((one) => one.intent.id === intent);
    if (!unknown) {
      throw new OperatorError(`no intent "${intent}" waits for an answer`, {
        code: 'not-unknown',
        remedy: 'See `offbox show intents` for those whose state is unknown.',
      });
    }
    const seq = await this.host.submit({ kind: 'command', by, verb: 'resolve', arguments: [intent, answer] });
    // Through everything again: state, rails, plan.
    if (answer === 'again') this.executor.submit(unknown.intent, this.#options.wall.now());
    return seq;
  }

  get inventory(): Inventory {
    return this.#options.inventory;
  }

  get policies(): readonly DeployedPolicy[] {
    return this.#policies;
  }

  /** The one in force; another after a reload. */
  get engine(): Engine {
    return this.#engine;
  }

  /** The policies that run, and what their operators remember: asked where they run, and left out where there is no answer in time. */
  async shownPolicies(): Promise<readonly PolicyStatus[]> {
    const shown = this.view.policies();
    const told = await this.#options.apart?.told('remembered');
    return told ? shown.map((policy) => ({ ...policy, remembered: told.remembered[policy.name] ?? [] })) : shown;
  }

  /** Puts these versions in force. Resolves with what changed, AFTER their deploy entries are durable and stepped. */
  reload(policies: readonly DeployedPolicy[]): Promise<readonly VersionChange[]> {
    return this.#afterReloads(() => this.#reload(policies));
  }

  /** The same where policies run apart. Rejects, and changes nothing, where one of them cannot be evaluated or does not come back. */
  reloadApart(apart: Apart, bundles: readonly BundledPolicy[]): Promise<readonly VersionChange[]> {
    return this.#afterReloads(() => this.#reloadApart(apart, bundles));
  }

  #afterReloads(reload: () => Promise<readonly VersionChange[]>): Promise<readonly VersionChange[]> {
    const reloaded = this.#reloading.then(reload);
    this.#reloading = reloaded.catch(() => undefined);
    return reloaded;
  }

  async #reload(policies: readonly DeployedPolicy[]): Promise<readonly VersionChange[]> {
    const changes = changesOf(this.#policies, policies);
    if (changes.length === 0) return [];
    const before = this.#engine;
    refuseWhileHeld(changes, new Set(policies.flatMap(({ policy }) => (policy.hold ? [policy.name] : []))), heldBy(before));
    // What takes long goes on beside everything else; what came meanwhile is stepped while nothing more comes.
    const retired = this.#retiring(policies);
    const { engine, catchUp } = await warmed([...policies, ...retired], this.#options.journal);
    await this.host.between(async () => {
      await catchUp();
      refuseWhatIsLeft(changes, heldBy(before), heldBy(engine));
      return { first: [], nextDue: before.clock.nextDue() };
    });
    await this.#remove(changes);
    let told: readonly VersionChange[] = [];
    await this.host.between(async () => {
      const nextDue = await catchUp();
      this.#engine = engine;
      this.#policies = policies;
      this.#retired = retired;
      this.view.look(engine);
      const [old, now] = [cellTexts(before), cellTexts(engine)];
      told = changes.map((change) => ({ ...change, ...keptOf(change.policy, old, now) }));
      const changed = new Set(changes.map(({ policy }) => policy));
      const first = await this.#deploys(policies.filter(({ policy }) => changed.has(policy.name)));
      return { first, nextDue: nextDue ?? engine.clock.nextDue() };
    });
    return told;
  }

  /** Those that are gone, and have still to let go of something: a target may be away for as long as it likes. */
  #retiring(policies: readonly DeployedPolicy[]): readonly DeployedPolicy[] {
    const names = new Set(policies.map(({ policy }) => policy.name));
    const gone = [...this.#retired, ...this.#policies].filter(({ policy }) => !names.has(policy.name));
    return gone.filter(({ policy }) => this.#engine.heldBy(policy.name).length > 0);
  }

  async #remove(changes: readonly Pick<VersionChange, 'policy' | 'to'>[]): Promise<void> {
    for (const { policy, to } of changes)
      if (to === undefined) await this.host.submit(removal(policy, this.host.stats().lastSeq));
  }

  async #reloadApart(apart: Apart, bundles: readonly BundledPolicy[]): Promise<readonly VersionChange[]> {
    const held = (await apart.told('held'))?.held ?? {};
    let next = await apart.load(bundles);
    const policies = next.deployed;
    const changes = changesOf(this.#policies, policies);
    try {
      refuseWhileHeld(changes, next.holders, (policy) => held[policy] ?? []);
      if (changes.length > 0) {
        // Those that are gone, and have still to let go of something.
        const gone = new Set(Object.keys(held).filter((name) => held[name]!.length > 0));
        for (const { policy } of policies) gone.delete(policy.name);
        if (gone.size > 0) {
          await next.thread.end();
          next = await apart.load([...bundles, ...apart.bundlesOf(gone)]);
        }
        return await this.#putInForce(apart, next, policies, changes);
      }
    } catch (thrown) {
      await next.thread.end();
      throw thrown;
    }
    await next.thread.end();
    return [];
  }

  /** `next` has besides `policies` those that have still to let go. */
  async #putInForce(
    apart: Apart,
    next: Running,
    policies: readonly DeployedPolicy[],
    changes: ReturnType<typeof changesOf>,
  ): Promise<readonly VersionChange[]> {
    const { wall, journal } = this.#options;
    const { held } = await warmedThread(next, (await journal.tail()).lastSeq, wall.now());
    const before = (await apart.told('held'))?.held;
    refuseWhatIsLeft(changes, before && ((policy) => before[policy] ?? []), (policy) => held[policy] ?? []);
    await this.#remove(changes);
    const engine = new Engine(next.deployed);
    const { lastSeq } = await recover({ engine, policies: [], journal, cells: 'elsewhere' });
    const changed = new Set(changes.map(({ policy }) => policy));
    const first = await this.#deploys(policies.filter(({ policy }) => changed.has(policy.name)));
    const cells: Promise<CellsTold>[] = [];
    await this.host.between(async () => {
      for await (const batch of journal.read(lastSeq + 1)) for (const entry of batch) engine.step(entry);
      cells.push(Promise.resolve(await apart.told('cells')));
      this.#engine = engine;
      this.#policies = policies;
      this.view.look(engine);
      this.host.beginAnew((through) => apart.takeOver(next, through));
      cells.push(apart.told('cells'));
      return { first, nextDue: undefined };
    });
    const [old, after] = await Promise.all(cells);
    return changes.map((change) => ({ ...change, ...keptOf(change.policy, old?.cells ?? {}, after?.cells ?? {}) }));
  }

  get sources(): readonly Source[] {
    return this.#options.sources;
  }

  /** Each target with its line, its platform, and what Offbox can do there. */
  targets(): readonly object[] {
    const { inventory, platforms } = this.#options;
    return this.executor.status().map(({ target, ...line }) => {
      const { platform, address } = inventory.targets[target]!;
      const { queries, resources } = platforms[platform] ?? { queries: {}, resources: {} };
      return { target, platform, address, ...line, reads: Object.keys(queries), ensures: Object.keys(resources) };
    });
  }

  /** Replays the journal, settles what was open, then begins to listen. */
  async start(): Promise<void> {
    const { wall, journal, watch, sources } = this.#options;
    const from = wall.monotonic();
    const { late, ...recovered } = await this.#recover();
    for (const what of recovered.said) this.#warn(what);
    this.#snapshots?.begin(recovered.snapshot, recovered.kept, recovered.entries);
    watch?.onRecovered?.(recovered, wall.monotonic() - from);
    this.#demote(recovered.divergences);
    const [open, doubts] = [this.engine.ledger.open(), this.engine.ledger.doubts()];
    this.executor.start();
    // Numbers given up for what a damaged journal lost lie behind its last entry.
    const lastSeq = Math.max(recovered.lastSeq, (await journal.tail()).lastSeq);
    await this.#keeper?.start();
    const blobs = await journal.blobs();
    const first = await this.#firstEntries(recovered);
    this.#begun = true;
    await this.host.begin({ ...recovered, lastSeq }, first, late());
    this.#forgetting = forgetUnnamed(journal, blobs, recovered.kept, this.#stopping.signal).then(
      () => undefined,
      (thrown: unknown) => this.#warn(`snapshots that no entry names are not looked for: ${messageOf(thrown)}`),
    );
    this.executor.resume(open, doubts);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const [intent, at] of early) this.executor.submit(intent, at);
    // Each has started or has not before it is told: one that is still on its way could not be stopped.
    const started = await Promise.allSettled(sources.map((source) => source.start(this.host.sink(source.name))));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
  }

  /** Facts and what is open here; what policies remember where they run. `late` is asked when it begins. */
  async #recover(): Promise<Recovered & { readonly late: () => readonly EntryBody[] }> {
    const { wall, journal, apart } = this.#options;
    const { engine, view, requests } = this;
    const shown = viewed(view, requests);
    if (!apart) {
      const deployed = [...this.#policies, ...this.#retired];
      const recovered = await recover({ engine, policies: deployed, journal, ...shown });
      const policies = deployed.map(({ policy }) => policy);
      return { ...recovered, late: () => lateEntries(engine, policies, Math.max(wall.now(), recovered.lastAt)) };
    }
    const { lastSeq } = await journal.tail();
    const [here, there] = await Promise.all([
      recover({ engine, policies: [], journal, cells: 'elsewhere', ...shown }),
      apart.recover(lastSeq, wall.now()),
    ]);
    const { intents, faults, divergences, nextDue, said, entries, restored } = there;
    return { ...here, intents, faults, divergences, nextDue, said, entries, restored, late: () => there.late };
  }

  #deploys(policies: readonly DeployedPolicy[]): Promise<readonly EntryBody[]> {
    return Promise.all(policies.map((deployed) => deployEntry(deployed, this.#options.journal)));
  }

  /** What the start itself makes happen: the network as it is described now, the versions now running, and a gap. */
  async #firstEntries(recovered: Recovered): Promise<readonly EntryBody[]> {
    const { inventory, policies, lost = [] } = this.#options;
    const changed = JSON.stringify(recovered.inventory) !== JSON.stringify(inventory);
    const others = policies.filter(({ policy, version }) => recovered.versions.get(policy.name) !== version);
    const deploys = await this.#deploys(others);
    const inForce = this.#retired.filter(({ policy }) => recovered.versions.has(policy.name));
    return [
      ...recovered.faults.map((fault): EntryBody => ({ kind: 'quarantine', ...fault })),
      ...inForce.map(({ policy }) => removal(policy.name, recovered.lastSeq)),
      ...(this.#options.apart?.unrecorded ?? []),
      ...(changed ? [{ kind: 'inventory', inventory } as const] : []),
      ...deploys,
      // After the versions that derived them: an older one, put back later, has nothing to compare them with.
      ...recovered.intents.map((intent): EntryBody => ({ kind: 'intent', intent })),
      ...lost.map((what) => ({ kind: 'event', event: gapEvent('journal', what) }) as const),
      {
        kind: 'event',
        event: gapEvent('offbox', recovered.entries + recovered.restored === 0 ? 'first start' : 'started again'),
      },
    ];
  }

  /** To be closed first when it stops: what lets others in. */
  closeFirst(close: () => Promise<void>): void {
    this.#closing.push(close);
  }

  /** Ends in order: no new events, what is waiting is appended, sessions closed, the lease given back. */
  async stop(): Promise<void> {
    const { sources, journal, lease } = this.#options;
    this.#stopping.abort();
    await Promise.allSettled(this.#closing.map((close) => close()));
    await Promise.allSettled(sources.map((source) => source.stop()));
    await this.#keeper?.stop();
    this.host.giveUp();
    await this.executor.stop();
    await this.#snapshots?.stop();
    await this.#forgetting;
    await this.host.stop();
    await this.#options.apart?.stop();
    await journal.close();
    await lease.release();
  }
}

const removal = (policy: string, cause: number): EntryBody => ({ kind: 'quarantine', policy, cause, reason: removedReason });
