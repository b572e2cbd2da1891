// Owns: what an operator may answer for an intent of which nobody can tell what became.
import { z } from 'zod';

/** `done`: it is as it was wanted. `failed`: it is not, and is left so. `again`: it is done again, through state and rails. */
export const answerSchema = z.enum(['done', 'failed', 'again']);
export type Answer = z.infer<typeof answerSchema>;
