// Owns: the nodes of a simulated world: the real Runtime, started over the one disk and network, killed, frozen, stopped in
// order, started again. Of two nodes the second takes over when the first one's lease is over and what it began cannot reach
// a device any more.
import { zstdCompressSync } from 'node:zlib';
import { type Answer, type Intake, requestIntake } from '../../adapters/requests/intake.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { Event } from '../../src/model/event.ts';
import { applyDeadlineMs } from '../../src/model/limits.ts';
import type { Inventory } from '../../src/model/target.ts';
import type { Actuator } from '../../src/ports/actuator.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import { Requests } from '../../src/runtime/requests.ts';
import { Runtime, type RuntimeOptions } from '../../src/runtime/runtime.ts';
import type { Prng } from '../../src/testing/prng.ts';
import type { SimClock } from './clock.ts';
import type { Disk } from './disk.ts';
import { platforms } from './platform.ts';
import { SimProcess } from './process.ts';
import type { Weather } from './weather.ts';

export interface NodesOptions {
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly disk: Disk;
  /** Each as version v1. */
  readonly policies: readonly DeployedPolicy[];
  readonly settings: Pick<Weather, 'snapshotEntries' | 'keepMs' | 'journalBytes'>;
  readonly two: boolean;
  readonly inventory: Inventory;
  readonly actuators: (process: SimProcess) => readonly Actuator[];
  /** Besides the datagrams. */
  readonly source: ((process: SimProcess) => Source) | undefined;
  readonly trace: (text: string) => void;
  readonly onEntry: (entry: Entry) => void;
}

export interface Running {
  readonly process: SimProcess;
  readonly runtime: Runtime;
  sink: Sink | undefined;
  readonly intake: Intake;
  /** Its policies' folder is watched. */
  watches: boolean;
}

/** The lease is given up for lost this long after its holder was last heard of. */
const leaseMs = 5_000;
/** The lease's own client looks this often whether it still has it. */
const leaseLookMs = 50;

export class Nodes {
  readonly #options: NodesOptions;
  readonly #running = new Set<Running>();
  #epoch = 0;
  /** What is in the policies' folder. */
  #policies: readonly DeployedPolicy[];
  /** Who holds the lease, or the start of a process that will. */
  #holder: Running | 'starting' | undefined;
  /** Every divergence a start told of. */
  readonly divergences: string[] = [];

  constructor(options: NodesOptions) {
    this.#options = options;
    this.#policies = options.policies;
  }

  /** The one that is in charge, if it is up. */
  get holder(): Running | undefined {
    return typeof this.#holder === 'object' ? this.#holder : undefined;
  }

  start(): void {
    const { clock, disk, inventory, actuators, source: other, trace } = this.#options;
    this.#epoch += 1;
    disk.spoil();
    const process = new SimProcess(`node-${this.#epoch % 2 === 0 ? 'b' : 'a'}`, this.#epoch, clock);
    trace(`${process.name} starts with epoch ${process.epoch}`);
    const source: Source = {
      name: 'sim',
      start: async (sink) => {
        running.sink = sink;
      },
      stop: async () => {
        running.sink = undefined;
      },
      stats: () => ({ listening: [], received: 0, dropped: {} }),
    };
    const requests = new Requests();
    const runtime = new Runtime({
      requests,
      wall: process.wall,
      journal: disk.openedBy(process),
      lease: { epoch: process.epoch, release: async () => undefined },
      inventory,
      policies: this.#policies,
      platforms,
      actuators: actuators(process),
      sources: other ? [source, other(process)] : [source],
      ...this.#remembering(process),
      modes: { default: 'enforce', policies: {}, targets: {} },
      watch: {
        onEntry: (entry) => {
          if (process.alive) this.#options.onEntry(entry);
        },
        onWarning: (text) => {
          if (process.alive) trace(`${process.name} warns: ${text}`);
        },
        onFailure: (fault) => this.crash(process, `the journal failed: ${fault.message}`),
        onDivergence: ({ policy, seq, expected, found }) => {
          if (process.alive) this.divergences.push(`${policy}, entry ${seq}: expected ${expected}, found ${found}`);
        },
      },
    });
    const running: Running = { process, runtime, sink: undefined, watches: false, intake: requestIntake(requests) };
    this.#running.add(running);
    this.#holder = running;
    runtime
      .start()
      .then(() => {
        running.watches = true;
      })
      .catch((thrown: unknown) => this.crash(process, `could not start: ${String(thrown)}`));
  }

  #remembering(process: SimProcess): Pick<RuntimeOptions, 'snapshots' | 'keeping'> {
    const { snapshotEntries: entries, keepMs, journalBytes: bytesMax } = this.#options.settings;
    if (entries === 0) return {};
    const work = (ms: number): Promise<void> => process.answer(() => this.#options.clock.base.sleep(ms));
    const pack = async (json: Buffer): Promise<Uint8Array<ArrayBuffer>> => {
      await work(json.length / 1_000);
      return zstdCompressSync(json);
    };
    return { snapshots: { entries, turn: () => work(2), pack }, keeping: { keepMs, bytesMax } };
  }

  /** Somebody puts a policy's next version into the folder; whoever runs takes it up, a start does anyway. */
  edit(): void {
    const edited = this.#options.prng.below(this.#policies.length);
    this.#policies = this.#policies.map((deployed, index) =>
      index === edited ? { ...deployed, version: next(deployed) } : deployed,
    );
    const { policy, version } = this.#policies[edited]!;
    this.#options.trace(`${policy.name} is version ${version} from now on`);
    const { holder } = this;
    if (!holder?.watches) return;
    const { process, runtime } = holder;
    process.enter(() => {
      runtime.reload(this.#policies).catch((thrown: unknown) => {
        if (process.alive) this.#options.trace(`${process.name} does not reload: ${String(thrown)}`);
      });
    });
  }

  /** Whoever holds the lease dies here; the next one starts some time after. Where nobody else runs, the power may go with it. */
  crash(process: SimProcess, where: string, powerCut = this.#options.prng.chance(50)): void {
    if (!process.alive) return;
    this.#options.trace(`${process.name} (epoch ${process.epoch}) dies: ${where}`);
    process.kill();
    const mine = [...this.#running].find((running) => running.process === process);
    if (mine) this.#running.delete(mine);
    if (powerCut && this.#running.size === 0) this.#options.disk.loseUnsynced();
    if (mine !== this.#holder) return;
    this.#startAfter(this.#downtime());
  }

  /** The machine loses its power. */
  powerCut(): void {
    const { holder } = this;
    if (holder) this.crash(holder.process, 'the power is cut', true);
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    const { holder } = this;
    if (!holder || holder.process.frozen) return;
    this.#options.trace(`${holder.process.name} is told to stop`);
    const stopped = holder.runtime.stop().then(() => this.crash(holder.process, 'stopped in order'));
    stopped.catch((thrown: unknown) => this.crash(holder.process, `did not stop: ${String(thrown)}`));
  }

  /** As a paused virtual machine: nothing runs, its sockets stay. */
  freeze(forMs: number): void {
    const { holder } = this;
    if (!holder || holder.process.frozen) return;
    const { clock, two, trace } = this.#options;
    const { process } = holder;
    trace(`${process.name} (epoch ${process.epoch}) is frozen for ${forMs} ms`);
    process.freeze();
    clock.base.after(forMs, () => this.#thaw(holder));
    if (!two || forMs < leaseMs) return;
    clock.base.after(leaseMs + applyDeadlineMs, () => {
      if (this.#holder === holder) this.start();
    });
  }

  /** Whatever is frozen goes on, and nobody waits for the next start. */
  mend(): void {
    for (const running of [...this.#running]) this.#thaw(running);
    if (this.#holder === 'starting') this.start();
  }

  /** What a device sends reaches everybody who listens. */
  offer(event: Event, committed: (error?: Error, seq?: number) => void): void {
    for (const running of [...this.#running]) {
      running.process.enter(() => {
        running.sink?.offer([event], (error, seq) => {
          if (running.process.alive) committed(error, seq);
        });
      });
    }
  }

  /** Over TCP to whoever is in charge; nothing comes back where it dies over it. */
  ask(request: string, answered: (answer: Answer) => void): void {
    const { holder } = this;
    if (!holder) return;
    const { process, intake } = holder;
    const from = { source: 'sim', peer: '192.0.2.9', transport: 'http', trust: 'authenticated' } as const;
    process.enter(() => {
      if (!holder.sink) return;
      void process.answer(() => intake.take(Buffer.from(request), from, holder.sink!)).then(answered);
    });
  }

  /** A lease lost meanwhile is noticed, but not before what waited to run has run. */
  #thaw(running: Running): void {
    const { process } = running;
    if (!process.alive || !process.frozen) return;
    this.#options.trace(`${process.name} (epoch ${process.epoch}) goes on`);
    const late = this.#options.two && this.#options.clock.time - process.frozenAt >= leaseMs;
    process.thaw();
    if (late) this.#options.clock.base.after(leaseLookMs, () => this.crash(process, 'its lease is over'));
  }

  #downtime(): number {
    const { prng } = this.#options;
    return prng.chance(10) ? prng.between(30_000, 200_000) : prng.between(100, 8_000);
  }

  #startAfter(ms: number): void {
    this.#holder = 'starting';
    this.#options.clock.base.after(ms, () => {
      if (this.#holder === 'starting') this.start();
    });
  }
}

const next = ({ version }: DeployedPolicy): string => `v${Number(version.slice(1)) + 1}`;
