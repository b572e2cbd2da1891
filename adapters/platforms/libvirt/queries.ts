// Owns: what is asked of a hypervisor, and the rows it answers with. The actuator has read libvirt's XML already: JSON comes.
import type { ZodType } from 'zod';
import {
  domainRowSchema,
  hypervisorRowSchema,
  type QueryKind,
  type QueryRow,
  vmNeedsRowSchema,
} from '../../../src/model/query.ts';
import type { Command, LibvirtRead, Reply } from '../../../src/ports/actuator.ts';
import type { QueryReader } from '../../../src/ports/platform.ts';
import { refusal, unreadable } from '../dialogue.ts';

/** Asks one thing; the answer is one of this shape. Throws TargetError `unreadable`. */
export function* askLibvirt<T>(call: LibvirtRead, about: string | undefined, shape: ZodType<T>): Generator<Command, T, Reply> {
  const { text } = yield { kind: 'libvirt', call, ...(about === undefined ? {} : { about }) };
  const read = shape.safeParse(parsed(call, text));
  if (!read.success) throw unreadable(call, text);
  return read.data;
}

function parsed(call: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(call, text);
  }
}

const domainRowsSchema = domainRowSchema.array();
const domains: QueryReader<'domains'> = (_target, { about }) => askLibvirt('domains', about, domainRowsSchema);

function* hypervisor(): Generator<Command, readonly QueryRow<'hypervisor'>[], Reply> {
  return [yield* askLibvirt('hypervisor', undefined, hypervisorRowSchema)];
}

function* vmNeeds(about: string | undefined): Generator<Command, readonly QueryRow<'vm-needs'>[], Reply> {
  if (about === undefined)
    throw refusal('no-vm', 'the needs of a VM are asked for, but not which', 'Say its UUID or name in `about`.');
  return [yield* askLibvirt('vm-needs', about, vmNeedsRowSchema)];
}

export const libvirtQueries: { readonly [Q in QueryKind]?: QueryReader<Q> } = {
  domains,
  hypervisor,
  'vm-needs': (_target, { about }) => vmNeeds(about),
};
