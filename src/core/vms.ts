// Owns: what the facts hold of VMs: which hypervisor has which domain, with which MACs, and the migrations that are on.
import type { DomainRow } from '../model/query.ts';

/**
 * How a domain stands on a host: `here` (has come, or was always there), `coming` (paused, a migration to here is on),
 * `leaving` (a migration from here is on), `gone` (not there, or shut off by having left).
 */
export function placeOf(row: Pick<DomainRow, 'state' | 'reason' | 'job'> | undefined): 'here' | 'coming' | 'leaving' | 'gone' {
  if (!row || (row.state === 'shutoff' && row.reason === 'migrated')) return 'gone';
  if (row.job === 'migration-out') return 'leaving';
  if (row.job === 'migration-in') return 'coming';
  if (row.state === 'paused' && row.reason === 'migration') return 'coming';
  return 'here';
}
