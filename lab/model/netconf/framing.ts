// Owns: NETCONF framing over SSH (RFC 6242): end-of-message `]]>]]>` until both hellos are out, chunks from then on where
// both sides speak base 1.1. Sans I/O; bytes may come one at a time.

const endOfMessage = Buffer.from(']]>]]>');
/** A whole configuration is some kB here; what is longer is no request. */
export const netconfMessageBytesMax = 1_048_576;

export type Framing = 'end-of-message' | 'chunked';

export interface FrameReader {
  /** Throws a RangeError that says what is wrong with the framing; the session is then over. */
  feed(bytes: Buffer): void;
  /** From the next message on. */
  use(framing: Framing): void;
}

export function createFrameReader(onMessage: (message: string) => void): FrameReader {
  let framing: Framing = 'end-of-message';
  const body = createBody();
  let header = '';
  let wanted = 0;

  // Each takes what it can of the bytes from `at` on, and returns how many that were.
  const takeDelimited = (bytes: Buffer, at: number): number => {
    const before = body.length;
    const end = bytes.indexOf(endOfMessage, at);
    const taken = bytes.subarray(at, end < 0 ? undefined : end + endOfMessage.length);
    body.append(taken);
    // It may have begun in what came before.
    const found = body.indexOf(endOfMessage, Math.max(0, before - endOfMessage.length + 1));
    if (found < 0) return taken.length;
    onMessage(body.take(found));
    return found + endOfMessage.length - before;
  };
  const takeHeader = (bytes: Buffer, at: number): number => {
    header += String.fromCharCode(bytes[at]!);
    if (!/^\n(#([1-9]\d{0,9}\n?|#\n?)?)?$/.test(header) || (header.startsWith('\n##') && body.length === 0))
      throw new RangeError(`${JSON.stringify(header)} begins no chunk`);
    if (header.length > 1 && header.endsWith('\n')) {
      wanted = header === '\n##\n' ? 0 : Number(header.slice(2));
      if (body.length + wanted > netconfMessageBytesMax) throw tooLong();
      header = '';
      if (wanted === 0) onMessage(body.take(body.length));
    }
    return 1;
  };
  const takeChunk = (bytes: Buffer, at: number): number => {
    const taken = bytes.subarray(at, at + wanted);
    body.append(taken);
    wanted -= taken.length;
    return taken.length;
  };

  return {
    use: (next) => {
      framing = next;
    },
    feed(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (framing === 'end-of-message') at += takeDelimited(bytes, at);
        else if (wanted > 0) at += takeChunk(bytes, at);
        else at += takeHeader(bytes, at);
      }
    },
  };
}

const tooLong = () => new RangeError(`a message is longer than ${netconfMessageBytesMax} bytes`);

/** A message growing in one buffer that doubles: linear, and no piece of what came is kept alive. */
function createBody() {
  let held = Buffer.alloc(4_096);
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(bytes: Buffer): void {
      if (length + bytes.length > netconfMessageBytesMax + endOfMessage.length) throw tooLong();
      if (length + bytes.length > held.length) {
        const larger = Buffer.alloc(2 * (length + bytes.length));
        held.copy(larger, 0, 0, length);
        held = larger;
      }
      bytes.copy(held, length);
      length += bytes.length;
    },
    indexOf: (what: Buffer, from: number): number => held.subarray(0, length).indexOf(what, from),
    /** The first `count` bytes as text; the rest is forgotten. */
    take(count: number): string {
      length = 0;
      return held.toString('utf8', 0, count);
    },
  };
}

export function frame(message: string, framing: Framing): string {
  return framing === 'chunked' ? `\n#${Buffer.byteLength(message)}\n${message}\n##\n` : `${message}]]>]]>`;
}
