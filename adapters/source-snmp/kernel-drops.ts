// Owns: what the kernel dropped of our socket because its buffer was full: Linux counts it in /proc/net/udp and udp6.
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';

/** Last column of a socket's line; local addresses are 32-bit words in the machine's order, ports in network order. */
function dropsOf(table: string, local: string): number {
  let drops = 0;
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === local) drops += Number(columns.at(-1)) || 0;
  }
  return drops;
}

const littleEndianHex = (octets: readonly number[]) =>
  octets
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .reverse()
    .join('')
    .toUpperCase();

/** Groups of an IPv6 address without `::`. */
function ipv6Octets(address: string): number[] {
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail)];
  const all = [...before, ...new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

/** `127.0.0.1`, 162 → `0100007F:00A2`. Written for little-endian machines, which x86-64 and arm64 are. */
export function localColumn(address: string, port: number): string {
  const octets = isIPv6(address) ? ipv6Octets(address) : address.split('.').map(Number);
  let hex = '';
  for (let at = 0; at < octets.length; at += 4) hex += littleEndianHex(octets.slice(at, at + 4));
  return `${hex}:${port.toString(16).padStart(4, '0').toUpperCase()}`;
}

/** Drops of the socket bound to this address so far; undefined where the system does not say. */
export async function kernelDrops(address: string, port: number, folder = '/proc/net'): Promise<number | undefined> {
  try {
    return dropsOf(await readFile(`${folder}/${isIPv6(address) ? 'udp6' : 'udp'}`, 'utf8'), localColumn(address, port));
  } catch {
    return undefined;
  }
}
