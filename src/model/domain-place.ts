// Owns: how a domain stands on its host, by what libvirtd says of its state and its job.
import type { DomainRow } from './query.ts';

/**
 * How a domain stands on a host: `here` (has come, or was always there), `coming` (paused, a migration to here is on),
 * `leaving` (a migration from here is on), `gone` (not there, or shut off by having left).
 */
export type Place = 'here' | 'coming' | 'leaving' | 'gone';

export function placeOf(row: Pick<DomainRow, 'state' | 'reason' | 'job'> | undefined): Place {
  if (!row || (row.state === 'shutoff' && row.reason === 'migrated')) return 'gone';
  if (row.job === 'migration-out') return 'leaving';
  // Measured: at its destination the job outlives the word that it runs there by some 10 ms, and in post-copy by all the rest.
  if (row.job === 'migration-in') return row.state === 'running' || row.reason === 'user' ? 'here' : 'coming';
  if (row.state === 'paused' && row.reason === 'migration') return 'coming';
  if (row.state === 'paused' && row.reason === 'postcopy') return 'leaving';
  return 'here';
}
