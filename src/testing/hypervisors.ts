// Owns: the hypervisors of a story: which guests they have, what they say when one migrates, and what they answer when asked.
//
// A guest that runs says something every `chatterMs`; QEMU announces one that has come. What a host says is told at once,
// while its stream is there; its standing changes before it says so.
import { TargetError } from '../model/errors.ts';
import type { Meaning, MeaningOf, Nic } from '../model/meaning.ts';
import type { DomainRow, QueryRow } from '../model/query.ts';
import type { Command } from '../ports/actuator.ts';
import { type Break, type BreakName, breaks, type MigrationPlan, type Step, scripts } from './migration-scripts.ts';
import type { NetworkWall } from './virtual-wall.ts';

export const bridge = 'br0';
const chatterMs = 200;
/** QEMU's RARPs where a migrated guest begins to run. */
const announcementsMs = [0, 45, 195, 445, 795] as const;
const gib = 2 ** 30;

type HypervisorRow = QueryRow<'hypervisor'>;
type Lifecycle = MeaningOf<'vm.lifecycle'>;

interface Guest {
  readonly vm: string;
  readonly uuid: string;
  readonly nics: readonly Nic[];
  cpu: string;
  diskBytes: number;
  pool: string | undefined;
  /** How its next migration goes where Offbox begins it. */
  whenAsked: MigrationPlan;
}

interface Host {
  readonly row: { -readonly [Field in keyof HypervisorRow]: HypervisorRow[Field] };
  readonly domains: Map<string, DomainRow>;
  /** By UUID: since when a guest speaks here. */
  readonly speaking: Map<string, number>;
}

interface Running {
  readonly uuid: string;
  readonly from: string;
  readonly to: string;
  readonly cancels: (() => void)[];
  /** It is at its destination: nothing breaks it off any more. */
  arrived: boolean;
}

/** How the hypervisors are heard. */
export interface Ear {
  /** `raw` as the source shows it. */
  says(host: string, meaning: Meaning | null, raw: string): void;
  /** A guest sends a frame. */
  frame(host: string, mac: string, vlan: number): void;
  /** libvirtd is gone, or there again. */
  away(host: string): void;
  back(host: string): void;
  changed(): void;
}

const lifecycles = ['defined', 'undefined', 'started', 'suspended', 'resumed', 'stopped', 'shutdown'];

export class Hypervisors {
  readonly #wall: NetworkWall;
  readonly #ear: Ear;
  readonly #hosts = new Map<string, Host>();
  readonly #guests = new Map<string, Guest>();
  readonly #running = new Map<string, Running>();

  constructor(names: readonly string[], wall: NetworkWall, ear: Ear) {
    this.#wall = wall;
    this.#ear = ear;
    for (const hostname of names) {
      const pools = [{ name: 'vms', path: '/var/lib/libvirt/images', active: true, availableBytes: 500 * gib }];
      const row = { hostname, arch: 'x86_64', cpuModel: 'Skylake-Server', cpuFeatures: ['vmx'], networks: [bridge], pools };
      this.#hosts.set(hostname, { row, domains: new Map(), speaking: new Map() });
    }
  }

  names(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  has(name: string): boolean {
    return this.#hosts.has(name);
  }

  /** To be changed by the story. */
  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (!host) throw new RangeError(`there is no hypervisor ${name}; the inventory has ${[...this.#hosts.keys()].join(', ')}`);
    return host;
  }

  guest(vm: string): Guest {
    const guest = this.#guests.get(vm);
    if (!guest) throw new RangeError(`there is no ${vm}: say "kvm1 has ${vm} 52:54:00:aa:bb:01" first`);
    return guest;
  }

  add(name: string, vm: string, nics: readonly Nic[], standing: 'running' | 'shut off'): void {
    const uuid = `c7a5fdbd-0000-4000-8000-0000000000${String(this.#guests.size + 1).padStart(2, '0')}`;
    const guest: Guest = {
      ...{ vm, uuid, nics, cpu: 'Haswell', diskBytes: 40 * gib, pool: 'vms' },
      whenAsked: { script: 'peer-to-peer', takingMs: 10_000 },
    };
    this.#guests.set(vm, guest);
    const state = standing === 'running' ? ({ state: 'running', reason: 'booted' } as const) : shutOff;
    this.host(name).domains.set(uuid, { vm, uuid, nics: [...nics], ...state });
    if (standing === 'running') this.#speak(name, uuid, 'plain');
    this.#ear.changed();
  }

  /** Everything that a fresh listing of the host tells. */
  listing(name: string): readonly { readonly meaning: Meaning; readonly raw: string }[] {
    const rows = [...this.host(name).domains.values()];
    const uuids = rows.map(({ uuid }) => uuid);
    return [
      ...rows.map(({ job: _, progress: _progress, failure: _failure, ...row }) => {
        return { meaning: { kind: 'vm.observed', ...row } as const, raw: `listed ${row.vm} ${row.state} ${row.reason}` };
      }),
      {
        meaning: { kind: 'vm.listed', uuids } as const,
        raw: `listed ${uuids.length} domain${uuids.length === 1 ? '' : 's'}`,
      },
    ];
  }

  /** Where it runs or is paused; where it is on the way to. */
  placesOf(vm: string): string {
    const { uuid } = this.guest(vm);
    const said = [...this.#hosts].flatMap(([name, { domains }]) => {
      const row = domains.get(uuid);
      if (!row) return [];
      if (isComing(row)) return [`coming to ${name}`];
      const how = row.state === 'running' ? 'runs' : row.state === 'shutoff' ? 'shut off' : 'paused';
      return [`${how} on ${name}`];
    });
    return `${vm} ${said.join(', ') || 'is nowhere'}`;
  }

  vms(): readonly string[] {
    return [...this.#guests.keys()];
  }

  /** Whoever has this address and speaks is heard at its next beat. */
  awaitWord(mac: string): void {
    const guests = [...this.#guests.values()].filter(({ nics }) => nics.some((nic) => nic.mac === mac));
    for (const { uuid } of guests) {
      for (const [name, { speaking }] of this.#hosts) {
        const since = speaking.get(uuid);
        if (since === undefined) continue;
        this.#wall.after(chatterMs - ((this.#wall.monotonic() - since) % chatterMs), () => {
          if (speaking.get(uuid) === since) this.#send(name, uuid);
        });
      }
    }
  }

  /** Frames of it are sent from there although it has left: a bridge that had them queued, or a clone. */
  lingers(vm: string, name: string, forMs: number): void {
    const { uuid } = this.guest(vm);
    for (let ms = 0; ms <= forMs; ms += 500) this.#wall.after(ms, () => this.#send(name, uuid));
  }

  /** Somebody pauses and resumes it with virsh: in mid-migration QEMU's words are those of a switch-over. */
  client(vm: string, does: 'suspends' | 'resumes'): void {
    const { uuid } = this.guest(vm);
    const [name, row] = this.#whereIs(vm);
    const paused = row.job === 'migration-out' ? 'suspended migrated' : 'suspended paused';
    this.#say(name, uuid, does === 'suspends' ? paused : 'resumed unpaused');
  }

  /** Its definition stays. */
  shutDown(name: string, vm: string): void {
    const { uuid, nics } = this.guest(vm);
    this.#say(name, uuid, 'shutdown finished after guest request');
    this.#say(name, uuid, 'stopped shutdown');
    this.host(name).domains.set(uuid, { vm, uuid, nics: [...nics], ...shutOff });
    this.#ear.changed();
  }

  migrate(vm: string, to: string, plan: MigrationPlan): void {
    const { uuid } = this.guest(vm);
    this.host(to);
    const [from] = this.#whereIs(vm);
    const running: Running = { uuid, from, to, cancels: [], arrived: false };
    this.#running.set(uuid, running);
    const script = scripts[plan.script];
    const copyMs = plan.takingMs ?? script.copyMs;
    const beganMs = script.begin.at(-1)?.ms ?? 0;
    this.#play(running, script.begin, 0);
    const breaking = plan.breaks;
    if (breaking) this.#later(running, breaking.afterMs, () => this.#break(running, breaking.how));
    else this.#play(running, script.end, beganMs + copyMs);
    if (plan.script === 'offline') this.#later(running, beganMs + 1, () => this.#forget(from, uuid));
  }

  /** Throws RangeError where none is on. */
  abort(vm: string): void {
    const running = this.#running.get(this.guest(vm).uuid);
    if (!running) throw new RangeError(`no migration of ${vm} is on`);
    this.#break(running, 'is aborted');
  }

  /** What libvirtd answers: JSON, as the actuator hands it on. Throws TargetError where libvirt refuses. */
  answer(name: string, command: Command): string {
    const host = this.host(name);
    if (command.kind === 'migrate') return this.#asked(name, command.uuid, command.uri);
    if (command.kind === 'abort-job') {
      const guest = [...this.#guests.values()].find(({ uuid }) => uuid === command.uuid);
      if (guest) this.abort(guest.vm);
      return '';
    }
    if (command.kind !== 'libvirt') throw refused(`a hypervisor knows no ${command.kind}`);
    const { call, about } = command;
    if (call === 'hypervisor') return JSON.stringify(host.row);
    const rows = [...host.domains.values()].filter(({ uuid, vm }) => about === undefined || about === uuid || about === vm);
    if (call === 'domains') return JSON.stringify(rows);
    const [row] = rows;
    if (!row) throw refused(`Domain not found: no domain with matching name '${about}'`);
    const { uuid, vm, nics, cpu, diskBytes, pool } = this.guest(row.vm);
    const source = `/var/lib/libvirt/images/${vm}.qcow2`;
    const disk = { source, bytes: diskBytes, ...(pool === undefined ? {} : { pool }) };
    return JSON.stringify({ uuid, vm, memoryBytes: 4 * gib, cpu, nics, disks: [disk] });
  }

  #asked(from: string, uuid: string, uri: string): string {
    const row = this.host(from).domains.get(uuid);
    const to = /^qemu\+\w+:\/\/([^/]+)\//.exec(uri)?.[1];
    if (!row) throw refused(`Domain not found: no domain with matching uuid '${uuid}'`);
    if (to === undefined || !this.has(to)) throw refused(`unable to connect to server at '${to ?? uri}': Connection refused`);
    this.migrate(row.vm, to, this.guest(row.vm).whenAsked);
    this.#put(from, uuid, { job: 'migration-out', failure: undefined });
    return '';
  }

  #whereIs(vm: string): readonly [string, DomainRow] {
    const { uuid } = this.guest(vm);
    for (const [name, { domains }] of this.#hosts) {
      const row = domains.get(uuid);
      if (row && !isComing(row)) return [name, row];
    }
    throw new RangeError(`${vm} is on no hypervisor`);
  }

  #later({ cancels }: Running, ms: number, what: () => void): void {
    cancels.push(this.#wall.after(ms, what));
  }

  #play(running: Running, script: readonly Step[], fromMs: number): void {
    const { uuid } = running;
    for (const { ms, host, says } of script) {
      this.#later(running, fromMs + ms, () => {
        const name = running[host];
        if (says === 'no job') this.#put(name, uuid, { job: undefined });
        else this.#say(name, uuid, says);
        if (host === 'to' && /^(resumed|suspended) /.test(says)) running.arrived = true;
      });
    }
  }

  #break(running: Running, how: BreakName): void {
    if (running.arrived) return;
    for (const cancel of running.cancels.splice(0)) cancel();
    const { uuid, from } = running;
    const { steps, awayMs, failure }: Break = breaks[how];
    this.#later(running, steps.at(-1)!.ms, () => this.#put(from, uuid, { failure }));
    if (awayMs !== undefined) this.#ear.away(from);
    this.#play(running, steps, 0);
    if (awayMs !== undefined) this.#later(running, awayMs, () => this.#ear.back(from));
  }

  #say(name: string, uuid: string, says: string): void {
    const guest = [...this.#guests.values()].find((each) => each.uuid === uuid)!;
    const { vm, nics } = guest;
    const [word = '', ...rest] = says.split(' ');
    const detail = rest.join(' ');
    if (word === 'iteration') {
      this.#put(name, uuid, { job: 'migration-out' });
      const iteration = Number(detail);
      this.#ear.says(name, { kind: 'vm.migration-iteration', vm, uuid, iteration }, `migration-iteration ${vm} ${detail}`);
    } else if (word === 'completed') {
      const operation = detail;
      this.#ear.says(name, { kind: 'vm.job-completed', vm, uuid, operation }, `job-completed ${vm} ${operation}`);
    } else if (lifecycles.includes(word)) {
      this.#stand(name, guest, word as Lifecycle['event'], detail);
      const seen = word === 'stopped' || word === 'shutdown' ? {} : { nics: [...nics] };
      const event = word as Lifecycle['event'];
      this.#ear.says(name, { kind: 'vm.lifecycle', vm, uuid, event, detail, ...seen }, `lifecycle ${vm} ${says}`);
    } else this.#ear.says(name, null, `${word} ${vm}`);
  }

  /** What it says has become so. */
  #stand(name: string, { uuid, vm, nics }: Guest, event: Lifecycle['event'], detail: string): void {
    const { domains } = this.host(name);
    const known = domains.get(uuid);
    const row = known ?? { uuid, vm, nics: [...nics], ...shutOff };
    if (event === 'stopped') {
      domains.delete(uuid);
      this.#hush(name, uuid);
      this.#running.delete(uuid);
    } else if (event === 'started') {
      domains.set(uuid, { ...row, state: 'paused', reason: 'migration', job: 'migration-in' });
    } else if (event === 'suspended') {
      const reason = detail === 'migrated' ? 'migration' : detail === 'post-copy' ? 'postcopy' : 'user';
      domains.set(uuid, { ...row, state: 'paused', reason });
      this.#hush(name, uuid);
    } else if (event === 'resumed') {
      const { job: _, ...jobless } = row;
      const isPlain = detail === 'unpaused';
      const onItsWay = isPlain && row.job === 'migration-out' && this.#running.get(uuid)?.from === name;
      const reason = isPlain ? 'unpaused' : detail === 'post-copy' ? 'postcopy' : 'migrated';
      domains.set(uuid, { ...(isPlain && !onItsWay ? jobless : row), state: 'running', reason });
      this.#speak(name, uuid, isPlain ? 'plain' : 'arrived');
    } else if (event === 'defined' && !known) {
      domains.set(uuid, row);
    }
    this.#ear.changed();
  }

  /** Its definition goes, and nothing is said of it. */
  #forget(name: string, uuid: string): void {
    this.host(name).domains.delete(uuid);
    this.#running.delete(uuid);
    this.#ear.changed();
  }

  #put(name: string, uuid: string, change: { readonly job?: string | undefined; readonly failure?: string | undefined }): void {
    const { domains } = this.host(name);
    const known = domains.get(uuid);
    if (!known) return;
    const row = { ...known, ...change };
    for (const field of ['job', 'failure'] as const) if (row[field] === undefined) delete row[field];
    domains.set(uuid, row as DomainRow);
  }

  #speak(name: string, uuid: string, how: 'plain' | 'arrived'): void {
    const { speaking } = this.host(name);
    const since = this.#wall.monotonic();
    if (speaking.has(uuid)) return;
    speaking.set(uuid, since);
    this.#send(name, uuid);
    const beats: readonly number[] = how === 'arrived' ? announcementsMs.slice(1) : [chatterMs];
    for (const ms of beats) {
      this.#wall.after(ms, () => {
        if (speaking.get(uuid) === since) this.#send(name, uuid);
      });
    }
  }

  #hush(name: string, uuid: string): void {
    this.host(name).speaking.delete(uuid);
  }

  #send(name: string, uuid: string): void {
    const guest = [...this.#guests.values()].find((each) => each.uuid === uuid);
    for (const { mac, vlan } of guest?.nics ?? []) if (vlan !== undefined) this.#ear.frame(name, mac, vlan);
  }
}

/** What its destination has of it before it has come. The job outlives its coming. */
const isComing = ({ job, reason }: DomainRow): boolean => job === 'migration-in' && reason === 'migration';

const shutOff = { state: 'shutoff', reason: 'shutdown' } as const;

function refused(sentence: string): TargetError {
  return new TargetError(`libvirt refuses: ${sentence}`, { code: 'refused', retry: false, remedy: 'Look at the hypervisor.' });
}
