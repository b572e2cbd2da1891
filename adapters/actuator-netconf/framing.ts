// Owns: NETCONF's two framings (RFC 6242): end-of-message for 1.0 and the hellos, chunks for 1.1. Bytes in, whole
// messages out. Sans I/O, incremental and linear: each byte is looked at once and kept once, within a bound.

export interface Framing {
  /** Hands on each whole message, in order. A string answer says why the stream is broken: nothing after it can be trusted. */
  feed(bytes: Uint8Array, message: (text: string) => void): string | undefined;
  /** From the next byte on the peer sends chunks. May be called while a message is handed on. */
  chunked(): void;
}

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

export function encode(xml: string, framing: 'end-of-message' | 'chunked'): string {
  return framing === 'chunked' ? `\n#${Buffer.byteLength(xml)}\n${xml}\n##\n` : `${xml}]]>]]>`;
}

export function framing(messageBytesMax: number): Framing {
  let kept = Buffer.alloc(4_096);
  let length = 0;
  let inChunks = false;
  let matched = 0;
  let place: Place = 'lf';
  let digits = '';
  let left = 0;
  let broken: string | undefined;

  function keep(bytes: Uint8Array): void {
    if (length + bytes.length > messageBytesMax) {
      broken = `a message longer than ${messageBytesMax} bytes`;
      return;
    }
    if (length + bytes.length > kept.length) {
      const larger = Buffer.alloc(Math.max(kept.length * 2, length + bytes.length));
      kept.copy(larger, 0, 0, length);
      kept = larger;
    }
    kept.set(bytes, length);
    length += bytes.length;
  }

  function take(cut: number): string {
    const text = kept.toString('utf8', 0, length - cut);
    length = 0;
    return text;
  }

  /** Up to and with the next end-of-message; how many bytes it took. */
  function unmarked(bytes: Uint8Array, message: (text: string) => void): number {
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]!;
      while (matched > 0 && byte !== endOfMessage[matched]) matched = fallback[matched]!;
      if (byte === endOfMessage[matched]) matched += 1;
      if (matched < endOfMessage.length) continue;
      matched = 0;
      keep(bytes.subarray(0, index + 1));
      if (broken === undefined) message(take(endOfMessage.length));
      return index + 1;
    }
    keep(bytes);
    return bytes.length;
  }

  /** One byte between chunks. */
  function header(byte: number, message: (text: string) => void): void {
    const digit = byte >= ZERO && byte <= NINE;
    // Some servers end their hello with a line end of their own, which stands before the first chunk's.
    if (place === 'lf' && byte === LF) place = 'hash';
    else if (place === 'hash' && byte === HASH) {
      place = 'size';
      digits = '';
    } else if (place === 'hash' && byte === LF && length === 0) place = 'hash';
    else if (place === 'size' && byte === HASH && digits === '' && length > 0) place = 'end';
    else if (place === 'size' && digit && !(digits === '' && byte === ZERO) && digits.length < sizeDigitsMax) {
      digits += String.fromCharCode(byte);
    } else if (place === 'size' && byte === LF && digits !== '') {
      left = Number(digits);
      place = 'data';
      if (length + left > messageBytesMax) broken = `a chunk of ${left} bytes in a message that may have ${messageBytesMax}`;
    } else if (place === 'end' && byte === LF) {
      place = 'lf';
      message(take(0));
    } else
      broken = `byte 0x${byte.toString(16).padStart(2, '0')} where a chunk header has ${place === 'size' ? 'a size' : 'its mark'}`;
  }

  function chunks(bytes: Uint8Array, message: (text: string) => void): number {
    if (place !== 'data') {
      header(bytes[0]!, message);
      return 1;
    }
    const part = bytes.subarray(0, left);
    keep(part);
    left -= part.length;
    if (left === 0) place = 'lf';
    return part.length;
  }

  return {
    feed(bytes, message) {
      let from = 0;
      while (from < bytes.length && broken === undefined) {
        const rest = bytes.subarray(from);
        from += inChunks ? chunks(rest, message) : unmarked(rest, message);
      }
      return broken;
    },
    chunked() {
      inChunks = true;
    },
  };
}
