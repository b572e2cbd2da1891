// The types are what an author sees of a mistake first: the compiler is asked, and asked again with every expectation
// struck out, which must then be an error where it stood and nowhere else.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const compilerMs = 120_000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offbox-types-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('policy.types.ts', () => {
  test('compiles: what is right is taken, what is wrong is refused', { timeout: compilerMs }, async () => {
    expect(await errorsOf(await source())).toEqual([]);
  });

  test('would not compile without any one of its expectations', { timeout: compilerMs }, async () => {
    const lines = (await source()).split('\n');
    const expected = lines.flatMap((line, index) => (line.includes('// @ts-expect-error') ? [index + 2] : []));
    const errors = await errorsOf(lines.map((line) => line.replace('@ts-expect-error', '')).join('\n'));
    expect(expected.length).toBeGreaterThan(35);
    expect([...new Set(errors.map(({ line }) => line))].sort((a, b) => a - b)).toEqual(expected);
  });
});

const source = () => readFile(join(import.meta.dirname, 'policy.types.ts'), 'utf8');

/** Compiles the text as a file of its own, outside the checkout, with `offbox` as authors get it. */
async function errorsOf(text: string): Promise<readonly { readonly line: number; readonly text: string }[]> {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'policy.types.ts'), text);
  const compilerOptions = {
    paths: {
      offbox: [join(root, 'src/index.ts')],
      rxjs: [join(root, 'node_modules/rxjs')],
      zod: [join(root, 'node_modules/zod')],
    },
    typeRoots: [join(root, 'node_modules/@types')],
  };
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files: ['policy.types.ts'] }),
  );
  const output = await new Promise<string>((resolve) => {
    const args = [join(root, 'bin/run.js'), 'tsc', '--noEmit', '--pretty', 'false', '-p', folder];
    execFile(process.execPath, args, { timeout: compilerMs }, (error, stdout, stderr) =>
      resolve(`${stdout}${stderr}${error?.code === 'ENOENT' ? error : ''}`),
    );
  });
  return output
    .split('\n')
    .filter((line) => /\S/.test(line) && !line.startsWith(' '))
    .map((line) => ({ line: Number(/policy\.types\.ts\((\d+),/.exec(line)?.[1]), text: line }));
}
