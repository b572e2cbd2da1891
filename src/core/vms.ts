// Owns: what is known of VMs, folded from entries: which hypervisor has which domain and how, with which NICs, and the
// migrations that are on; and what that makes of an entry: vm.migration-started, vm.migrated, vm.migration-failed, …
//
// V1. A migration is known by both hosts' streams, which have no common order and no common clock: each sign may come first.
// V2. The source says nothing of a failure: the destination tells, or a reading of both hosts does.
// V3. At stopped-migrated the XML is gone: NICs are those last seen.
// V4. What was lost is found by listing: a place that differs from what is known is a sign like any other.
import { type Entry, type Reading, rowsOf } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import type { Meaning, MeaningOf, Nic } from '../model/meaning.ts';
import type { DomainRow } from '../model/query.ts';

/**
 * How a domain stands on a host: `here` (has come, or was always there), `coming` (paused, a migration to here is on),
 * `leaving` (a migration from here is on), `gone` (not there, or shut off by having left).
 */
export type Place = 'here' | 'coming' | 'leaving' | 'gone';

export function placeOf(row: Pick<DomainRow, 'state' | 'reason' | 'job'> | undefined): Place {
  if (!row || (row.state === 'shutoff' && row.reason === 'migrated')) return 'gone';
  if (row.job === 'migration-out') return 'leaving';
  if (row.job === 'migration-in') return 'coming';
  if (row.state === 'paused' && row.reason === 'migration') return 'coming';
  return 'here';
}

export interface Migration {
  /** Empty until some host has said it. */
  from: string;
  to: string;
  /** `requested`, `started`, and `arrived`: it runs at its destination, whose last word is still to come (post-copy). */
  phase: 'requested' | 'started' | 'arrived';
  readonly since: number;
  request?: string;
  /** The start was told. */
  told: boolean;
  /** Hosts that were read since, and how it stood there: both together tell how it ended. */
  readonly read: Record<string, Place>;
}

export interface VmFact {
  readonly uuid: string;
  vm: string;
  /** By target. A host it left long ago is not kept. */
  readonly places: Record<string, { place: Place; off: boolean; at: number }>;
  nics: readonly Nic[];
  migration?: Migration;
}

/** Without a start for this long a request is looked into: both hosts are read. */
export const startWithinMs = 60_000;
const vmsMax = 100_000;

type Told = MeaningOf<
  'vm.migration-requested' | 'vm.migration-started' | 'vm.migrated' | 'vm.migration-failed' | 'vm.migration-ended'
>;

export class Vms {
  readonly #vms = new Map<string, VmFact>();

  get(uuid: string): VmFact | undefined {
    return this.#vms.get(uuid);
  }

  byName(name: string): VmFact | undefined {
    return [...this.#vms.values()].find(({ vm }) => vm === name);
  }

  all(): readonly VmFact[] {
    return [...this.#vms.values()];
  }

  /** The hosts that have it, whether for good or on the way. */
  hostsOf(uuid: string): readonly string[] {
    return Object.entries(this.#vms.get(uuid)?.places ?? {}).flatMap(([host, { place }]) => (place === 'gone' ? [] : [host]));
  }

  /** Plain data, for a snapshot. */
  snapshot(): readonly VmFact[] {
    return structuredClone([...this.#vms.values()]);
  }

  restore(vms: readonly VmFact[]): void {
    for (const vm of structuredClone(vms)) this.#vms.set(vm.uuid, vm);
  }

  /** Takes an entry in; returns what it means for migrations. */
  fold(entry: Entry): readonly Told[] {
    if (entry.kind === 'event') return entry.event.meaning ? this.#foldEvent(entry.event, entry.event.meaning, entry.at) : [];
    if (entry.kind === 'reading') return this.#foldReading(entry.reading, entry.at);
    if (entry.kind === 'intent' && entry.intent.want.kind === 'report') {
      const { request, state, text, final } = entry.intent.want;
      return final && state !== 'done' && state !== 'accepted'
        ? this.#refuse(request, state === 'cancelled' ? 'cancelled' : 'failed', text)
        : [];
    }
    return [];
  }

  #foldEvent({ target: host = '' }: Event, meaning: Meaning, at: number): readonly Told[] {
    switch (meaning.kind) {
      case 'vm.lifecycle':
        return this.#lifecycle(this.#vm(meaning), host, meaning, at);
      case 'vm.observed':
        return this.#observe(this.#vm(meaning), host, meaning, meaning.state === 'shutoff', at);
      case 'vm.listed':
        return this.#listed(host, new Set(meaning.uuids), at);
      case 'vm.migration-iteration':
        return this.#leaving(this.#vm(meaning), host, at);
      case 'vm.job-completed':
        return meaning.operation === 'migration-out' ? this.#left(this.#vm(meaning), host, at) : [];
      case 'vm.metadata-changed':
        return meaning.request ? this.#marked(this.#vm(meaning), host, meaning.request.to, at) : [];
      case 'vm.migration-requested':
        this.#request(this.#vm(meaning), meaning, at);
        return [];
      default:
        return [];
    }
  }

  /** Whom the meaning speaks of; NICs only where it has them. */
  #vm({
    uuid,
    vm: name,
    nics,
  }: {
    readonly uuid: string;
    readonly vm: string;
    readonly nics?: readonly Nic[] | undefined;
  }): VmFact {
    let vm = this.#vms.get(uuid);
    if (!vm) {
      if (this.#vms.size >= vmsMax) this.#vms.delete(this.#vms.keys().next().value!);
      vm = { uuid, vm: name, places: {}, nics: [] };
      this.#vms.set(uuid, vm);
    }
    vm.vm = name;
    if (nics) vm.nics = nics;
    return vm;
  }

  #lifecycle(vm: VmFact, host: string, { event, detail }: MeaningOf<'vm.lifecycle'>, at: number): readonly Told[] {
    const before = vm.places[host]?.place;
    switch (event) {
      case 'started':
        if (detail === 'migrated') return this.#coming(vm, host, at);
        this.#put(vm, host, 'here', false, at);
        return [];
      case 'resumed':
        if (detail === 'migrated') return this.#arrived(vm, host, 'for good', at);
        if (detail === 'post-copy') return this.#arrived(vm, host, 'running', at);
        return vm.migration?.from === host && before === 'leaving' ? this.#backAtSource(vm, host, at) : [];
      case 'suspended':
        if (detail === 'paused' && before === 'coming') return this.#arrived(vm, host, 'for good', at);
        if (detail === 'migrated') this.#put(vm, host, 'leaving', false, at);
        return [];
      case 'stopped':
        if (detail === 'migrated') return this.#left(vm, host, at);
        return this.#stopped(vm, host, detail, at);
      case 'defined':
        return detail === 'added' ? this.#defined(vm, host, at) : [];
      case 'undefined':
        if (vm.places[host]?.off !== false) this.#put(vm, host, 'gone', true, at);
        return [];
      default:
        return [];
    }
  }

  /** A migration to `host` has started there. */
  #coming(vm: VmFact, host: string, at: number): readonly Told[] {
    const asked = vm.migration;
    const from = asked?.to === host ? asked.from : (this.#elsewhere(vm, host) ?? '');
    this.#put(vm, host, 'coming', false, at);
    if (asked?.to === host && asked.phase !== 'requested') return [];
    const request = asked?.to === host && asked.request !== undefined ? { request: asked.request } : {};
    vm.migration = { from, to: host, phase: 'started', since: at, told: false, read: {}, ...request };
    return this.#tellStart(vm);
  }

  /** An iteration on a host: a migration from there, or a save or a dump. */
  #leaving(vm: VmFact, host: string, at: number): readonly Told[] {
    const { migration } = vm;
    if (migration && migration.phase !== 'requested' && migration.from === '' && migration.to !== host) migration.from = host;
    if (migration?.from === host) this.#put(vm, host, 'leaving', false, at);
    return this.#tellStart(vm);
  }

  #tellStart(vm: VmFact): readonly Told[] {
    const { migration } = vm;
    if (!migration || migration.phase === 'requested' || migration.told || migration.from === '') return [];
    migration.told = true;
    return [{ kind: 'vm.migration-started', ...between(vm, migration), macs: macsOf(vm) }];
  }

  /** It is at `host`: `running` while the rest of it is still at the source (post-copy). */
  #arrived(vm: VmFact, host: string, how: 'running' | 'for good', at: number): readonly Told[] {
    const { migration } = vm;
    const before = vm.places[host]?.place;
    this.#put(vm, host, 'here', false, at);
    if (migration?.to !== host || migration.phase === 'requested') {
      // Its start was lost.
      const from = migration?.to === host ? migration.from : this.#elsewhere(vm, host);
      return before === 'here' || from === undefined ? [] : this.#moved(vm, from, host, how, at);
    }
    return migration.phase === 'arrived' && how === 'for good'
      ? this.#end(vm, migration, 'migrated')
      : this.#moved(vm, migration.from || (this.#elsewhere(vm, host) ?? ''), host, how, at);
  }

  #moved(vm: VmFact, from: string, to: string, how: 'running' | 'for good', at: number): readonly Told[] {
    const asked = vm.migration?.to === to && vm.migration.request !== undefined ? { request: vm.migration.request } : {};
    const migration: Migration = { from, to, phase: 'arrived', since: at, told: true, read: {}, ...asked };
    const migrated: Told = { kind: 'vm.migrated', ...between(vm, migration), macs: macsOf(vm), vlans: vlansOf(vm) };
    if (how === 'for good') return [migrated, ...this.#end(vm, migration, 'migrated')];
    vm.migration = migration;
    return [migrated];
  }

  /** The source says that it has left. */
  #left(vm: VmFact, host: string, at: number): readonly Told[] {
    const { migration } = vm;
    this.#put(vm, host, 'gone', true, at);
    if (!migration || migration.from !== host) return [];
    // The destination's own word is lost, or on its way: then it finds nothing left to tell.
    return this.#arrived(vm, migration.to, 'for good', at);
  }

  /** Stopped without having migrated: at a destination that is the end of a migration. */
  #stopped(vm: VmFact, host: string, detail: string, at: number): readonly Told[] {
    const { migration } = vm;
    const coming = vm.places[host]?.place === 'coming' || migration?.phase === 'arrived';
    this.#put(vm, host, migration?.to === host ? 'gone' : 'here', true, at);
    if (!migration || migration.to !== host || migration.phase === 'requested' || !coming) return [];
    return this.#failed(vm, migration, 'failed', `${host} stopped it: ${detail}`);
  }

  /** Paused for the switch-over, and resumed where it was: cancelled late. */
  #backAtSource(vm: VmFact, host: string, at: number): readonly Told[] {
    this.#put(vm, host, 'here', false, at);
    return this.#failed(vm, vm.migration!, 'cancelled', `it was resumed on ${host}`);
  }

  /** An offline migration says no more than that the destination has a definition which another host had, shut off. */
  #defined(vm: VmFact, host: string, at: number): readonly Told[] {
    if (vm.places[host]?.place === 'coming') return [];
    const from = Object.entries(vm.places).find(([name, { place, off }]) => name !== host && place === 'here' && off)?.[0];
    this.#put(vm, host, 'here', true, at);
    if (from === undefined) return [];
    this.#put(vm, from, 'gone', true, at);
    const migration: Migration = { from, to: host, phase: 'arrived', since: at, told: true, read: {} };
    const places = between(vm, migration);
    return [
      { kind: 'vm.migrated', ...places, macs: macsOf(vm), vlans: vlansOf(vm), offline: true },
      ...this.#end(vm, migration, 'migrated'),
    ];
  }

  /** As listed: a place that differs from what is known is what was lost meanwhile. */
  #observe(
    vm: VmFact,
    host: string,
    row: Pick<DomainRow, 'state' | 'reason' | 'job'>,
    off: boolean,
    at: number,
  ): readonly Told[] {
    const place = placeOf(row);
    const before = vm.places[host]?.place;
    if (vm.migration) vm.migration.read[host] = place;
    if (place === 'coming' && before !== 'coming') return this.#coming(vm, host, at);
    if (place === 'here' && before !== 'here') {
      const { migration } = vm;
      const came = migration?.to === host && migration.phase !== 'requested';
      const moved = row.reason === 'migrated' && !off && this.#elsewhere(vm, host) !== undefined;
      if (came || moved) return this.#arrived(vm, host, 'for good', at);
    }
    this.#put(vm, host, place, off, at);
    return this.#conclude(vm, at);
  }

  #listed(host: string, uuids: ReadonlySet<string>, at: number): readonly Told[] {
    const told: Told[] = [];
    for (const vm of this.#vms.values()) {
      if (uuids.has(vm.uuid)) continue;
      if (vm.migration) vm.migration.read[host] = 'gone';
      const { place } = vm.places[host] ?? {};
      if (place !== undefined && place !== 'gone') {
        this.#put(vm, host, 'gone', true, at);
        if (place === 'coming' && vm.migration?.to === host && vm.migration.phase !== 'requested') {
          told.push(...this.#failed(vm, vm.migration, 'failed', `${host} does not have it any more`));
        }
      }
      told.push(...this.#conclude(vm, at));
    }
    return told;
  }

  #foldReading(reading: Reading, at: number): readonly Told[] {
    const rows = rowsOf(reading, 'domains');
    if (!rows) return [];
    const { target } = reading;
    const told = rows.flatMap((row) => this.#observe(this.#vm(row), target, row, row.state === 'shutoff', at));
    return [...told, ...this.#listed(target, new Set(rows.map(({ uuid }) => uuid)), at)];
  }

  /** Both hosts were read since it began, and nothing is under way: that is how it ended (V2). */
  #conclude(vm: VmFact, at: number): readonly Told[] {
    const { migration } = vm;
    if (!migration || (migration.phase === 'requested' && at - migration.since < startWithinMs)) return [];
    const { from, to, read, phase } = migration;
    if (read[from] === undefined || read[to] === undefined) return [];
    if (read[from] === 'here' && read[to] === 'gone') {
      const why =
        phase === 'requested' ? `no start within ${startWithinMs / 1000} s of the request` : `${from} has it, ${to} has not`;
      return this.#failed(vm, migration, 'failed', why);
    }
    return read[from] === 'gone' && read[to] === 'here' ? this.#arrived(vm, to, 'for good', at) : [];
  }

  #request(vm: VmFact, { from, to, request }: MeaningOf<'vm.migration-requested'>, at: number): void {
    const { migration } = vm;
    if (migration && migration.phase !== 'requested') {
      if (migration.to === to) migration.request = request;
      return;
    }
    vm.migration = { from, to, phase: 'requested', since: at, request, told: false, read: {} };
  }

  /** A metadata mark is a request, made by somebody who may write to the hypervisor. */
  #marked(vm: VmFact, from: string, to: string, at: number): readonly Told[] {
    const request = `mark-${vm.uuid}-${at}`;
    const asked: Told = { kind: 'vm.migration-requested', vm: vm.vm, uuid: vm.uuid, from, to, request, perform: false };
    this.#request(vm, asked, at);
    return [asked];
  }

  #refuse(request: string, how: 'failed' | 'cancelled', reason: string): readonly Told[] {
    const vm = [...this.#vms.values()].find(({ migration }) => migration?.request === request);
    return vm?.migration?.phase === 'requested' ? this.#failed(vm, vm.migration, how, reason) : [];
  }

  #failed(vm: VmFact, migration: Migration, how: 'failed' | 'cancelled', reason: string): readonly Told[] {
    return [{ kind: 'vm.migration-failed', ...between(vm, migration), reason }, ...this.#end(vm, migration, how, reason)];
  }

  #end(vm: VmFact, migration: Migration, how: 'migrated' | 'failed' | 'cancelled', reason?: string): readonly Told[] {
    delete vm.migration;
    return [{ kind: 'vm.migration-ended', ...between(vm, migration), how, ...(reason === undefined ? {} : { reason }) }];
  }

  #put(vm: VmFact, host: string, place: Place, off: boolean, at: number): void {
    for (const [name, known] of Object.entries(vm.places)) if (known.place === 'gone' && name !== host) delete vm.places[name];
    vm.places[host] = { place, off, at };
  }

  /** The other host that has it, where there is one. */
  #elsewhere(vm: VmFact, host: string): string | undefined {
    const others = Object.entries(vm.places).filter(
      ([name, { place }]) => name !== host && place !== 'gone' && place !== 'coming',
    );
    return others.length === 1 ? others[0]![0] : undefined;
  }
}

function between({ vm, uuid }: VmFact, { from, to }: Migration) {
  return { vm, uuid, from, to };
}

const macsOf = ({ nics }: VmFact): string[] => [...new Set(nics.map(({ mac }) => mac))];
const vlansOf = ({ nics }: VmFact): number[] => [...new Set(nics.flatMap(({ vlan }) => (vlan === undefined ? [] : [vlan])))];
