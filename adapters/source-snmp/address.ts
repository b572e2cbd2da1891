// Owns: one spelling for an address: `::ffff:10.0.0.1` is 10.0.0.1, IPv6 is as RFC 5952 writes it.
import { isIPv6 } from 'node:net';

export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  // A zone (`%eth0`) is part of who it is, and no URL takes one.
  return isIPv6(address) && !address.includes('%') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
