// Owns: the intent, what a policy wants done to a target, and the readings and requirements that go with it.
import { z } from 'zod';
import { familySchema } from './meaning.ts';
import { queryKindSchema } from './query.ts';

/** A state that must be read on a target, fresh, before a write is allowed. */
export const requirementSchema = z.discriminatedUnion('query', [
  z.object({
    query: z.literal('fhrp'),
    target: z.string(),
    interface: z.string().optional(),
    group: z.number().int().optional(),
    instance: z.string().optional(),
    family: familySchema,
    /** `active`: exactly this row is read active. `not-active`: the row is there and reads otherwise. */
    is: z.enum(['active', 'not-active']),
  }),
  z.object({
    query: z.literal('domains'),
    target: z.string(),
    uuid: z.string(),
    /** `here`: it is there and has come, running or paused for good. `there`: here, or leaving or coming. `gone`: it is not there
     * any more, or shut off by having left. `coming`: paused, a migration to here is on. */
    is: z.enum(['here', 'there', 'gone', 'coming']),
    /** … or else that it reads `gone` on this one: meanwhile it may have gone on to where nobody looks. */
    orGoneFrom: z.string().optional(),
  }),
]);

/** A thing on a target whose desired state an intent names. The kinds and their fields are in src/resources. */
export const resourceSchema = z.looseObject({ kind: z.string(), target: z.string() });

export const wantSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('ensure'),
    resource: resourceSchema,
    desired: z.enum(['present', 'absent']),
    requires: z.array(requirementSchema),
    /** From the intent's `at`; an older one ends `expired`. */
    validForMs: z.number().int(),
    /** What may stand there before the change, as the driver's `value` tells it (null: nothing); otherwise `refused`. */
    replaces: z.array(z.string().nullable()).optional(),
    /** Takes the place of one for the same place that has not begun; does nothing else. */
    withdraw: z.boolean().optional(),
    /** Only looked at, until it is so: nothing is ever written for it. */
    prove: z.boolean().optional(),
    /** Effective only once it has stayed so for this long; applied again while it does not. */
    staysMs: z.number().int().optional(),
    /** … or once this is read to be there: it cannot come back. */
    unless: resourceSchema.optional(),
  }),
  z.object({
    kind: z.literal('read'),
    target: z.string(),
    query: queryKindSchema,
    /** What of it: an interface, an address, a UUID, as the query's rows say. */
    about: z.string().optional(),
  }),
  /** Tells whoever asked what becomes of a request; the last word has `final`. */
  z.object({
    kind: z.literal('report'),
    request: z.string(),
    state: z.enum(['accepted', 'refused', 'running', 'done', 'failed', 'cancelled']),
    text: z.string(),
    final: z.boolean(),
  }),
  /** For the operator's eyes: nothing is done to a target. */
  z.object({ kind: z.literal('notice'), code: z.string(), text: z.string(), targets: z.array(z.string()) }),
]);

export const intentSchema = z.object({
  /** `policy@version/seq/n`: the same entries give the same ids (law E1). */
  id: z.string(),
  policy: z.string(),
  version: z.string(),
  /** The entry that caused it. */
  cause: z.number().int(),
  /** The policy's key it belongs to. */
  key: z.string(),
  want: wantSchema,
});

export type Requirement = z.infer<typeof requirementSchema>;
export type Resource = z.infer<typeof resourceSchema>;
export type Want = z.infer<typeof wantSchema>;
export type EnsureWant = Extract<Want, { kind: 'ensure' }>;
export type Intent = z.infer<typeof intentSchema>;
export type Desired = EnsureWant['desired'];
