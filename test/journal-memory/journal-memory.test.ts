import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import { journalContract } from '../contract/journal.ts';

journalContract('journal-memory', async () => {
  const journal = memoryJournal();
  return { journal, append: journal.append, dispose: () => journal.close() };
});
