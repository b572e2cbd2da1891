// Owns: XDR (RFC 4506) as libvirt uses it: one codec for each type, reading and writing, each with its bound. Sans I/O.
// A read never allocates more than the bytes at hand can hold; whatever does not fit is a TargetError.
import { TargetError } from '../../src/model/errors.ts';

/** Reads and writes one type. */
export interface Codec<T> {
  /** Throws TargetError `bad-xdr` where the bytes are none of this type. */
  read(from: XdrReader): T;
  write(to: XdrWriter, value: T): void;
}

export type CodecType<C> = C extends Codec<infer T> ? T : never;

/** Where a UUID is written, byte by byte: one piece of text, where slices put together would be many. */
const uuidText = Buffer.from('00000000-0000-0000-0000-000000000000');
const uuidPlaces = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const hexDigits = Buffer.from('0123456789abcdef');

const padded = (length: number): number => (length + 3) & ~3;

export class XdrReader {
  readonly #bytes: Buffer;
  #at = 0;

  /** Reads in place: the bytes must stay until the reading is done. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  uint(): number {
    return this.#bytes.readUInt32BE(this.#skip(4));
  }

  hyper(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8));
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#skip(8));
  }

  /** `length` bytes and their padding. A view, not a copy. */
  fixed(length: number): Buffer {
    const at = this.#skip(padded(length));
    return this.#bytes.subarray(at, at + length);
  }

  /** `length` bytes and their padding, as UTF-8. */
  text(length: number): string {
    const at = this.#skip(padded(length));
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** 16 bytes, as a UUID is written. */
  uuid(): string {
    const at = this.#skip(16);
    for (let index = 0; index < 16; index += 1) {
      const place = uuidPlaces[index]!;
      const byte = this.#bytes[at + index]!;
      uuidText[place] = hexDigits[byte >> 4]!;
      uuidText[place + 1] = hexDigits[byte & 15]!;
    }
    return uuidText.toString('latin1');
  }

  /** A length of at most `max`, each of which takes at least `unit` bytes. */
  length(max: number, unit: number): number {
    const length = this.uint();
    if (length > max) throw badXdr(`a length of ${length} where ${max} is the most`);
    if (length * unit > this.left) throw badXdr(`a length of ${length} with ${this.left} bytes left`);
    return length;
  }

  #skip(length: number): number {
    const at = this.#at;
    if (length > this.left) throw badXdr(`${this.left} bytes where ${length} are needed`);
    this.#at = at + length;
    return at;
  }
}

export class XdrWriter {
  #bytes = Buffer.alloc(256);
  #at = 0;

  int(value: number): void {
    this.#room(4).writeInt32BE(value);
  }

  uint(value: number): void {
    this.#room(4).writeUInt32BE(value);
  }

  hyper(value: bigint): void {
    this.#room(8).writeBigInt64BE(value);
  }

  double(value: number): void {
    this.#room(8).writeDoubleBE(value);
  }

  fixed(bytes: Uint8Array): void {
    this.#room(padded(bytes.length)).set(bytes);
  }

  /** What was written. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** The next `length` bytes, zero. */
  #room(length: number): Buffer {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, at + length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#at = at + length;
    return this.#bytes.subarray(at, this.#at);
  }
}

export const int: Codec<number> = { read: (from) => from.int(), write: (to, value) => to.int(value) };
export const uint: Codec<number> = { read: (from) => from.uint(), write: (to, value) => to.uint(value) };
export const double: Codec<number> = { read: (from) => from.double(), write: (to, value) => to.double(value) };

/** 64 bits as a number: exact up to 2^53, which is eight petabytes or 285,000 years. */
export const hyper: Codec<number> = {
  read: (from) => Number(from.hyper()),
  write: (to, value) => to.hyper(BigInt(Math.trunc(value))),
};
export const uhyper: Codec<number> = {
  read: (from) => Number(BigInt.asUintN(64, from.hyper())),
  write: (to, value) => to.hyper(BigInt.asIntN(64, BigInt(Math.trunc(value)))),
};

export const nothing: Codec<undefined> = { read: () => undefined, write: () => undefined };

/** UTF-8 of at most `max` bytes. */
export const string = (max: number): Codec<string> => ({
  read: (from) => from.text(from.length(max, 1)),
  write: (to, value) => {
    const bytes = Buffer.from(value, 'utf8');
    if (bytes.length > max) throw badXdr(`a string of ${bytes.length} bytes where ${max} is the most`);
    to.uint(bytes.length);
    to.fixed(bytes);
  },
});

/** Bytes, copied. */
export const opaque = (max: number): Codec<Uint8Array> => ({
  read: (from) => Uint8Array.from(from.fixed(from.length(max, 1))),
  write: (to, value) => {
    if (value.length > max) throw badXdr(`${value.length} bytes where ${max} is the most`);
    to.uint(value.length);
    to.fixed(value);
  },
});

/** 16 raw bytes; here as `c7a5fdbd-0000-4000-8000-000000000001`, lower case. */
export const uuid: Codec<string> = {
  read: (from) => from.uuid(),
  write: (to, value) => {
    const bytes = Buffer.from(value.replaceAll('-', ''), 'hex');
    if (bytes.length !== 16) throw badXdr(`"${value.slice(0, 40)}" where a UUID is needed`);
    to.fixed(bytes);
  },
};

/** Of no bytes: what is known beforehand. */
export const constant = <const T extends string>(value: T): Codec<T> => ({ read: () => value, write: () => undefined });

export const optional = <T>(inner: Codec<T>): Codec<T | null> => ({
  read: (from) => (flag(from) ? inner.read(from) : null),
  write: (to, value) => {
    to.uint(value === null ? 0 : 1);
    if (value !== null) inner.write(to, value);
  },
});

export const array = <T>(inner: Codec<T>, max: number): Codec<readonly T[]> => ({
  read: (from) => {
    const found: T[] = [];
    // Nothing in this protocol takes less than four bytes.
    for (let left = from.length(max, 4); left > 0; left--) found.push(inner.read(from));
    return found;
  },
  write: (to, values) => {
    if (values.length > max) throw badXdr(`${values.length} elements where ${max} is the most`);
    to.uint(values.length);
    for (const value of values) inner.write(to, value);
  },
});

/** The members one after the other, in the order they are written here. */
export function struct<T extends object>(shape: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T> {
  const members = Object.entries(shape) as unknown as readonly (readonly [keyof T, Codec<T[keyof T]>])[];
  return {
    read: (from) => {
      const value: Partial<T> = {};
      for (const [name, codec] of members) value[name] = codec.read(from);
      return value as T;
    },
    write: (to, value) => {
      for (const [name, codec] of members) codec.write(to, value[name]);
    },
  };
}

/** All of the bytes as one value. Throws TargetError `bad-xdr`, also where some are left over. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const from = new XdrReader(bytes);
  const value = codec.read(from);
  if (from.left > 0) throw badXdr(`${from.left} bytes too many`);
  return value;
}

export function encode<T>(codec: Codec<T>, value: T): Buffer {
  const to = new XdrWriter();
  codec.write(to, value);
  return to.done();
}

/** An optional's or a boolean's: anything but 0 and 1 is none. */
export function flag(from: XdrReader): boolean {
  const value = from.uint();
  if (value > 1) throw badXdr(`${value} where 0 or 1 is needed`);
  return value === 1;
}

export function badXdr(what: string): TargetError {
  return new TargetError(`[libvirt-rpc] a message cannot be read: ${what}`, {
    code: 'bad-xdr',
    retry: true,
    remedy: 'Check that the port is that of libvirtd, and its version.',
  });
}
