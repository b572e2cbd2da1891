// Owns: writing a document in pieces, each no longer than a slice, with everything else going on in between.
import { snapshotJsonBytesMax } from '../model/limits.ts';
import type { Wall } from '../ports/wall.ts';

export interface Written {
  readonly json: Buffer;
  /** The longest slice, milliseconds. */
  readonly longestMs: number;
}

export interface WritingWays {
  readonly wall: Wall;
  readonly sliceMs: number;
  /** Lets others work between two slices. */
  readonly turn: () => Promise<void>;
}

/** Throws a RangeError where it is more than snapshotJsonBytesMax. */
export async function written(pieces: Iterator<string>, { wall, sliceMs, turn }: WritingWays): Promise<Written> {
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
  return { json: Buffer.concat(chunks, jsonBytes), longestMs };
}
