import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { journalContract } from '../contract/journal.ts';
import { slowTime } from './images.ts';

for (const [name, wall] of [
  ['journal-sqlite', undefined],
  ['journal-sqlite, taking at once', slowTime()],
] as const)
  journalContract(name, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'offbox-journal-'));
    const journal = await openSqliteJournal({ path: join(directory, 'journal.sqlite'), ...(wall ? { wall } : {}) });
    return {
      journal,
      async append(batch, expectation) {
        const { firstSeq, durable } = await journal.append(batch, expectation);
        await durable?.();
        return { firstSeq };
      },
      dispose: async () => {
        await journal.close();
        await rm(directory, { recursive: true });
      },
    };
  });
