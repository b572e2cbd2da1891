// Owns: the request: what an orchestrator may send, over NATS or HTTP, and the meaning it has. What it leaves out (the
// UUID of a VM it names, the host it runs on) is looked up in what is known; what cannot be found is refused, in words.
import { z } from 'zod';
import type { MeaningOf } from './meaning.ts';

export const requestIdCharsMax = 64;

/** One token of a NATS subject and one segment of a path, so that outcomes can be published under it. */
export const requestIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 letters, digits, dashes or underscores');

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const uuid = z.string().regex(uuidPattern, 'must be a UUID, as `virsh domuuid` prints it').toLowerCase();
/** Libvirt takes any name without a slash; control characters have no place in a journal that people read. */
const vm = z.string().regex(/^[^/\p{Cc}]{1,255}$/u, 'must be a name or a UUID of 1 to 255 letters');
const host = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'must be the name of a target of the inventory');

const requestedSchema = z.strictObject({
  kind: z.literal('migration-requested'),
  request: requestIdSchema,
  /** Its name or its UUID. */
  vm,
  uuid: uuid.optional(),
  /** Left out: the host it runs on. */
  from: host.optional(),
  to: host,
  /** Offbox performs it; otherwise the orchestrator does, and says how it ended. */
  perform: z.boolean().default(false),
  allow: z
    .array(z.enum(['relax', 'post-copy']))
    .max(2)
    .optional(),
  /** 1 TiB/s at most: more is a slip of the pen. */
  bandwidthMiBs: z.int().min(1).max(1_048_576).optional(),
});

/** How a migration ended that the orchestrator performed. What it leaves out is as in its request. */
const endedSchema = z.strictObject({
  kind: z.enum(['migration-done', 'migration-failed', 'migration-cancelled']),
  request: requestIdSchema,
  vm: vm.optional(),
  uuid: uuid.optional(),
  from: host.optional(),
  to: host.optional(),
  reason: z.string().max(1_000).optional(),
});

export const requestSchema = z.discriminatedUnion('kind', [requestedSchema, endedSchema]);

export type Request = z.infer<typeof requestSchema>;
type RequestedRequest = z.infer<typeof requestedSchema>;
type EndedRequest = z.infer<typeof endedSchema>;
export type RequestMeaning = MeaningOf<'vm.migration-requested'> | MeaningOf<'vm.migration-ended'>;

/** Why a request is not taken: whoever sent it can mend it with this. */
export interface Refusal {
  /** For machines: `malformed`, `too-large`, `unknown-vm`, `unknown-host`, `unknown-request`, `conflict`. */
  readonly code: 'malformed' | 'too-large' | 'unknown-vm' | 'unknown-host' | 'unknown-request' | 'conflict';
  /** `bandwidthMiBs`, `allow[1]`; absent where the whole is meant. */
  readonly field?: string;
  readonly cause: string;
  readonly remedy: string;
}

/** A VM as far as it is known. */
export interface KnownVm {
  readonly vm: string;
  readonly uuid: string;
  /** The host it runs on, where that is known. */
  readonly host?: string | undefined;
}

/** What a request is understood with. */
export interface RequestFacts {
  isTarget(name: string): boolean;
  /** Every VM of this name or UUID: two hosts may have two VMs of one name. */
  vmsOf(nameOrUuid: string): readonly KnownVm[];
  /** The migration asked for under this id. */
  requested(request: string): MeaningOf<'vm.migration-requested'> | undefined;
}

export type Understood =
  | { readonly kind: 'understood'; readonly meaning: RequestMeaning }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What it was written in, parsed: the request, or what is wrong with it. Never throws. */
export function readRequest(
  text: string,
): { readonly kind: 'request'; readonly request: Request } | { readonly kind: 'refused'; readonly refusal: Refusal } {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return malformed(undefined, 'this is not JSON', 'Send one JSON object, in UTF-8.');
  }
  const parsed = requestSchema.safeParse(data);
  if (parsed.success) return { kind: 'request', request: parsed.data };
  const issue = parsed.error.issues[0]!;
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path;
  return malformed(fieldOf(path), causeOf(issue), remedyOf(issue));
}

export function understand(request: Request, facts: RequestFacts): Understood {
  return request.kind === 'migration-requested' ? understandRequested(request, facts) : understandEnded(request, facts);
}

function understandRequested(request: RequestedRequest, facts: RequestFacts): Understood {
  const { vm: named, to, perform, allow, bandwidthMiBs } = request;
  const found = vmOf(named, request.uuid, request.from, facts);
  if ('code' in found) return refused(found);
  const from = request.from ?? found.host;
  if (from === undefined)
    return refused({
      code: 'unknown-host',
      field: 'from',
      cause: `where "${named}" runs is not known`,
      remedy: 'Say it in "from", or put its hypervisor into the inventory.',
    });
  const place = badPlace('from', from, facts) ?? badPlace('to', to, facts) ?? samePlace(from, to);
  if (place) return refused(place);
  return {
    kind: 'understood',
    meaning: {
      kind: 'vm.migration-requested',
      vm: found.vm,
      uuid: found.uuid,
      from,
      to,
      request: request.request,
      perform,
      ...(allow ? { allow: [...new Set(allow)] } : {}),
      ...(bandwidthMiBs === undefined ? {} : { bandwidthMiBs }),
    },
  };
}

/**
 * The id is kept also where nobody asked under it here (then VM and hosts are said): it ends what was begun or marked without us, and
 * nothing that was asked for under another id.
 */
function understandEnded(ended: EndedRequest, facts: RequestFacts): Understood {
  const known = facts.requested(ended.request);
  const named = ended.vm ?? known?.vm;
  const from = ended.from ?? known?.from;
  const to = ended.to ?? known?.to;
  if (named === undefined || from === undefined || to === undefined)
    return refused({
      code: 'unknown-request',
      field: 'request',
      cause: `no migration was asked for as "${ended.request}"`,
      remedy: 'Send its "vm", "from" and "to" as well.',
    });
  const found = known && ended.vm === undefined ? known : vmOf(named, ended.uuid ?? known?.uuid, from, facts);
  if ('code' in found) return refused(found);
  const said = { uuid: ended.uuid ?? found.uuid, from, to };
  const other = known && (['uuid', 'from', 'to'] as const).find((key) => said[key] !== known[key]);
  if (other)
    return refused({
      code: 'conflict',
      field: other,
      cause: `"${ended.request}" was asked for with another ${other}: ${known[other]}`,
      remedy: 'Leave it out, or correct the id of the request.',
    });
  const place = badPlace('from', from, facts) ?? badPlace('to', to, facts);
  if (place) return refused(place);
  const how = ({ 'migration-done': 'migrated', 'migration-failed': 'failed', 'migration-cancelled': 'cancelled' } as const)[
    ended.kind
  ];
  const reason = ended.reason === undefined ? {} : { reason: ended.reason };
  return {
    kind: 'understood',
    meaning: { kind: 'vm.migration-ended', vm: found.vm, uuid: found.uuid, from, to, how, request: ended.request, ...reason },
  };
}

/** The VM meant; a UUID needs nobody to know it. `from` tells two of one name apart. */
function vmOf(named: string, given: string | undefined, from: string | undefined, facts: RequestFacts): KnownVm | Refusal {
  const written = uuidPattern.test(named) ? named.toLowerCase() : undefined;
  const uuid = given ?? written;
  if (uuid !== undefined) {
    const known = facts.vmsOf(uuid)[0] ?? { vm: named, uuid };
    // Another VM than the one that is named must not be moved because of a slip in its UUID.
    if ((written ?? uuid) === uuid && (written !== undefined || known.vm === named)) return known;
    const cause = written === undefined ? `the VM with this UUID is called "${known.vm}"` : '"vm" is another UUID';
    return { code: 'conflict', field: 'uuid', cause, remedy: 'Correct it, or leave it out.' };
  }
  const all = facts.vmsOf(named);
  const found = all.length > 1 && from !== undefined ? all.filter(({ host }) => host === from) : all;
  const [only] = found;
  if (only && found.length === 1) return only;
  const remedy = 'Send its "uuid", as `virsh domuuid` prints it.';
  const cause = only ? `${found.length} VMs are called "${named}"` : `no VM called "${named}" is known`;
  return { code: 'unknown-vm', field: 'vm', cause, remedy };
}

function badPlace(field: 'from' | 'to', name: string, facts: RequestFacts): Refusal | undefined {
  if (facts.isTarget(name)) return undefined;
  const remedy = 'Use the name the hypervisor has in the inventory, or put it in.';
  return { code: 'unknown-host', field, cause: `there is no target "${name}"`, remedy };
}

function samePlace(from: string, to: string): Refusal | undefined {
  if (from !== to) return undefined;
  return { code: 'conflict', field: 'to', cause: `it is on "${to}" already`, remedy: 'Name another host.' };
}

const refused = (refusal: Refusal): Understood => ({ kind: 'refused', refusal });

function malformed(field: string | undefined, cause: string, remedy: string) {
  return { kind: 'refused', refusal: { code: 'malformed', ...(field ? { field } : {}), cause, remedy } } as const;
}

/** A field's name as far as it is one of ours or short: what is sent back shall not be what an attacker chose. */
function fieldOf(path: readonly PropertyKey[]): string | undefined {
  const text = path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`)).join('');
  return text === '' ? undefined : text.replaceAll(/[^\w.[\]-]/g, '?').slice(0, 64);
}

function causeOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'there is no such field';
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'kind') return 'the kind is missing, or there is no such kind';
  return issue.message.startsWith('must ') ? 'the value is not valid' : issue.message.replace(/^Invalid input: /, '');
}

function remedyOf(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('must ')) return `It ${issue.message}.`;
  if (issue.code === 'unrecognized_keys') return 'Remove it, or correct its name.';
  return 'The kinds are migration-requested, migration-done, migration-failed and migration-cancelled; see docs/decisions/0011-requests.md.';
}
