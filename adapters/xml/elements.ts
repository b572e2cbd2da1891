// Owns: XML as a tree of elements with their names as written: well-formed or refused, a document type refused, so that no entity is
// ever defined, fetched or expanded; the five entities of XML and numbers undone. What a prefix means is its reader's business.
import { XMLParser, XMLValidator } from 'fast-xml-parser';

export interface WrittenElement {
  /** With its prefix: `nc:rpc`. */
  readonly tag: string;
  /** By name with prefix, declarations of namespaces among them. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly children: readonly WrittenElement[];
  /** Its own text, trimmed. */
  readonly text: string;
}

/** One ordered node as the parser gives it: `{ tag: children, ':@': attributes }` or `{ '#text': text }`. */
type Node = Readonly<Record<string, unknown>>;

/** Keys of a node that are not a tag. */
const marks: ReadonlySet<string> = new Set([':@', '#text', '#cdata']);

/** Reads a document, and gives its root. `depthMax`: levels of elements; each costs stack. What it returns throws SyntaxError. */
export function elementReader(depthMax: number): (xml: string) => WrittenElement {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    processEntities: false,
    cdataPropName: '#cdata',
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: depthMax,
  });
  return (xml) => {
    if (/<!DOCTYPE/i.test(xml)) throw new SyntaxError('a document type');
    // The parser forgives what the validator does not: tags that do not match, documents cut short.
    const valid = XMLValidator.validate(xml);
    if (valid !== true) throw new SyntaxError(`${valid.err.msg.slice(0, 120)} (line ${valid.err.line})`);
    const [root, ...more] = elements(parsed(parser, xml));
    if (!root || more.length > 0) throw new SyntaxError(`${more.length + (root ? 1 : 0)} root elements`);
    return root;
  };
}

function parsed(parser: XMLParser, xml: string): readonly Node[] {
  try {
    return parser.parse(xml) as readonly Node[];
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message.slice(0, 120) : 'not XML');
  }
}

function elements(nodes: readonly Node[]): readonly WrittenElement[] {
  return nodes.flatMap((node) => {
    const tag = Object.keys(node).find((key) => !marks.has(key));
    if (tag === undefined || tag.startsWith('?')) return [];
    const inner = node[tag] as readonly Node[];
    const written = Object.entries((node[':@'] ?? {}) as Readonly<Record<string, unknown>>);
    const attributes = written.map(([name, value]) => [name, undone(String(value))] as const);
    return [{ tag, attributes, children: elements(inner), text: inner.map(textIn).join('').trim() }];
  });
}

function textIn(node: Node): string {
  if (typeof node['#text'] === 'string') return undone(node['#text']);
  const verbatim = node['#cdata'] as readonly Node[] | undefined;
  return verbatim?.map((each) => String(each['#text'])).join('') ?? '';
}

/** `rpc` of `nc:rpc`. */
export const localName = (name: string): string => name.slice(name.indexOf(':') + 1);
/** `nc` of `nc:rpc`; empty where there is none. */
export const prefixOf = (name: string): string => name.slice(0, Math.max(name.indexOf(':'), 0));

/** Whether an attribute declares a namespace, and the prefix it is for; empty for that of names without one. */
export function declaredPrefix(attribute: string): string | undefined {
  if (attribute === 'xmlns') return '';
  return attribute.startsWith('xmlns:') ? localName(attribute) : undefined;
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function undone(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos));/g, (whole, decimal, hex, name) => {
    if (name) return named[name]!;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&${Object.keys(named).find((name) => named[name] === character)};`);
}
