// Owns: entries <-> rows. A row holds consecutive entries as one JSON array without their numbers (seq is first_seq plus
// position), compressed where it is long, under a CRC-32, because SQLite guards only what is still in its log with a
// checksum, not the pages of the file. An empty array spans its numbers all the same: they were trimmed, or given up after
// damage.
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { free } from '../../src/model/free.ts';
import { journalCompressBytesMin, journalEntryBytesMax, journalRowBytesMax } from '../../src/model/limits.ts';
import { entryJson, entryOf } from '../../src/model/written-event.ts';
import { damaged, fault } from './faults.ts';

/** Entries as they are handed to the writer. */
export interface PlainRow {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly at: number;
  readonly epoch: number;
  /** JSON, or compressed already. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Columns in the table's order; the body is JSON, or a Zstandard frame (RFC 8878) of it. */
export interface Row extends PlainRow {
  readonly crc: number;
}

const checksum = (row: PlainRow): number => crc32(row.body, crc32(`${row.first_seq} ${row.last_seq} ${row.at} ${row.epoch}`));

/**
 * As it is stored. Entries of one append resemble each other: a tenth or less is left of them, at a third of a microsecond
 * each, and what is not written need not be synced, and not be brought from the log into the file.
 */
export function sealed(plain: PlainRow): Row {
  const row = isToCompress(plain) ? { ...plain, body: new Uint8Array(zstdCompressSync(plain.body, fast)) } : plain;
  return { ...row, crc: checksum(row) };
}

/** Long, and not compressed before: what a flood appends the thread compresses with one stream (compressor.ts). */
export const isToCompress = (row: PlainRow): boolean => row.body.length >= journalCompressBytesMin && !isCompressed(row);

export const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 256 * 1024 };
const bounded = { maxOutputLength: journalRowBytesMax + journalEntryBytesMax, chunkSize: 1024 * 1024 };
/** RFC 8878 3.1.1, little-endian; JSON never begins so. */
const zstdMagic = 0xfd2fb528;

const bytesOf = ({ body }: PlainRow): Buffer => Buffer.from(body.buffer, body.byteOffset, body.byteLength);

/** Such a row may be journalRowBytesMax long again, whatever its body takes. */
export const isCompressed = (row: PlainRow): boolean => row.body.length > 4 && bytesOf(row).readUInt32LE() === zstdMagic;

const bodyText = (row: Row): Buffer => (isCompressed(row) ? zstdDecompressSync(bytesOf(row), bounded) : bytesOf(row));

/** Whether an entry of this kind can be in there: a word looked for, nothing read. */
export const mayHold = (row: Row, kind: string): boolean => bodyText(row).includes(`"kind":"${kind}"`);

const textOf = (row: Row): string => bodyText(row).toString();

/** Of what is handed over: it goes to the writer's thread and comes back. Made there and freed here, memory would break to pieces. */
const spare: ArrayBuffer[] = [];
const spareMax = 4;
const spareBytesMin = 16 * 1024;
const spareBytesMax = 1024 * 1024;

/** A buffer of at least so many bytes. */
function buffer(bytes: number): ArrayBuffer {
  const index = spare.findIndex(({ byteLength }) => byteLength >= bytes);
  if (index >= 0) return spare.splice(index, 1)[0]!;
  return new ArrayBuffer(Math.max(spareBytesMin, 2 ** Math.ceil(Math.log2(bytes))));
}

/** Bodies whose rows are written: what follows may have their memory. */
export function giveBack(buffers: readonly ArrayBuffer[]): void {
  for (const each of buffers) {
    if (spare.length < spareMax && each.byteLength <= spareBytesMax) spare.push(each);
    else free(new Uint8Array(each));
  }
}

/** Where lines become bytes; what is handed over is a copy. */
let scratch = Buffer.allocUnsafeSlow(1024 * 1024);
const comma = 0x2c;
const opening = 0x5b;
const closing = 0x5d;

/** Room for `bytes` behind the first `used`. */
function reserve(used: number, bytes: number): void {
  if (used + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, used + bytes));
  scratch.copy(larger, 0, 0, used);
  scratch = larger;
}

/** Writes `line` behind the first `used`: how many bytes that took. A UTF-16 unit takes three bytes at most. */
function write(line: string, used: number): number {
  reserve(used, line.length * 3 + 2);
  scratch[used] = used === 0 ? opening : comma;
  return scratch.write(line, used + 1, 'utf8') + 1;
}

function bodyOf(used: number): Uint8Array<ArrayBuffer> {
  if (used === 0) return Uint8Array.of(opening, closing);
  scratch[used] = closing; // `write` left room for it
  const body = new Uint8Array(buffer(used + 1), 0, used + 1);
  body.set(scratch.subarray(0, used + 1));
  return body;
}

export function rowOf(firstSeq: number, lastSeq: number, at: number, epoch: number, lines: readonly string[]): PlainRow {
  let used = 0;
  for (const line of lines) used += write(line, used);
  return { first_seq: firstSeq, last_seq: lastSeq, at, epoch, body: bodyOf(used) };
}

/** The rows of one append: one, unless its JSON is beyond what a reader should hold at once. */
export function rowsOf(batch: readonly NewEntry[], firstSeq: number, epoch: number): PlainRow[] {
  const rows: PlainRow[] = [];
  let used = 0;
  let from = 0;
  const close = (end: number): void => {
    const last_seq = firstSeq + end - 1;
    rows.push({ first_seq: firstSeq + from, last_seq, at: batch[end - 1]!.at, epoch, body: bodyOf(used) });
  };
  for (let index = 0; index < batch.length; index += 1) {
    const entry = batch[index]!;
    const bytes = write(entryJson(entry), used);
    if (bytes - 1 > journalEntryBytesMax) {
      throw fault(
        'entry-too-large',
        `took none of the batch: its entry ${index + 1} of ${batch.length} (${entry.kind}) is ${bytes - 1} bytes, the limit is ${journalEntryBytesMax}`,
        'Cut what it carries (raw message, evidence) before appending.',
      );
    }
    if (used > 0 && used + bytes > journalRowBytesMax) {
      close(index);
      scratch.copyWithin(0, used, used + bytes);
      scratch[0] = opening;
      used = 0;
      from = index;
    }
    used += bytes;
  }
  if (batch.length > 0) close(batch.length);
  return rows;
}

/** What a row holds, whole: position `i` is entry `first_seq + i`. Empty where the row only spans its numbers. */
export function entriesOf(path: string, row: Row): Entry[] {
  const where = `entries ${row.first_seq} to ${row.last_seq}`;
  if (checksum(row) !== row.crc) throw damaged(path, `${where} do not match their checksum`);
  const bodies: unknown[] = JSON.parse(textOf(row));
  if (bodies.length !== 0 && bodies.length !== row.last_seq - row.first_seq + 1) {
    throw damaged(path, `${where} are ${bodies.length} in number`);
  }
  return bodies.map((body, index) => ({ ...entryOf(body), seq: row.first_seq + index }));
}
