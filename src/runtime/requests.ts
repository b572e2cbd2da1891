// Owns: what is known of requests, folded from entries (ports/request-book.ts); VMs and targets are the facts'. Bounded: the
// oldest request is forgotten first.
import { Facts } from '../core/facts.ts';
import { arrayPieces } from '../core/sweep.ts';
import { homesOf, hostsWith } from '../core/vm-migration.ts';
import type { Entry } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import { requestsKeptMax } from '../model/limits.ts';
import type { MeaningOf } from '../model/meaning.ts';
import { type KnownVm, readRequest } from '../model/request.ts';
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
  readonly uuid?: string;
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

/** Before anything is known. */
const nothing = new Facts();

export class Requests implements RequestBook {
  readonly #known = new Map<string, Known>();
  #facts: () => Facts = () => nothing;

  /** Where it is known what VMs and targets there are. */
  lookIn(facts: () => Facts): void {
    this.#facts = facts;
  }

  /** To be called with every entry, in order. */
  take(entry: Entry): void {
    if (entry.kind === 'event') this.#takeEvent(entry.seq, entry.event);
    else if (entry.kind === 'intent') this.#takeReport(entry.at, entry.intent);
  }

  isTarget(name: string): boolean {
    return this.#facts().target(name) !== undefined;
  }

  vmsOf(nameOrUuid: string): readonly KnownVm[] {
    const named = this.#facts()
      .vms.all()
      .filter(({ vm, uuid }) => vm === nameOrUuid || uuid === nameOrUuid);
    // One that no host has any more, as where it was made anew under its name, is meant only where there is no other.
    const there = named.filter((vm) => hostsWith(vm).length > 0);
    return (there.length > 0 ? there : named).map((each) => {
      const { vm, uuid } = each;
      const [host] = homesOf(each);
      return { vm, uuid, ...(host === undefined ? {} : { host }) };
    });
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
      ...(meaning ? { vm: meaning.vm, uuid: meaning.uuid, from: meaning.from, to: meaning.to } : {}),
      state: report?.state ?? 'received',
      text: report?.text ?? '',
      final: report?.final ?? false,
      ...(report ? { since: report.at } : {}),
      ...(ended ? { ended: ended.seq } : {}),
    }));
  }

  /** All as it is now, as JSON in pieces. */
  save(): Generator<string> {
    const known = arrayPieces([...this.#known.values()]);
    return (function* pieces() {
      yield '{"known":';
      yield* known;
      yield '}';
    })();
  }

  /** What was saved becomes ours. */
  restore({ known }: SavedRequests): void {
    for (const one of known) this.#known.set(one.request, one);
  }

  #takeEvent(seq: number, event: Event): void {
    // Not read where it is no word of a VM: most are not.
    if (!kindOf(event)?.startsWith('vm.')) return;
    const { meaning, origin } = event;
    if (meaning?.kind === 'vm.migration-requested') this.#keep(meaning.request, { seq, sent: origin.raw, meaning });
    else if (meaning?.kind === 'vm.migration-ended') {
      const read = readRequest(origin.raw);
      if (read.kind === 'request') this.#keep(read.request.request, { ended: { seq, sent: origin.raw } });
    }
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

/** Requests as a snapshot has them. */
export interface SavedRequests {
  readonly known: readonly Known[];
}
