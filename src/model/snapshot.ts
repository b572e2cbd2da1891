// Owns: the snapshot: all that a runtime knew after one entry, as one versioned JSON document. Read back it is checked here, and
// used as it was written: the order of its fields is compared with what is derived anew.
import { z } from 'zod';
import { outcomeSchema } from './outcome.ts';

/** Rises when older ones can no longer be read. */
export const snapshotFormat = 1;

const time = z.number();
/** No stricter than the journal is: a policy in JavaScript may want nonsense, and is refused where it is to be done. */
const intentSchema = z.looseObject({
  id: z.string(),
  policy: z.string(),
  version: z.string(),
  cause: z.number().int(),
  key: z.string(),
  want: z.looseObject({ kind: z.string() }),
});
const openIntentSchema = z.looseObject({ intent: intentSchema, seq: z.number().int(), at: time });
const cellSchema = z.looseObject({ data: z.unknown(), dueAt: time.optional(), order: z.number().optional() });

const engineSchema = z.looseObject({
  entry: z.object({ seq: z.number().int(), at: time }),
  clock: z.object({ now: time, order: z.number().int() }),
  policies: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      state: z.enum(['running', 'waiting', 'ending', 'stopped']),
      reason: z.string().optional(),
      since: time,
      settled: z.boolean(),
    }),
  ),
  versions: z.record(z.string(), z.string()),
  facts: z.looseObject({
    inventory: z.looseObject({ targets: z.record(z.string(), z.unknown()), gateways: z.record(z.string(), z.unknown()) }),
    fhrp: z.array(z.looseObject({ gateway: z.string(), target: z.string(), role: z.string(), at: time })),
    targets: z.array(z.looseObject({ target: z.string(), reachable: z.boolean(), at: time })),
    vms: z.array(z.looseObject({ uuid: z.string(), vm: z.string(), places: z.record(z.string(), z.unknown()) })),
  }),
  ledger: z.looseObject({
    decidedThrough: z.number().int(),
    open: z.array(openIntentSchema),
    doubts: z.array(z.looseObject({ intent: z.string(), resource: z.looseObject({ kind: z.string() }), deadlineMs: z.number() })),
    unknown: z.array(openIntentSchema.extend({ outcome: outcomeSchema, endedAt: time })),
  }),
  cells: z.record(
    z.string(),
    z.object({
      dropped: z.number(),
      droppedEvents: z.number(),
      cells: z.array(z.tuple([z.string(), z.string(), cellSchema])),
    }),
  ),
});

export const snapshotSchema = z.looseObject({
  format: z.literal(snapshotFormat),
  runtime: z.string(),
  /** Snapshots before this one that are still there, the oldest first: their entries. */
  older: z.array(
    z.object({ seq: z.number().int(), through: z.number().int(), at: time, digest: z.string(), unsettled: z.boolean() }),
  ),
  /** Wanted, and not yet recorded: its entries come after it. */
  derived: z.array(z.looseObject({ kind: z.enum(['intent', 'quarantine']) })),
  requests: z.looseObject({ known: z.array(z.looseObject({ request: z.string() })) }),
  engine: engineSchema,
});
