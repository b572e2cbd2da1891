// Owns: the resource violation-mode: what port security does on a violation at one port. A place with a value: while a VM
// migrates it may be held at `restrict`, for `shutdown` trips on the first frame from the new port.
import { z } from 'zod';
import type { Verdict } from './verdict.ts';

export const violationModeSchema = z.strictObject({
  kind: z.literal('violation-mode'),
  target: z.string(),
  interface: z.string(),
  mode: z.enum(['shutdown', 'restrict', 'protect']),
});

export const violationModeStateSchema = z.strictObject({
  mode: z.enum(['shutdown', 'restrict', 'protect']),
  enabled: z.boolean(),
});

export type ViolationMode = z.infer<typeof violationModeSchema>;
export type ViolationModeState = z.infer<typeof violationModeStateSchema>;

/** `shutdown` is what a port has without a word: wanting another absent is wanting that. */
export function verifyViolationMode(state: ViolationModeState, { mode }: ViolationMode, desired: 'present' | 'absent'): Verdict {
  if ((state.mode === mode) === (desired === 'present')) return { effective: true };
  return { effective: false, missing: `The violation mode is ${state.mode}.` };
}

export function describeViolationMode({ mode, enabled }: ViolationModeState): string {
  return `violation ${mode}${enabled ? '' : ', port security off'}`;
}
