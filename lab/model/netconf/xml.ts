// Owns: XML as a NETCONF server reads and writes it: namespaces resolved, mixed content and document types refused.
import { XMLParser, XMLValidator } from 'fast-xml-parser';

export interface XmlNode {
  readonly name: string;
  /** The namespace's URI; empty where none was declared. */
  readonly ns: string;
  /** By local name; those of the netconf namespace only with it, as `nc:operation`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
  readonly text: string;
}

export const netconfNs = 'urn:ietf:params:xml:ns:netconf:base:1.0';
/** Deeper than any model; each level costs stack. */
const depthMax = 100;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: depthMax,
});

type Raw = Readonly<Record<string, unknown>>;
type Scope = Readonly<Record<string, string>>;

/** The document's root. Throws a SyntaxError that says where it is no XML, or no XML a NETCONF server takes. */
export function readXml(text: string): XmlNode {
  if (/<!DOCTYPE/i.test(text)) throw new SyntaxError('a document type declaration is not allowed (RFC 6241 section 3)');
  const document = text.trim().replace(/^<\?xml[^>]*\?>/, '');
  const valid = XMLValidator.validate(document);
  if (valid !== true) throw new SyntaxError(`${valid.err.msg} (line ${valid.err.line})`);
  let raw: readonly Raw[];
  try {
    raw = parser.parse(document) as readonly Raw[];
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message.slice(0, 200) : 'not XML');
  }
  const roots = raw.flatMap((each) => node(each, { '': '', xml: 'http://www.w3.org/XML/1998/namespace' }));
  if (roots.length !== 1) throw new SyntaxError(`${roots.length} root elements`);
  return roots[0]!;
}

function node(raw: Raw, outer: Scope): XmlNode[] {
  const tag = Object.keys(raw).find((key) => key !== ':@' && key !== '#text');
  if (tag === undefined || tag.startsWith('?')) return [];
  const written = (raw[':@'] ?? {}) as Readonly<Record<string, string>>;
  const scope: Record<string, string> = { ...outer };
  for (const [key, value] of Object.entries(written)) {
    if (key === 'xmlns') scope[''] = value;
    else if (key.startsWith('xmlns:')) scope[key.slice(6)] = value;
  }
  const inner = raw[tag] as readonly Raw[];
  const children = inner.flatMap((each) => node(each, scope));
  const text = inner
    .map((each) => ('#text' in each ? String(each['#text']) : ''))
    .join('')
    .trim();
  if (children.length > 0 && text !== '') throw new SyntaxError(`<${tag}> holds both elements and text`);
  return [{ ...resolve(tag, scope), attributes: attributesOf(written, scope), children, text }];
}

function resolve(tag: string, scope: Scope): { readonly name: string; readonly ns: string } {
  const colon = tag.indexOf(':');
  const prefix = colon < 0 ? '' : tag.slice(0, colon);
  const ns = Object.hasOwn(scope, prefix) ? scope[prefix]! : undefined;
  if (ns === undefined) throw new SyntaxError(`the namespace prefix "${prefix}" is not declared`);
  return { name: tag.slice(colon + 1), ns };
}

function attributesOf(written: Readonly<Record<string, string>>, scope: Scope): Readonly<Record<string, string>> {
  const named = Object.entries(written).flatMap(([key, value]): [string, string][] => {
    if (key === 'xmlns' || key.startsWith('xmlns:')) return [];
    if (!key.includes(':')) return [[key, value]];
    const { name, ns } = resolve(key, scope);
    return [[ns === netconfNs ? `nc:${name}` : name, value]];
  });
  return Object.fromEntries(named);
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (char) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[char]!);
}

export function childOf(parent: XmlNode | undefined, name: string): XmlNode | undefined {
  return parent?.children.find((child) => child.name === name);
}
