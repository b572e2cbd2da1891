// Owns: XML as NETCONF replies need it: parsed without caring for namespace prefixes, walked by local names, with bounds.
// A document type is refused outright (RFC 6241 section 3 forbids it), so no entity is ever defined, fetched or expanded.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { TargetError } from '../../../src/model/errors.ts';

export interface XmlElement {
  /** Local name, without prefix. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed; entities undone. */
  readonly text: string;
}

/** Deeper than any published YANG tree; each level costs stack. */
const depthMax = 200;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  cdataPropName: '#cdata',
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: depthMax,
});

/** One ordered node as the parser gives it: `{ tag: children, ':@': attributes }` or `{ '#text': text }`. */
type Node = Readonly<Record<string, unknown>>;

/** The elements at the top of a piece of XML: one for a document, several for the inside of one. */
export function parseXml(xml: string): readonly XmlElement[] {
  if (xml.includes('<!DOCTYPE')) throw badXml('a document type is forbidden in NETCONF', xml);
  // The parser forgives what the validator does not: tags that do not match, documents cut short.
  const inner = `<inner>${xml.replace(/^\s*<\?xml[^>]*\?>/, '')}</inner>`;
  const valid = XMLValidator.validate(inner);
  if (valid !== true) throw badXml(`${valid.err.msg.slice(0, 120)} (line ${valid.err.line})`, xml);
  try {
    return elements(parser.parse(inner) as readonly Node[])[0]?.children ?? [];
  } catch (error) {
    throw badXml(error instanceof Error ? error.message.slice(0, 120) : 'not XML', xml);
  }
}

function elements(nodes: readonly Node[]): readonly XmlElement[] {
  return nodes.flatMap((node) => {
    const name = Object.keys(node).find((key) => !marks.has(key));
    if (name === undefined) return [];
    const inner = node[name] as readonly Node[];
    const attributes = (node[':@'] ?? {}) as Record<string, string>;
    return [{ name, attributes, children: elements(inner), text: inner.map(textIn).join('').trim() }];
  });
}

/** Keys of a node that are not a tag. */
const marks: ReadonlySet<string> = new Set([':@', '#text', '#cdata']);

function textIn(node: Node): string {
  if (typeof node['#text'] === 'string') return unescapeXml(node['#text']);
  const verbatim = node['#cdata'] as readonly Node[] | undefined;
  return verbatim?.map((each) => String(each['#text'])).join('') ?? '';
}

/** Every element reached by these names, one level a name. */
export function all(from: readonly XmlElement[], ...path: readonly string[]): readonly XmlElement[] {
  const [name, ...rest] = path;
  const here = from.filter((element) => element.name === name);
  return rest.length === 0 ? here : here.flatMap((element) => all(element.children, ...rest));
}

/** The text of the first element reached, or undefined. */
export function textOf(from: readonly XmlElement[], ...path: readonly string[]): string | undefined {
  return all(from, ...path)[0]?.text;
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
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

function badXml(what: string, xml: string): TargetError {
  return new TargetError(`[netconf] the target sent what is not well-formed XML: ${what}, in ${xml.length} characters`, {
    code: 'bad-xml',
    retry: false,
    remedy: 'Check that the port is its NETCONF port, and its software version.',
  });
}
