// Owns: a stand-in for a journal at the far end of a network: late, and with answers that get lost. Seeded: the same seed
// gives the same faults in the same order.
import type { NewEntry } from '../../src/model/entry.ts';
import type { Expectation, Journal } from '../../src/ports/journal.ts';

export interface Faults {
  readonly seed: number;
  /** Of a hundred appends, how many meet a fault: request lost, answer lost, or the request arrives after the answer was given up. */
  readonly appendPercent: number;
  /** Of a hundred readings (tail, read), how many are cut off. */
  readonly readPercent: number;
}

export interface FaultyJournal {
  readonly journal: Journal;
  /** Resolves when every request still under way has arrived. */
  settled(): Promise<void>;
  /** Faults so far, by kind. */
  readonly faults: Readonly<Record<'request-lost' | 'answer-lost' | 'late' | 'cut-off', number>>;
}

/** Mulberry32: whole numbers from 0 to `below` - 1. */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Requests that nobody waits for any more and that arrive all the same. */
function underWay() {
  const arrivals = new Set<Promise<unknown>>();
  return {
    add(request: () => Promise<unknown>): void {
      const arrival = request().catch(() => undefined);
      arrivals.add(arrival);
      void arrival.then(() => arrivals.delete(arrival));
    },
    async settled() {
      while (arrivals.size > 0) await Promise.all(arrivals);
    },
  };
}

export function faultyJournal(inner: Journal, { seed, appendPercent, readPercent }: Faults): FaultyJournal {
  const roll = dice(seed);
  const faults = { 'request-lost': 0, 'answer-lost': 0, late: 0, 'cut-off': 0 };
  const requests = underWay();
  let closed = false;

  const delay = async () => {
    for (let turns = roll(6); turns > 0; turns -= 1) await Promise.resolve();
  };
  const lose = (kind: keyof typeof faults): never => {
    faults[kind] += 1;
    throw new Error(`connection reset (${kind})`);
  };

  const arriveLate = (batch: readonly NewEntry[], expect: Expectation) =>
    requests.add(async () => {
      for (let turns = roll(40); turns > 0; turns -= 1) await Promise.resolve();
      await inner.append(batch, expect);
    });

  async function append(batch: readonly NewEntry[], expect: Expectation) {
    // One's own close() is known without asking anybody.
    if (closed) return inner.append(batch, expect);
    const sent = structuredClone(batch);
    const kind = roll(100) < appendPercent ? (['request-lost', 'answer-lost', 'late'] as const)[roll(3)] : undefined;
    await delay();
    if (kind === 'request-lost') lose(kind);
    if (kind === 'late') {
      arriveLate(sent, expect);
      lose(kind);
    }
    const answer = await inner.append(sent, expect);
    await delay();
    return kind === 'answer-lost' ? lose(kind) : answer;
  }

  async function* slowly(batches: ReturnType<Journal['read']>) {
    for await (const batch of batches) {
      await delay();
      if (roll(100) < readPercent) lose('cut-off');
      yield batch;
    }
  }

  const later = async <T>(work: () => Promise<T>): Promise<T> => {
    await delay();
    return work();
  };

  return {
    faults,
    settled: requests.settled,
    journal: {
      append,
      read: (fromSeq) => slowly(inner.read(fromSeq)),
      ofKind: (kind, fromSeq) => inner.ofKind(kind, fromSeq),
      tail: () => later(() => (roll(100) < readPercent ? lose('cut-off') : inner.tail())),
      trim: (beforeSeq) => later(() => inner.trim(beforeSeq)),
      putBlob: (bytes) => later(() => inner.putBlob(bytes)),
      getBlob: (digest) => later(() => inner.getBlob(digest)),
      deleteBlob: (digest) => later(() => inner.deleteBlob(digest)),
      blobs: () => later(() => inner.blobs()),
      room: () => later(() => inner.room()),
      async close() {
        closed = true;
        await inner.close();
      },
    },
  };
}
