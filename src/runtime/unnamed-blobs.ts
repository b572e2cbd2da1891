// Owns: forgetting, once at start, snapshots that no entry names: the process died between a blob and its entry (T2), or the entry
// has been trimmed and a later start knew nothing of the blob.
//
// U1. What is there is listed BEFORE anything new can be stored: a blob whose entry is still to come is never among it.
// U2. A bundle is never touched, nor what any entry names. Where entries cannot be read nothing is deleted.
import type { Journal } from '../ports/journal.ts';
import type { KeptSnapshot } from './snapshots.ts';

type Blobs = Pick<Journal, 'getBlob' | 'deleteBlob' | 'ofKind'>;

/** A snapshot is a Zstandard frame (its magic number, RFC 8878 section 3.1.1); a bundle is text. */
const frameMagic = 0xfd2fb528;

/** Deletes those of `listed` that are snapshots and stand in no entry. Reads entries, all of them, only where there may be one. */
export async function forgetUnnamed(
  journal: Blobs,
  listed: readonly string[],
  kept: readonly KeptSnapshot[],
  stop: AbortSignal,
): Promise<void> {
  const unnamed = new Set(listed);
  for (const { digest } of kept) unnamed.delete(digest);
  for (const digest of [...unnamed]) {
    if (stop.aborted) return;
    if (!(await mayBeSnapshot(journal, digest))) unnamed.delete(digest);
  }
  for (const kind of ['snapshot', 'deploy'] as const) {
    if (unnamed.size === 0) return;
    for await (const batch of journal.ofKind(kind, 0)) {
      if (stop.aborted) return;
      for (const entry of batch) unnamed.delete(entry.kind === 'deploy' ? (entry.bundle ?? '') : entry.digest);
    }
  }
  for (const digest of unnamed) if (!stop.aborted) await journal.deleteBlob(digest);
}

/** What cannot be read, or is too short to tell, may be anything: entries tell. */
async function mayBeSnapshot(journal: Blobs, digest: string): Promise<boolean> {
  const blob = await journal.getBlob(digest).catch(() => undefined);
  return blob === undefined || blob.length < 4 || isSnapshot(blob);
}

/** Rather than a bundle. */
export function isSnapshot(blob: Uint8Array): boolean {
  return blob.length >= 4 && new DataView(blob.buffer, blob.byteOffset, blob.length).getUint32(0, true) === frameMagic;
}
