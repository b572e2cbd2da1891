// Owns: what the adapters of libvirt share.
export { LibvirtClient, refusedAs } from './client.ts';
export { connectLibvirt } from './connect.ts';
export { type DomainDescription, readDomain, word } from './domain-xml.ts';
export type { LibvirtPeer } from './transport.ts';
export { all, first, parseXml } from './xml.ts';
