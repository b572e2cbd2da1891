// Owns: the intent, what a policy wants done to a target, and the readings and requirements that go with it.
import { z } from 'zod';
import { familySchema, roleSchema } from './meaning.ts';

/** A first-hop redundancy row as read on a target, vendor-neutral. */
export const fhrpRowSchema = z.object({
  interface: z.string().optional(),
  /** HSRP group or VRRP virtual router id. */
  group: z.number().int().optional(),
  /** keepalived's vrrp_instance. */
  instance: z.string().optional(),
  family: familySchema,
  role: roleSchema,
  /** The protocol's own word: `active`, `listen`, `backup`. */
  state: z.string(),
});

/** What can be read of a target without changing it. More kinds come with more meanings that have a state. */
export const queryKindSchema = z.enum(['fhrp']);

/** A state that must be read on a target, fresh, before a write is allowed. */
export const requirementSchema = z.object({
  target: z.string(),
  query: queryKindSchema,
  interface: z.string().optional(),
  group: z.number().int().optional(),
  instance: z.string().optional(),
  family: familySchema,
  /** `active`: exactly this row is read active. `not-active`: the row is there and reads otherwise. */
  is: z.enum(['active', 'not-active']),
});

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
  }),
  z.object({ kind: z.literal('read'), target: z.string(), query: queryKindSchema }),
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

export type FhrpRow = z.infer<typeof fhrpRowSchema>;
export type QueryKind = z.infer<typeof queryKindSchema>;
export type Requirement = z.infer<typeof requirementSchema>;
export type Resource = z.infer<typeof resourceSchema>;
export type Want = z.infer<typeof wantSchema>;
export type EnsureWant = Extract<Want, { kind: 'ensure' }>;
export type Intent = z.infer<typeof intentSchema>;
export type Desired = EnsureWant['desired'];
