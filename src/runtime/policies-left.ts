// Owns: policies that ran when Offbox stopped and do not lie in the folder like that at the next start: their files are gone, or hold
// another version. What they hold they must still let go of, as one does whose file goes away or changes while Offbox runs
// (reload.ts, R3 and R4): so they are run once more, as they were, from what the journal keeps.
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

export interface Left {
  /** Their files are gone. */
  readonly gone: readonly BundledPolicy[];
  /** By name; their files hold another version. One of which there is no copy is not among them. */
  readonly edited: ReadonlyMap<string, BundledPolicy>;
  /** Names of those whose files are gone, and of which no copy is found. */
  readonly lost: readonly string[];
}

type LeftJournal = Pick<Journal, 'read' | 'ofKind' | 'tail' | 'getBlob' | 'blobs'>;

/** `present`: versions by policy. `folder`: where they lie, and what they import is looked for. */
export async function policiesLeft(journal: LeftJournal, present: ReadonlyMap<string, string>, folder: string): Promise<Left> {
  const versions = await versionsLeft(journal);
  for (const [name, version] of present) if (versions.get(name) === version) versions.delete(name);
  const gone: BundledPolicy[] = [];
  const edited = new Map<string, BundledPolicy>();
  const lost: string[] = [];
  const texts = versions.size === 0 ? new Map<string, string>() : await bundlesOf(journal, new Set(versions.values()));
  for (const [name, version] of versions) {
    const bundle = texts.get(version);
    const path = join(folder, `${name}.js`);
    if (present.has(name)) {
      if (bundle !== undefined) edited.set(name, { file: `${name} (as it ran)`, path, bundle, version });
    } else if (bundle === undefined) lost.push(name);
    else gone.push({ file: `${name} (its file is gone)`, path, bundle, version });
  }
  return { gone, edited, lost };
}

/** By policy. */
async function versionsLeft(journal: LeftJournal): Promise<Map<string, string>> {
  const { value: newest } = await snapshotEntries(journal).next();
  const versions = new Map<string, string>(Object.entries(newest?.policies ?? {}));
  for await (const batch of journal.ofKind('deploy', (newest?.through ?? 0) + 1))
    for (const { policy, version } of batch) versions.set(policy, version);
  return versions;
}

/** By version. A blob that cannot be read is none of them. */
async function bundlesOf(journal: LeftJournal, versions: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
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
