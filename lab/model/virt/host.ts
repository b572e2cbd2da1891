// Owns: one hypervisor: its domains, what its libvirtd is asked of them and tells of them. No sockets.
//
// H1 A domain stands as the event says BEFORE the event is told: who reads at an event reads what it told of.
// H2 A guest's first frame at its new place leaves BEFORE the event of its arrival, as QEMU's announcement does.
// H3 Guests live on without their libvirtd; what happens meanwhile is told to nobody, ever.
import type { Wall } from '../../../src/ports/wall.ts';
import {
  type Domain,
  type DomainEvent,
  isActive,
  type Job,
  type JobFigures,
  type Lifecycle,
  type MetadataType,
  referenceTo,
  type Standing,
  type VmPlan,
} from './domain.ts';
import { labCpu, type Net, type Pool } from './domain-xml.ts';
import { createGuestVoice, type GuestVoice } from './guest.ts';
import { changedMetadata } from './metadata.ts';
import { LibvirtRefusal } from './refusal.ts';

/** `frozen`: it hears and says nothing, its connections stay. `cut` happens to its connections alone. */
export type DaemonChange = 'down' | 'up' | 'frozen' | 'thawed' | 'cut';

/** In what a hypervisor can be unlike the others: for whoever checks a destination before a migration. */
export interface HostTraits {
  /** As libvirt calls it: `Skylake-Server-IBRS`. */
  readonly cpuModel: string;
  /** What guests can be plugged into; a guest of another bridge cannot come here. */
  readonly bridge: string;
  /** Free in the pool `default`. */
  readonly availableBytes: number;
}

const gib = 1024 ** 3;
export const usualTraits: HostTraits = { cpuModel: labCpu, bridge: 'br0', availableBytes: 320 * gib };

export interface HostOptions extends HostTraits {
  readonly name: string;
  readonly uuid: string;
  readonly wall: Wall;
  /** From a guest's kill to libvirtd's word of it: measured 200 to 230 ms. */
  readonly stopMs: number;
  readonly frame: (mac: string, vlan: number) => void;
  /** After anything that a watcher may wait for changed. */
  readonly changed: () => void;
}

/** QEMU's own start. Measured 280 to 330. */
const startMs = 280;

type Patch = Partial<Omit<Domain, 'vm'>>;

export class HypervisorHost {
  readonly name: string;
  readonly uuid: string;
  readonly pools: readonly Pool[];
  readonly networks: readonly Net[];
  readonly #options: HostOptions;
  readonly #domains = new Map<string, Domain>();
  readonly #voices = new Map<string, GuestVoice>();
  readonly #listeners = new Set<(event: DomainEvent) => void>();
  readonly #daemonListeners = new Set<(change: DaemonChange) => Promise<void> | void>();
  #daemon: 'up' | 'down' | 'frozen' = 'up';
  #lastId = 0;
  #ended = false;
  #lastCallback = 0;

  constructor(options: HostOptions) {
    this.name = options.name;
    this.uuid = options.uuid;
    this.#options = options;
    const { bridge, availableBytes } = options;
    const pool = '9a2f0d1e-7c55-4c1b-9a61-0000000000f1';
    const capacity = 500 * gib;
    this.pools = [{ name: 'default', uuid: pool, capacity, allocation: capacity - availableBytes }];
    this.networks = [{ name: bridge, uuid: '9a2f0d1e-7c55-4c1b-9a61-0000000000f2', bridge }];
  }

  get cpuModel(): string {
    return this.#options.cpuModel;
  }

  get bridge(): string {
    return this.#options.bridge;
  }

  get daemon(): 'up' | 'down' | 'frozen' {
    return this.#daemon;
  }

  domains(): readonly Domain[] {
    return [...this.#domains.values()];
  }

  find(uuid: string): Domain | undefined {
    return this.#domains.get(uuid);
  }

  /** Throws LibvirtRefusal 42. */
  domain(uuid: string, name?: string): Domain {
    const found = this.#domains.get(uuid);
    if (found) return found;
    const called = name === undefined ? '' : ` (${name})`;
    throw new LibvirtRefusal('noDomain', `no domain with matching uuid '${uuid}'${called}`);
  }

  /** Calls back with each event as libvirtd has it. Returns what ends it. */
  listen(listener: (event: DomainEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whoever is told may take its time: `setDaemon` waits for it. */
  onDaemon(listener: (change: DaemonChange) => Promise<void> | void): () => void {
    this.#daemonListeners.add(listener);
    return () => this.#daemonListeners.delete(listener);
  }

  /** One for each registration, of all clients. */
  nextCallbackId(): number {
    return this.#lastCallback++;
  }

  async setDaemon(change: DaemonChange): Promise<void> {
    if (change === 'down') this.#daemon = 'down';
    else if (change === 'frozen') this.#daemon = 'frozen';
    else if (change !== 'cut') this.#daemon = 'up';
    const told = [...this.#daemonListeners].map((listener) => listener(change));
    this.#options.changed();
    await Promise.all(told);
  }

  // What clients ask for.

  /** Defines and starts it, as the lab finds it: long running, told to nobody. */
  place(vm: VmPlan): void {
    const domain = { vm, id: this.#nextId(), standing: ['running', 'booted'] as const, persistent: true, metadata: new Map() };
    this.#domains.set(vm.uuid, domain);
    // Not at once: who made this host may not be ready to hear.
    this.#options.wall.after(0, () => {
      if (!this.#ended && this.find(vm.uuid)?.standing[0] === 'running') this.#voice(vm).speak('plain');
    });
  }

  suspend(uuid: string): void {
    const domain = this.#active(uuid);
    // Measured: done already is done, and told to nobody.
    if (domain.standing[0] === 'paused') return;
    if (domain.job?.operation === 'migration-in') throw busy();
    // Measured: in a migration it is told as the migration's own, and the guest runs at the destination all the same.
    if (domain.job) this.stand(uuid, ['paused', 'migration'], { tell: ['suspended', 'migrated'] });
    else this.stand(uuid, ['paused', 'user'], { tell: ['suspended', 'paused'] });
  }

  resume(uuid: string): void {
    const domain = this.#active(uuid);
    if (domain.standing[0] === 'running') throw new LibvirtRefusal('invalid', 'domain is already running');
    if (domain.job?.operation === 'migration-in') throw busy();
    this.stand(uuid, ['running', 'unpaused'], { tell: ['resumed', 'unpaused'] });
  }

  /** Measured: resumed is told before started. Resolves when it runs. */
  async create(uuid: string): Promise<void> {
    if (isActive(this.domain(uuid))) throw new LibvirtRefusal('invalid', 'domain is already running');
    this.update(uuid, { id: this.#nextId(), standing: ['paused', 'starting-up'] });
    await this.#options.wall.sleep(startMs);
    if (this.find(uuid)?.standing[1] !== 'starting-up') throw new LibvirtRefusal('invalid', 'domain is not running');
    this.stand(uuid, ['running', 'booted'], { tell: ['resumed', 'unpaused'] });
    this.tell(uuid, ['started', 'booted']);
  }

  /** The guest is dead at once; its libvirtd says so `stopMs` later. */
  async destroy(uuid: string): Promise<void> {
    const { id } = this.#active(uuid);
    this.#voices.get(uuid)?.hush();
    await this.#options.wall.sleep(this.#options.stopMs);
    if (this.find(uuid)?.id === id)
      this.stop(uuid, 'destroyed', [
        ['shutdown', 'finished after host request'],
        ['stopped', 'destroyed'],
      ]);
  }

  setMetadata(
    uuid: string,
    type: MetadataType,
    value: string | null,
    element: { readonly key: string; readonly uri: string },
  ): void {
    const domain = this.domain(uuid);
    const uri = type === 'element' ? element.uri : undefined;
    if (type !== 'element') this.update(uuid, { [type]: value ?? undefined });
    else this.update(uuid, { metadata: changedMetadata(domain.metadata, element.uri, element.key, value) });
    this.#emit({ kind: 'metadata-change', dom: referenceTo(domain), type, uri });
  }

  getMetadata(uuid: string, type: MetadataType, uri: string | null): string {
    const domain = this.domain(uuid);
    const found = type === 'element' ? domain.metadata.get(uri ?? '')?.xml : domain[type];
    if (found !== undefined) return found;
    throw new LibvirtRefusal(
      'noMetadata',
      `Requested ${type === 'element' ? 'metadata element' : type} is not present`,
      'domain',
    );
  }

  /** Undefined where none is on, or over and not yet asked for. Asking for one that is over forgets it. */
  jobOf(uuid: string, which: 'current' | 'completed'): JobFigures | undefined {
    const { job, completed } = this.domain(uuid);
    if (which === 'completed') {
      this.update(uuid, { completed: undefined });
      return completed;
    }
    if (job?.operation === 'migration-in')
      throw new LibvirtRefusal('unsupported', 'migration statistics are available only on the source host');
    return job?.figures();
  }

  // What a migration does to it.

  update(uuid: string, patch: Patch): void {
    const domain = this.#domains.get(uuid);
    if (domain) this.#domains.set(uuid, { ...domain, ...patch });
    this.#options.changed();
  }

  setJob(uuid: string, job: Job | undefined): void {
    this.update(uuid, { job });
  }

  /** Another state; the guest speaks or is silent as it says; then the event. */
  stand(uuid: string, standing: Standing, { tell, arrived }: { readonly tell: Lifecycle; readonly arrived?: true }): void {
    const domain = this.#domains.get(uuid);
    if (!domain) return;
    this.update(uuid, { standing });
    const spoke = domain.standing[0] === 'running';
    if (standing[0] !== 'running') this.#voices.get(uuid)?.hush();
    else if (!spoke && !this.#ended) this.#voice(domain.vm).speak(arrived ? 'arrived' : 'plain');
    this.tell(uuid, tell);
  }

  /** Its QEMU waits for the migration's data. Known here before: the definition stays. */
  incoming(from: Domain): void {
    const { vm, metadata, description, title } = from;
    const persistent = this.find(vm.uuid)?.persistent ?? false;
    const job = { operation: 'migration-in' } as const;
    const domain = {
      vm,
      id: this.#nextId(),
      standing: ['paused', 'migration'] as const,
      persistent,
      metadata,
      description,
      title,
      job,
    };
    this.#domains.set(vm.uuid, domain);
    this.tell(vm.uuid, ['started', 'migrated']);
    this.#options.changed();
  }

  /** Its definition stays here from now on, or is another one. An offline migration is no more than this. */
  persist(from: Domain): void {
    const { uuid } = from.vm;
    const before = this.find(uuid);
    const known = before?.persistent ?? false;
    if (before) this.update(uuid, { persistent: true });
    else
      this.#domains.set(uuid, {
        ...from,
        id: -1,
        standing: ['shutoff', 'unknown'],
        persistent: true,
        job: undefined,
        completed: undefined,
      });
    this.tell(uuid, ['defined', known ? 'updated' : 'added']);
  }

  /** It does not run here any more: shut off where it is defined, gone where it is not. `untold`: libvirtd saw nothing of it. */
  stop(uuid: string, reason: string, events: readonly Lifecycle[] | 'untold'): void {
    const domain = this.find(uuid);
    if (!domain) return;
    this.#voices.get(uuid)?.hush();
    this.#voices.delete(uuid);
    const stopped: Domain = { ...domain, id: -1, standing: ['shutoff', reason], job: undefined };
    if (domain.persistent) this.#domains.set(uuid, stopped);
    else this.#domains.delete(uuid);
    if (events !== 'untold')
      for (const lifecycle of events) this.#emit({ kind: 'lifecycle', dom: referenceTo(stopped), lifecycle });
    this.#options.changed();
  }

  /** As a migration undefines its source: measured, without an event. */
  forget(uuid: string): void {
    this.update(uuid, { persistent: false });
    const domain = this.find(uuid);
    if (domain && !isActive(domain)) this.#domains.delete(uuid);
  }

  tell(uuid: string, lifecycle: Lifecycle): void {
    const domain = this.find(uuid);
    if (domain) this.#emit({ kind: 'lifecycle', dom: referenceTo(domain), lifecycle });
  }

  tellOf(event: DomainEvent): void {
    this.#emit(event);
  }

  /** Every guest is silent from now on: the lab ends. */
  end(): void {
    this.#ended = true;
    for (const voice of this.#voices.values()) voice.hush();
    this.#listeners.clear();
    this.#daemonListeners.clear();
  }

  #active(uuid: string): Domain {
    const domain = this.domain(uuid);
    if (isActive(domain)) return domain;
    throw new LibvirtRefusal('invalid', 'domain is not running');
  }

  #emit(event: DomainEvent): void {
    // H3: nobody listens while it is down.
    if (this.#daemon !== 'down') for (const listener of [...this.#listeners]) listener(event);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #voice(vm: VmPlan): GuestVoice {
    const there = this.#voices.get(vm.uuid);
    if (there) return there;
    const voice = createGuestVoice(this.#options.wall, () => this.#options.frame(vm.mac, vm.vlan));
    this.#voices.set(vm.uuid, voice);
    return voice;
  }
}

/** A real one waits 30 s for the other job before it says so. */
export function busy(): LibvirtRefusal {
  const holder = 'remoteDispatchDomainMigratePerform3Params';
  return new LibvirtRefusal('timeout', `cannot acquire state change lock (held by monitor=${holder})`);
}
