// Owns: a sink that commits when told, and a book with two hypervisors and a VM, for the sources of requests.
import { requestIntake } from '../../adapters/requests/intake.ts';
import { Facts } from '../../src/core/facts.ts';
import type { EntryBody } from '../../src/model/entry.ts';
import type { Event } from '../../src/model/event.ts';
import type { Nic } from '../../src/model/meaning.ts';
import { inventorySchema } from '../../src/model/target.ts';
import type { Sink } from '../../src/ports/source.ts';
import { Requests } from '../../src/runtime/requests.ts';

export const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f';
export const otherUuid = '11111111-2222-3333-4444-555555555555';

export const inventory = inventorySchema.parse({
  targets: {
    kvm1: { platform: 'libvirt', address: '127.0.1.1' },
    kvm2: { platform: 'libvirt', address: '127.0.1.2' },
  },
});

export const requested = { kind: 'migration-requested', request: 'r-1', vm: 'web1', from: 'kvm1', to: 'kvm2' } as const;

/** A journal of numbers only: what is offered is committed at once, or when `commit` is called. */
export function book(options: { readonly vms?: boolean } = {}) {
  const requests = new Requests();
  const facts = new Facts();
  requests.lookIn(() => facts);
  let seq = 0;
  const append = (body: EntryBody): number => {
    seq += 1;
    facts.fold({ ...body, seq, at: seq });
    requests.take({ ...body, seq, at: seq });
    return seq;
  };
  append({ kind: 'inventory', inventory });
  if (options.vms ?? true) observe('web1', uuid, 'kvm1');
  function observe(vm: string, id: string, target: string): void {
    const meaning = { kind: 'vm.observed', vm, uuid: id, state: 'running', reason: 'booted', nics: [] as Nic[] } as const;
    const origin = { source: 'libvirt', peer: target, transport: 'unix', trust: 'authenticated', raw: '' } as const;
    append({ kind: 'event', event: { target, meaning, origin } });
  }
  const offered: Event[] = [];
  const gaps: string[] = [];
  const waiting: (() => void)[] = [];
  const mode = { room: true, commits: 'at-once' as 'at-once' | 'when-told' | 'never-durable' };
  const sink: Sink = {
    offer(events, committed) {
      if (!mode.room) return false;
      offered.push(...events);
      const commit = (): void => {
        if (mode.commits === 'never-durable') committed?.(new Error('the disk is full'));
        else committed?.(undefined, events.map((event) => append({ kind: 'event', event })).at(-1));
      };
      if (mode.commits === 'when-told') waiting.push(commit);
      else queueMicrotask(commit);
      return true;
    },
    gap: (reason) => void gaps.push(reason),
  };
  return {
    requests,
    intake: requestIntake(requests),
    sink,
    offered,
    gaps,
    mode,
    append,
    observe,
    commit: () => {
      for (const each of waiting.splice(0)) each();
    },
    lastSeq: () => seq,
  };
}

export const from = { source: 'http', peer: '127.0.0.1', transport: 'http', trust: 'authenticated' } as const;
export const bytesOf = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
