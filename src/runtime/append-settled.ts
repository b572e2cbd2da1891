// Owns: appending where the answer may be lost (ports/journal.ts): nothing is lost by it and nothing is there twice.
//
// A1 What was refused at the first try is refused: the caller hears the refusal.
// A2 Whatever else was thrown says nothing about the batch. The entries after the caller's last seq tell: ours are ours
//    by their place and content, for a second try with the same `lastSeq` can never be taken beside the first.
// A3 A first try may arrive after the second was sent. Then the second is refused, and A2 finds the first.
import type { Entry, NewEntry } from '../model/entry.ts';
import { messageOf, RuntimeFault } from '../model/errors.ts';
import { appendTriesMax, appendWaitMs } from '../model/limits.ts';
import type { Appended, Expectation, Journal, JournalRefusal } from '../ports/journal.ts';
import type { Wall } from '../ports/wall.ts';

const refusals: Readonly<Record<JournalRefusal, true>> = {
  'stale-epoch': true,
  'not-the-tail': true,
  'entry-too-large': true,
  'journal-full': true,
  'journal-version': true,
  'journal-closed': true,
};

const isRefusal = (error: unknown): boolean => error instanceof RuntimeFault && Object.hasOwn(refusals, error.code);

/** As the journal keeps it, without its number. */
const textOf = ({ seq: _, ...entry }: NewEntry & { readonly seq?: number }): string => JSON.stringify(entry);

/** Where the batch stands, if it is what follows the caller's last seq. */
async function placeOf(journal: Journal, batch: readonly NewEntry[], lastSeq: number): Promise<number | undefined> {
  const found: Entry[] = [];
  for await (const entries of journal.read(lastSeq + 1)) {
    found.push(...entries.slice(0, batch.length - found.length));
    if (found.length >= batch.length) break;
  }
  const ours = found.length === batch.length && batch.every((entry, index) => textOf(found[index]!) === textOf(entry));
  return ours ? found[0]?.seq : undefined;
}

/** Rejects with the journal's refusal, or with `append-unsettled`: then what became of the batch is known after a restart. */
export async function appendSettled(
  journal: Journal,
  batch: readonly NewEntry[],
  expect: Expectation,
  wall?: Pick<Wall, 'sleep'>,
): Promise<Appended> {
  let lost: unknown;
  for (let tries = 1; tries <= appendTriesMax; tries += 1) {
    try {
      return await journal.append(batch, expect);
    } catch (error) {
      if (isRefusal(error) && tries === 1) throw error;
      const place = await placeOf(journal, batch, expect.lastSeq).catch((unread: unknown) => ({ unread }));
      if (typeof place === 'number') return { firstSeq: place };
      if (isRefusal(error) && place === undefined) throw error;
      lost = error;
    }
    if (tries < appendTriesMax) await wall?.sleep(appendWaitMs * 2 ** (tries - 1));
  }
  throw new RuntimeFault(`[append] no answer from the journal in ${appendTriesMax} tries: ${messageOf(lost)}`, {
    code: 'append-unsettled',
    remedy: 'Restart Offbox once the journal answers; it finds out what was kept and goes on from there.',
    cause: lost,
  });
}
