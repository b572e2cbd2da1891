// Owns: what one entry may cause in one policy, and how much of it the journal is given.
import { messageOf, OperatorError } from '../model/errors.ts';
import type { Intent } from '../model/intent.ts';
import { intentLettersMax } from '../model/limits.ts';

/** Whatever its keys: a resync of a large fabric reads some thousands of targets. */
const intentsMax = 100_000;
/** Ten operators with every key due. An operator that sets alarms for now would never end. */
const ringsMax = 1_000_000;
const reasonLettersMax = 4_096;

/** Throws where this alarm, the so many-th, is one too many. */
export function refuseRing(rung: number): void {
  if (rung > ringsMax) throw tooMany('alarms rang', ringsMax);
}

/** Throws where this intent, the so many-th, is one too many, or longer than an entry may be. */
export function refuseIntent(made: number, intent: Intent): void {
  if (made > intentsMax) throw tooMany('intents', intentsMax);
  const letters = JSON.stringify(intent).length;
  if (letters <= intentLettersMax) return;
  throw new OperatorError(`an intent of ${letters} letters`, {
    code: 'intent-too-large',
    remedy: `It has at most ${intentLettersMax}, as JSON: say less in its text, or give the policy a narrower key.`,
  });
}

/** Of what a policy has thrown, as much as is journaled. */
export const reasonOf = (thrown: unknown): string => messageOf(thrown).slice(0, reasonLettersMax);

function tooMany(what: string, most: number): OperatorError {
  return new OperatorError(`more than ${most} ${what} in one step`, {
    code: 'policy-runs-away',
    remedy: 'Look for a loop in the policy, then deploy it mended.',
  });
}
