// A process of its own that appends as fast as it can and prints the last seq of each append once it is acknowledged.
import { writeSync } from 'node:fs';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { variedBatch } from './images.ts';

const [path, epoch] = [process.argv[2]!, Number(process.argv[3])];
const journal = await openSqliteJournal({ path, onCut: (what) => writeSync(1, `cut ${what}\n`) });
let { lastSeq } = await journal.tail();
for (let index = lastSeq; ; index += 1) {
  const batch = variedBatch(index);
  await journal.append(batch, { epoch, lastSeq });
  lastSeq += batch.length;
  writeSync(1, `${index} ${lastSeq}\n`);
}
