// Owns: appends in the caller's own thread, on a connection of its own, while the journal is quiet: what is to happen next need not wait
// for another thread to wake, and not for the disk either. The journal's thread brings it there, and then it is durable.
//
// B1. Nothing is written here while the thread is asked for anything but that: of two writers one would wait for the other.
// B2. What is written here stands in the log behind everything before, and before everything after: whatever is brought to the disk
//     later takes it along. A power cut takes it only with all that follows.
// B3. Where it cannot be done at once, nothing is taken, and the thread is asked: it says why not, if not.
import type { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../src/model/errors.ts';
import type { Appended, Expectation } from '../../src/ports/journal.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { Client } from './client.ts';
import { fault } from './faults.ts';
import { type PlainRow, sealed } from './rows.ts';
import { appendOverheadBytes } from './store.ts';

/** More bytes of JSON take the caller too long. */
const rowBytesMax = 16 * 1024;
/** Entries that may come at once, and how many a millisecond in the long run: beyond that many together are cheaper, in the thread. */
const burstEntries = 32;
const entriesPerMs = 2;
/** What is in the log before it is brought into the file. */
const logBytes = 512 * 1024;
/** What came in a flood is remembered for so many entries: a little while. */
const rememberedEntries = 64;

/** One statement, and so one transaction; takes nothing where the tail is not what was expected. */
const insertAtTail = `
  INSERT INTO batch(first_seq, last_seq, at, epoch, crc, body)
  SELECT $first, $last, $at, $epoch, $crc, $body FROM (SELECT last_seq, epoch FROM batch ORDER BY first_seq DESC LIMIT 1)
  WHERE last_seq = $tail AND epoch <= $epoch`;

export interface BesideOptions {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly client: Client;
  readonly wall: Pick<Wall, 'monotonic'>;
}

export class Beside {
  readonly #options: BesideOptions;
  readonly #insert: ReturnType<DatabaseSync['prepare']>;
  #recent = 0;
  #at = 0;
  /** Bytes that the thread does not know of yet. */
  #written = 0;
  /** In the log since it was last brought into the file. */
  #logged = 0;

  constructor(options: BesideOptions) {
    this.#options = options;
    this.#insert = options.db.prepare(insertAtTail);
  }

  /** Returns how to make them durable; undefined where none was taken, and the thread is to be asked. */
  append(rows: readonly PlainRow[], entries: number, expect: Expectation): Appended['durable'] {
    const [row] = rows;
    const isQuiet = this.#isQuiet(entries);
    if (!isQuiet || !row || rows.length > 1 || row.body.length > rowBytesMax || !this.#options.client.isFree) return undefined;
    if (!this.#take(row, expect)) return undefined;
    this.#written += row.body.length + appendOverheadBytes;
    return () => this.#durable();
  }

  /** What was taken is brought to the disk first. */
  async close(): Promise<void> {
    if (this.#written > 0) await this.#durable().catch(() => undefined);
    if (this.#options.db.isOpen) this.#options.db.close();
  }

  #isQuiet(entries: number): boolean {
    const now = this.#options.wall.monotonic();
    this.#recent = Math.max(0, this.#recent - (now - this.#at) * entriesPerMs);
    this.#at = now;
    const isQuiet = this.#recent + entries <= burstEntries;
    this.#recent = Math.min(this.#recent + entries, rememberedEntries);
    return isQuiet;
  }

  #take(row: PlainRow, expect: Expectation): boolean {
    const { first_seq, last_seq, at, epoch, crc, body } = sealed(row);
    try {
      const { changes } = this.#insert.run({
        first: first_seq,
        last: last_seq,
        at,
        epoch,
        crc,
        body,
        tail: expect.lastSeq,
      });
      return changes === 1;
    } catch {
      return false;
    }
  }

  async #durable(): Promise<void> {
    const bytes = this.#written;
    this.#written = 0;
    const { client } = this.#options;
    await client.call('sync', bytes).catch((thrown: unknown) => {
      throw fault(
        'journal-unsynced',
        `${this.#options.path} cannot be brought to the disk: ${messageOf(thrown)}`,
        'Nothing is acted on any more. Look after the disk, then start Offbox again.',
        thrown,
      );
    });
    this.#logged += bytes;
    if (this.#logged < logBytes) return;
    this.#logged = 0;
    // Meanwhile nothing is taken here (B1), and so it comes to the log's end, and the log begins anew.
    client.call('checkpoint', undefined).catch(() => undefined);
  }
}
