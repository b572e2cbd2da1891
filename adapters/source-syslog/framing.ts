// Owns: RFC 6587: where one message ends and the next begins in a TCP stream. Both framings, told apart by the first
// octet of every frame: `46 <189>…` is counted, anything else ends at LF, CR LF or NUL. Sans I/O.
//
// F1. Bytes are kept once and only of one unfinished frame, at most `syslogMessageBytesMax`; what is longer is cut there,
//     counted, and the rest of the frame passed over.
// F2. Every byte is looked at a constant number of times, however the stream was cut into chunks.
// F3. A count that cannot be one (`2bc`, `000002 ab`, more than `syslogFrameBytesMax`) is text: the frame ends at its line.
//     A count that lies ends in such a line at the latest, and a line without end is `endless`: cut the sender off, a new
//     connection starts clean.
import { syslogFrameBytesMax, syslogMessageBytesMax } from '../../src/model/limits.ts';

const nul = 0x00;
const lf = 0x0a;
const cr = 0x0d;
const space = 0x20;
const zero = 0x30;
const nine = 0x39;

const countDigitsMax = String(syslogFrameBytesMax).length;
const nothing = Buffer.alloc(0);

/** Call `feed`, then `next` until it is null; then feed again, or `end`. */
export class Framer {
  #chunk: Buffer = nothing;
  #at = 0;
  /** The position of the next LF and NUL in the chunk, the chunk's length where there is none: each is sought once. */
  #nextLf = 0;
  #nextNul = 0;
  #mode: 'start' | 'count' | 'counted' | 'line' = 'start';
  /** In `count` the number so far, in `counted` the octets still to come. */
  #count = 0;
  #digits = 0;
  /** What earlier chunks brought of this frame. */
  #kept: Buffer = nothing;
  #keptBytes = 0;
  /** Octets of this frame so far, those passed over included. */
  #frameBytes = 0;
  #tooLong = 0;

  /** Frames cut because they were too long, since the start. */
  get tooLong(): number {
    return this.#tooLong;
  }

  /** The line now being read has gone on beyond all bounds (F3). */
  get endless(): boolean {
    return this.#mode === 'line' && this.#frameBytes > syslogFrameBytesMax;
  }

  /** The chunk is not copied: it stays the framer's until `next` has returned null. */
  feed(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#nextLf = -1;
    this.#nextNul = -1;
  }

  /** The next whole message, valid until the next call; null when the chunk holds no more. Empty lines are none. */
  next(): Buffer | null {
    while (this.#at < this.#chunk.length) {
      if (this.#mode === 'start') this.#begin();
      else if (this.#mode === 'count') this.#readCount();
      else {
        const frame = this.#mode === 'counted' ? this.#readCounted() : this.#readLine();
        if (frame && frame.length > 0) return frame;
      }
    }
    return null;
  }

  /** The stream is over: the last line if it had no end, and whether a counted frame was cut off in the middle. */
  end(): { readonly last: Buffer | null; readonly cut: boolean } {
    const cut = this.#mode === 'counted';
    const last = this.#mode === 'line' || this.#mode === 'count' ? this.#finish(nothing) : null;
    this.#mode = 'start';
    return { last: last && last.length > 0 ? last : null, cut };
  }

  #begin(): void {
    const octet = this.#chunk[this.#at]!;
    // Some senders end a counted frame with a line end as well; spaces are never the start of a message.
    if (octet === lf || octet === cr || octet === nul || octet === space) {
      this.#at += 1;
      return;
    }
    this.#keptBytes = 0;
    this.#frameBytes = 0;
    this.#count = 0;
    this.#digits = 0;
    this.#mode = octet > zero && octet <= nine ? 'count' : 'line';
  }

  #readCount(): void {
    const octet = this.#chunk[this.#at]!;
    if (octet >= zero && octet <= nine && this.#digits < countDigitsMax) {
      this.#count = this.#count * 10 + (octet - zero);
      this.#digits += 1;
      this.#keep(this.#chunk.subarray(this.#at, this.#at + 1));
      this.#at += 1;
    } else if (octet === space && this.#count <= syslogFrameBytesMax) {
      this.#at += 1;
      this.#keptBytes = 0;
      this.#frameBytes = 0;
      this.#mode = 'counted';
    } else this.#mode = 'line'; // the digits are its beginning and are kept
  }

  #readCounted(): Buffer | null {
    const end = Math.min(this.#chunk.length, this.#at + this.#count);
    const part = this.#chunk.subarray(this.#at, end);
    this.#count -= end - this.#at;
    this.#at = end;
    if (this.#count === 0) return this.#finish(part);
    this.#keep(part);
    return null;
  }

  #readLine(): Buffer | null {
    const length = this.#chunk.length;
    if (this.#nextLf < this.#at) this.#nextLf = positionOf(this.#chunk, lf, this.#at);
    if (this.#nextNul < this.#at) this.#nextNul = positionOf(this.#chunk, nul, this.#at);
    const end = Math.min(this.#nextLf, this.#nextNul);
    const part = this.#chunk.subarray(this.#at, end);
    this.#at = Math.min(end + 1, length);
    if (end < length) return this.#finish(part);
    this.#keep(part);
    return null;
  }

  /** The message of a frame that ends with `part`; not copied where it lay in one chunk. */
  #finish(part: Buffer): Buffer {
    const bytes = this.#frameBytes + part.length;
    let frame = part;
    if (this.#keptBytes > 0) {
      this.#keep(part);
      frame = this.#kept.subarray(0, this.#keptBytes);
    }
    if (bytes > syslogMessageBytesMax) {
      this.#tooLong += 1;
      frame = frame.subarray(0, syslogMessageBytesMax);
    }
    this.#mode = 'start';
    return frame.at(-1) === cr ? frame.subarray(0, -1) : frame;
  }

  #keep(part: Buffer): void {
    this.#frameBytes += part.length;
    const room = syslogMessageBytesMax - this.#keptBytes;
    const taken = part.length > room ? part.subarray(0, room) : part;
    const bytes = this.#keptBytes + taken.length;
    if (bytes > this.#kept.length) {
      const larger = Buffer.alloc(Math.min(syslogMessageBytesMax, Math.max(256, bytes * 2)));
      larger.set(this.#kept.subarray(0, this.#keptBytes));
      this.#kept = larger;
    }
    this.#kept.set(taken, this.#keptBytes);
    this.#keptBytes = bytes;
  }
}

function positionOf(bytes: Buffer, octet: number, from: number): number {
  const found = bytes.indexOf(octet, from);
  return found < 0 ? bytes.length : found;
}
