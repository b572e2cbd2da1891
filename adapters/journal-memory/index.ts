// Owns: the journal that forgets everything when the process ends: for stories, backtests and `--lab` without a directory.
// It keeps JSON, as the durable ones do, so that nobody can change an entry afterwards and both give back the same.
import { createHash } from 'node:crypto';
import type { Entry, EntryBody, EntryOf, NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import { appendEntriesMax, journalBlobBytesMax, journalEntryBytesMax, journalRowBytesMax } from '../../src/model/limits.ts';
import type { Expectation, Journal, JournalRefusal, Tail } from '../../src/ports/journal.ts';

const refuse = (code: JournalRefusal, message: string, remedy: string): never => {
  throw new RuntimeFault(`[journal-memory] ${message}`, { code, remedy });
};

function linesOf(batch: readonly NewEntry[]): string[] {
  return batch.map((entry, index) => {
    const line = JSON.stringify(entry);
    const bytes = Buffer.byteLength(line);
    if (bytes <= journalEntryBytesMax) return line;
    return refuse(
      'entry-too-large',
      `took none of the batch: its entry ${index + 1} of ${batch.length} (${entry.kind}) is ${bytes} bytes, the limit is ${journalEntryBytesMax}`,
      'Cut what it carries (raw message, evidence) before appending.',
    );
  });
}

function checkExpectation(expect: Expectation, tail: Tail): void {
  if (expect.epoch < tail.epoch) {
    refuse(
      'stale-epoch',
      `refused epoch ${expect.epoch}: epoch ${tail.epoch} has written since`,
      'Stop acting: another Offbox holds the lease.',
    );
  }
  if (expect.lastSeq !== tail.lastSeq) {
    refuse(
      'not-the-tail',
      `expected seq ${expect.lastSeq} last and found ${tail.lastSeq}`,
      'Read on from there before appending.',
    );
  }
}

function memoryBlobs() {
  const blobs = new Map<string, Uint8Array>();
  return {
    put(bytes: Uint8Array): string {
      if (bytes.length > journalBlobBytesMax) {
        refuse(
          'entry-too-large',
          `refused a blob of ${bytes.length} bytes, the limit is ${journalBlobBytesMax}`,
          'Store less in one blob.',
        );
      }
      const digest = createHash('sha256').update(bytes).digest('hex');
      blobs.set(digest, new Uint8Array(bytes));
      return digest;
    },
    delete: (digest: string) => void blobs.delete(digest),
    digests: () => [...blobs.keys()],
    bytes: () => [...blobs.values()].reduce((sum, { length }) => sum + length, 0),
    get(digest: string): Uint8Array | undefined {
      const bytes = blobs.get(digest);
      return bytes && new Uint8Array(bytes);
    },
  };
}

function memoryEntries() {
  /** Entries `trimmed + 1` to `tail.lastSeq`, in order. */
  let lines: string[] = [];
  let trimmed = 0;
  let tail: Tail = { lastSeq: 0, lastAt: 0, epoch: 0 };
  return {
    tail: () => tail,
    bytes: () => lines.reduce((sum, { length }) => sum + length, 0),
    append(batch: readonly NewEntry[], expect: Expectation) {
      const added = linesOf(batch);
      checkExpectation(expect, tail);
      const firstSeq = tail.lastSeq + 1;
      const last = batch.at(-1);
      if (last) {
        for (const line of added) lines.push(line);
        tail = { lastSeq: tail.lastSeq + batch.length, lastAt: last.at, epoch: expect.epoch };
      }
      return { firstSeq };
    },
    /** One piece of what is asked, as much as a reader should hold at once. */
    pieceFrom(fromSeq: number, throughSeq: number): Entry[] {
      const piece: Entry[] = [];
      let characters = 0;
      for (let seq = Math.max(fromSeq, trimmed + 1); seq <= throughSeq && piece.length < appendEntriesMax; seq += 1) {
        const line = lines[seq - trimmed - 1]!;
        piece.push({ ...JSON.parse(line), seq });
        characters += line.length;
        if (characters >= journalRowBytesMax) break;
      }
      return piece;
    },
    trim(beforeSeq: number) {
      const cut = Math.min(beforeSeq - 1, tail.lastSeq);
      if (cut <= trimmed) return;
      lines = lines.slice(cut - trimmed);
      trimmed = cut;
    },
  };
}

export function memoryJournal(): Journal {
  const entries = memoryEntries();
  const blobs = memoryBlobs();
  let closed = false;

  async function whileOpen<T>(work: () => T): Promise<T> {
    if (closed) refuse('journal-closed', 'is closed', 'Nothing may be appended or read after close().');
    return work();
  }

  async function* read(fromSeq: number, throughSeq: number): AsyncIterable<readonly Entry[]> {
    for (let next = fromSeq; ; ) {
      const piece = await whileOpen(() => entries.pieceFrom(next, throughSeq));
      const last = piece.at(-1);
      if (!last) return;
      yield piece;
      next = last.seq + 1;
    }
  }

  async function* ofKind<K extends EntryBody['kind']>(kind: K, from: number): AsyncIterable<readonly EntryOf<K>[]> {
    for await (const batch of read(from, entries.tail().lastSeq))
      yield batch.filter((entry): entry is EntryOf<K> => entry.kind === kind);
  }

  return {
    ofKind,
    append: (batch, expect) => whileOpen(() => entries.append(batch, expect)),
    read: (fromSeq) => read(fromSeq, entries.tail().lastSeq),
    tail: () => whileOpen(entries.tail),
    trim: (beforeSeq) => whileOpen(() => entries.trim(beforeSeq)),
    putBlob: (bytes) => whileOpen(() => blobs.put(bytes)),
    getBlob: (digest) => whileOpen(() => blobs.get(digest)),
    deleteBlob: (digest) => whileOpen(() => blobs.delete(digest)),
    blobs: () => whileOpen(blobs.digests),
    room: () => whileOpen(() => ({ usedBytes: entries.bytes() + blobs.bytes(), freeBytes: Number.POSITIVE_INFINITY })),
    async close() {
      closed = true;
    },
  };
}
