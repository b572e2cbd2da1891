// Owns: one migration between two hypervisors, event by event on both, in the order that libvirt 9.0 with QEMU 7.2 was measured.
//
// M1 The source is silent about a failure, but for `resumed unpaused` where it had been suspended for the switch-over.
// M2 The guest runs on one host at most: the source falls silent BEFORE the destination speaks.
// M3 What is told of both hosts together has no order on the wire: here it is that of the measurement.
import type { Wall } from '../../../src/ports/wall.ts';
import { type Domain, isActive, type JobFigures, type Lifecycle, referenceTo } from './domain.ts';
import { busy, type HypervisorHost } from './host.ts';
import { LibvirtRefusal } from './refusal.ts';

/** Milliseconds. */
export interface MigrationTimers {
  /** From the call to QEMU's start at the destination. */
  readonly prepareMs: number;
  /** All memory, once, where no bandwidth is set. */
  readonly copyMs: number;
  /** The guest stands still: the last pages and the devices. Measured 8 to 34. */
  readonly downMs: number;
  /** From a QEMU's end to libvirtd's word of it. */
  readonly stopMs: number;
  /** Until two libvirtds that do not reach each other know it: keepalive_interval x (keepalive_count + 1). */
  readonly keepaliveMs: number;
}

export interface MigrationPlan {
  readonly from: HypervisorHost;
  readonly to: HypervisorHost;
  readonly uuid: string;
  /** The guest runs while its memory is copied. */
  readonly live: boolean;
  readonly persistent: boolean;
  readonly undefineSource: boolean;
  /** The guest does not run at the destination. */
  readonly suspend: boolean;
  readonly offline: boolean;
  /** `from-half`: it switches by itself when half of the memory is over. */
  readonly postCopy: 'never' | 'allowed' | 'from-half';
  readonly bandwidthMiBs?: number | undefined;
  /**
   * `early`: before the destination's QEMU starts (no event anywhere). `late`: cancelled in the switch-over. `destination`: its
   * QEMU is killed in mid-copy. `network`: the hypervisors stop to reach each other in mid-copy.
   */
  readonly fail?: MigrationFailure | undefined;
}

export type MigrationFailure = 'early' | 'late' | 'destination' | 'network';

type Phase = 'prepare' | 'copy' | 'switch-over' | 'post-copy' | 'finish';
type Broken =
  | 'cancelled'
  | 'destination-killed'
  | 'destination-destroyed'
  | 'source-destroyed'
  | 'network'
  | 'source-libvirtd'
  | 'destination-libvirtd';

/** When each pass over the memory begins, in parts of the copy: what the guest wrote meanwhile is sent again, ever less. */
const passes = [0, 0.6, 0.85, 0.96] as const;
const bytesPerMiB = 1024 ** 2;
const jobEndMs = 11;

export class Migration {
  readonly plan: MigrationPlan;
  readonly #timers: MigrationTimers;
  readonly #wall: Wall;
  readonly #copyMs: number;
  readonly #startedAt: number;
  #phase: Phase = 'prepare';
  #broken: Broken | undefined;
  /** Ends the pause that is on. */
  #wake: (() => void) | undefined;
  /** Which pass is on, from 1. */
  #iteration = 1;
  #copiedMs = 0;
  #passSince: number | undefined;
  #postCopyAsked = false;
  /** Whether the guest ran when it began: then it runs at the end as well, wherever that is. */
  readonly #ran: boolean;
  #downSince: number | undefined;
  #downtimeMs = 300;

  /** Checks what libvirtd checks before it begins. Throws LibvirtRefusal. */
  constructor(plan: MigrationPlan, timers: MigrationTimers, wall: Wall) {
    this.plan = plan;
    this.#timers = timers;
    this.#wall = wall;
    this.#startedAt = wall.monotonic();
    const { vm, standing } = checked(plan);
    this.#ran = standing[0] === 'running';
    const { bandwidthMiBs = 0 } = plan;
    const throttled = bandwidthMiBs > 0 ? (1000 * vm.memoryMiB) / bandwidthMiBs : 0;
    this.#copyMs = Math.max(timers.copyMs, throttled);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Resolves when it is over; rejects with the LibvirtRefusal that its caller gets. */
  async run(): Promise<void> {
    const { plan } = this;
    const { bridge } = this.#domain().vm;
    if (plan.fail === 'early' || (!plan.offline && plan.to.bridge !== bridge))
      throw new LibvirtRefusal('system', `Cannot get interface MTU on '${bridge}': No such device`, 'none');
    if (plan.offline) return this.#offline();
    this.#source.setJob(plan.uuid, { operation: 'migration-out', figures: () => this.figures() });
    const unwatch = [this.#breaksAtStop(plan.from, 'source-destroyed'), this.#breaksAtStop(plan.to, 'destination-destroyed')];
    try {
      await this.#live();
    } catch (error) {
      // Only a pause that something broke throws; else it is our own fault.
      if (!this.#broken) throw error;
      throw await this.#undo(this.#broken);
    } finally {
      for (const end of unwatch) end();
    }
  }

  /** Somebody may destroy the domain on either side. */
  #breaksAtStop(host: HypervisorHost, how: Broken): () => void {
    return host.listen((event) => {
      if (event.kind === 'lifecycle' && event.dom.uuid === this.plan.uuid && event.lifecycle[0] === 'stopped') this.break(how);
    });
  }

  /** As domjobabort: in the copy and in the switch-over it ends the migration, later it comes too late. Throws LibvirtRefusal. */
  cancel(): void {
    if (this.#phase === 'post-copy') throw new LibvirtRefusal('invalid', 'cannot abort migration in post-copy mode');
    this.break('cancelled');
  }

  /** Throws LibvirtRefusal. */
  startPostCopy(): void {
    if (this.plan.postCopy === 'never')
      throw new LibvirtRefusal(
        'invalid',
        'switching to post-copy requires migration to be started with VIR_MIGRATE_POSTCOPY flag',
      );
    this.#postCopyAsked = true;
    if (this.#phase === 'copy') this.#wake?.();
  }

  /** Something ended it; from the switch to the destination on, nothing does. */
  break(how: Broken): void {
    if (this.#broken || this.#phase === 'finish' || this.#phase === 'post-copy') return;
    this.#broken = how;
    if (this.#phase !== 'prepare') this.#wake?.();
  }

  figures(): JobFigures {
    const totalBytes = this.#domain().vm.memoryMiB * bytesPerMiB;
    const copied = this.#copied();
    const processedBytes = Math.floor(totalBytes * copied);
    const passEnd = passes[this.#iteration] ?? 1;
    return {
      operation: 'migration-out',
      elapsedMs: this.#wall.monotonic() - this.#startedAt,
      downtimeMs: this.#downtimeMs,
      totalBytes,
      processedBytes,
      remainingBytes: Math.max(Math.floor(totalBytes * passEnd) - processedBytes, 0),
      bytesPerSecond: Math.floor((1000 * totalBytes) / this.#copyMs),
      iteration: this.#iteration,
    };
  }

  get #source(): HypervisorHost {
    return this.plan.from;
  }

  get #destination(): HypervisorHost {
    return this.plan.to;
  }

  #domain(): Domain {
    return this.#source.domain(this.plan.uuid);
  }

  /** What part of the memory is over. */
  #copied(): number {
    const running = this.#passSince === undefined ? 0 : this.#wall.monotonic() - this.#passSince;
    return Math.min((this.#copiedMs + running) / this.#copyMs, 1);
  }

  /** Measured: one event, on the destination. */
  async #offline(): Promise<void> {
    const { plan } = this;
    await this.#pause(26);
    this.#destination.persist(this.#domain());
    if (plan.undefineSource) this.#source.forget(plan.uuid);
    await this.#pause(4);
  }

  async #live(): Promise<void> {
    const { uuid } = this.plan;
    await this.#pause(this.#timers.prepareMs);
    // The guest may have been destroyed meanwhile.
    if (!this.#source.find(uuid)) this.#broken ??= 'source-destroyed';
    else this.#destination.incoming(this.#domain());
    this.#phase = 'copy';
    await this.#pause(8);
    // Measured: one that is not live suspends BEFORE its first iteration.
    if (!this.plan.live) this.#suspend();
    const postCopy = await this.#copy();
    await this.#standStill();
    if (postCopy) await this.#postCopy();
    else await this.#switchOver();
    await this.#leave();
  }

  /** True where it goes on as post-copy. */
  async #copy(): Promise<boolean> {
    const { fail, postCopy } = this.plan;
    this.#tellIteration();
    for (const [i, start] of passes.entries()) {
      if (i > 0) {
        this.#iteration = i + 1;
        this.#tellIteration();
      }
      const ms = this.#copyMs * ((passes[i + 1] ?? 1) - start);
      // What befalls a migration in the middle does so in the first pass, which is the longest.
      const befalls = i === 0 && (fail === 'destination' || fail === 'network' || postCopy === 'from-half');
      if (!this.#postCopyAsked) await this.#pass(befalls ? this.#copyMs / 2 : ms);
      if (befalls && fail === 'destination') this.break('destination-killed');
      if (befalls && fail === 'network') this.break('network');
      await this.#pause(0);
      if (befalls && postCopy === 'from-half') this.#postCopyAsked = true;
      if (this.#postCopyAsked) return true;
    }
    return false;
  }

  async #pass(ms: number): Promise<void> {
    this.#passSince = this.#wall.monotonic();
    try {
      await this.#pause(ms);
    } finally {
      this.#copiedMs += this.#wall.monotonic() - this.#passSince;
      this.#passSince = undefined;
    }
  }

  /** The guest is stopped at the source, unless it was already. */
  async #standStill(): Promise<void> {
    this.#phase = 'switch-over';
    this.#suspend();
    await this.#pause(2);
  }

  /** Told once: somebody may have suspended it before. */
  #suspend(): void {
    this.#downSince ??= this.#wall.monotonic();
    if (this.#domain().standing[0] === 'running')
      this.#source.stand(this.plan.uuid, ['paused', 'migration'], { tell: ['suspended', 'migrated'] });
  }

  async #switchOver(): Promise<void> {
    this.#iteration += 1;
    this.#tellIteration();
    await this.#pause(this.#timers.downMs);
    if (this.plan.fail === 'late') {
      this.break('cancelled');
      await this.#pause(0);
    }
    this.#phase = 'finish';
    this.#arrive(['running', 'migrated'], ['resumed', 'migrated']);
  }

  /** Measured: the guest runs at the destination long before all of it is there. */
  async #postCopy(): Promise<void> {
    const { uuid } = this.plan;
    this.#phase = 'post-copy';
    if (this.#ran) this.#source.stand(uuid, ['paused', 'postcopy'], { tell: ['suspended', 'post-copy'] });
    this.#iteration += 1;
    this.#tellIteration();
    await this.#pause(9);
    const runs = this.#arrive(['running', 'postcopy'], ['resumed', 'post-copy']);
    await this.#pass(this.#copyMs - this.#copiedMs);
    this.#phase = 'finish';
    if (runs) this.#destination.stand(uuid, ['running', 'migrated'], { tell: ['resumed', 'migrated'] });
  }

  /** True where the guest runs there. */
  #arrive(standing: readonly ['running', string], told: Lifecycle): boolean {
    const { uuid, persistent, suspend } = this.plan;
    const destination = this.#destination;
    this.#downtimeMs = this.#wall.monotonic() - (this.#downSince ?? this.#startedAt);
    if (persistent) destination.persist(this.#domain());
    // A guest that stood still before goes on standing still.
    const runs = this.#ran && !suspend;
    if (runs) destination.stand(uuid, standing, { tell: told, arrived: true });
    else destination.stand(uuid, ['paused', 'user'], { tell: ['suspended', 'paused'] });
    return runs;
  }

  /** The source's QEMU ends: the last word, some time after the guest runs elsewhere. */
  async #leave(): Promise<void> {
    const { uuid, undefineSource } = this.plan;
    // Measured: the destination's job outlives its word that the guest has come.
    await this.#pause(jobEndMs);
    this.#destination.setJob(uuid, undefined);
    await this.#pause(this.#timers.stopMs);
    const figures = { ...this.figures(), remainingBytes: 0 };
    this.#destination.update(uuid, { completed: { ...figures, operation: 'migration-in' } });
    if (undefineSource) this.#source.update(uuid, { persistent: false });
    this.#source.update(uuid, { completed: figures });
    const dom = { ...referenceTo(this.#domain()), id: -1 };
    this.#source.stop(uuid, 'migrated', [['stopped', 'migrated']]);
    this.#source.tellOf({ kind: 'job-completed', dom, figures });
    await this.#pause(3);
  }

  /** What is left of it on both hosts. Returns what its caller is told. */
  async #undo(how: Broken): Promise<LibvirtRefusal> {
    const { uuid } = this.plan;
    const { stopMs, keepaliveMs } = this.#timers;
    const killed: readonly Lifecycle[] = [
      ['shutdown', 'finished after host request'],
      ['stopped', 'destroyed'],
    ];
    const connectionLost = new LibvirtRefusal('internal', 'client socket is closed', 'rpc');
    switch (how) {
      case 'cancelled':
        return this.#undoCancelled();
      case 'destination-killed':
        this.#drop([['stopped', 'failed']]);
        await this.#hold(85);
        this.#goOn();
        return new LibvirtRefusal('internal', 'qemu unexpectedly closed the monitor');
      case 'destination-destroyed':
        await this.#hold(85);
        this.#goOn();
        return new LibvirtRefusal('failed', "job 'migration out' failed: Unable to write to socket: Connection reset by peer");
      case 'source-destroyed':
        this.#drop([['stopped', 'failed']]);
        return new LibvirtRefusal('failed', 'domain is not running');
      case 'network':
        await this.#hold(keepaliveMs);
        this.#goOn();
        await this.#hold(stopMs);
        this.#drop(killed);
        return connectionLost;
      case 'source-libvirtd':
        await this.#hold(stopMs);
        this.#drop(killed);
        this.#goOn();
        return connectionLost;
      case 'destination-libvirtd':
        // It kills what is left of an incoming migration when it starts again, before anybody can listen.
        this.#destination.stop(uuid, 'failed', 'untold');
        this.#goOn();
        await this.#hold(4);
        return connectionLost;
    }
  }

  async #undoCancelled(): Promise<LibvirtRefusal> {
    const began = this.#phase === 'copy' && this.#copiedMs > 0;
    const phase = this.#phase;
    this.#goOn();
    await this.#hold(24);
    // Measured: this by-product comes of an abort in the copy, not of one before it or in the switch-over.
    if (began) this.#tellControlError();
    await this.#hold(12);
    this.#drop([['stopped', 'failed']]);
    await this.#hold(10);
    // Measured: another sentence where QEMU had not begun.
    const sentence =
      began || phase === 'switch-over' ? "job 'migration out' canceled by client" : 'migration out: canceled by client';
    return new LibvirtRefusal('aborted', sentence);
  }

  /** At the source, as if nothing had been (M1). */
  #goOn(): void {
    const { uuid } = this.plan;
    this.#source.setJob(uuid, undefined);
    if (this.#ran && this.#source.find(uuid)?.standing[0] === 'paused')
      this.#source.stand(uuid, ['running', 'unpaused'], { tell: ['resumed', 'unpaused'] });
  }

  #drop(events: readonly Lifecycle[]): void {
    // Never here where it broke before the destination's QEMU ran.
    if (this.#destination.find(this.plan.uuid)?.job?.operation === 'migration-in')
      this.#destination.stop(this.plan.uuid, 'failed', events);
  }

  #tellIteration(): void {
    const dom = referenceTo(this.#domain());
    this.#source.tellOf({ kind: 'migration-iteration', dom, iteration: this.#iteration });
  }

  #tellControlError(): void {
    const domain = this.#destination.find(this.plan.uuid);
    if (domain) this.#destination.tellOf({ kind: 'control-error', dom: referenceTo(domain) });
  }

  /** Ends early where it is woken; throws where the migration is broken. In `prepare` a break waits for the pause's end. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#wake = undefined;
        cancel();
        if (this.#broken && this.#phase !== 'prepare') reject(new Error(this.#broken));
        else resolve();
      };
      const cancel = this.#wall.after(ms, done);
      this.#wake = done;
      if (this.#broken && this.#phase !== 'prepare') done();
    });
  }

  /** Whatever happens meanwhile. */
  #hold(ms: number): Promise<void> {
    return new Promise((resolve) => this.#wall.after(ms, resolve));
  }
}

/** The domain that is to go. Throws LibvirtRefusal where libvirtd would not begin. */
function checked({ from, to, uuid, offline, persistent }: MigrationPlan): Domain {
  const domain = from.domain(uuid);
  if (offline && !persistent)
    throw new LibvirtRefusal('unsupported', 'offline migration must be specified with the persistent flag set');
  if (!offline && !isActive(domain)) throw new LibvirtRefusal('invalid', 'domain is not running');
  if (from === to) throw new LibvirtRefusal('internal', `Attempt to migrate guest to the same host ${to.uuid}`);
  const there = to.find(uuid);
  if (domain.job || there?.job) throw busy();
  if (there && isActive(there)) throw new LibvirtRefusal('invalid', `domain '${there.vm.name}' is already active`);
  return domain;
}
