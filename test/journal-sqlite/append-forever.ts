// A process of its own that appends as fast as it can and prints the last seq of each append once it is taken.
import { writeSync } from 'node:fs';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { slowTime, variedBatch } from './images.ts';

/** Standard output is a socket here: when its reader is slow a write may take a part of a line, or nothing. */
function say(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EAGAIN') throw thrown;
    }
  }
}

const [path, epoch, way] = [process.argv[2]!, Number(process.argv[3]), process.argv[4]];
const onCut = (what: string): void => say(`cut ${what}`);
const journal = await openSqliteJournal(way === 'beside' ? { path, onCut, wall: slowTime() } : { path, onCut });
let { lastSeq } = await journal.tail();
for (let index = lastSeq; ; index += 1) {
  const batch = variedBatch(index);
  await journal.append(batch, { epoch, lastSeq });
  lastSeq += batch.length;
  say(`${index} ${lastSeq}`);
}
