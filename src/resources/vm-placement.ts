// Owns: the resource vm-placement: a VM is on the hypervisor it shall be on. `target` is the one it leaves: there the
// migration is started, peer-to-peer, and there it can be aborted.
import { z } from 'zod';
import type { Verdict } from './verdict.ts';

export const vmPlacementSchema = z.strictObject({
  kind: z.literal('vm-placement'),
  target: z.string(),
  uuid: z.string(),
  vm: z.string(),
  to: z.string(),
  /** Where the source reaches the destination: `qemu+tls://kvm2/system`. */
  uri: z.string(),
  bandwidthMiBs: z.number().int().optional(),
  postCopy: z.boolean().optional(),
});

export const vmPlacementStateSchema = z.strictObject({
  /** On the source: `here`, `leaving` (a migration is on), `gone`. */
  place: z.enum(['here', 'leaving', 'gone']),
  progress: z.strictObject({ processed: z.number(), total: z.number() }).optional(),
  /** Why the last migration from here ended, where it failed. */
  failure: z.string().optional(),
});

export type VmPlacement = z.infer<typeof vmPlacementSchema>;
export type VmPlacementState = z.infer<typeof vmPlacementStateSchema>;

/** Absent: no migration from the source is on. */
export function verifyVmPlacement(
  state: VmPlacementState,
  { vm, to, target }: VmPlacement,
  desired: 'present' | 'absent' = 'present',
): Verdict {
  if (desired === 'absent' && state.place !== 'leaving') return { effective: true };
  if (state.place === 'gone') return { effective: true };
  if (state.place === 'leaving') return { effective: false, missing: `${vm} is on its way from ${target} to ${to}.` };
  if (state.failure === undefined) return { effective: false, missing: `${vm} is still on ${target}: no migration is on.` };
  return { effective: false, missing: `${vm} is still on ${target}: ${state.failure}.`, final: true };
}

/** A migration is begun once: back where it was, and with none on, it has failed, whoever heard why. */
export function abandonedVmPlacement(
  { place, failure }: VmPlacementState,
  { vm, target }: VmPlacement,
  desired: 'present' | 'absent',
): string | undefined {
  if (desired === 'absent' || place !== 'here') return undefined;
  return `${vm} is still on ${target}: ${failure ?? 'the migration that was begun is over, and nobody heard why. Look at its libvirtd, and ask again'}.`;
}

export function describeVmPlacement({ place, progress, failure }: VmPlacementState): string {
  const share = progress && progress.total > 0 ? ` (${Math.round((100 * progress.processed) / progress.total)} %)` : '';
  return place === 'gone'
    ? 'gone from the source'
    : place === 'leaving'
      ? `leaving${share}`
      : `here${failure ? `: ${failure}` : ''}`;
}
