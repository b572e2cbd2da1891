// Owns: a file as the house rules see it: path, text and, for TypeScript, the syntax tree. TypeScript 7 has no compiler
// API in its package, so the parser is oxc, which vite (and so vitest) brings along.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';

/** A node of the tree (ESTree with TypeScript's own); only what the rules look at is named. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Comment {
  readonly value: string;
  readonly start: number;
}

export interface Source {
  /** Relative to the checkout, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** Absent where the file is not TypeScript. */
  readonly program?: Node;
  readonly comments: readonly Comment[];
  lineOf(offset: number): number;
}

/** One breach: `rule` is for the tests, `line` and `text` are for the reader. */
export interface Breach {
  readonly rule: string;
  readonly line: number;
  readonly text: string;
}

export type Rule = (source: Source) => readonly Breach[];

export function sourceOf(path: string, text: string): Source {
  const lines = text.split('\n');
  const starts: number[] = [];
  for (let offset = 0, i = 0; i < lines.length; i += 1) {
    starts.push(offset);
    offset += lines[i]!.length + 1;
  }
  const lineOf = (offset: number) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  if (!path.endsWith('.ts')) return { path, text, lines, comments: [], lineOf };
  const parsed = parseSync(path, text, { lang: 'ts', sourceType: 'module' });
  if (parsed.errors.length > 0) throw new SyntaxError(`${path}: ${parsed.errors[0]!.message}`);
  return { path, text, lines, program: parsed.program as unknown as Node, comments: parsed.comments, lineOf };
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Every node, parents first. */
export function visit(node: Node, seen: (node: Node, parents: readonly Node[]) => void, parents: readonly Node[] = []): void {
  seen(node, parents);
  const below = [...parents, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, seen, below);
  }
}

/** The text of a string literal or of a template without holes. */
export function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node.type !== 'TemplateLiteral') return undefined;
  const [quasi, ...more] = node.quasis as readonly { readonly value: { readonly cooked: string } }[];
  return quasi && more.length === 0 ? quasi.value.cooked : undefined;
}

/** The name of an identifier node. */
export function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' ? (node.name as string) : undefined;
}

/** Every module the file names: import, export from, import(), and types. */
export function importsOf(source: Source): readonly { readonly specifier: string; readonly node: Node }[] {
  const found: { specifier: string; node: Node }[] = [];
  if (!source.program) return found;
  visit(source.program, (node) => {
    if (!/^(Import(Declaration|Expression)|Export(Named|All)Declaration|TSImportType)$/.test(node.type)) return;
    const specifier = literal(node.source);
    if (specifier !== undefined) found.push({ specifier, node });
  });
  return found;
}

const skippedFolders = new Set(['node_modules', 'dist', 'coverage', 'fixtures', 'journals', '.git', '.offbox']);

/** Every file of ours below `root`: what the rules are about, and whatever should not lie there. */
export function filesOf(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : filesOf(root, path);
    return entry.isFile() ? [path] : [];
  });
}

export function readSource(root: string, path: string): Source {
  const text = /\.(ts|md)$/.test(path) ? readFileSync(join(root, path), 'utf8') : '';
  return sourceOf(path, text);
}
