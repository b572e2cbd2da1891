// Owns: the outcome, what became of an intent, with the evidence.
import { z } from 'zod';

/**
 * - `already`: it was so, nothing was sent.        - `done`: applied and verified effective.
 * - `refused`: the target or the request makes it impossible or ambiguous; a person must look.
 * - `held`: cannot be done now (unreachable, a rail); asked again later, open until then.
 * - `rejected`: the state read does not carry it.  - `failed`: tried, not effective or refused by the device.
 * - `superseded`: a newer intent took its place.   - `expired`: older than it may be.
 * - `unknown`: sent, and nothing can tell what became of it.
 */
export const outcomeKindSchema = z.enum([
  'already',
  'done',
  'refused',
  'held',
  'rejected',
  'failed',
  'superseded',
  'expired',
  'unknown',
]);

export const outcomeSchema = z.object({
  kind: outcomeKindSchema,
  /** One sentence, with the remedy where there is one. */
  reason: z.string().optional(),
  /** Held by a mode: nothing stands against it but that it may not. */
  withheld: z.boolean().optional(),
  /** Sent and received, redacted; 64 kB at most, then cut with its digest. */
  evidence: z.array(z.string()).optional(),
  /** Milliseconds by part: `read`, `apply`, `verify`. */
  tookMs: z.record(z.string(), z.number()).optional(),
});

export type OutcomeKind = z.infer<typeof outcomeKindSchema>;
export type Outcome = z.infer<typeof outcomeSchema>;

/** Whether the intent is over: a `held` one is not. */
export function isFinal(kind: OutcomeKind): boolean {
  return kind !== 'held';
}
