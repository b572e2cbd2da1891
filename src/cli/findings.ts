// Owns: what a check finds, as people read it, and the type check of policies.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Finding } from '../runtime/check-policies.ts';

export function findingText({ path, line, column, text }: Finding): string {
  const place = [path === undefined ? undefined : relative(process.cwd(), path), line, column]
    .filter((part) => part !== undefined)
    .join(':');
  return place ? `${place}: ${text}` : text;
}

/** Type errors of these files, and of what they import of their folder: TypeScript 7 as a process, with the strict options of ours. */
export async function typeErrors(folder: string, files: readonly string[]): Promise<readonly Finding[]> {
  if (files.length === 0) return [];
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const conditions = process.execArgv.includes('--conditions=offbox-source')
    ? ['--customConditions', 'offbox-source', '--allowImportingTsExtensions']
    : [];
  const flags = [
    '--noEmit',
    '--pretty',
    'false',
    '--ignoreConfig',
    '--strict',
    '--noUncheckedIndexedAccess',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--skipLibCheck',
    '--erasableSyntaxOnly',
    '--types',
    '',
  ];
  const printed = await new Promise<string>((done) => {
    execFile(
      process.execPath,
      [tsc, ...flags, ...conditions, ...files],
      { timeout: 120_000, maxBuffer: 8 * 1024 * 1024 },
      (_error, stdout, stderr) => done(stdout + stderr),
    );
  });
  const form = /^(.+?)\((\d+),(\d+)\): error TS\d+: (.*)$/;
  // Errors elsewhere are not the policies': the checkout's own sources are checked with options of their own.
  return printed.split('\n').flatMap((line) => {
    const match = form.exec(line);
    if (!match) return /^error /.test(line) ? [{ text: line }] : [];
    const [, file = '', at, column, text = ''] = match;
    const path = resolve(file);
    return path.startsWith(folder + sep) ? [{ path, line: Number(at), column: Number(column), text }] : [];
  });
}
