// Owns: NETCONF's two framings (RFC 6242): end-of-message for 1.0 and the hellos, chunks for 1.1. Bytes in, whole
// messages out. Sans I/O, incremental and linear: each byte is looked at once and kept once, within a bound.

const LF = 0x0a;
const HASH = 0x23;
const ZERO = 0x30;
const NINE = 0x39;
const endOfMessage = Buffer.from(']]>]]>');
/** How much of `]]>]]>` still matches after a mismatch at its nth byte (Knuth, Morris, Pratt). */
const fallback = [0, 0, 1, 0, 1, 2];
/** RFC 6242 section 4.2: chunk-size is 1 to 4294967295. */
const sizeDigitsMax = 10;

/** Where we are between chunks: `LF # digits LF`, or `LF # # LF` after the last one. */
type Place = 'lf' | 'hash' | 'size' | 'data' | 'end';
const wanted: Readonly<Record<Place, string>> = { lf: 'a line end', hash: '#', size: 'a size', data: 'data', end: 'a line end' };

export type Style = 'end-of-message' | 'chunked';

export function encode(xml: string, style: Style): string {
  return style === 'chunked' ? `\n#${Buffer.byteLength(xml)}\n${xml}\n##\n` : `${xml}]]>]]>`;
}

type Hand = (text: string) => void;

export class Framing {
  readonly #messageBytesMax: number;
  #kept = Buffer.alloc(4_096);
  #length = 0;
  #style: Style = 'end-of-message';
  #matched = 0;
  #place: Place = 'lf';
  #digits = '';
  #left = 0;
  #broken: string | undefined;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** Hands on each whole message, in order. A string answer says why the stream is broken: nothing after it can be trusted. */
  feed(bytes: Uint8Array, message: Hand): string | undefined {
    let from = 0;
    while (from < bytes.length && this.#broken === undefined) {
      const rest = bytes.subarray(from);
      from += this.#style === 'chunked' ? this.#chunked(rest, message) : this.#marked(rest, message);
    }
    return this.#broken;
  }

  /** From the next byte on the peer sends chunks. May be called while a message is handed on. */
  chunked(): void {
    this.#style = 'chunked';
  }

  /** Up to and with the next end-of-message; how many bytes it took. */
  #marked(bytes: Uint8Array, message: Hand): number {
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]!;
      while (this.#matched > 0 && byte !== endOfMessage[this.#matched]) this.#matched = fallback[this.#matched]!;
      if (byte === endOfMessage[this.#matched]) this.#matched += 1;
      if (this.#matched < endOfMessage.length) continue;
      this.#matched = 0;
      this.#keep(bytes.subarray(0, index + 1));
      if (this.#broken === undefined) message(this.#take(endOfMessage.length));
      return index + 1;
    }
    this.#keep(bytes);
    return bytes.length;
  }

  #chunked(bytes: Uint8Array, message: Hand): number {
    if (this.#place !== 'data') {
      this.#header(bytes[0]!, message);
      return 1;
    }
    const part = bytes.subarray(0, this.#left);
    this.#keep(part);
    this.#left -= part.length;
    if (this.#left === 0) this.#place = 'lf';
    return part.length;
  }

  /** One byte between chunks. */
  #header(byte: number, message: Hand): void {
    const place = this.#place;
    if (place === 'lf' && byte === LF) this.#place = 'hash';
    else if (place === 'hash' && byte === HASH) {
      this.#place = 'size';
      this.#digits = '';
      // Some servers end their hello with a line end of their own, which stands before the first chunk's.
    } else if (place === 'hash' && byte === LF && this.#length === 0) this.#place = 'hash';
    else if (place === 'size' && byte === HASH && this.#digits === '' && this.#length > 0) this.#place = 'end';
    else if (place === 'size' && this.#digit(byte)) this.#digits += String.fromCharCode(byte);
    else if (place === 'size' && byte === LF && this.#digits !== '') this.#begin(Number(this.#digits));
    else if (place === 'end' && byte === LF) {
      this.#place = 'lf';
      message(this.#take(0));
    } else this.#broken = `byte 0x${byte.toString(16).padStart(2, '0')} where a chunk header has ${wanted[place]}`;
  }

  #digit(byte: number): boolean {
    const leading = this.#digits === '' && byte === ZERO;
    return byte >= ZERO && byte <= NINE && !leading && this.#digits.length < sizeDigitsMax;
  }

  #begin(size: number): void {
    this.#left = size;
    this.#place = 'data';
    if (this.#length + size > this.#messageBytesMax) {
      this.#broken = `a chunk of ${size} bytes in a message that may have ${this.#messageBytesMax}`;
    }
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#messageBytesMax) {
      this.#broken = `a message longer than ${this.#messageBytesMax} bytes`;
      return;
    }
    if (needed > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(this.#kept.length * 2, needed));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#length);
    this.#length = needed;
  }

  #take(cut: number): string {
    const text = this.#kept.toString('utf8', 0, this.#length - cut);
    this.#length = 0;
    return text;
  }
}
