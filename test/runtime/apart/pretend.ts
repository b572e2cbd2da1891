// Owns: Offbox's host and its policies apart, both real, with a thread that is none: it works and is heard when the test says so, and
// dies when the test says so. Everything else is as `offbox start` has it, over a journal in memory and in virtual time.
import { memoryJournal } from '../../../adapters/journal-memory/index.ts';
import { Engine } from '../../../src/core/engine.ts';
import type { Policy } from '../../../src/core/policy.ts';
import type { Entry, EntryBody, NewEntry } from '../../../src/model/entry.ts';
import type { Intent } from '../../../src/model/intent.ts';
import type { Inventory } from '../../../src/model/target.ts';
import type { Journal } from '../../../src/ports/journal.ts';
import { Apart, type Decided, warmedThread } from '../../../src/runtime/apart/apart.ts';
import type { FeedBounds } from '../../../src/runtime/apart/feed.ts';
import type { BundledPolicy, Order, Report } from '../../../src/runtime/apart/messages.ts';
import { Mind } from '../../../src/runtime/apart/mind.ts';
import type { Thread, ThreadEars } from '../../../src/runtime/apart/thread.ts';
import { Host } from '../../../src/runtime/host.ts';
import { Requests } from '../../../src/runtime/requests.ts';
import { SnapshotTaker } from '../../../src/runtime/snapshot-taker.ts';
import { packed } from '../../../src/runtime/snapshots.ts';
import { turn } from '../../../src/runtime/wall.ts';
import { VirtualWall } from '../../../src/testing/virtual-wall.ts';

/** Works off its orders and is heard only when it is told to. */
export class PretendThread implements Thread {
  readonly #mind: Mind;
  readonly #ears: ThreadEars;
  #orders: Order[] = [];
  #reports: Report[] = [];
  /** The answer that shows that an order has been followed to its end. */
  #followed: (() => void) | undefined;
  #awaited: Report['kind'] = 'told';
  #isLoaded = false;
  #ended = false;

  constructor(ears: ThreadEars, policies: readonly Policy[], journal: Journal, wall: VirtualWall) {
    this.#ears = ears;
    this.#mind = new Mind({
      wall,
      openJournal: async () => journal,
      evaluate: async (_, place) => policies[place]!,
      watch: () => ({ enter: () => undefined, leave: () => undefined }),
      report: (report) => {
        if (report.kind === this.#awaited) this.#followed?.();
        if (report.kind !== 'told') this.#reports.push(report);
      },
    });
  }

  order(order: Order): void {
    if (!this.#ended) this.#orders.push(order);
  }

  async end(): Promise<void> {
    this.#ended = true;
    [this.#orders, this.#reports] = [[], []];
  }

  /** As if there had been no memory: nothing is heard that it has not said. Not before it was loaded, for nobody begins another then:
   * returns whether it did. */
  die(): boolean {
    if (this.#ended || !this.#isLoaded) return false;
    void this.end();
    this.#ears.onEnd({ how: 'died', reason: 'the test says so' });
    return true;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  get isIdle(): boolean {
    return this.#orders.length === 0 && this.#reports.length === 0;
  }

  /** Follows so many orders. */
  async work(orders: number): Promise<void> {
    for (const order of this.#orders.splice(0, orders)) {
      const followed = Promise.withResolvers<void>();
      this.#followed = followed.resolve;
      this.#awaited = order.kind === 'snapshot' ? 'written' : 'told';
      this.#mind.follow(order);
      if (this.#awaited === 'told') this.#mind.follow({ kind: 'ask', id: -1, what: 'held' });
      await followed.promise;
    }
  }

  /** So many of its reports are heard. */
  hear(reports: number): void {
    for (const report of this.#reports.splice(0, reports)) {
      if (report.kind === 'loaded') this.#isLoaded = true;
      if (!this.#ended) this.#ears.onReport(report);
    }
  }
}

export interface PretendOptions {
  readonly policies: readonly Policy[];
  readonly inventory: Inventory;
  readonly bounds: FeedBounds;
  /** Entries between two snapshots. */
  readonly snapshotEntries: number;
}

/** What the test sees of it. */
interface Seen {
  readonly entries: Entry[];
  /** The seqs of each append's first and last entry. */
  readonly appends: { readonly first: number; readonly last: number }[];
  readonly decided: Decided[];
  /** Intents that are recorded and not answered. */
  readonly open: Intent[];
  readonly failures: Error[];
  readonly warnings: string[];
}

export interface Pretend extends Seen {
  readonly wall: VirtualWall;
  readonly host: Host;
  readonly journal: Journal;
  /** Those that have been begun, ended ones among them. */
  readonly threads: readonly PretendThread[];
  /** Another thread with the same policies, brought up beside this one, takes over. */
  takeOver(): Promise<void>;
  /** Until nothing is on its way any more. */
  settled(): Promise<void>;
}

export const version = 'v1';

export async function pretend({ policies, inventory, bounds, snapshotEntries }: PretendOptions): Promise<Pretend> {
  const wall = new VirtualWall(1_767_225_600_000);
  const threads: PretendThread[] = [];
  const seen: Seen = { entries: [], appends: [], decided: [], open: [], failures: [], warnings: [] };
  const journal = seenJournal(seen);
  const apart = new Apart({
    wall,
    bounds,
    thread: (ears) => {
      const thread = new PretendThread(ears, policies, journal, wall);
      threads.push(thread);
      return thread;
    },
  });
  const bundles = policies.map(({ name }): BundledPolicy => ({ file: name, path: `/${name}`, bundle: '', version }));
  const engine = new Engine(apart.begin(await worked(threads, apart.load(bundles))));
  const host = hostOver({ seen, wall, journal, apart, engine, snapshotEntries });
  await worked(threads, apart.recover(0, wall.now()));
  const deploys = policies.map(({ name }): EntryBody => ({ kind: 'deploy', policy: name, version, runtime: 'test' }));
  await host.begin({ lastSeq: 0, lastAt: 0, nextDue: undefined }, [{ kind: 'inventory', inventory }, ...deploys]);
  return {
    ...seen,
    wall,
    host,
    journal,
    threads,
    async takeOver() {
      const next = await worked(threads, apart.load(bundles));
      await worked(threads, warmedThread(next, (await journal.tail()).lastSeq, wall.now()));
      await host.between(async () => {
        host.beginAnew((seq) => apart.takeOver(next, seq));
        return { first: [], nextDue: undefined };
      });
    },
    settled: () => settled(threads, host),
  };
}

function seenJournal({ appends }: Seen): Journal {
  const journal = memoryJournal();
  return {
    ...journal,
    append: async (batch: readonly NewEntry[], expect) => {
      const { firstSeq } = await journal.append(batch, expect);
      appends.push({ first: firstSeq, last: firstSeq + batch.length - 1 });
      return { firstSeq };
    },
  };
}

interface Parts extends Pick<PretendOptions, 'snapshotEntries'> {
  readonly seen: Seen;
  readonly wall: VirtualWall;
  readonly journal: Journal;
  readonly apart: Apart;
  readonly engine: Engine;
}

function hostOver({ seen, wall, journal, apart, engine, snapshotEntries }: Parts): Host {
  const snapshots = new SnapshotTaker({
    wall,
    journal,
    engine: () => engine,
    requests: new Requests(),
    submit: (body) => host.submit(body),
    apart,
    ways: { entries: snapshotEntries, turn, pack: packed },
    warn: (text) => seen.warnings.push(text),
  });
  const fail = (fault: Error): void => void seen.failures.push(fault);
  const host = new Host({
    journal,
    epoch: 1,
    engine: () => engine,
    wall,
    apart,
    execute: (intent) => seen.open.push(intent),
    onEntry: (entry) => seen.entries.push(entry),
    onAppended: (count, moment) => snapshots.appended(count, moment),
    onFailure: fail,
  });
  apart.surround({
    decided: (one) => {
      seen.decided.push(one);
      host.decided(one);
    },
    begunAnew: (work) => host.beginAnew(work),
    onEnded: () => undefined,
    onRebuilt: ({ divergences }) => {
      for (const { policy, expected, found } of divergences) fail(new Error(`${policy} diverges: ${expected}, not ${found}`));
    },
    onFailure: fail,
  });
  return host;
}

/** A snapshot is compressed in real time. */
const patienceMs = 20_000;

/** The newest thread alone works until `promise` is settled. */
async function worked<T>(threads: readonly PretendThread[], promise: Promise<T>): Promise<T> {
  const thread = threads.at(-1)!;
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  promise.then(done, done);
  for (const from = performance.now(); !isDone && performance.now() - from < patienceMs; ) {
    await thread.work(Number.POSITIVE_INFINITY);
    thread.hear(Number.POSITIVE_INFINITY);
    await turn();
  }
  return promise;
}

async function settled(threads: readonly PretendThread[], host: Host): Promise<void> {
  const from = performance.now();
  for (let quiet = 0; quiet < 3 && performance.now() - from < patienceMs; ) {
    await turn();
    quiet = threads.every(({ isIdle }) => isIdle) && host.stats().pending === 0 ? quiet + 1 : 0;
    for (const thread of threads) {
      await thread.work(Number.POSITIVE_INFINITY);
      thread.hear(Number.POSITIVE_INFINITY);
    }
  }
}
