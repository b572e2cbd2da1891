// Owns: a migration asked for on the control socket: taken as a request, followed, cancelled.
import { z } from 'zod';
import { homesOf } from '../core/vm-migration.ts';
import { OperatorError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import type { MeaningOf } from '../model/meaning.ts';
import type { DomainRow } from '../model/query.ts';
import { requestIdCharsMax } from '../model/request.ts';
import type { ShownRequest } from './requests.ts';
import type { Runtime } from './runtime.ts';

/** What a request may allow besides. */
export const allowed = ['relax', 'post-copy'] as const;
export const bandwidthMiBsMax = 1_000_000;

export const migrateSchema = z.strictObject({
  /** Its name or its UUID. */
  vm: z.string().max(255),
  to: z.string().max(64),
  allow: z.array(z.enum(allowed)).optional(),
  bandwidthMiBs: z.int().min(1).max(bandwidthMiBsMax).optional(),
});

export interface MigrationAsked {
  readonly request: string;
  readonly seq: number;
  readonly vm: string;
  readonly uuid: string;
  readonly from: string;
  readonly to: string;
}

export interface MigrationStatus {
  readonly report: Pick<ShownRequest, 'state' | 'text' | 'final'>;
  /** As read on the source now; absent where it is not on its way, or the source cannot be read. */
  readonly progress?: DomainRow['progress'];
}

/** Resolves AFTER the request is durable. Rejects with an OperatorError where the VM or the host is not known. */
export async function askMigration(
  runtime: Runtime,
  { vm: named, to, ...how }: z.infer<typeof migrateSchema>,
): Promise<MigrationAsked> {
  const { engine, host, view } = runtime;
  const { facts } = engine;
  const vm = facts.vm(named);
  const places = vm ? homesOf(vm) : [];
  const [from, other] = places;
  if (!vm || from === undefined)
    throw unknown(
      `no hypervisor has a VM "${named}"`,
      facts.vms.all().map((each) => each.vm),
    );
  if (other !== undefined)
    throw new OperatorError(`${vm.vm} is on ${places.join(' and ')}`, {
      code: 'usage',
      remedy: 'Undefine it where it shall not be.',
    });
  const hypervisors = Object.entries(facts.inventory.targets).flatMap(([name, { libvirt }]) => (libvirt ? [name] : []));
  if (to === from) {
    const others = hypervisors.filter((each) => each !== from);
    throw new OperatorError(`${vm.vm} is on ${to} already`, {
      code: 'usage',
      remedy: others.length > 0 ? `Besides there is: ${others.join(', ')}.` : 'There is no other hypervisor in the inventory.',
    });
  }
  if (!hypervisors.includes(to))
    throw unknown(
      `there is no hypervisor "${to}"`,
      hypervisors.map((each) => (each === from ? `${each} (${vm.vm} is there)` : each)),
    );
  if (vm.migration) {
    const is = vm.migration.phase === 'requested' ? 'is asked to be' : 'is being';
    throw new OperatorError(`${vm.vm} ${is} migrated to ${vm.migration.to}`, {
      code: 'usage',
      remedy: 'Wait for it; `offbox show requests` tells how it stands.',
    });
  }
  const request = freshId(runtime, vm.vm);
  const meaning: MeaningOf<'vm.migration-requested'> = {
    kind: 'vm.migration-requested',
    vm: vm.vm,
    uuid: vm.uuid,
    from,
    to,
    request,
    perform: true,
    ...(how.allow ? { allow: how.allow } : {}),
    ...(how.bandwidthMiBs === undefined ? {} : { bandwidthMiBs: how.bandwidthMiBs }),
  };
  const event = byHand(meaning, from, `migrate ${vm.vm} to ${to}`);
  const running = new Set(view.policies().flatMap(({ name, state }) => (state === 'running' ? [name] : [])));
  if (!engine.listeners(event).some((name) => running.has(name)))
    throw new OperatorError('no policy that runs takes requests for migrations', {
      code: 'usage',
      remedy:
        'Look at `offbox show policies`: one is to listen to vm.migrationRequested(), as the shipped migration-preflight does.',
    });
  const seq = await host.emit(event);
  return { request, seq, vm: vm.vm, uuid: vm.uuid, from, to };
}

export async function migrationStatus(runtime: Runtime, request: string): Promise<MigrationStatus> {
  const { state, text, final, vm, from } = known(runtime, request);
  const report = { state, text, final };
  if (final || from === undefined) return { report };
  const reading = await runtime.executor.peek({ target: from, query: 'domains' });
  const row = reading.kind === 'rows' ? (reading.rows as unknown as DomainRow[]).find((each) => each.vm === vm) : undefined;
  return row?.job === 'migration-out' && row.progress ? { report, progress: row.progress } : { report };
}

/** Says that it shall not be any more; the policy that began it aborts it. */
export async function cancelMigration(runtime: Runtime, request: string): Promise<{ readonly seq: number }> {
  const { vm: name = '', uuid = '', from = '', to = '', final, state } = known(runtime, request);
  if (final)
    throw new OperatorError(`${request} is over: ${state}`, {
      code: 'usage',
      remedy: '`offbox show requests` lists what is on.',
    });
  const reason = 'cancelled by the operator';
  const meaning: MeaningOf<'vm.migration-ended'> = {
    kind: 'vm.migration-ended',
    vm: name,
    uuid,
    from,
    to,
    how: 'cancelled',
    request,
    reason,
  };
  return { seq: await runtime.host.emit(byHand(meaning, from, `cancel ${request}`)) };
}

/** The last number given, by who gave it: the entry of one that was asked for just now may not be in the journal yet. */
const given = new WeakMap<Runtime, number>();

/** An id as requests have it, so that it can be asked for and published under; a VM may be called anything. */
function freshId(runtime: Runtime, vm: string): string {
  const number = Math.max(runtime.host.stats().lastSeq, given.get(runtime) ?? 0) + 1;
  given.set(runtime, number);
  return `offbox-${number}-${vm.replaceAll(/[^A-Za-z0-9_-]/gu, '-')}`.slice(0, requestIdCharsMax);
}

function byHand(meaning: Event['meaning'], target: string, raw: string): Event {
  const origin = { source: 'emit', peer: 'local', transport: 'local', trust: 'claimed', raw } as const;
  return { target, meaning, because: 'emit', origin };
}

function known(runtime: Runtime, request: string): ShownRequest {
  const found = runtime.view.requests().find((each) => each.request === request);
  if (found) return found;
  throw new OperatorError(`there is no request "${request}"`, { code: 'usage', remedy: '`offbox show requests` lists them.' });
}

function unknown(what: string, there: readonly string[]): OperatorError {
  return new OperatorError(what, {
    code: 'usage',
    remedy: there.length > 0 ? `There is: ${there.join(', ')}.` : 'None is known yet.',
  });
}
