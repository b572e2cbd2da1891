// Owns: a decoded value as plain data: numbers exact, octets as text where that loses nothing.
import { type CodecVarbind, netSnmp } from './net-snmp.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Octets as text where that is printable and cannot be taken for hex, else as `0x…`. */
export function octetsText(octets: Buffer): string {
  try {
    const text = strictUtf8.decode(octets);
    if (!/[^\P{C}\t\n\r]/u.test(text) && !text.startsWith('0x')) return text;
  } catch {
    // Not UTF-8: hex below.
  }
  return `0x${octets.toString('hex')}`;
}

const { ObjectType } = netSnmp;

/** Counter64 and what has no other form as text; null where the varbind has no value (`noSuchInstance`, …). */
export function plainValue({ type, value }: CodecVarbind): string | number | null {
  if (typeof value === 'number' || typeof value === 'string' || value === null) return value;
  if (typeof value === 'boolean') return String(value);
  if (type === ObjectType.Counter64) return BigInt(`0x${value.toString('hex')}`).toString();
  if (type === ObjectType.Opaque) return `0x${value.toString('hex')}`;
  return octetsText(value);
}
