// A trim within a row: what is left of it is written as it was.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { eventOf, readMessage } from '../../adapters/source-syslog/read.ts';
import { OfferedEntry } from '../../src/model/written-event.ts';

test('reads what is left of a row after a trim', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'offbox-trim-')), 'j.db');
  const journal = await openSqliteJournal({ path });
  const raw = `<189>1 2026-01-01T00:00:00Z edge-1 app - ID - ${'x'.repeat(4_000)}`;
  const batch = Array.from({ length: 1_000 }, () =>
    new OfferedEntry(eventOf(readMessage('tcp', '192.0.2.1', raw, undefined))).stamped(1),
  );
  await journal.append(batch, { lastSeq: 0, epoch: 1 });
  await journal.trim(2);
  let read = 0;
  for await (const entries of journal.read(2)) read += entries.length;
  await journal.close();
  expect(read).toBe(999);
});
