import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type JournalReader, readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { Engine } from '../../src/core/engine.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import type { Entry } from '../../src/model/entry.ts';
import { loadBundle } from '../../src/runtime/policies.ts';
import { recover } from '../../src/runtime/recovery.ts';

const releases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((each) => each.isDirectory());

/** A folder of this package, so that what a bundle imports from `offbox` is today's. */
function scratch(): string {
  const parent = join(import.meta.dirname, '..', '..', '.offbox');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'journals-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function entriesOf(journal: JournalReader): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of journal.read(0)) entries.push(...batch);
  return entries;
}

/** The versions last deployed, from the bundles that the journal keeps. */
async function pinned(journal: JournalReader, entries: readonly Entry[], folder: string): Promise<readonly DeployedPolicy[]> {
  const deploys = new Map(entries.flatMap((entry) => (entry.kind === 'deploy' ? [[entry.policy, entry] as const] : [])));
  return Promise.all(
    [...deploys.values()].map(async ({ version, bundle }) => {
      const bytes = await journal.getBlob(bundle!);
      return loadBundle(Buffer.from(bytes!).toString('utf8'), version, folder);
    }),
  );
}

describe('the journal of every release', () => {
  test('is there for one at least', () => expect(releases.length).toBeGreaterThan(0));

  test.each(releases.map(({ name }) => name))('of %s gives today the intents that it recorded', async (release) => {
    const file = join(import.meta.dirname, release, 'journal.sqlite');
    expect(statSync(file).size).toBeLessThan(300_000);
    const folder = scratch();
    const path = join(folder, 'journal.sqlite');
    copyFileSync(file, path);
    const journal = await readSqliteJournal({ path });
    const entries = await entriesOf(journal);
    const policies = await pinned(journal, entries, folder);

    const recovered = await recover({ engine: new Engine(policies), policies, journal });
    expect(recovered).toMatchObject({ entries: entries.length, divergences: [], faults: [], intents: [] });

    const engine = new Engine(policies);
    const derived = entries.flatMap((entry) => engine.step(entry).intents);
    const recorded = entries.flatMap((entry) => (entry.kind === 'intent' ? [entry.intent] : []));
    expect(recorded.length).toBeGreaterThan(40);
    expect(derived).toEqual(recorded);
    await journal.close();
  });

  test('of no release is read in vain: another version of a policy derives something else', async () => {
    const folder = scratch();
    const path = join(folder, 'journal.sqlite');
    copyFileSync(join(import.meta.dirname, releases[0]!.name, 'journal.sqlite'), path);
    const journal = await readSqliteJournal({ path });
    const policies = await pinned(journal, await entriesOf(journal), folder);
    const [first, ...others] = policies.filter(({ policy }) => policy.ensure);
    const silent = { ...first!, policy: { ...first!.policy, ensure: () => [] } };
    const rest = policies.filter(({ policy }) => policy.name !== first!.policy.name);
    expect(others.length + rest.length).toBeGreaterThan(0);
    const changed = [silent, ...rest];
    const recovered = await recover({ engine: new Engine(changed), policies: changed, journal });
    expect(recovered.divergences.map(({ policy }) => policy)).toEqual([first!.policy.name]);
    await journal.close();
  });
});
