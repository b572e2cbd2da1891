// Owns: a domain (VM) as one libvirtd holds it, and what libvirtd tells of it.
import type { LifecycleWord, StateWord, TypedParam } from '../../../adapters/libvirt-rpc/protocol.ts';

/** What a VM is, wherever it is. */
export interface VmPlan {
  readonly name: string;
  readonly uuid: string;
  /** Lower case, colons. */
  readonly mac: string;
  readonly vlan: number;
  readonly bridge: string;
  readonly memoryMiB: number;
}

/** A state and its reason in libvirt's words: `paused`, `migration`. */
export type Standing = readonly [state: StateWord, reason: string];

/** An event and its detail in libvirt's words: `started`, `migrated`. */
export type Lifecycle = readonly [event: LifecycleWord, detail: string];

/** The job that is on. Only the source of a migration has figures. */
export type Job =
  | { readonly operation: 'migration-out'; readonly figures: () => JobFigures }
  | { readonly operation: 'migration-in' };

/** Milliseconds and bytes. */
export interface JobFigures {
  readonly operation: 'migration-out' | 'migration-in';
  readonly elapsedMs: number;
  /** Expected while the job is on, measured afterwards. */
  readonly downtimeMs: number;
  readonly totalBytes: number;
  readonly processedBytes: number;
  readonly remainingBytes: number;
  readonly bytesPerSecond: number;
  readonly iteration: number;
}

export interface Domain {
  readonly vm: VmPlan;
  /** -1: not running. Another one at every start. */
  readonly id: number;
  readonly standing: Standing;
  /** Has a definition that outlives its run. */
  readonly persistent: boolean;
  /** Set by clients: `<metadata>`'s elements by namespace, each as it was given, with its prefix. */
  readonly metadata: ReadonlyMap<string, MetadataElement>;
  readonly description?: string | undefined;
  readonly title?: string | undefined;
  readonly job?: Job | undefined;
  /** Of the last job that succeeded; forgotten when asked for. */
  readonly completed?: JobFigures | undefined;
}

export interface MetadataElement {
  readonly key: string;
  readonly xml: string;
}

export type MetadataType = 'description' | 'title' | 'element';

/** `id` as it was when the event was made: -1 in the events of a stop. */
export interface DomainReference {
  readonly name: string;
  readonly uuid: string;
  readonly id: number;
}

export type DomainEvent = { readonly dom: DomainReference } & (
  | { readonly kind: 'lifecycle'; readonly lifecycle: Lifecycle }
  | { readonly kind: 'control-error' }
  | { readonly kind: 'migration-iteration'; readonly iteration: number }
  | { readonly kind: 'job-completed'; readonly figures: JobFigures }
  | { readonly kind: 'metadata-change'; readonly type: MetadataType; readonly uri: string | undefined }
);

export function referenceTo({ vm, id }: Domain): DomainReference {
  return { name: vm.name, uuid: vm.uuid, id };
}

export function isActive({ standing }: Domain): boolean {
  return standing[0] !== 'shutoff';
}

const pageBytes = 4_096;
/** virDomainJobOperation. */
const operationNumbers = { 'migration-in': 4, 'migration-out': 5 } as const;

/** In libvirt's order and names. `net` figures are there only when the job is over. */
export function jobParams(figures: JobFigures, when: 'running' | 'over'): readonly TypedParam[] {
  const ullong = (field: string, value: number): TypedParam => ({ field, type: 'ullong', value: Math.round(value) });
  const { elapsedMs, downtimeMs, totalBytes, processedBytes, remainingBytes, iteration } = figures;
  const net = (field: string, value: number) => (when === 'over' ? [ullong(field, Math.max(value - 1, 0))] : []);
  const data = (prefix: string) => [
    ullong(`${prefix}_total`, totalBytes),
    ullong(`${prefix}_processed`, processedBytes),
    ullong(`${prefix}_remaining`, remainingBytes),
  ];
  return [
    { field: 'operation', type: 'int', value: operationNumbers[figures.operation] },
    ullong('time_elapsed', elapsedMs),
    ...net('time_elapsed_net', elapsedMs),
    ullong('downtime', downtimeMs),
    ...net('downtime_net', downtimeMs),
    ullong('setup_time', 1),
    ...data('data'),
    ...data('memory'),
    ullong('memory_bps', figures.bytesPerSecond),
    ullong('memory_constant', 0),
    ullong('memory_normal', Math.floor(processedBytes / pageBytes)),
    ullong('memory_normal_bytes', Math.floor(processedBytes / pageBytes) * pageBytes),
    ullong('memory_dirty_rate', 0),
    ullong('memory_iteration', iteration),
    ullong('memory_postcopy_requests', 0),
    ullong('memory_page_size', pageBytes),
    ullong('disk_total', 0),
    ullong('disk_processed', 0),
    ullong('disk_remaining', 0),
  ];
}
