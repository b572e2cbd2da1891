import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { journalContract } from '../contract/journal.ts';

journalContract('journal-sqlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offbox-journal-'));
  const journal = await openSqliteJournal({ path: join(directory, 'journal.sqlite') });
  return {
    journal,
    append: journal.append,
    dispose: async () => {
      await journal.close();
      await rm(directory, { recursive: true });
    },
  };
});
