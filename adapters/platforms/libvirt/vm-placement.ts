// Owns: the placement of a VM under libvirt: read on the source, started there peer-to-peer, aborted there.
import { placeOf } from '../../../src/model/domain-place.ts';
import { type DomainRow, domainRowSchema } from '../../../src/model/query.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import type { ResourceDriver } from '../../../src/ports/platform.ts';
import {
  abandonedVmPlacement,
  describeVmPlacement,
  type VmPlacement,
  type VmPlacementState,
  verifyVmPlacement,
} from '../../../src/resources/vm-placement.ts';
import { askLibvirt } from './queries.ts';

export const libvirtVmPlacement: ResourceDriver<VmPlacement, VmPlacementState> = {
  *read({ uuid }) {
    const [row] = yield* askLibvirt('domains', uuid, domainRowSchema.array());
    return stateOf(row);
  },
  plan({ place }, { uuid, uri, bandwidthMiBs, postCopy = false }, desired): readonly Command[] {
    if (desired === 'absent') return place === 'leaving' ? [{ kind: 'abort-job', uuid }] : [];
    if (place !== 'here') return [];
    const limit = bandwidthMiBs === undefined ? {} : { bandwidthMiBs };
    return [{ kind: 'migrate', uuid, uri, options: { ...limit, autoConverge: true, postCopy, persistent: true } }];
  },
  verify: verifyVmPlacement,
  abandoned: abandonedVmPlacement,
  describe: describeVmPlacement,
  /** Until libvirtd has connected to the other one, or has found that it cannot: TCP alone takes 20 s to give up. */
  applyDeadlineMs: 30_000,
  /** 256 GB at 1 Gbit/s take 35 minutes, and a busy guest sends much of it twice. */
  verifyDeadlineMs: 2 * 3_600_000,
};

function stateOf(row: DomainRow | undefined): VmPlacementState {
  const place = placeOf(row);
  if (!row || place === 'gone') return { place: 'gone' };
  // Paused for the switch-over is also who is about to leave: it may still come back.
  const leaves = place === 'leaving' || (place === 'coming' && row.job !== 'migration-in');
  if (leaves) return { place: 'leaving', ...(row.progress ? { progress: row.progress } : {}) };
  return { place: 'here', ...(row.failure ? { failure: row.failure } : {}) };
}
