// Owns: writing a snapshot of one moment in pieces, each no longer than a slice, with everything else going on in between.
import type { Engine } from '../core/engine.ts';
import { free } from '../model/free.ts';
import { snapshotJsonBytesMax } from '../model/limits.ts';
import type { Wall } from '../ports/wall.ts';
import type { WrittenSnapshot } from './apart/messages.ts';
import { piecesOf, type SnapshotParts } from './snapshots.ts';

interface Written {
  readonly json: Buffer;
  /** The longest slice, milliseconds. */
  readonly longestMs: number;
}

export interface WritingWays {
  readonly wall: Wall;
  readonly sliceMs: number;
  /** Lets others work between two slices. */
  readonly turn: () => Promise<void>;
  /** The JSON is gone afterwards. */
  readonly pack: (json: Buffer) => Promise<Uint8Array<ArrayBuffer>>;
}

/** What is taken is taken before it returns. Rejects with a RangeError where it is more than snapshotJsonBytesMax. */
export async function writtenSnapshot(
  engine: Engine,
  moment: Pick<WrittenSnapshot, 'through' | 'at'>,
  parts: Omit<SnapshotParts, 'engine'>,
  ways: WritingWays,
): Promise<WrittenSnapshot> {
  const from = ways.wall.monotonic();
  const policies = engine.versionsLeft();
  const unsettled = engine.unsettled();
  const pieces = piecesOf({ ...parts, engine: engine.save() });
  const begunMs = ways.wall.monotonic() - from;
  const { json, longestMs } = await written(pieces, ways);
  const blob = await ways.pack(json);
  free(json);
  return { ...moment, policies, unsettled, blob, longestMs: Math.max(begunMs, longestMs) };
}

async function written(pieces: Iterator<string>, { wall, sliceMs, turn }: WritingWays): Promise<Written> {
  let longestMs = 0;
  const chunks: Buffer[] = [];
  let jsonBytes = 0;
  for (let done = false; !done; ) {
    const sliceFrom = wall.monotonic();
    let text = '';
    // At least one piece: a wall that stands still ends no slice.
    for (let count = 0; !done && (wall.monotonic() - sliceFrom < sliceMs || count === 0); count += 1) {
      const next = pieces.next();
      if (next.done) done = true;
      else text += next.value;
    }
    const chunk = Buffer.from(text);
    chunks.push(chunk);
    jsonBytes += chunk.length;
    if (jsonBytes > snapshotJsonBytesMax) throw new RangeError(`it is more than ${snapshotJsonBytesMax} bytes`);
    longestMs = Math.max(longestMs, wall.monotonic() - sliceFrom);
    await turn();
  }
  const json = Buffer.concat(chunks, jsonBytes);
  for (const chunk of chunks) free(chunk);
  return { json, longestMs };
}
