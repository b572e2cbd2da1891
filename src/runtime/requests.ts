// Owns: what is known of requests and of where VMs are, folded from entries (ports/request-book.ts). Bounded: the oldest
// request is forgotten first.
import { placeOf } from '../core/vm-migration.ts';
import { type Entry, rowsOf } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import { requestsKeptMax } from '../model/limits.ts';
import type { MeaningOf } from '../model/meaning.ts';
import { type KnownVm, readRequest } from '../model/request.ts';
import type { Inventory } from '../model/target.ts';
import { kindOf } from '../model/written-event.ts';
import type { RequestBook, RequestStatus } from '../ports/request-book.ts';

interface Known extends RequestStatus {
  readonly meaning?: MeaningOf<'vm.migration-requested'>;
}

export interface ShownRequest {
  readonly request: string;
  /** The entry it became. */
  readonly seq?: number;
  readonly vm?: string;
  readonly from?: string;
  readonly to?: string;
  /** As last reported; `received` before. */
  readonly state: string;
  readonly text: string;
  readonly final: boolean;
  readonly since?: number;
  /** The entry of the orchestrator's word that it is over. */
  readonly ended?: number;
}

export class Requests implements RequestBook {
  readonly #known = new Map<string, Known>();
  readonly #vms = new VmTable();
  #inventory: Inventory | undefined;

  /** To be called with every entry, in order. */
  take(entry: Entry): void {
    if (entry.kind === 'inventory') this.#inventory = entry.inventory;
    else if (entry.kind === 'event') this.#takeEvent(entry.seq, entry.event);
    else if (entry.kind === 'intent') this.#takeReport(entry.at, entry.intent);
    else if (entry.kind === 'reading') {
      const rows = rowsOf(entry.reading, 'domains');
      if (rows && entry.reading.about === undefined) this.#vms.listed(entry.reading.target, rows);
    }
  }

  isTarget(name: string): boolean {
    return this.#inventory !== undefined && Object.hasOwn(this.#inventory.targets, name);
  }

  vmsOf(nameOrUuid: string): readonly KnownVm[] {
    return this.#vms.of(nameOrUuid);
  }

  requested(request: string): MeaningOf<'vm.migration-requested'> | undefined {
    return this.#known.get(request)?.meaning;
  }

  status(request: string): RequestStatus | undefined {
    const known = this.#known.get(request);
    if (!known) return undefined;
    const { meaning: _, ...status } = known;
    return status;
  }

  /** For showing: those remembered, as they were last heard of. */
  all(): readonly ShownRequest[] {
    return [...this.#known.values()].map(({ request, seq, meaning, ended, report }) => ({
      request,
      ...(seq === undefined ? {} : { seq }),
      ...(meaning ? { vm: meaning.vm, from: meaning.from, to: meaning.to } : {}),
      state: report?.state ?? 'received',
      text: report?.text ?? '',
      final: report?.final ?? false,
      ...(report ? { since: report.at } : {}),
      ...(ended ? { ended: ended.seq } : {}),
    }));
  }

  #takeEvent(seq: number, event: Event): void {
    // Not read where it is no word of a VM: most are not.
    if (!kindOf(event)?.startsWith('vm.')) return;
    const { meaning, origin, target } = event;
    if (meaning?.kind === 'vm.migration-requested') this.#keep(meaning.request, { seq, sent: origin.raw, meaning });
    else if (meaning?.kind === 'vm.migration-ended') {
      const read = readRequest(origin.raw);
      if (read.kind === 'request') this.#keep(read.request.request, { ended: { seq, sent: origin.raw } });
    }
    if (target === undefined || !meaning) return;
    if (meaning.kind === 'vm.observed') this.#vms.observed(target, meaning);
    else if (meaning.kind === 'vm.lifecycle') this.#vms.changed(target, meaning);
    else if (meaning.kind === 'vm.listed') this.#vms.only(target, meaning.uuids);
  }

  #takeReport(at: number, { id, want }: Intent): void {
    if (want.kind !== 'report') return;
    const { kind: _, ...words } = want;
    this.#keep(want.request, { report: { ...words, intent: id, at } });
  }

  #keep(request: string, news: Partial<Known>): void {
    const known = this.#known.get(request) ?? { request };
    this.#known.delete(request);
    this.#known.set(request, { ...known, ...news });
    const [oldest] = this.#known.keys();
    if (this.#known.size > requestsKeptMax && oldest !== undefined) this.#known.delete(oldest);
  }
}

type Row = Parameters<typeof placeOf>[0] & { readonly uuid: string; readonly vm: string };

/** Which host said last that it has which VM. */
class VmTable {
  readonly #hosts = new Map<string, Map<string, Row>>();

  observed(host: string, row: Row): void {
    let rows = this.#hosts.get(host);
    if (!rows) {
      rows = new Map();
      this.#hosts.set(host, rows);
    }
    rows.set(row.uuid, row);
  }

  /** A migration is heard of by what both hosts say of the domain; the next listing says the rest. */
  changed(host: string, { vm, uuid, event, detail }: MeaningOf<'vm.lifecycle'>): void {
    if (event === 'undefined') this.#hosts.get(host)?.delete(uuid);
    else if (event === 'started' && detail === 'migrated')
      this.observed(host, { vm, uuid, state: 'paused', reason: 'migration' });
    else if (event === 'resumed' && this.#runs(host, uuid, vm)) return;
    else if (event === 'started' || event === 'resumed') this.observed(host, { vm, uuid, state: 'running', reason: detail });
    else if (event === 'stopped') this.observed(host, { vm, uuid, state: 'shutoff', reason: detail });
  }

  /** Most guests that go on were known to run: a row made anew for each would be all that a busy hypervisor makes us keep. */
  #runs(host: string, uuid: string, vm: string): boolean {
    const row = this.#hosts.get(host)?.get(uuid);
    return row?.state === 'running' && row.vm === vm && row.job === undefined;
  }

  listed(host: string, rows: readonly Row[]): void {
    this.#hosts.set(host, new Map(rows.map((row) => [row.uuid, row])));
  }

  only(host: string, uuids: readonly string[]): void {
    const rows = this.#hosts.get(host);
    const there = new Set(uuids);
    for (const uuid of rows?.keys() ?? []) if (!there.has(uuid)) rows?.delete(uuid);
  }

  of(nameOrUuid: string): readonly KnownVm[] {
    const found = new Map<string, KnownVm>();
    for (const [host, rows] of this.#hosts) {
      for (const row of rows.values()) {
        if (row.uuid !== nameOrUuid && row.vm !== nameOrUuid) continue;
        const place = placeOf(row);
        const runs = place === 'here' || place === 'leaving';
        const { uuid, vm } = row;
        if (runs || !found.has(uuid)) found.set(uuid, { uuid, vm, ...(runs ? { host } : {}) });
      }
    }
    return [...found.values()];
  }
}
