// Owns: what the kernel says it dropped: the last column of /proc/net/udp and udp6, by local address and port. Datagrams
// lost there never reach us, and nothing else tells of them. Sans I/O.

/** `127.0.0.1` → `0100007F`: the kernel prints each 32-bit word in the machine's own order, as a number. */
function procAddress(words: Uint8Array): string {
  const view = new Uint32Array(words.buffer, words.byteOffset, words.length / 4);
  return Array.from(view, (word) => word.toString(16).toUpperCase().padStart(8, '0')).join('');
}

function octetsOf(address: string): Uint8Array {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number);
  const [whole = ''] = address.split('%');
  // The last 32 bits may be written as IPv4 (`::ffff:192.0.2.1`).
  const dotted = /(?:\d{1,3}\.){3}\d{1,3}$/.exec(whole)?.[0];
  const last = dotted && octetsOf(dotted);
  const written = last ? whole.slice(0, -dotted.length) + [pair(last, 0), pair(last, 2)].join(':') : whole;
  const [left = '', right] = written.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

const pair = (octets: Uint8Array, at: number) => ((octets[at]! << 8) | octets[at + 1]!).toString(16);

export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

/** The file that lists the socket. */
export const procFileOf = ({ address }: UdpAddress) => (address.includes(':') ? '/proc/net/udp6' : '/proc/net/udp');

/** Datagrams dropped so far at this socket, from the text of its file; undefined where it is not listed. */
export function kernelDrops(text: string, { address, port }: UdpAddress): number | undefined {
  const local = `${procAddress(octetsOf(address))}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of text.split('\n')) {
    const columns = line.trim().split(/ +/);
    if (columns[1] !== local) continue;
    const drops = Number(columns.at(-1));
    return Number.isSafeInteger(drops) ? drops : undefined;
  }
  return undefined;
}
