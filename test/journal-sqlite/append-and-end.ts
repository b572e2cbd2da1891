// A process of its own that appends one entry, prints its seq once acknowledged, and ends without closing the journal.
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';

const journal = await openSqliteJournal({ path: process.argv[2]! });
const { lastSeq } = await journal.tail();
const { firstSeq } = await journal.append([{ kind: 'tick', at: 1 }], { epoch: 1, lastSeq });
process.stdout.write(`${firstSeq}\n`);
// One that nothing was asked of must not keep the process either.
await openSqliteJournal({ path: process.argv[2]! });
