// One deliberate breach of every rule, and what looks like one and is none.
import { expect, test } from 'vitest';
import { bans } from './bans.ts';
import { layers } from './layers.ts';
import { sourceOf } from './source.ts';
import { breachesOf } from './tidy.ts';

const head = '// Owns: a breach.\n';
const found = (path: string, text: string) => breachesOf(sourceOf(path, text)).map((each) => `${each.rule}:${each.line}`);

/** [what it breaks, path, text, the rule and line that must say so] */
const breaches: readonly (readonly [string, string, string, string])[] = [
  ['model imports a port', 'src/model/a.ts', `${head}import { x } from '../ports/wall.ts';\n`, 'import:2'],
  ['model imports a builtin', 'src/model/a.ts', `${head}import { x } from 'node:fs';\n`, 'import:2'],
  ['resources import the core', 'src/resources/a.ts', `${head}export * from '../core/engine.ts';\n`, 'import:2'],
  ['a port imports the runtime', 'src/ports/a.ts', `${head}import type { x } from '../runtime/wall.ts';\n`, 'import:2'],
  ['the core imports a port', 'src/core/a.ts', `${head}import type { x } from '../ports/wall.ts';\n`, 'import:2'],
  ['the core imports zod', 'src/core/a.ts', `${head}import { z } from 'zod';\n`, 'import:2'],
  ['the core names a type of the runtime', 'src/core/a.ts', `${head}type X = import('../runtime/wall.ts').X;\n`, 'import:2'],
  ['the authors get the runtime', 'src/index.ts', `${head}export { x } from './runtime/wall.ts';\n`, 'import:2'],
  ['the runtime imports an adapter', 'src/runtime/a.ts', `${head}import { x } from '../../adapters/a/index.ts';\n`, 'import:2'],
  ['the runtime loads an adapter', 'src/runtime/a.ts', `${head}void import('../../adapters/a/index.ts');\n`, 'import:2'],
  ['the runtime imports a development package', 'src/runtime/a.ts', `${head}import { x } from 'fast-check';\n`, 'import:2'],
  [
    'testing imports another adapter',
    'src/testing/a.ts',
    `${head}import '../../adapters/journal-sqlite/index.ts';\n`,
    'import:2',
  ],
  ['main imports the command line', 'src/main.ts', `${head}import { x } from './cli/offbox.ts';\n`, 'import:2'],
  ['the command line imports an adapter', 'src/cli/a.ts', `${head}import { x } from '../../adapters/a/index.ts';\n`, 'import:2'],
  ['a platform opens a socket', 'adapters/platforms/frr/a.ts', `${head}import { x } from 'node:net';\n`, 'import:2'],
  ['a source imports a source', 'adapters/source-a/a.ts', `${head}import { x } from '../source-b/index.ts';\n`, 'import:2'],
  ['an actuator imports the core', 'adapters/actuator-a/a.ts', `${head}import { x } from '../../src/core/a.ts';\n`, 'import:2'],
  ['a journal imports a platform', 'adapters/journal-a/a.ts', `${head}import '../platforms/frr/index.ts';\n`, 'import:2'],
  ['a policy imports the source', 'policies/a.ts', `import { x } from '../src/index.ts';\nexport default x;\n`, 'import:1'],
  ['a policy imports rxjs', 'policies/a.ts', `import { x } from 'rxjs';\nexport default x;\n`, 'import:1'],
  ['the lab imports the runtime', 'lab/a.ts', `${head}import { x } from '../src/runtime/wall.ts';\n`, 'import:2'],
  ['a folder nobody knows', 'scripts/a.ts', 'export {};\n', 'folder:1'],

  ['the core reads the clock', 'src/core/a.ts', `${head}export const now = () => Date.now();\n`, 'name:2'],
  ['the core knows the type Date', 'src/core/a.ts', `${head}export type Now = Date;\n`, 'name:2'],
  ['an adapter sets a timer', 'adapters/source-a/a.ts', `${head}setTimeout(() => {}, 1);\n`, 'name:2'],
  ['a timer through globalThis', 'src/runtime/a.ts', `${head}globalThis['setInterval'](() => {}, 1);\n`, 'name:2'],
  ['a timer handed on', 'src/runtime/a.ts', `${head}export const later = { setImmediate };\n`, 'name:2'],
  ['a timer in a signal', 'src/runtime/a.ts', `${head}export const signal = AbortSignal.timeout(5);\n`, 'name:2'],
  ['a span from performance', 'src/runtime/a.ts', `${head}export const t = performance.now();\n`, 'name:2'],
  ['a span from hrtime', 'adapters/a/a.ts', `${head}export const t = process.hrtime.bigint();\n`, 'name:2'],
  ['chance in the core', 'src/core/a.ts', `${head}export const n = Math.random();\n`, 'name:2'],
  ['chance in a policy', 'policies/a.ts', 'export default crypto.randomUUID();\n', 'name:1'],
  ['the process in a policy', 'policies/a.ts', 'export default process.env.X;\n', 'name:1'],
  ['a promise in the core', 'src/core/a.ts', `${head}export const p: Promise<void> = f();\n`, 'name:2'],
  ['console in an adapter', 'adapters/a/a.ts', `${head}console.log(1);\n`, 'name:2'],
  ['timers by import', 'adapters/a/a.ts', `${head}import { setTimeout } from 'node:timers/promises';\n`, 'module:2'],
  ['perf_hooks by import', 'src/runtime/a.ts', `${head}import { performance } from 'node:perf_hooks';\n`, 'module:2'],
  ['the wall scheduler of RxJS', 'src/core/a.ts', `${head}import { asyncScheduler } from 'rxjs';\n`, 'rxjs:2'],
  ['a timed operator for authors', 'src/index.ts', `${head}export { debounceTime as settle } from 'rxjs';\n`, 'rxjs:2'],
  ['async in the core', 'src/core/a.ts', `${head}export const f = async () => 1;\n`, 'synchronous:2'],
  ['await in a policy', 'policies/a.ts', 'const x = await 1;\nexport default x;\n', 'synchronous:1'],
  ['for await in the core', 'src/core/a.ts', `${head}for await (const x of y) x();\n`, 'synchronous:2'],

  ['a long file', 'test/a.ts', 'void 1;\n'.repeat(501), 'file-size:501'],
  ['a long function', 'lab/a.ts', `${head}function f() {\n${'  f();\n'.repeat(69)}}\n`, 'function-size:2'],
  ['a long test', 'test/a.test.ts', `test('x', () => {\n${'  f();\n'.repeat(69)}});\n`, 'function-size:1'],
  ['no head', 'adapters/a/a.ts', 'export {};\n', 'head:1'],
  ['a head that is not first', 'lab/a.ts', `\n${head}`, 'head:1'],
  ['camel case in a name', 'src/model/interfaceName.ts', head, 'file-name:1'],
  ['a backup', 'src/model/event.ts.orig', '', 'leftover:1'],
  ['a default export', 'src/cli/a.ts', `${head}export default 1;\n`, 'default-export:2'],
  ['a default export by name', 'bench/a.ts', `${head}const a = 1;\nexport { a as default };\n`, 'default-export:3'],
  ['a policy file without a policy', 'policies/a.ts', 'export const x = 1;\n', 'policy-export:1'],
  ['an enum', 'test/a.ts', 'enum A { b }\n', 'construct:1'],
  ['any', 'test/a.ts', 'let x: any[];\n', 'construct:1'],
  ['a namespace', 'test/a.ts', 'namespace A { export const b = 1; }\n', 'construct:1'],
  ['a parameter property', 'test/a.ts', 'class A { constructor(private b: number) {} }\n', 'construct:1'],
  ['a debugger statement', 'test/a.ts', 'debugger;\n', 'construct:1'],
  ['a focused test', 'test/a.test.ts', "test.only('x', () => {});\n", 'focus:1'],
  ['unfinished work', 'test/a.ts', `/*\n * ${'TO'}DO: more\n */\n`, 'unfinished:2'],
  ['unfinished work in a document', 'docs/a.md', `# A\n\n${'FIX'}ME later\n`, 'unfinished:3'],
  ['a merge conflict', 'docs/a.md', `# A\n${'<'.repeat(7)} HEAD\n`, 'merge:2'],
  ['no title', 'docs/a.md', '## A\n', 'title:1'],
  ['two titles', 'docs/a.md', '# A\n\n# B\n', 'title:3'],
];

test.each(breaches)('%s is found', (_, path, text, expected) => {
  expect(found(path, text)).toContain(expected);
});

test('every rule has a breach that it finds', () => {
  const proven = new Set(breaches.flatMap(([, path, text]) => found(path, text)).map((each) => each.split(':')[0]!));
  expect([...proven].sort().join(' ')).toBe(
    'construct default-export file-name file-size focus folder function-size head import leftover merge module name ' +
      'policy-export rxjs synchronous title unfinished',
  );
});

test('every banned name is found wherever it is banned', () => {
  const samples = ['src/core/a.ts', 'src/runtime/a.ts', 'adapters/a/a.ts', 'policies/a.ts', 'src/index.ts'];
  for (const { names, files } of bans) {
    for (const path of samples.filter((each) => files.test(each))) {
      for (const name of names) expect(found(path, `${head}void ${name};\n`), `${name} in ${path}`).toContain('name:2');
    }
  }
});

test('every layer but test and bench refuses something', () => {
  for (const layer of layers.filter(({ files }) => !files.test('test/a.ts'))) {
    expect(layer.ours.test('test/a.ts'), String(layer.files)).toBe(false);
  }
});

test.each([
  [
    'a banned word in a string, a comment, a key or a member',
    "x.Date = { Date: 'Date', any: 1 }; // Date.now()\ny.setTimeout(1);",
  ],
  ['a name of its own', 'const performance = { now: () => 1 };\nperformance.now();\nexport const f = (Date: number) => Date;'],
  ['a template', 'export const x = `Date setTimeout()`;'],
  ['a regular expression', 'export const x = /Date|setTimeout(any)/;'],
])('%s is no breach', (_, text) => {
  expect(found('src/core/a.ts', `${head}${text}\n`)).toEqual([]);
});

test.each([
  ['the wall may have timers', 'src/runtime/wall.ts', `${head}import { setTimeout } from 'node:timers/promises';\nDate.now();\n`],
  ['the command line may print', 'src/cli/a.ts', `${head}console.log(1);\n`],
  ['an adapter may use its own folder', 'adapters/source-a/a.ts', `${head}import { x } from './wire.ts';\n`],
  ['a source may use a platform', 'adapters/source-a/a.ts', `${head}import { x } from '../platforms/index.ts';\n`],
  ['stories may use the memory journal', 'src/testing/a.ts', `${head}import '../../adapters/journal-memory/index.ts';\n`],
  ['a long suite is a table', 'test/a.test.ts', `describe('x', () => {\n${'  f();\n'.repeat(90)}});\n`],
  ['a function of 70 lines is fine', 'test/a.ts', `function f() {\n${'  f();\n'.repeat(68)}}\n`],
  ['a file of 500 lines is fine', 'test/a.ts', 'void 1;\n'.repeat(500)],
  ['a heading in a code block is none', 'docs/a.md', '# A\n\n```sh\n# comment\n```\n'],
  ['a policy exports its policy', 'policies/a.ts', "import { policy } from 'offbox';\nexport default policy({});\n"],
])('%s', (_, path, text) => {
  expect(found(path, text)).toEqual([]);
});

test('a breach is told with what to use instead', () => {
  const told = breachesOf(sourceOf('src/runtime/a.ts', `${head}\nsetTimeout(f, 1);\n`));
  expect(told).toEqual([
    { rule: 'name', line: 3, text: 'setTimeout is banned here, use the Wall handed in (src/ports/wall.ts)' },
  ]);
});

test('a file that does not parse is named', () => {
  expect(() => sourceOf('src/model/a.ts', 'const = 1')).toThrow('src/model/a.ts: Unexpected token');
});
