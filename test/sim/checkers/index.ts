// Owns: the list of checkers. Each judges a finished world by one property, and knows nothing of the others.
import type { Finished } from '../simulate.ts';
import { acknowledgedIsKept } from './acknowledged-is-kept.ts';
import { attemptBeforeWrite } from './attempt-before-write.ts';
import { boundedMemory } from './bounded-memory.ts';
import { converged } from './converged.ts';
import { forgetsRightly } from './forgets-rightly.ts';
import { neverTwoWriters } from './never-two-writers.ts';
import { nothingTwice } from './nothing-twice.ts';
import { outcomesAreTrue } from './outcomes-are-true.ts';
import { requestsAreAnswered } from './requests-are-answered.ts';
import { sameIntents } from './same-intents.ts';

/** Returns what is wrong, a sentence each; nothing where the property holds. */
export type Checker = (finished: Finished) => readonly string[] | Promise<readonly string[]>;

export const checkers: Readonly<Record<string, Checker>> = {
  acknowledgedIsKept,
  nothingTwice,
  attemptBeforeWrite,
  outcomesAreTrue,
  sameIntents,
  converged,
  boundedMemory,
  neverTwoWriters,
  forgetsRightly,
  requestsAreAnswered,
};
