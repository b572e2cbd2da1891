// What `offbox check` says of a policy that remembers outside of operators, form by form; and the forms that remember nothing.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { checkMemory } from '../../src/runtime/check-memory.ts';
import { loadPolicies } from '../../src/runtime/policies.ts';
import { runOffbox } from '../cli/offbox.ts';
import { policyHomes } from './policy-home.ts';

const homeOf = policyHomes();

/** What is found, as `file:line:column text`. */
async function found(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = join(homeOf(files), 'policies');
  const findings = await checkMemory(await loadPolicies(folder));
  return findings.map(({ path, line, column, text }) => `${relative(folder, path ?? '')}:${line}:${column} ${text}`);
}

const imports = `import { exclusive, filter, map, merge, mergeMap, of, policy, syslog } from 'offbox';
import { concatMap, defer, exhaustMap, from, switchMap, tap } from 'rxjs';
import * as rx from 'rxjs';
`;

interface Form {
  readonly top?: string;
  /** The body of `pipe: (events, tools) => { … }`, from line 6 on where there is no `top` of several lines. */
  readonly pipe?: string;
  readonly policy?: string;
}

const written = (name: string, { top = '', pipe = 'return events;', policy }: Form): string =>
  `${imports}${top}
export default policy({ name: '${name}', on: syslog(), ${policy ?? `pipe: (events, tools) => {\n${pipe}\n}`} });
`;

const each = (forms: Readonly<Record<string, Form>>) =>
  Object.fromEntries(
    Object.entries(forms).map(([what, form], index) => [`p${index}.ts`, { what, text: written(`p${index}`, form) }]),
  );

const remembering: Readonly<Record<string, Form>> = {
  'a count of the pipe': { pipe: 'let kept = 0;\nreturn events.pipe(map((e) => { kept += 1; return kept; }));' },
  'a count of the file': { top: 'let kept = 0;', pipe: 'return events.pipe(filter(() => ++kept > 3));' },
  'a count after its use': { top: 'let kept = 0;', pipe: 'return events.pipe(filter(() => kept++ > 3));' },
  'the last event': { pipe: 'let kept;\nreturn events.pipe(tap((e) => { kept = e; }));' },
  'one that is set where it is absent': { pipe: 'let kept;\nreturn events.pipe(map((e) => (kept ??= e)));' },
  'a destructured target': { pipe: 'let kept;\nreturn events.pipe(tap((e) => { [kept] = [e]; }));' },
  'a property': { top: 'const kept = { count: 0 };', pipe: 'return events.pipe(tap(() => { kept.count += 1; }));' },
  'an entry of a record': {
    top: 'const kept: Record<string, number> = {};',
    pipe: 'return events.pipe(tap((e) => { kept[e.target] = 1; }));',
  },
  'a deleted entry': {
    top: 'const kept: Record<string, number> = { a: 1 };',
    pipe: 'return events.pipe(tap((e) => { delete kept[e.target]; }));',
  },
  'Object.assign': { top: 'const kept = {};', pipe: 'return events.pipe(tap((e) => { Object.assign(kept, { e }); }));' },
  'a Map': { top: 'const kept = new Map<string, number>();', pipe: 'return events.pipe(tap((e) => kept.set(e.target, 1)));' },
  'what a Map holds': {
    top: "const kept = new Map<string, string[]>([['a', []]]);",
    pipe: "return events.pipe(tap((e) => kept.get('a')?.push(e.target)));",
  },
  'a Set': {
    pipe: 'const kept = new Set<string>();\nreturn events.pipe(filter((e) => !kept.has(e.target) && !!kept.add(e.target)));',
  },
  'a Set that is emptied': { pipe: "const kept = new Set(['a']);\nreturn events.pipe(tap(() => kept.clear()));" },
  'an array': { pipe: 'const kept: string[] = [];\nreturn events.pipe(tap((e) => { kept.push(e.target); }));' },
  'an array that is sorted': { top: 'const kept = [3, 2];', pipe: 'return events.pipe(map(() => kept.sort()));' },
  'a memo': {
    top: `const kept = new Map<string, string>();
function upper(text: string) {
  if (!kept.has(text)) kept.set(text, text.toUpperCase());
  return kept.get(text);
}`,
    pipe: 'return events.pipe(map((e) => upper(e.target)));',
  },
  'an ensure': {
    top: 'let kept = 0;',
    policy: 'ensure: ({ target }) => { kept += 1; return exclusive(target, () => ({}) as never); }',
  },
  'a member of exclusive': {
    top: 'const kept: string[] = [];',
    policy: 'ensure: ({ target }) => exclusive(target, (member) => { kept.push(member.target); return {} as never; })',
  },
  'an operator of its own': {
    top: 'const counted = () => (source: rx.Observable<unknown>) => { let kept = 0; return source.pipe(map(() => (kept += 1))); };',
    pipe: 'return events.pipe(counted());',
  },
  'a counter that is handed out': {
    top: 'function counter() { let kept = 0; return () => (kept += 1); }',
    pipe: 'const next = counter();\nreturn events.pipe(map(() => next()));',
  },
  'a key of perKey': {
    pipe: 'return events.pipe(tools.perKey((e) => e.target, (port) => { let kept = 0; return port.pipe(map(() => ++kept)); }));',
  },
  'an array that a callback fills at once': {
    top: 'const kept: number[] = [];',
    pipe: 'return events.pipe(tap(() => [1, 2].forEach((n) => kept.push(n))));',
  },
  'an object of the file': {
    top: 'class Tally { count = 0; bump() { return (this.count += 1); } }\nconst tally = new Tally();',
    pipe: 'return events.pipe(map(() => tally.bump()));',
  },
  'an object of the pipe': {
    top: 'class Seen { #all = new Set<string>(); add(one: string) { this.#all.add(one); } }',
    pipe: 'const seen = new Seen();\nreturn events.pipe(tap((e) => seen.add(e.target)));',
  },
  'a callback of a namespace': { pipe: 'let kept = 0;\nreturn events.pipe(rx.map(() => ++kept));' },
  'an observer': { pipe: 'let kept = 0;\nreturn events.pipe(tap({ next: () => { kept += 1; } }));' },
  'the index of map': { pipe: 'return events.pipe(map((e, kept) => [e, kept]));' },
  'the index of filter': { pipe: 'return events.pipe(filter((_e, kept) => kept % 2 === 0));' },
  'the index of mergeMap': { pipe: 'return events.pipe(mergeMap((e, kept) => of(e, kept)));' },
  'the index of concatMap': { pipe: 'return events.pipe(concatMap((e, kept) => of(e, kept)));' },
  'the index of switchMap': { pipe: 'return events.pipe(switchMap((e, kept) => of(e, kept)));' },
  'the index of exhaustMap': { pipe: 'return events.pipe(exhaustMap((e, kept) => of(e, kept)));' },
  'the index of a namespace': { pipe: 'return events.pipe(rx.map((e, kept) => [e, kept]));' },
  'the index of a function': {
    top: 'const numbered = (e: unknown, kept: number) => [e, kept];',
    pipe: 'return events.pipe(map(numbered));',
  },
};

const forgetting: Readonly<Record<string, Form>> = {
  'a count within one call': {
    pipe: 'return events.pipe(map((e) => { let n = 0; for (const _ of e.text) n += 1; return n; }));',
  },
  'an array that one call builds': {
    pipe: `return events.pipe(map((e) => {
  const all: string[] = [];
  const seen = new Set<string>();
  [e.target].forEach((one) => { if (!seen.has(one)) { seen.add(one); all.push(one); } });
  return all.sort();
}));`,
  },
  'a reduce of an array': {
    pipe: `return events.pipe(map((e) => [e.target].reduce<Record<string, number>>((sum, one) => { sum[one] = 1; return sum; }, {})));`,
  },
  'an index of an array': { pipe: "return events.pipe(map((e) => e.text.split(' ').map((word, index) => [index, word])));" },
  'a helper that builds an array': {
    top: `function tally(text: string) {
  const counts = new Map<string, number>();
  let longest = 0;
  const count = (word: string) => {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    longest = Math.max(longest, word.length);
  };
  for (const word of text.split(' ')) count(word);
  text.split(' ').forEach(count);
  text.replace(/x/g, (letter) => { longest += 1; return letter; });
  return [counts, longest];
}`,
    pipe: 'return events.pipe(map((e) => tally(e.text)));',
  },
  'a helper that calls itself': {
    top: `function flat(text: string) {
  const all: string[] = [];
  const walk = (rest: string): void => { if (rest) { all.push(rest); walk(rest.slice(1)); } };
  walk(text);
  return all;
}`,
    pipe: 'const first = flat("abc");\nreturn events.pipe(map((e) => [first, flat(e.text)]));',
  },
  'a helper that is given a function': {
    top: `function each(text: string, see: (word: string) => void) { for (const word of text.split(' ')) see(word); }
function collect(text: string) { const all: string[] = []; each(text, (word) => { all.push(word); }); return all; }`,
    pipe: 'const all = collect("a b");\nreturn events.pipe(map((e) => [all, collect(e.text)]));',
  },
  'a table that is built as the file is read': {
    top: `const table = new Map<string, number>();
for (const name of ['a']) table.set(name, 1);
['b'].forEach((name, index) => table.set(name, index));
const add = (name: string) => { table.set(name, 2); };
add('c');
const limits = { most: 3 };
limits.most = 4;`,
    pipe: 'return events.pipe(map((e) => (table.get(e.target) ?? 0) + limits.most));',
  },
  'a list that is built with the pipe': {
    top: 'let about: unknown;',
    pipe: `about = tools.inventory;
const all: string[] = [];
['a'].map((name) => all.push(name));
return events.pipe(map(() => [about, all]));`,
  },
  'what is kept while answers are awaited': {
    pipe: `return events.pipe(mergeMap((e) => {
  const rows: unknown[] = [];
  let answers = 0;
  return of(1, 2).pipe(tap((row) => { rows.push(row); answers += 1; }), map((row, index) => [e, row, index, rows, answers]));
}));`,
  },
  'the same in a helper': {
    top: `const ask = (e: { readonly target: string }) => {
  let answers = 0;
  return of(e).pipe(map(() => { answers += 1; return answers; }));
};`,
    pipe: 'return merge(events.pipe(mergeMap(ask)), events.pipe(mergeMap((e) => ask(e))));',
  },
  'the same in a helper that is made': {
    top: 'const asks = (n: number) => () => { let answers = n; return of(n).pipe(map(() => { answers += 1; return answers; })); };',
    pipe: 'return events.pipe(mergeMap(asks(3)));',
  },
  'an index that is not used': { pipe: 'return events.pipe(map((e, _index) => e), filter((_e, index) => true));' },
  'an index of a pipe with an end': { pipe: 'return merge(events, from([1, 2]).pipe(map((n, index) => n + index)));' },
  'methods of things of its own': {
    top: 'const shelf = { set: (_at: string) => 1, push: (_at: string) => 2, add: (_at: string) => 3 };',
    pipe: 'return events.pipe(map((e) => shelf.set(e.target) + shelf.push(e.target) + shelf.add(e.target)));',
  },
  'an object of one call': {
    top: `class Tally {
  count = 0;
  words: string[];
  constructor() { this.words = []; }
  bump(word: string) { this.count += 1; this.words.push(word); return this; }
}
const table = new Tally();
table.bump('a');`,
    pipe: `return events.pipe(map((e) => {
  const tally = new Tally();
  e.text.split(' ').forEach((word) => tally.bump(word));
  return [table.count, tally.count];
}));`,
  },
  'a pipe with a name of its own': {
    top: 'let about: unknown;\nfunction pipe(events: rx.Observable<unknown>, tools: object) { about = tools; return events.pipe(map(() => about)); }',
    policy: 'pipe',
  },
  'a copy that is sorted': {
    top: 'const names = ["b", "a"];',
    pipe: 'return events.pipe(map(() => [[...names].sort(), names.filter(() => true).reverse(), names.toSorted()]));',
  },
  "a function of its own named like RxJS's": {
    top: 'const switchMapping = (fn: (a: number, b: number) => number) => fn(1, 2);',
    pipe: 'return events.pipe(map(() => switchMapping((_a, index) => index)));',
  },
  'a shadowed name': {
    top: 'const kept = 0;',
    pipe: 'return events.pipe(map(() => { let kept = 1; kept += 1; return kept; }), map(() => kept));',
  },
  'a desire of an ensure': {
    policy: `ensure: ({ target }) => {
  const all: string[] = [];
  let n = 0;
  for (const one of [target]) { all.push(one); n += 1; }
  return exclusive(target, () => ({}) as never);
}`,
  },
  'words in text and comments': { pipe: "const kept = 0; // kept += 1\nreturn events.pipe(map(() => [kept, 'kept += 1']));" },
  'a horizon': {
    policy: "horizon: '10m', pipe: (events) => { let kept = 0; return events.pipe(map((e, index) => [e, index, ++kept])); }",
  },
  'defer while the pipe is built': {
    pipe: 'return defer(() => { const all: string[] = []; ["a"].forEach((one) => all.push(one)); return events.pipe(map(() => all)); });',
  },
};

test('finds what a policy remembers outside of operators, once, at its place', async () => {
  const forms = each(remembering);
  const all = await found(Object.fromEntries(Object.entries(forms).map(([name, { text }]) => [name, text])));
  for (const [name, { what, text }] of Object.entries(forms)) {
    const own = all.filter((one) => one.startsWith(`${name}:`));
    expect(own, what).toEqual([expect.stringMatching(/^\S+ (kept|this\.#?\w+) .* at a start from a snapshot: use `/)]);
    const [, line, column] = /:(\d+):(\d+) /.exec(own[0]!)!;
    expect(text.split('\n')[Number(line) - 1]!.slice(Number(column) - 1), what).toMatch(/^(kept|this)\b/);
  }
}, 60_000);

test('lets be what remembers nothing', async () => {
  const forms = each(forgetting);
  const all = await found(Object.fromEntries(Object.entries(forms).map(([name, { text }]) => [name, text])));
  expect(all.map((one) => `${forms[one.slice(0, one.indexOf(':'))]?.what}: ${one}`)).toEqual([]);
}, 60_000);

test('says why, and what remembers', async () => {
  const pipe = 'let count = 0;\nreturn events.pipe(map((e, index) => { count += 1; return index; }));';
  const more = "which a restart keeps, or declare there how far back it looks, as horizon: '10m', and a start replays so much";
  expect(await found({ 'a.ts': written('a', { pipe }) })).toEqual([
    `a.ts:7:28 index is how many events RxJS's map has seen, and begins at 0 at a start from a snapshot: use \`threshold\` or \`within\` in a pipe, ${more}`,
    `a.ts:7:40 count is changed with one event and read with the next, and begins anew at a start from a snapshot: use \`threshold\` or \`within\` in a pipe, ${more}`,
  ]);
  const ensure = 'ensure: ({ target }) => { seen.add(target); return exclusive(target, () => ({}) as never); }';
  expect(await found({ 'b.ts': written('b', { top: 'const seen = new Set<string>();', policy: ensure }) })).toEqual([
    expect.stringMatching(/use `within`, `suppress`, `sequence` or `pair` in a pipe, which a restart keeps, or/),
  ]);
});

test('finds it in a file that the policy imports, and of that file', async () => {
  const files = {
    'lib/memory.ts':
      'export const memory = { count: 0 };\nlet seen = 0;\nexport const see = () => { seen += 1; return seen; };\n',
    'a.ts': written('a', {
      top: "import { memory as own, see } from './lib/memory.ts';",
      pipe: 'return events.pipe(map(() => { own.count += 1; return see(); }));',
    }),
    'plain.js': `import { map, policy, syslog } from 'offbox';
const seen = new Set();
export default policy({ name: 'plain', on: syslog(), pipe: (events) => events.pipe(map((e) => seen.add(e.target).size)) });
`,
  };
  expect(await found(files)).toEqual([
    expect.stringMatching(/^a\.ts:6:\d+ own is changed/),
    expect.stringMatching(/^lib\/memory\.ts:3:28 seen is changed/),
    expect.stringMatching(/^plain\.js:3:\d+ seen is changed/),
  ]);
});

test('is part of the verbs: path, line, column and exit code', async () => {
  const pipe = 'let count = 0;\nreturn events.pipe(map(() => (count += 1)));';
  const text = `import { map, policy, syslog } from 'offbox';
export default policy({ name: 'a', on: syslog(), pipe: (events) => {\n${pipe}\n} });\n`;
  const home = homeOf({ 'a.ts': text });
  writeFileSync(join(home, 'inventory.yaml'), 'targets: {}\n');
  writeFileSync(join(home, 'offbox.yaml'), 'inventory: inventory.yaml\n');
  mkdirSync(join(home, 'policies', 'stories', 'a'), { recursive: true });
  writeFileSync(join(home, 'policies', 'stories', 'inventory.yaml'), 'targets: {}\n');
  writeFileSync(join(home, 'policies', 'stories', 'a', 'one.txt'), 'start\n----\n');
  for (const verb of ['check', 'test']) {
    const { code, out } = await runOffbox(home, [verb]);
    expect([code, out], verb).toEqual([1, expect.stringMatching(/^policies\/a\.ts:4:31: count is changed with one event/m)]);
  }
}, 60_000);
