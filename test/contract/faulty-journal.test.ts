import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import { appendSettled } from '../../src/runtime/append-settled.ts';
import { faultyJournal } from './faulty-journal.ts';
import { journalContract } from './journal.ts';

let seed = 0;

// A third of the appends go wrong; readings do not, because the suite itself reads and has nobody to settle that for it.
journalContract('a remote journal that loses answers, appended to as the runtime does', async () => {
  seed += 1;
  const { journal, settled } = faultyJournal(memoryJournal(), { seed, appendPercent: 33, readPercent: 0 });
  return {
    journal,
    append: (batch, expectation) => appendSettled(journal, batch, expectation),
    async dispose() {
      await settled();
      await journal.close();
    },
  };
});
