// Owns: the shape of a file: sizes, head comment, name, and the constructs and leftovers we do without.
import { type Breach, type Comment, type Node, nameOf, type Rule, type Source, visit } from './source.ts';

const fileLinesMax = 500;
const functionLinesMax = 70;

const isCode = (source: Source): source is Source & { readonly program: Node } => source.program !== undefined;
const breach = (rule: string, line: number, text: string): Breach => ({ rule, line, text });

export const fileSize: Rule = (source) => {
  const count = source.lines.length - (source.text.endsWith('\n') ? 1 : 0);
  if (!isCode(source) || count <= fileLinesMax) return [];
  return [breach('file-size', fileLinesMax + 1, `a file of ${count} lines is banned here, use files of at most ${fileLinesMax}`)];
};

const functionTypes = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
const suites = /^(describe|suite)(\.|$)/;

/** `describe(…)`, `describe.each(…)(…)`: its callback is a table of tests, no function. */
function isSuite(call: Node | undefined, source: Source): boolean {
  return (
    call?.type === 'CallExpression' && suites.test(source.text.slice((call.callee as Node).start, (call.callee as Node).end))
  );
}

export const functionSize: Rule = (source) => {
  const found: Breach[] = [];
  if (!isCode(source)) return found;
  visit(source.program, (node, parents) => {
    if (!functionTypes.test(node.type) || isSuite(parents.at(-1), source)) return;
    const first = source.lineOf(node.start);
    const count = source.lineOf(node.end - 1) - first + 1;
    if (count <= functionLinesMax) return;
    const parent = parents.at(-1);
    const name = nameOf(node.id) ?? nameOf(parent?.id) ?? nameOf(parent?.key) ?? 'function';
    found.push(
      breach('function-size', first, `"${name}" of ${count} lines is banned here, use functions of at most ${functionLinesMax}`),
    );
  });
  return found;
};

export const headComment: Rule = (source) => {
  if (!isCode(source) || !/^(src|adapters|lab)\//.test(source.path)) return [];
  if (/^\/\/ (Owns|Port): \S/.test(source.text)) return [];
  return [breach('head', 1, 'a file without a head is banned here, use a first line that begins "// Owns: " or "// Port: "')];
};

export const fileName: Rule = (source) => {
  const name = source.path.slice(source.path.lastIndexOf('/') + 1);
  if (/(\.(orig|rej|bak|swp|tmp|old)|~)$/.test(name)) {
    return [breach('leftover', 1, 'a backup file is banned here, use git')];
  }
  if (!isCode(source) || /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/.test(name)) return [];
  return [breach('file-name', 1, `the name "${name}" is banned here, use kebab-case`)];
};

export const defaultExport: Rule = (source) => {
  if (!isCode(source) || !/^(src|adapters|lab|bench|policies)\//.test(source.path)) return [];
  const found = (source.program.body as readonly Node[]).filter(
    (node) =>
      node.type === 'ExportDefaultDeclaration' ||
      ((node.specifiers ?? []) as readonly Node[]).some((each) => nameOf(each.exported) === 'default'),
  );
  if (!source.path.startsWith('policies/')) {
    return found.map((node) =>
      breach('default-export', source.lineOf(node.start), 'a default export is banned here, use a named one'),
    );
  }
  if (found.length === 1) return [];
  return [breach('policy-export', 1, 'a policy file without its policy is banned here, use one `export default policy({…})`')];
};

const constructs: Readonly<Record<string, string>> = {
  TSEnumDeclaration: 'an enum is banned here, use a union of literals',
  TSAnyKeyword: '`any` is banned here, use unknown and narrow it',
  TSModuleDeclaration: 'a namespace is banned here, use a module',
  TSParameterProperty: 'a parameter property is banned here, use a field',
  DebuggerStatement: 'a debugger statement is banned here, use a test',
};

export const bannedConstruct: Rule = (source) => {
  const found: Breach[] = [];
  if (!isCode(source)) return found;
  visit(source.program, (node) => {
    const text = constructs[node.type];
    if (text !== undefined) found.push(breach('construct', source.lineOf(node.start), text));
  });
  return found;
};

/** `test.only` would leave every other test out, unseen. */
export const focusedTest: Rule = (source) => {
  const found: Breach[] = [];
  if (!isCode(source) || !source.path.endsWith('.test.ts')) return found;
  visit(source.program, (node) => {
    if (node.type !== 'MemberExpression' || nameOf(node.property) !== 'only') return;
    if (!/^(test|it|describe|suite)$/.test(nameOf(node.object) ?? '')) return;
    found.push(breach('focus', source.lineOf(node.start), '.only is banned here, use the -t option of vitest'));
  });
  return found;
};

const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/;

const commentLines = (source: Source, { value, start }: Comment) =>
  value.split('\n').map((text, i) => ({ text, line: source.lineOf(start) + i }));

export const unfinishedWork: Rule = (source) => {
  const lines = isCode(source)
    ? source.comments.flatMap((comment) => commentLines(source, comment))
    : source.lines.map((text, i) => ({ text, line: i + 1 }));
  return lines
    .filter(({ text }) => unfinished.test(text))
    .map(({ text, line }) =>
      breach('unfinished', line, `${unfinished.exec(text)![0]} is banned here, use the issue tracker or finish it`),
    );
};

export const mergeMarker: Rule = (source) =>
  source.lines.flatMap((text, i) =>
    /^(<{7}|>{7}) /.test(text) ? [breach('merge', i + 1, 'a merge conflict is banned here, use one side')] : [],
  );

export const oneTitle: Rule = (source) => {
  if (!source.path.endsWith('.md')) return [];
  let fence = '';
  const titles: number[] = [];
  source.lines.forEach((text, i) => {
    const mark = /^\s{0,3}(`{3,}|~{3,})/.exec(text)?.[1];
    if (mark !== undefined && (fence === '' || mark.startsWith(fence))) fence = fence === '' ? mark : '';
    else if (fence === '' && /^# /.test(text)) titles.push(i + 1);
  });
  if (titles.length === 1) return [];
  const line = titles[1] ?? 1;
  return [breach('title', line, `${titles.length} first-level headings are banned here, use exactly one`)];
};
