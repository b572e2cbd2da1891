import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { consumer } from './pack/package.ts';
import { installedOffboxWorks } from './pack/works.ts';

const { path } = consumer('unpacked');
installedOffboxWorks(path);

async function shipped(): Promise<readonly string[]> {
  const entries = await readdir(path('node_modules/offbox'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test('the package holds what runs, its declarations, the policies with their stories, the documents and the licence, and nothing else', async () => {
  const root = path('node_modules/offbox/');
  const names = (await shipped()).map((file) => file.slice(root.length));
  const known =
    /^(package\.json|LICENSE|README\.md|bin\/(offbox|node24|follow)\.js|policies\/.+\.(ts|txt|yaml)|docs\/[a-z-]+\.md|dist\/(src|adapters|lab|policies)\/.*\.(js|d\.ts))$/;
  expect(names.filter((name) => !known.test(name) || name.startsWith('dist/lab/real/'))).toEqual([]);
  expect(names).toEqual(
    expect.arrayContaining(['LICENSE', 'docs/stories.md', 'dist/src/index.js', 'dist/src/index.d.ts', 'dist/src/cli/offbox.js']),
  );
});

test('every file that a shipped one imports is shipped, under the name it is imported by', async () => {
  const files = new Set(await shipped());
  const missing: string[] = [];
  for (const file of [...files].filter((name) => name.endsWith('.js'))) {
    const text = await readFile(file, 'utf8');
    for (const [, fixed, dynamic] of text.matchAll(
      /^(?:import|export)\b[^'"]*['"](\.{1,2}\/[^'"]+)['"]|\bimport\(['"](\.{1,2}\/[^'"]+)['"]\)/gm,
    )) {
      const specifier = fixed ?? dynamic ?? '';
      if (!files.has(join(dirname(file), specifier))) missing.push(`${file}: ${specifier}`);
    }
  }
  expect(missing).toEqual([]);
});
