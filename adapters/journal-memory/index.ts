// Owns: the journal that forgets everything when the process ends: for stories, backtests and `--lab` without a directory.
// It keeps JSON, as the durable ones do, so that nobody can change an entry afterwards and both give back the same.
import { createHash } from 'node:crypto';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
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

export function memoryJournal(): Journal {
  /** Entries `trimmed + 1` to `tail.lastSeq`, in order. */
  let lines: string[] = [];
  let trimmed = 0;
  let tail: Tail = { lastSeq: 0, lastAt: 0, epoch: 0 };
  const blobs = new Map<string, Uint8Array>();
  let closed = false;

  const whileOpen = () => {
    if (closed) refuse('journal-closed', 'is closed', 'Nothing may be appended or read after close().');
  };

  function append(batch: readonly NewEntry[], expect: Expectation) {
    whileOpen();
    const added = linesOf(batch);
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
    const firstSeq = tail.lastSeq + 1;
    const last = batch.at(-1);
    if (last) {
      for (const line of added) lines.push(line);
      tail = { lastSeq: tail.lastSeq + batch.length, lastAt: last.at, epoch: expect.epoch };
    }
    return { firstSeq };
  }

  /** One piece of what is asked, as much as a reader should hold at once. */
  function pieceFrom(firstSeq: number, throughSeq: number): Entry[] {
    const piece: Entry[] = [];
    let characters = 0;
    for (let seq = firstSeq; seq <= throughSeq && characters < journalRowBytesMax && piece.length < appendEntriesMax; seq += 1) {
      const line = lines[seq - trimmed - 1]!;
      characters += line.length;
      piece.push({ ...JSON.parse(line), seq });
    }
    return piece;
  }

  async function* read(fromSeq: number, throughSeq: number): AsyncIterable<readonly Entry[]> {
    whileOpen();
    for (let next = fromSeq; ; ) {
      const piece = pieceFrom(Math.max(next, trimmed + 1), throughSeq);
      const last = piece.at(-1);
      if (!last) return;
      yield piece;
      next = last.seq + 1;
      whileOpen();
    }
  }

  return {
    append: async (batch, expect) => append(batch, expect),
    read: (fromSeq) => read(fromSeq, tail.lastSeq),
    async tail() {
      whileOpen();
      return tail;
    },
    async trim(beforeSeq) {
      whileOpen();
      const cut = Math.min(beforeSeq - 1, tail.lastSeq);
      if (cut <= trimmed) return;
      lines = lines.slice(cut - trimmed);
      trimmed = cut;
    },
    async putBlob(bytes) {
      whileOpen();
      if (bytes.length > journalBlobBytesMax) {
        refuse(
          'entry-too-large',
          `refused a blob of ${bytes.length} bytes, the limit is ${journalBlobBytesMax}`,
          'Store less in one blob.',
        );
      }
      const digest = createHash('sha256').update(bytes).digest('hex');
      blobs.set(digest, Uint8Array.from(bytes));
      return digest;
    },
    async getBlob(digest) {
      whileOpen();
      const bytes = blobs.get(digest);
      return bytes && Uint8Array.from(bytes);
    },
    async close() {
      closed = true;
    },
  };
}
