// Owns: homes with policies for tests of what `offbox check` finds in them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { linkOffbox, linkRxjs } from '../linked.ts';

/** Makes a home with these policies and the files they import; gone when the tests of the file are over. */
export function policyHomes(): (files: Readonly<Record<string, string>>) => string {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  return (files) => {
    const home = mkdtempSync(join(tmpdir(), 'offbox-policies-'));
    folders.push(home);
    linkOffbox(home);
    linkRxjs(home);
    mkdirSync(join(home, 'policies', 'lib'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(home, 'policies', name), text);
    return home;
  };
}
