// Owns: libvirt's XML as a tree with namespaces, bounded.
import { messageOf, TargetError } from '../../src/model/errors.ts';
import { libvirtXmlMax } from '../../src/model/limits.ts';
import { declaredPrefix, elementReader, localName, prefixOf, type WrittenElement } from '../xml/elements.ts';

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

/** Deeper than any of libvirt's, whose deepest has 12. */
const read = elementReader(100);

/** Prefix to namespace. */
type Scope = Readonly<Record<string, string>>;

/** The root element. Throws TargetError `bad-xml`. */
export function parseXml(xml: string): XmlElement {
  if (xml.length > libvirtXmlMax) throw badXml(`more than ${libvirtXmlMax} characters`, xml);
  try {
    return resolved(read(xml), {});
  } catch (error) {
    throw badXml(messageOf(error), xml);
  }
}

function resolved({ tag, attributes: written, children, text }: WrittenElement, outer: Scope): XmlElement {
  let scope = outer;
  const attributes: Record<string, string> = Object.create(null);
  for (const [name, value] of written) {
    const prefix = declaredPrefix(name);
    if (prefix === undefined) attributes[localName(name)] = value;
    else scope = { ...scope, [prefix]: value };
  }
  const namespace = scope[prefixOf(tag)] ?? '';
  return { name: localName(tag), namespace, attributes, children: children.map((child) => resolved(child, scope)), text };
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
