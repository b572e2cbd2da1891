// Owns: the embedded default journal: one SQLite file in WAL mode, synchronous FULL, a row a batch, written in a thread of
// its own (docs/decisions/0006-journal.md). Entries become rows and rows entries here, on the caller's side.
import { resolve } from 'node:path';
import type { Entry, EntryBody, EntryOf } from '../../src/model/entry.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { Beside } from './beside.ts';
import { type Client, startThread } from './client.ts';
import { translated } from './faults.ts';
import { openBeside, openForReading } from './file.ts';
import { entriesOf, giveBack, isCompressed, mayHold, type Row, rowsOf } from './rows.ts';
import { storeOn } from './store.ts';

export type JournalReader = Pick<Journal, 'read' | 'ofKind' | 'tail' | 'getBlob' | 'close'>;

export interface SqliteJournalOptions {
  readonly path: string;
  /** Told, in a sentence or two, when the end of the journal could not be read and was cut at opening. */
  readonly onCut?: (what: string) => void;
  /** The file grows no further (`journal-full`); its log (-wal) comes on top. Without it: until the disk is full. */
  readonly bytesMax?: number;
  /**
   * Where given, what comes while the journal is quiet is taken at once and durable soon after, and the log is brought into the file while
   * nobody appends; otherwise all of it goes through the thread, and the log into the file when it has become long.
   */
  readonly wall?: Pick<Wall, 'after' | 'monotonic'>;
}

/** Nobody has appended for so long: what comes next is likely to be the first of something. */
const quietMs = 4;

type RowsFrom = (fromSeq: number, throughSeq: number) => Promise<readonly Row[]>;

/** What is handed out at once: rows as they were read together, but each that was compressed alone. */
function pieces(rows: readonly Row[]): readonly (readonly Row[])[] {
  const plain = rows.filter((row) => !isCompressed(row));
  return plain.length === rows.length ? [rows] : rows.map((row) => [row]);
}

/**
 * Rows as they are read together, and whether an entry of theirs is one that was asked for. `through` is asked for at the call of read(),
 * and only heard of when somebody iterates.
 */
async function* pages(fromSeq: number, through: Promise<number>, rowsFrom: RowsFrom) {
  const throughSeq = await through;
  for (let next = Math.max(fromSeq, 1); next <= throughSeq; ) {
    const from = next;
    const rows = await rowsFrom(from, throughSeq);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield { rows, isAsked: ({ seq }: Entry): boolean => seq >= from && seq <= throughSeq };
    next = last.last_seq + 1;
  }
}

/** Any row of these: read without being taken to pieces where no entry in it can be of that kind. */
async function* readKind<K extends EntryBody['kind']>(
  path: string,
  kind: K,
  fromSeq: number,
  through: Promise<number>,
  rowsFrom: RowsFrom,
): AsyncIterable<readonly EntryOf<K>[]> {
  for await (const { rows, isAsked } of pages(fromSeq, through, rowsFrom)) {
    for (const row of rows) {
      if (!mayHold(row, kind)) continue;
      const found = entriesOf(path, row).filter((entry): entry is EntryOf<K> => entry.kind === kind);
      const some = found.filter(isAsked);
      if (some.length > 0) yield some;
    }
  }
}

async function* readRows(
  path: string,
  fromSeq: number,
  through: Promise<number>,
  rowsFrom: RowsFrom,
): AsyncIterable<readonly Entry[]> {
  for await (const { rows, isAsked } of pages(fromSeq, through, rowsFrom)) {
    for (const some of pieces(rows)) {
      const entries = some.flatMap((row) => entriesOf(path, row)).filter(isAsked);
      if (entries.length > 0) yield entries;
    }
  }
}

function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** To be called after each append: asks for a checkpoint once none has followed for a while. */
function whenQuiet(client: Client, wall: Pick<Wall, 'after'>): () => void {
  let appends = 0;
  let waits = false;
  const wait = (seen: number): void => {
    waits = true;
    wall.after(quietMs, () => {
      waits = false;
      if (appends !== seen) wait(appends);
      else client.call('checkpoint', undefined).catch(() => undefined);
    });
  };
  return () => {
    appends += 1;
    if (!waits) wait(appends);
  };
}

export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const path = resolve(options.path);
  const { wall, bytesMax = Number.MAX_SAFE_INTEGER } = options;
  const client = await startThread({ path, bytesMax });
  if (client.cut) options.onCut?.(client.cut);
  const appended = wall ? whenQuiet(client, wall) : () => undefined;
  const beside = wall && new Beside({ db: openBeside(path, bytesMax), path, client, wall });
  return {
    async append(batch, expect) {
      const rows = rowsOf(batch, expect.lastSeq + 1, expect.epoch);
      const memory = rows.map((row) => row.body.buffer);
      const firstSeq = expect.lastSeq + 1;
      const durable = beside?.append(rows, batch.length, expect);
      giveBack(durable ? memory : await client.call('append', { rows, expect }, memory));
      appended();
      return { firstSeq, durable };
    },
    read: (fromSeq) =>
      readRows(path, fromSeq, unheard(client.call('tail', undefined).then(({ lastSeq }) => lastSeq)), (from, throughSeq) =>
        client.call('read', { fromSeq: from, throughSeq }),
      ),
    ofKind: (kind, fromSeq) =>
      readKind(path, kind, fromSeq, unheard(client.call('tail', undefined).then(({ lastSeq }) => lastSeq)), (from, throughSeq) =>
        client.call('read', { fromSeq: from, throughSeq }),
      ),
    tail: () => client.call('tail', undefined),
    async trim(beforeSeq) {
      while (!(await client.call('trim', beforeSeq)));
    },
    async putBlob(bytes) {
      const copy = new Uint8Array(bytes);
      return client.call('putBlob', copy, [copy.buffer]);
    },
    getBlob: (digest) => client.call('getBlob', digest),
    deleteBlob: (digest) => client.call('deleteBlob', digest),
    blobs: () => client.call('blobs', undefined),
    room: () => client.call('room', undefined),
    async close() {
      await beside?.close();
      await client.close();
    },
  };
}

/** Reads a journal on the caller's thread, also while another process writes it. */
export async function readSqliteJournal({ path: given }: { readonly path: string }): Promise<JournalReader> {
  const path = resolve(given);
  try {
    const store = storeOn(openForReading(path), path);
    return {
      read(fromSeq) {
        const through = unheard((async () => store.tail().lastSeq)());
        return readRows(path, fromSeq, through, async (from, throughSeq) => store.read(from, throughSeq));
      },
      ofKind(kind, fromSeq) {
        const through = unheard((async () => store.tail().lastSeq)());
        return readKind(path, kind, fromSeq, through, async (from, throughSeq) => store.read(from, throughSeq));
      },
      tail: async () => store.tail(),
      getBlob: async (digest) => store.getBlob(digest),
      close: async () => store.close(),
    };
  } catch (error) {
    throw translated(path, error);
  }
}
