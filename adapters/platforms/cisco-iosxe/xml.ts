// Owns: XML as NETCONF replies need it: read without caring for namespaces, walked by local names, with bounds. A document type is
// refused outright (RFC 6241 section 3 forbids it).
import { messageOf, TargetError } from '../../../src/model/errors.ts';
import { declaredPrefix, elementReader, localName, type WrittenElement } from '../../xml/elements.ts';

export { escapeXml } from '../../xml/elements.ts';

export interface XmlElement {
  /** Local name, without prefix. */
  readonly name: string;
  /** By local name; declarations of namespaces are not among them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed; entities undone. */
  readonly text: string;
}

/** Deeper than any published YANG tree. */
const read = elementReader(200);

/** The elements at the top of a piece of XML: one for a document, several for the inside of one. Throws TargetError `bad-xml`. */
export function parseXml(xml: string): readonly XmlElement[] {
  try {
    return read(`<inner>${xml.replace(/^\s*<\?xml[^>]*\?>/, '')}</inner>`).children.map(local);
  } catch (error) {
    throw badXml(messageOf(error), xml);
  }
}

function local({ tag, attributes, children, text }: WrittenElement): XmlElement {
  const own = attributes.filter(([name]) => declaredPrefix(name) === undefined);
  return {
    name: localName(tag),
    attributes: Object.fromEntries(own.map(([name, value]) => [localName(name), value])),
    children: children.map(local),
    text,
  };
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

function badXml(what: string, xml: string): TargetError {
  return new TargetError(`[netconf] the target sent what is not well-formed XML: ${what}, in ${xml.length} characters`, {
    code: 'bad-xml',
    retry: false,
    remedy: 'Check that the port is its NETCONF port, and its software version.',
  });
}
