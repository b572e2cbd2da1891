// Owns: the thread that writes the journal: a commit waits for the disk, and receiving and deciding must not wait with it.
import { parentPort, workerData } from 'node:worker_threads';
import { free } from '../../src/model/free.ts';
import { type Answered, type Asked, type Calls, type Opened, plain, type ThreadOptions } from './calls.ts';
import { compressor } from './compressor.ts';
import { translated } from './faults.ts';
import { openForWriting } from './file.ts';
import { fast, isToCompress, type PlainRow } from './rows.ts';
import { type Store, storeOn } from './store.ts';

/** Log beyond which it is brought into the file, whoever waits: at 1 MiB that takes 2 to 3 ms, at SQLite's own 4 MiB 6 to 9. */
const logBytes = 1024 * 1024;
/** The same where nobody does. */
const quietLogBytes = 128 * 1024;

type Handlers = { readonly [C in keyof Calls]: (ask: Calls[C]['ask']) => Calls[C]['answer'] | Promise<Calls[C]['answer']> };

const port = parentPort!;
const { path, bytesMax } = workerData as ThreadOptions;
const compress = compressor(fast);

const handlersOf = (store: Store): Handlers => ({
  async append({ rows, expect }) {
    const stored: PlainRow[] = [];
    for (const row of rows) stored.push(isToCompress(row) ? { ...row, body: await compress(row.body) } : row);
    store.append(stored, expect);
    return rows.map(({ body }) => body.buffer);
  },
  sync(bytes) {
    store.sync(bytes);
    return undefined;
  },
  read: ({ fromSeq, throughSeq }) => store.read(fromSeq, throughSeq),
  tail: () => store.tail(),
  trim: (beforeSeq) => store.trimSome(beforeSeq),
  putBlob(bytes) {
    const digest = store.putBlob(bytes);
    free(bytes); // it was handed over
    return digest;
  },
  getBlob: (digest) => store.getBlob(digest),
  deleteBlob(digest) {
    store.deleteBlob(digest);
    return undefined;
  },
  blobs: () => store.blobs(),
  checkpoint() {
    store.checkpoint(quietLogBytes);
    return undefined;
  },
  room: () => store.room(),
  close() {
    store.close();
    return undefined;
  },
});

/** Bytes that are handed over rather than copied. */
function buffersOf(answer: unknown): ArrayBuffer[] {
  if (answer instanceof Uint8Array) return [answer.buffer as ArrayBuffer];
  if (!Array.isArray(answer)) return [];
  return (answer as Calls['read' | 'append' | 'blobs']['answer']).flatMap((part) => {
    if (typeof part === 'string') return [];
    return part instanceof ArrayBuffer ? [part] : [part.body.buffer];
  });
}

async function answered(handlers: Handlers, { id, call, ask }: Asked): Promise<Answered> {
  try {
    return { id, answer: await handlers[call](ask as never) };
  } catch (error) {
    return { id, fault: plain(error) };
  }
}

function open(): Store | undefined {
  try {
    const { db, cut } = openForWriting(path, bytesMax);
    port.postMessage({ cut } satisfies Opened);
    return storeOn(db, path);
  } catch (error) {
    port.postMessage({ fault: plain(translated(path, error)) } satisfies Opened);
    return undefined;
  }
}

const store = open();
if (store) {
  const handlers = handlersOf(store);
  const take = async (asked: Asked): Promise<void> => {
    const answer = await answered(handlers, asked);
    port.postMessage(answer, 'answer' in answer ? buffersOf(answer.answer) : []);
    if (asked.call === 'close') port.close();
    // After the answer: whoever waited for the commit does not wait for this. Not while somebody may write beside us: the log would
    // not come to its end.
    else if (asked.call !== 'sync') store.checkpoint(logBytes);
  };
  // One after the other, in the order in which they were asked.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (asked: Asked) => {
    last = last.then(() => take(asked));
  });
}
