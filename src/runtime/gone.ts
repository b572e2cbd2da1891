// Owns: policies that ran when Offbox stopped and whose files are gone at the next start. What they hold they must still let go of, as one
// does whose file goes away while Offbox runs (reload.ts, R3): so they are run once more, as they were, from what the journal keeps.
//
// G1. Which ones they are is told by the newest snapshot's entry and the deploy entries after it; one that was removed before, and is
//     still letting go, is among them. That costs a start what finding its newest snapshot costs.
// G2. Their bundles are found by their versions: a bundle is kept for as long as the journal is, its deploy entry may have been trimmed.
import { join } from 'node:path';
import type { Journal } from '../ports/journal.ts';
import type { BundledPolicy } from './apart/messages.ts';
import { versionOf } from './policies.ts';
import { snapshotEntries } from './snapshots.ts';
import { isSnapshot } from './unnamed-blobs.ts';

export interface Gone {
  readonly bundles: readonly BundledPolicy[];
  /** Names of those of which no bundle is found. */
  readonly lost: readonly string[];
}

type GoneJournal = Pick<Journal, 'read' | 'ofKind' | 'tail' | 'getBlob' | 'blobs'>;

/** Those that are not among `present`. `folder`: where the others lie, and what they import is looked for. */
export async function gonePolicies(journal: GoneJournal, present: ReadonlySet<string>, folder: string): Promise<Gone> {
  const versions = await versionsLeft(journal);
  for (const name of present) versions.delete(name);
  if (versions.size === 0) return { bundles: [], lost: [] };
  const texts = await bundlesOf(journal, new Set(versions.values()));
  const bundles: BundledPolicy[] = [];
  const lost: string[] = [];
  for (const [name, version] of versions) {
    const bundle = texts.get(version);
    if (bundle === undefined) lost.push(name);
    else bundles.push({ file: `${name} (its file is gone)`, path: join(folder, `${name}.js`), bundle, version });
  }
  return { bundles, lost };
}

/** By policy. */
async function versionsLeft(journal: GoneJournal): Promise<Map<string, string>> {
  const { value: newest } = await snapshotEntries(journal).next();
  const versions = new Map<string, string>(Object.entries(newest?.policies ?? {}));
  for await (const batch of journal.ofKind('deploy', (newest?.through ?? 0) + 1))
    for (const { policy, version } of batch) versions.set(policy, version);
  return versions;
}

/** By version. A blob that cannot be read is none of them. */
async function bundlesOf(journal: GoneJournal, versions: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const digest of await journal.blobs()) {
    if (found.size === versions.size) break;
    const blob = await journal.getBlob(digest).catch(() => undefined);
    if (blob === undefined || isSnapshot(blob)) continue;
    const bundle = Buffer.from(blob).toString();
    const version = versionOf(bundle);
    if (versions.has(version)) found.set(version, bundle);
  }
  return found;
}
