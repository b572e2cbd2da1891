// Which policies ran when Offbox stopped and are not there any more, told by the journal alone.
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { NewEntry } from '../../src/model/entry.ts';
import { versionOf } from '../../src/runtime/policies.ts';
import { policiesLeft } from '../../src/runtime/policies-left.ts';

const at = 1;
const bundle = (name: string): string => `// where it lay\nexport default '${name}';\n`;
const version = (name: string): string => versionOf(bundle(name));
const deploy = (policy: string, of = policy): NewEntry => ({ at, kind: 'deploy', policy, version: version(of), runtime: '1' });
const removal = (policy: string): NewEntry => ({ at, kind: 'quarantine', policy, cause: 1, reason: 'removed: its file is gone' });
const snapshot = (...names: readonly string[]): NewEntry => {
  const policies = Object.fromEntries(names.map((name) => [name, version(name)]));
  return { at, kind: 'snapshot', through: 2, digest: '0', runtime: '1', policies, unsettled: [] };
};

async function journalOf(entries: readonly NewEntry[], bundles: readonly string[]) {
  const journal = memoryJournal();
  await journal.putBlob(zstdCompressSync(Buffer.from('{}')));
  for (const name of bundles) await journal.putBlob(Buffer.from(bundle(name)));
  await journal.append(entries, { lastSeq: 0, epoch: 1 });
  return journal;
}

const found = async (entries: readonly NewEntry[], bundles: readonly string[], present: readonly string[] = []) => {
  const versions = new Map(present.map((name) => [name, version(name)]));
  const { gone, lost } = await policiesLeft(await journalOf(entries, bundles), versions, '/etc/offbox/policies');
  return { gone: gone.map((one) => [one.file, one.path, one.bundle, one.version]), lost };
};
const run = (name: string, of = name) => [
  `${name} (its file is gone)`,
  `/etc/offbox/policies/${name}.js`,
  bundle(of),
  version(of),
];

test('where no entry tells of one, or all are there, none is gone', async () => {
  expect(await found([], ['a'])).toEqual({ gone: [], lost: [] });
  expect(await found([deploy('a'), deploy('b')], ['a', 'b'], ['b', 'a'])).toEqual({ gone: [], lost: [] });
});

test('one that was deployed is run as it was deployed last', async () => {
  const entries = [deploy('a'), deploy('b'), deploy('a', 'a2')];
  expect(await found(entries, ['a', 'b', 'a2'], ['b'])).toEqual({ gone: [run('a', 'a2')], lost: [] });
});

test('the newest snapshot names those whose deploy entries are older, and none that it leaves out', async () => {
  const entries = [deploy('old'), deploy('over'), snapshot('old', 'a'), deploy('b')];
  const bundles = ['old', 'over', 'a', 'b'];
  expect(await found(entries, bundles, ['b'])).toEqual({ gone: [run('old'), run('a')], lost: [] });
});

test('one that was removed since may not have let go yet', async () => {
  expect(await found([deploy('x'), deploy('y'), snapshot('a'), removal('a')], ['a'])).toEqual({ gone: [run('a')], lost: [] });
});

test('one of which there is no bundle is lost, and named', async () => {
  expect(await found([deploy('a'), deploy('b')], ['b'])).toEqual({ gone: [run('b')], lost: ['a'] });
});

test('one whose file holds another version is told as it ran, where there is a copy', async () => {
  const journal = await journalOf([deploy('a'), deploy('b', 'b1'), deploy('c')], ['a', 'b1']);
  const present = new Map([
    ['a', version('a')],
    ['b', version('b2')],
    ['c', version('c2')],
  ]);
  const { gone, edited, lost } = await policiesLeft(journal, present, '/etc/offbox/policies');
  expect([...edited]).toEqual([
    ['b', { file: 'b (as it ran)', path: '/etc/offbox/policies/b.js', bundle: bundle('b1'), version: version('b1') }],
  ]);
  expect({ gone, lost }).toEqual({ gone: [], lost: [] });
});
