// Owns: entries <-> rows. A row holds consecutive entries as one JSON array without their numbers (seq is first_seq plus
// position) under a CRC-32, because SQLite guards only what is still in its log with a checksum, not the pages of the file.
// An empty array spans its numbers all the same: they were trimmed, or given up after damage.
import { crc32 } from 'node:zlib';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { journalEntryBytesMax, journalRowBytesMax } from '../../src/model/limits.ts';
import { damaged, fault } from './faults.ts';

// Not Buffer.from: it may share its memory with others, and these bytes are handed over to a thread.
const encoder = new TextEncoder();

/** Columns in the table's order. */
export interface Row {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly at: number;
  readonly epoch: number;
  readonly crc: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

export const checksum = (row: Omit<Row, 'crc'>): number =>
  crc32(row.body, crc32(`${row.first_seq} ${row.last_seq} ${row.at} ${row.epoch}`));

export function rowOf(firstSeq: number, lastSeq: number, at: number, epoch: number, lines: readonly string[]): Row {
  const row = { first_seq: firstSeq, last_seq: lastSeq, at, epoch, body: encoder.encode(`[${lines.join(',')}]`) };
  return { ...row, crc: checksum(row) };
}

/** The rows of one append: one, unless its JSON is beyond what a reader should hold at once. */
export function rowsOf(batch: readonly NewEntry[], firstSeq: number, epoch: number): Row[] {
  const rows: Row[] = [];
  let lines: string[] = [];
  let bytes = 0;
  const close = (end: number) => {
    const last = batch[end - 1]!;
    rows.push(rowOf(firstSeq + end - lines.length, firstSeq + end - 1, last.at, epoch, lines));
    lines = [];
    bytes = 0;
  };
  for (const [index, entry] of batch.entries()) {
    const line = JSON.stringify(entry);
    const size = Buffer.byteLength(line);
    if (size > journalEntryBytesMax) {
      throw fault(
        'entry-too-large',
        `took none of the batch: its entry ${index + 1} of ${batch.length} (${entry.kind}) is ${size} bytes, the limit is ${journalEntryBytesMax}`,
        'Cut what it carries (raw message, evidence) before appending.',
      );
    }
    if (bytes > 0 && bytes + size > journalRowBytesMax) close(index);
    lines.push(line);
    bytes += size;
  }
  if (lines.length > 0) close(batch.length);
  return rows;
}

/** What a row holds, whole: position `i` is entry `first_seq + i`. Empty where the row only spans its numbers. */
export function entriesOf(path: string, row: Row): Entry[] {
  const where = `entries ${row.first_seq} to ${row.last_seq}`;
  if (checksum(row) !== row.crc) throw damaged(path, `${where} do not match their checksum`);
  const bodies: NewEntry[] = JSON.parse(Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength).toString());
  if (bodies.length !== 0 && bodies.length !== row.last_seq - row.first_seq + 1) {
    throw damaged(path, `${where} are ${bodies.length} in number`);
  }
  return bodies.map((body, index) => ({ ...body, seq: row.first_seq + index }));
}
