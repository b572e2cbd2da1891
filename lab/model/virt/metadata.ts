// Owns: what a client may put into a domain's <metadata>: one element without a prefix, its key a name.
import { readXml } from '../netconf/xml.ts';
import type { MetadataElement } from './domain.ts';
import { LibvirtRefusal } from './refusal.ts';

/** A mark is some hundred bytes; libvirt's own bound is that of a string, 4 MiB. */
const elementBytesMax = 65_536;
/** Of one domain: more than any orchestrator sets, and 4 MiB in all. */
const elementsMax = 64;
const uriLengthMax = 1_024;

type Metadata = ReadonlyMap<string, MetadataElement>;

/** With the element of that namespace, or without it where there is no XML. Throws LibvirtRefusal. */
export function changedMetadata(before: Metadata, uri: string, key: string, xml: string | null): Metadata {
  const metadata = new Map(before);
  if (xml === null) metadata.delete(uri);
  else metadata.set(uri, checkedElement(key, xml));
  if (metadata.size > elementsMax || uri.length > uriLengthMax)
    throw new LibvirtRefusal(
      'invalidArgument',
      `more than ${elementsMax} metadata elements, or a longer URI than ${uriLengthMax}`,
      'domain',
    );
  return metadata;
}

/** Throws LibvirtRefusal 27 where it is no XML, 8 where the key is no name. */
function checkedElement(key: string, xml: string): MetadataElement {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(key))
    throw new LibvirtRefusal('invalidArgument', 'key in virDomainSetMetadata must be an XML name', 'domain');
  if (xml.length > elementBytesMax) throw new LibvirtRefusal('xml', `metadata element longer than ${elementBytesMax}`, 'domain');
  try {
    readXml(xml);
  } catch (error) {
    throw new LibvirtRefusal('xml', error instanceof Error ? error.message : 'not XML', 'domain');
  }
  return { key, xml: xml.trim() };
}
