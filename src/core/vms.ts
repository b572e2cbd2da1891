// Owns: what is known of VMs, folded from entries, and what an entry means for their migrations: vm.migration-started,
// vm.migrated, vm.migration-failed, … Each VM's own life is in vm-migration.ts.
import { type Entry, type Reading, rowsOf } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import { readingLagMs, vmsMax } from '../model/limits.ts';
import type { Meaning, Nic } from '../model/meaning.ts';
import {
  absent,
  given,
  hostsWith,
  iterated,
  left,
  lifecycle,
  observed,
  requested,
  standing,
  type Told,
  type VmFact,
} from './vm-migration.ts';

/** Whom a meaning speaks of; NICs only where it has them. */
interface Named {
  readonly uuid: string;
  readonly vm: string;
  readonly nics?: readonly Nic[] | undefined;
}

const nothing: readonly Told[] = [];

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
    const vm = this.#vms.get(uuid);
    return vm ? hostsWith(vm) : [];
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
    if (entry.kind === 'event')
      return entry.event.meaning ? this.#foldEvent(entry.event, entry.event.meaning, entry.at) : nothing;
    if (entry.kind === 'reading') return this.#foldReading(entry.reading, entry.at);
    if (entry.kind === 'intent' && entry.intent.want.kind === 'report') {
      const { request, state, text, final } = entry.intent.want;
      return final && state !== 'done' && state !== 'accepted' ? this.#refuse(request, state, text) : nothing;
    }
    return nothing;
  }

  #foldEvent({ target: host }: Event, meaning: Meaning, at: number): readonly Told[] {
    if (meaning.kind === 'vm.migration-requested') {
      requested(this.#vm(meaning), meaning, at);
      return nothing;
    }
    // Whoever asked says that it is over; what was begun the hosts tell of.
    if (meaning.kind === 'vm.migration-ended') this.#forgetRequest(meaning.uuid);
    return isName(host) ? this.#foldWord(host, meaning, at) : nothing;
  }

  #foldWord(host: string, meaning: Meaning, at: number): readonly Told[] {
    switch (meaning.kind) {
      case 'vm.lifecycle':
        return lifecycle(this.#vm(meaning), host, meaning, at);
      case 'vm.observed':
        return observed(this.#vm(meaning), host, meaning, at);
      case 'vm.listed':
        return this.#listed(host, new Set(meaning.uuids), at);
      case 'vm.migration-iteration':
        return iterated(this.#vm(meaning), host);
      case 'vm.job-completed':
        return meaning.operation === 'migration-out' ? left(this.#vm(meaning), host, at) : nothing;
      case 'vm.metadata-changed':
        return meaning.request ? this.#marked(this.#vm(meaning), host, meaning.request.to, at) : nothing;
      default:
        return nothing;
    }
  }

  #vm({ uuid, vm: name, nics }: Named): VmFact {
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

  /** The host has these, and no others. `asOf`: what was heard from it since is newer. */
  #listed(host: string, uuids: ReadonlySet<string>, at: number, asOf = at): readonly Told[] {
    return [...this.#vms.values()].flatMap((vm) =>
      uuids.has(vm.uuid) || isHeardSince(vm, host, asOf) ? nothing : absent(vm, host, at),
    );
  }

  /** A reading has another way than the events: one that was asked for before the host's last word may be older than it. */
  #foldReading(reading: Reading, at: number): readonly Told[] {
    const rows = rowsOf(reading, 'domains');
    if (!rows || !isName(reading.target)) return nothing;
    const { target: host, about, tookMs } = reading;
    const asOf = at - tookMs - readingLagMs;
    const told = rows.flatMap((row) => {
      const known = this.#vms.get(row.uuid);
      return known && isHeardSince(known, host, asOf) ? nothing : observed(this.#vm(row), host, row, at);
    });
    return about === undefined ? [...told, ...this.#listed(host, new Set(rows.map(({ uuid }) => uuid)), at, asOf)] : told;
  }

  /** A metadata mark is a request, made by somebody who may write to the hypervisor. */
  #marked(vm: VmFact, from: string, to: string, at: number): readonly Told[] {
    const request = `mark-${vm.uuid}-${at}`;
    const asked: Told = { kind: 'vm.migration-requested', vm: vm.vm, uuid: vm.uuid, from, to, request, perform: false };
    requested(vm, asked, at);
    return [asked];
  }

  #refuse(request: string, state: string, reason: string): readonly Told[] {
    const vm = [...this.#vms.values()].find(({ migration }) => migration?.request === request);
    return vm ? given(vm, state === 'cancelled' ? 'cancelled' : 'failed', reason) : nothing;
  }

  #forgetRequest(uuid: string): void {
    const vm = this.#vms.get(uuid);
    if (vm?.migration?.phase === 'requested') delete vm.migration;
  }
}

/** Hosts are keys of a record. */
function isName(host: string | undefined): host is string {
  return host !== undefined && host !== '' && host !== '__proto__';
}

function isHeardSince(vm: VmFact, host: string, asOf: number): boolean {
  const known = standing(vm, host);
  return known !== undefined && known.at > asOf;
}
