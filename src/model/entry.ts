// Owns: the entry: one journal record. Everything the engine ever learns, time included, is one of these.
import { z } from 'zod';
import { eventSchema } from './event.ts';
import { intentSchema } from './intent.ts';
import { outcomeSchema } from './outcome.ts';
import { type QueryKind, type QueryRow, queryKindSchema } from './query.ts';
import { inventorySchema } from './target.ts';

export const readingSchema = z.object({
  target: z.string(),
  query: queryKindSchema,
  about: z.string().optional(),
  /** The intent that asked. */
  intent: z.string(),
  /** What was read, or why it could not be. `unreachable` blocks nobody; `unreadable` takes nothing away. */
  result: z.discriminatedUnion('kind', [
    /** By the query, as queryRowSchemas has them: rowsOf() gives them typed. */
    z.object({ kind: z.literal('rows'), rows: z.array(z.looseObject({})) }),
    z.object({ kind: z.literal('unreachable'), reason: z.string() }),
    z.object({ kind: z.literal('unreadable'), reason: z.string() }),
  ]),
  tookMs: z.number(),
});

/**
 * Why a policy was ended from outside. `hung`: it did not come back from the entry, and a replay does not give it that one again, nor any
 * after it. `memory`: what it kept grew and grew, over many entries: where nothing of it is needed, a replay gives it none at all.
 */
export const endingSchema = z.enum(['hung', 'memory']);
export type Ending = z.infer<typeof endingSchema>;

/** Why a policy stops whose file is gone: on purpose, and no version of it is in force any more. */
export const removedReason = 'removed: its file is gone';
export const isRemoval = (reason: string): boolean => reason.startsWith('removed');

export const entryBodySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('event'), event: eventSchema }),
  /** Quiet is stamped too: an alarm is due and nothing else has passed it (law E2). */
  z.object({ kind: z.literal('tick') }),
  z.object({ kind: z.literal('intent'), intent: intentSchema }),
  /** Every entry up to `through` has been decided; its intents stand with this in one append (law E3). */
  z.object({ kind: z.literal('decided'), through: z.number().int() }),
  /** Durable BEFORE the first changing byte. `deadlineMs`: after `at` plus this, nothing of it can still be under way. */
  z.object({
    kind: z.literal('attempt'),
    intent: z.string(),
    deadlineMs: z.number().int(),
    plan: z.array(z.string()),
    /** What stood there before, where the resource has a value (null: nothing): a hold restores it. */
    before: z.string().nullable().optional(),
  }),
  z.object({ kind: z.literal('outcome'), intent: z.string(), outcome: outcomeSchema }),
  z.object({ kind: z.literal('reading'), reading: readingSchema }),
  /** From here on this version of the policy runs. */
  z.object({
    kind: z.literal('deploy'),
    policy: z.string(),
    version: z.string(),
    revision: z.string().optional(),
    runtime: z.string(),
    /** Of its bundle among the journal's blobs: what ran that day can be run again. */
    bundle: z.string().optional(),
  }),
  /** The network as described from here on: replay sees it as it was that day. */
  z.object({ kind: z.literal('inventory'), inventory: inventorySchema }),
  /** This policy stopped at entry `cause`; replay obeys (law E7). `ended`: it did not stop by itself, see below. */
  z.object({
    kind: z.literal('quarantine'),
    policy: z.string(),
    cause: z.number().int(),
    reason: z.string(),
    ended: endingSchema.optional(),
  }),
  /** What policies' correlations waited for and came due by `until`, while Offbox was down: it rings late or is forgotten. */
  z.object({
    kind: z.literal('late'),
    until: z.number().int(),
    policies: z.array(z.object({ policy: z.string(), late: z.enum(['fire', 'drop']), alarms: z.number().int() })),
  }),
  /** What the engine was after entry `through` is among the journal's blobs. */
  z.object({
    kind: z.literal('snapshot'),
    through: z.number().int(),
    digest: z.string(),
    runtime: z.string(),
    /** Versions that ran, and of those the policies that cannot be put back from it: a pipe waited for an answer. */
    policies: z.record(z.string(), z.string()),
    unsettled: z.array(z.string()),
    /** The entry of the snapshot before. */
    previous: z.number().int().optional(),
  }),
  z.object({ kind: z.literal('command'), by: z.string(), verb: z.string(), arguments: z.array(z.string()) }),
]);

export type EntryBody = z.infer<typeof entryBodySchema>;
export type Reading = z.infer<typeof readingSchema>;

/** The rows of a reading, if it is one of this query and could be read. */
export function rowsOf<Q extends QueryKind>(reading: Reading, query: Q): readonly QueryRow<Q>[] | undefined {
  return reading.query === query && reading.result.kind === 'rows'
    ? (reading.result.rows as unknown as QueryRow<Q>[])
    : undefined;
}

/** As appended: stamped with the admission time (integer milliseconds since 1970, never falling), not yet numbered. */
export type NewEntry = EntryBody & { readonly at: number };
/** As committed: `seq` strictly rising, gaps allowed. */
export type Entry = NewEntry & { readonly seq: number };
export type EntryOf<K extends EntryBody['kind']> = Extract<Entry, { kind: K }>;
