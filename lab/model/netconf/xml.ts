// Owns: XML as a NETCONF server reads and writes it: namespaces resolved, mixed content and document types refused.
import { declaredPrefix, elementReader, localName, prefixOf, type WrittenElement } from '../../../adapters/xml/elements.ts';

export { escapeXml } from '../../../adapters/xml/elements.ts';

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
/** Deeper than any model. */
const read = elementReader(100);

type Scope = Readonly<Record<string, string>>;

/** The document's root. Throws a SyntaxError that says where it is no XML, or no XML a NETCONF server takes. */
export function readXml(text: string): XmlNode {
  return node(read(text.trim().replace(/^<\?xml[^>]*\?>/, '')), { '': '', xml: 'http://www.w3.org/XML/1998/namespace' });
}

function node({ tag, attributes, children: inner, text }: WrittenElement, outer: Scope): XmlNode {
  const scope: Record<string, string> = { ...outer };
  for (const [key, value] of attributes) {
    const prefix = declaredPrefix(key);
    if (prefix !== undefined) scope[prefix] = value;
  }
  if (inner.length > 0 && text !== '') throw new SyntaxError(`<${tag}> holds both elements and text`);
  const children = inner.map((each) => node(each, scope));
  return { ...resolve(tag, scope), attributes: attributesOf(attributes, scope), children, text };
}

function resolve(name: string, scope: Scope): { readonly name: string; readonly ns: string } {
  const prefix = prefixOf(name);
  const ns = Object.hasOwn(scope, prefix) ? scope[prefix]! : undefined;
  if (ns === undefined) throw new SyntaxError(`the namespace prefix "${prefix}" is not declared`);
  return { name: localName(name), ns };
}

function attributesOf(written: WrittenElement['attributes'], scope: Scope): Readonly<Record<string, string>> {
  const named = written.flatMap(([key, value]): [string, string][] => {
    if (declaredPrefix(key) !== undefined) return [];
    if (!key.includes(':')) return [[key, value]];
    const { name, ns } = resolve(key, scope);
    return [[ns === netconfNs ? `nc:${name}` : name, value]];
  });
  return Object.fromEntries(named);
}

export function childOf(parent: XmlNode | undefined, name: string): XmlNode | undefined {
  return parent?.children.find((child) => child.name === name);
}
