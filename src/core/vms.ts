// Owns: what is known of VMs, folded from entries, and what an entry means for their migrations: vm.migration-started,
// vm.migrated, vm.migration-failed, … Each VM's own life is in vm-migration.ts.
import { type Entry, type Reading, rowsOf } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import { readingLagMs, vmsMax } from '../model/limits.ts';
import type { Meaning, MeaningOf, Nic } from '../model/meaning.ts';
import { Sweep } from './sweep.ts';
import {
  absent,
  given,
  hostsWith,
  isMeant,
  iterated,
  left,
  lifecycle,
  markId,
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

/**
 * A listing of one host concerns the domains that have a place there and the migrations that are on, not all there are: both are
 * found by index, and taken in the order in which the domains were first heard of, also after a snapshot.
 */
export class Vms {
  readonly #vms = new Map<string, VmFact>();
  /** Counts up with each domain heard of. */
  readonly #order = new Map<VmFact, number>();
  readonly #byHost = new Map<string, HostVms>();
  readonly #migrating = new Set<VmFact>();
  #heard = 0;
  /** While a snapshot is being written. */
  #sweep: Sweep<VmFact> | undefined;

  get(uuid: string): VmFact | undefined {
    return this.#vms.get(uuid);
  }

  byName(name: string): VmFact | undefined {
    const named = [...this.#vms.values()].filter(({ vm }) => vm === name);
    return named.find((vm) => hostsWith(vm).length > 0) ?? named.at(-1);
  }

  all(): readonly VmFact[] {
    return [...this.#vms.values()];
  }

  /** The hosts that have it, whether for good or on the way. */
  hostsOf(uuid: string): readonly string[] {
    const vm = this.#vms.get(uuid);
    return vm ? hostsWith(vm) : [];
  }

  /** All as they are now, as JSON in pieces; they are written while they are taken, whatever changes meanwhile. */
  save(): Generator<string> {
    const sweep = new Sweep([...this.#vms.values()], (vm) => JSON.stringify(vm));
    this.#sweep = sweep;
    const done = (): void => {
      if (this.#sweep === sweep) this.#sweep = undefined;
    };
    return (function* pieces() {
      yield '[';
      yield* sweep.pieces();
      yield ']';
      done();
    })();
  }

  /** What was saved becomes ours. */
  restore(vms: readonly VmFact[]): void {
    for (const vm of vms) this.#keep(vm);
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
      const vm = this.#vm(meaning);
      requested(vm, meaning, at);
      return this.#indexed(vm, undefined, nothing);
    }
    // Whoever asked says that it is over; what was begun the hosts tell of.
    if (meaning.kind === 'vm.migration-ended') this.#forgetRequest(meaning);
    return isName(host) ? this.#foldWord(host, meaning, at) : nothing;
  }

  #foldWord(host: string, meaning: Meaning, at: number): readonly Told[] {
    if (meaning.kind === 'vm.listed') return this.#listed(host, new Set(meaning.uuids), at);
    const word = this.#wordOf(host, meaning, at);
    return word ? this.#indexed(word.vm, host, word.told) : nothing;
  }

  /** Of one domain: what a host's word means; undefined where it says nothing of how it stands. */
  #wordOf(host: string, meaning: Meaning, at: number): { readonly vm: VmFact; readonly told: readonly Told[] } | undefined {
    switch (meaning.kind) {
      case 'vm.lifecycle': {
        const vm = this.#vm(meaning);
        return { vm, told: lifecycle(vm, host, meaning, at) };
      }
      case 'vm.observed': {
        const vm = this.#vm(meaning);
        return { vm, told: observed(vm, host, meaning, at) };
      }
      case 'vm.migration-iteration': {
        const vm = this.#vm(meaning);
        return { vm, told: iterated(vm, host) };
      }
      case 'vm.job-completed': {
        if (meaning.operation !== 'migration-out') return undefined;
        const vm = this.#vm(meaning);
        return { vm, told: left(vm, host, at) };
      }
      case 'vm.metadata-changed': {
        // Set again where it is already, it asks for nothing.
        if (!meaning.request || meaning.request.to === host) return undefined;
        const vm = this.#vm(meaning);
        return { vm, told: this.#marked(vm, host, meaning.request.to, at) };
      }
      default:
        return undefined;
    }
  }

  #vm({ uuid, vm: name, nics }: Named): VmFact {
    let vm = this.#vms.get(uuid);
    if (!vm) {
      if (this.#vms.size >= vmsMax) this.#forget(this.#vms.values().next().value!);
      vm = { uuid, vm: name, places: {}, nics: [] };
      this.#keep(vm);
    }
    this.#sweep?.before(vm);
    // Mostly the same: then the text that is kept stays, and not the newest of many.
    if (vm.vm !== name) vm.vm = name;
    if (nics) vm.nics = nics;
    return vm;
  }

  #keep(vm: VmFact): void {
    this.#vms.set(vm.uuid, vm);
    this.#order.set(vm, this.#heard++);
    for (const host of Object.keys(vm.places)) this.#on(host).add(vm);
    if (vm.migration) this.#migrating.add(vm);
  }

  #forget(vm: VmFact): void {
    this.#vms.delete(vm.uuid);
    this.#order.delete(vm);
    for (const host of Object.keys(vm.places)) this.#byHost.get(host)?.delete(vm);
    this.#migrating.delete(vm);
  }

  #on(host: string): HostVms {
    let vms = this.#byHost.get(host);
    if (!vms) {
      vms = new HostVms(host);
      this.#byHost.set(host, vms);
    }
    return vms;
  }

  /** Hands on what was told, AFTER the word of `host` changed the VM: it may stand there now, and be in a migration or not. */
  #indexed(vm: VmFact, host: string | undefined, told: readonly Told[]): readonly Told[] {
    if (host !== undefined && standing(vm, host)) this.#on(host).add(vm);
    if (vm.migration) this.#migrating.add(vm);
    else this.#migrating.delete(vm);
    return told;
  }

  #inOrder(...vms: readonly Iterable<VmFact>[]): readonly VmFact[] {
    const found = new Set(vms.flatMap((some) => [...some]));
    return [...found].sort((a, b) => this.#order.get(a)! - this.#order.get(b)!);
  }

  /** The host has these, and no others. `asOf`: what was heard from it since is newer. */
  #listed(host: string, uuids: ReadonlySet<string>, at: number, asOf = at): readonly Told[] {
    const concerned = this.#inOrder(this.#byHost.get(host)?.all() ?? [], this.#migrating);
    return concerned.flatMap((vm) => {
      if (uuids.has(vm.uuid) || isHeardSince(vm, host, asOf)) return nothing;
      this.#sweep?.before(vm);
      return this.#indexed(vm, host, absent(vm, host, at));
    });
  }

  /** A reading has another way than the events: one that was asked for before the host's last word may be older than it. */
  #foldReading(reading: Reading, at: number): readonly Told[] {
    const rows = rowsOf(reading, 'domains');
    if (!rows || !isName(reading.target)) return nothing;
    const { target: host, about, tookMs } = reading;
    const asOf = at - tookMs - readingLagMs;
    const told = rows.flatMap((row) => {
      const known = this.#vms.get(row.uuid);
      if (known && isHeardSince(known, host, asOf)) return nothing;
      const vm = this.#vm(row);
      return this.#indexed(vm, host, observed(vm, host, row, at));
    });
    return about === undefined ? [...told, ...this.#listed(host, new Set(rows.map(({ uuid }) => uuid)), at, asOf)] : told;
  }

  /** A metadata mark is a request, made by somebody who may write to the hypervisor. */
  #marked(vm: VmFact, from: string, to: string, at: number): readonly Told[] {
    const request = markId(vm, at);
    const asked: Told = { kind: 'vm.migration-requested', vm: vm.vm, uuid: vm.uuid, from, to, request, perform: false };
    requested(vm, asked, at);
    return [asked];
  }

  #refuse(request: string, state: string, reason: string): readonly Told[] {
    const vm = this.#inOrder(this.#migrating).find(({ migration }) => migration?.request === request);
    if (!vm) return nothing;
    this.#sweep?.before(vm);
    return this.#indexed(vm, undefined, given(vm, state === 'cancelled' ? 'cancelled' : 'failed', reason));
  }

  /** Word of an earlier one may come late: the one that is waited for now is another. */
  #forgetRequest(ended: MeaningOf<'vm.migration-ended'>): void {
    const vm = this.#vms.get(ended.uuid);
    if (vm?.migration?.phase !== 'requested' || !isMeant(ended, vm)) return;
    this.#sweep?.before(vm);
    delete vm.migration;
    this.#migrating.delete(vm);
  }
}

/** The VMs that have a place on one host. One that was forgotten there stays in it until there are twice as many as before. */
class HostVms {
  readonly #host: string;
  #vms = new Set<VmFact>();
  #sweepAt = 64;

  constructor(host: string) {
    this.#host = host;
  }

  add(vm: VmFact): void {
    this.#vms.add(vm);
    if (this.#vms.size < this.#sweepAt) return;
    this.#vms = new Set(this.all());
    this.#sweepAt = Math.max(64, this.#vms.size * 2);
  }

  delete(vm: VmFact): void {
    this.#vms.delete(vm);
  }

  all(): readonly VmFact[] {
    return [...this.#vms].filter((vm) => standing(vm, this.#host) !== undefined);
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
