// Owns: one YAML file as plain data, with the place of every key and value, or the first thing that is wrong with it.
//
// Its own walk over the parsed nodes rather than the library's toJS: bounded in depth and nodes (an alias bomb is cut
// after `configNodesMax`), one pass (the library's check for duplicate keys is quadratic: 60,000 keys took it 57 s), and
// no text of the file gets into a message, because the line that is wrong may hold a password.
import { open, stat } from 'node:fs/promises';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { OperatorError } from '../model/errors.ts';
import { configDepthMax, configFileBytesMax, configNodesMax } from '../model/limits.ts';
import { type Path, type Problem, problemsError } from './config-problem.ts';

export interface YamlData {
  readonly file: string;
  readonly value: unknown;
  /** Where the key or the value stands; the nearest thing around it where there is none. */
  place(path: Path, part: 'key' | 'value'): { readonly line: number; readonly column: number };
}

export type YamlReading =
  | { readonly kind: 'data'; readonly data: YamlData }
  | { readonly kind: 'problem'; readonly problem: Problem };

const quotes = 'Put the value in quotes if it is meant as a text.';
const troubles: Readonly<Record<string, readonly [cause: string, remedy: string]>> = {
  TAB_AS_INDENT: ['a tab indents this line', 'YAML indents with spaces only: replace the tab.'],
  BAD_INDENT: ['the indentation fits nothing above it', 'Align the line with its neighbours, or close the bracket before it.'],
  MULTIPLE_DOCS: ['a second document begins here', 'Keep one document a file: remove the line of dashes.'],
  MISSING_CHAR: ['a quote, bracket, comma or colon is missing', 'Close what was opened before this place.'],
  BAD_SCALAR_START: ['no value can begin with this character', quotes],
  BLOCK_AS_IMPLICIT_KEY: [
    'a second key begins on the same line',
    'Begin a new line, or put the value in quotes if it holds a colon.',
  ],
  MULTILINE_IMPLICIT_KEY: ['a key without a colon', 'Write "key: value" on one line.'],
  BAD_DQ_ESCAPE: ['a backslash begins an escape that YAML does not know', 'Use single quotes, or double the backslash.'],
  NON_STRING_KEY: ['a key that is no text', 'Write "key: value".'],
};
const otherTrouble = ['not YAML', `Correct what stands here. ${quotes}`] as const;
const tooDeep = [
  'nested too deeply',
  `Nothing here is deeper than ${configDepthMax} levels: look for brackets too many.`,
] as const;
const tooMany = [`more than ${configNodesMax} values, aliases counted as often as they are used`, 'Use fewer aliases.'] as const;
const tagged = ['a tag (a word that begins with !) has no meaning here', quotes] as const;
const noAnchor = [
  'an alias (a word that begins with *) whose anchor stands nowhere above',
  `Define it above. ${quotes}`,
] as const;
const badMerge = ['<< merges something that is no map', 'Write "<<: *anchor" with the anchor of a map.'] as const;

/** Throws what is wrong at an offset. */
type Fail = (offset: number, path: Path, trouble: readonly [cause: string, remedy: string]) => never;

/** Follows the nodes of one document and notes where each one stands. */
class Walk {
  readonly offsets = new Map<string, { readonly key: number; readonly value: number }>();
  readonly #anchors = new Map<string, Node>();
  readonly #fail: Fail;
  #nodes = 0;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  data(node: Node | null, path: Path, keyOffset: number): unknown {
    const offset = node?.range?.[0] ?? keyOffset;
    this.#nodes += 1;
    if (this.#nodes > configNodesMax) this.#fail(offset, path, tooMany);
    if (path.length > configDepthMax) this.#fail(offset, [], tooDeep);
    this.offsets.set(pointer(path), { key: keyOffset, value: offset });
    if (node === null) return null;
    if (isAlias(node)) return this.data(this.#anchors.get(node.source) ?? this.#fail(offset, path, noAnchor), path, keyOffset);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap(node)) return this.#map(node, path);
    if (isSeq(node)) return node.items.map((item, i) => this.data(item as Node | null, [...path, i], offset));
    return this.#scalar(isScalar(node) ? node.value : undefined, offset, path);
  }

  #scalar(value: unknown, offset: number, path: Path): unknown {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
    return this.#fail(offset, path, tagged);
  }

  #map(map: YAMLMap, path: Path): Record<string, unknown> {
    const pairs = (map.items as Pair<Node, Node | null>[]).map(({ key, value }) => {
      return { name: isScalar(key) ? String(key.value) : '', offset: key.range?.[0] ?? 0, value };
    });
    // What is merged in comes first, so that the map's own keys replace it, and its places too.
    const merged = pairs.filter(({ name }) => name === '<<').flatMap((each) => this.#merge(each.value, path, each.offset));
    const own = new Map<string, unknown>();
    for (const { name, offset, value } of pairs) {
      if (own.has(name))
        this.#fail(offset, path, [`the key "${name.slice(0, 64)}" stands here a second time`, 'Remove one of the two.']);
      if (name !== '<<') own.set(name, this.data(value, [...path, name], offset));
    }
    // fromEntries defines `__proto__` as a plain key.
    return Object.fromEntries([...merged, ...own]);
  }

  /** `<<: *base` or `<<: [*a, *b]`: the first that has a key wins. */
  #merge(value: Node | null, path: Path, offset: number): readonly (readonly [string, unknown])[] {
    const own = this.offsets.get(pointer(path));
    const from = this.data(value, path, offset);
    if (own) this.offsets.set(pointer(path), own);
    return (Array.isArray(from) ? from.toReversed() : [from]).flatMap((each) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.entries(each)
        : this.#fail(offset, path, badMerge),
    );
  }
}

const pointer = (path: Path) => JSON.stringify(path);

export function parseYaml(file: string, text: string): YamlReading {
  const lineCounter = new LineCounter();
  const placeOf = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const fail: Fail = (offset, path, [cause, remedy]) => {
    throw problemsError([{ file, ...placeOf(offset), path, cause, remedy }]);
  };
  try {
    const document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      stringKeys: true,
      logLevel: 'error',
    });
    const [error] = document.errors;
    if (error) fail(error.pos[0], [], error.code === 'RESOURCE_EXHAUSTION' ? tooDeep : (troubles[error.code] ?? otherTrouble));
    const [warning] = document.warnings;
    if (warning) fail(warning.pos[0], [], tagged);
    const walk = new Walk(fail);
    const value = walk.data(document.contents, [], 0);
    return { kind: 'data', data: { file, value, place: (path, part) => placeOf(offsetOf(walk, path, part)) } };
  } catch (error) {
    if (error instanceof OperatorError) return { kind: 'problem', problem: (error.cause as readonly Problem[])[0]! };
    const [cause, remedy] = otherTrouble;
    return { kind: 'problem', problem: { file, line: 1, column: 1, path: [], cause, remedy } };
  }
}

/** Of what stands at `path`; of the key of the nearest thing around it where nothing does. */
function offsetOf(walk: Walk, path: Path, part: 'key' | 'value'): number {
  const exact = walk.offsets.get(pointer(path));
  if (exact) return exact[part];
  return path.length === 0 ? 0 : offsetOf(walk, path.slice(0, -1), 'key');
}

/** Reads and parses. `advice` says what to do where there is no such file. */
export async function readYaml(file: string, advice: string): Promise<YamlReading> {
  const problem = (cause: string, remedy: string): YamlReading => {
    return { kind: 'problem', problem: { file, line: 1, column: 1, path: [], cause, remedy } };
  };
  try {
    // stat before open: opening a FIFO would wait for a writer.
    const about = await stat(file);
    if (about.isDirectory()) return problem('a folder, not a file', 'Name the file in it.');
    if (!about.isFile()) return problem('not a regular file', 'Name a YAML file.');
    const bytes = await firstBytes(file, configFileBytesMax + 1);
    if (bytes.length > configFileBytesMax)
      return problem(`more than ${configFileBytesMax} bytes`, 'Is it the right file? Split it or shorten it.');
    return parseYaml(file, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) return problem('not UTF-8 text', 'Save it as UTF-8.');
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    return code === 'ENOENT'
      ? problem('there is no such file', advice)
      : problem(`cannot be read (${code})`, 'Check its owner and mode.');
  }
}

async function firstBytes(file: string, count: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const bytes = new Uint8Array(count);
    let filled = 0;
    for (let read = 1; read > 0 && filled < count; filled += read) {
      read = (await handle.read(bytes, filled, count - filled)).bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}
