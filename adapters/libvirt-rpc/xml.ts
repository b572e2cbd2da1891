// Owns: libvirt's XML as a tree with namespaces: entities undone but none defined, a document type refused, bounded.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { TargetError } from '../../src/model/errors.ts';
import { libvirtXmlMax } from '../../src/model/limits.ts';

export interface XmlElement {
  /** Local name. */
  readonly name: string;
  /** Its namespace; empty where it is in none, as libvirt's own elements are. */
  readonly namespace: string;
  /** By local name; declarations of namespaces are not among them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed. */
  readonly text: string;
}

/** Deeper than any of libvirt's, whose deepest has 12; each level costs stack. */
const depthMax = 100;

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

type Node = Readonly<Record<string, unknown>>;
/** Prefix to namespace. */
type Scope = Readonly<Record<string, string>>;

/** The root element. Throws TargetError `bad-xml`. */
export function parseXml(xml: string): XmlElement {
  if (xml.length > libvirtXmlMax) throw badXml(`more than ${libvirtXmlMax} characters`, xml);
  if (xml.includes('<!DOCTYPE')) throw badXml('a document type', xml);
  // The parser forgives what the validator does not: tags that do not match, documents cut short.
  const valid = XMLValidator.validate(xml);
  if (valid !== true) throw badXml(`${valid.err.msg.slice(0, 120)} (line ${valid.err.line})`, xml);
  let nodes: readonly Node[];
  try {
    nodes = parser.parse(xml) as readonly Node[];
  } catch (error) {
    throw badXml(error instanceof Error ? error.message.slice(0, 120) : 'not XML', xml);
  }
  const root = elements(nodes, {})[0];
  if (!root) throw badXml('no element', xml);
  return root;
}

function elements(nodes: readonly Node[], outer: Scope): readonly XmlElement[] {
  return nodes.flatMap((node) => {
    const tag = Object.keys(node).find((key) => !marks.has(key));
    if (tag === undefined) return [];
    const inner = node[tag] as readonly Node[];
    const given = Object.entries((node[':@'] ?? {}) as Readonly<Record<string, string>>);
    const declared = given.filter(([key]) => /^xmlns(:|$)/.test(key));
    const scope = declared.length === 0 ? outer : { ...outer, ...Object.fromEntries(declared.map(declaration)) };
    const attributes: Record<string, string> = Object.create(null);
    for (const [key, value] of given) if (!/^xmlns(:|$)/.test(key)) attributes[localName(key)] = undone(String(value));
    const namespace = scope[prefixOf(tag)] ?? '';
    const text = inner.map(textIn).join('').trim();
    return [{ name: localName(tag), namespace, attributes, children: elements(inner, scope), text }];
  });
}

/** Keys of a node that are not a tag. */
const marks: ReadonlySet<string> = new Set([':@', '#text', '#cdata']);

const declaration = ([key, value]: readonly [string, string]): readonly [string, string] => {
  return [key === 'xmlns' ? '' : localName(key), undone(String(value))];
};
const localName = (name: string): string => name.slice(name.indexOf(':') + 1);
const prefixOf = (name: string): string => name.slice(0, Math.max(name.indexOf(':'), 0));

function textIn(node: Node): string {
  if (typeof node['#text'] === 'string') return undone(node['#text']);
  const verbatim = node['#cdata'] as readonly Node[] | undefined;
  return verbatim?.map((each) => String(each['#text'])).join('') ?? '';
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

/** Every element of libvirt's own reached by these names, one level a name, from the children of `from`. */
export function all(from: XmlElement, ...path: readonly string[]): readonly XmlElement[] {
  const [name, ...rest] = path;
  const here = from.children.filter((child) => child.name === name && child.namespace === '');
  return rest.length === 0 ? here : here.flatMap((child) => all(child, ...rest));
}

export const first = (from: XmlElement, ...path: readonly string[]): XmlElement | undefined => all(from, ...path)[0];

function badXml(what: string, xml: string): TargetError {
  return new TargetError(`[libvirt-rpc] libvirtd sent what is no XML of its own: ${what}, in ${xml.length} characters`, {
    code: 'bad-xml',
    retry: false,
    remedy: 'See `virsh dumpxml` of the domain there.',
  });
}
