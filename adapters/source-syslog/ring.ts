// Owns: the queue between the receiving thread and the main one: a ring of bytes in memory both share, one writer, one
// reader. Nothing is cloned and nothing allocated on the way, and while the main thread is busy the other goes on filling.
//
// Q1. Only the writer moves `head` and only the reader `tail`. A record is written BEFORE head passes it and read BEFORE
//     tail does.
// Q2. The reader says it sleeps BEFORE it looks a last time; the writer publishes BEFORE it looks whether the reader
//     sleeps. So no record is left lying, and the bell rings once a sleep.
// Q3. Positions are counts of bytes modulo 2^32; the capacity is a power of two.

/** Given to the other thread. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/** What the writer counts, for the reader to show. */
export type RingCounter = 'received' | 'no-room' | 'too-long' | 'malformed' | 'connections';

const head = 0;
const tail = 1;
/** 1 while the reader is up or has been called. */
const awake = 2;
/** 1 while the writer waits to be told of room. */
const waiting = 3;
const counters: Readonly<Record<RingCounter, number>> = {
  received: 4,
  'no-room': 5,
  'too-long': 6,
  malformed: 7,
  connections: 8,
};
const words = 9;

/** Instead of a length: the next record begins at the ring's start. */
const wrap = 0xffff_ffff;
const padded = (bytes: number) => 4 + ((bytes + 3) & ~3);

export function ringMemory(bytes: number): RingMemory {
  return { control: new SharedArrayBuffer(words * 4), data: new SharedArrayBuffer(bytes) };
}

export class RingWriter {
  readonly #control: Int32Array;
  readonly #lengths: Uint32Array;
  readonly #data: Buffer;
  readonly #ring: () => void;
  /** Where the record under way begins. */
  #next = 0;

  /** `ring` calls the reader, who sleeps. */
  constructor(memory: RingMemory, ring: () => void) {
    this.#control = new Int32Array(memory.control);
    this.#lengths = new Uint32Array(memory.data);
    this.#data = Buffer.from(memory.data);
    this.#ring = ring;
  }

  count(what: RingCounter, by = 1): void {
    Atomics.add(this.#control, counters[what], by);
  }

  /** Whether a share of the ring (0 to 1) is free. */
  hasFree(share: number): boolean {
    return this.#used() <= this.#data.length * (1 - share);
  }

  /** One record: `prefix` (ASCII) and the bytes. False, and nothing written, where there is no room. */
  write(prefix: string, bytes: Uint8Array): boolean {
    const at = this.#reserve(prefix.length + bytes.length);
    if (at < 0) return false;
    this.#data.write(prefix, at, 'latin1');
    this.#data.set(bytes, at + prefix.length);
    this.#publish(prefix.length + bytes.length);
    return true;
  }

  /** One record of text. */
  writeText(text: string): boolean {
    const length = Buffer.byteLength(text);
    const at = this.#reserve(length);
    if (at < 0) return false;
    this.#data.write(text, at);
    this.#publish(length);
    return true;
  }

  /** Where a record of this length goes, its length already written before it; -1 where there is no room. */
  #reserve(length: number): number {
    const capacity = this.#data.length;
    const size = padded(length);
    let position = this.#control[head]! >>> 0;
    let offset = position & (capacity - 1);
    const rest = capacity - offset;
    const skipped = size > rest ? rest : 0;
    if (this.#used() + size + skipped > capacity) return -1;
    if (skipped > 0) {
      this.#lengths[offset >>> 2] = wrap;
      position += skipped;
      offset = 0;
    }
    this.#lengths[offset >>> 2] = length;
    this.#next = position;
    return offset + 4;
  }

  #publish(length: number): void {
    Atomics.store(this.#control, head, this.#next + padded(length));
    if (Atomics.load(this.#control, awake) === 0 && Atomics.exchange(this.#control, awake, 1) === 0) this.#ring();
  }

  /** Asks to be told when there is room again. The caller looks once more after it: the reader may just have finished. */
  await(): void {
    Atomics.store(this.#control, waiting, 1);
  }

  #used(): number {
    return (this.#control[head]! - Atomics.load(this.#control, tail)) >>> 0;
  }
}

export class RingReader {
  readonly #control: Int32Array;
  readonly #lengths: Uint32Array;
  readonly #data: Buffer;
  readonly #seen: Record<RingCounter, number> = { received: 0, 'no-room': 0, 'too-long': 0, malformed: 0, connections: 0 };

  constructor(memory: RingMemory) {
    this.#control = new Int32Array(memory.control);
    this.#lengths = new Uint32Array(memory.data);
    this.#data = Buffer.from(memory.data);
  }

  /** The next record as text, bytes that are no UTF-8 replaced; null where there is none. */
  read(): string | null {
    const end = Atomics.load(this.#control, head) >>> 0;
    let position = this.#control[tail]! >>> 0;
    if (position === end) return null;
    const capacity = this.#data.length;
    let offset = position & (capacity - 1);
    if (this.#lengths[offset >>> 2] === wrap) {
      position += capacity - offset;
      offset = 0;
    }
    const length = this.#lengths[offset >>> 2]!;
    const record = this.#data.toString('utf8', offset + 4, offset + 4 + length);
    Atomics.store(this.#control, tail, position + padded(length));
    return record;
  }

  /** Nothing is left to read: true when the reader may sleep until the bell, false when something came meanwhile (Q2). */
  sleep(): boolean {
    Atomics.store(this.#control, awake, 0);
    if (Atomics.load(this.#control, head) === this.#control[tail]) return true;
    return Atomics.exchange(this.#control, awake, 1) === 1; // 1: the writer saw us asleep, its bell is on its way
  }

  /** How much of the ring is to be read, from 0 to 1. */
  filled(): number {
    return ((Atomics.load(this.#control, head) - this.#control[tail]!) >>> 0) / this.#data.length;
  }

  /** Whether the writer waits and half of the ring is free again; says so once. */
  roomWanted(): boolean {
    if (Atomics.load(this.#control, waiting) === 0) return false;
    const used = (Atomics.load(this.#control, head) - this.#control[tail]!) >>> 0;
    return used <= this.#data.length / 2 && Atomics.exchange(this.#control, waiting, 0) === 1;
  }

  /** Counted since the last call. Words wrap: call it at least every 2^32 messages. */
  counted(what: RingCounter): number {
    const now = Atomics.load(this.#control, counters[what]) >>> 0;
    const rise = (now - this.#seen[what]) >>> 0;
    this.#seen[what] = now;
    return rise;
  }
}
