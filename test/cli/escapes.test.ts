// What a stranger sends is shown, and does nothing to the terminal.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { eventOf, readMessage } from '../../adapters/source-syslog/read.ts';
import { linkOffbox } from '../linked.ts';
import { runOffbox } from './offbox.ts';

test('no command prints the escape sequences of a stranger', async () => {
  const home = mkdtempSync(join(tmpdir(), 'offbox-escapes-'));
  linkOffbox(home);
  mkdirSync(join(home, 'policies'));
  writeFileSync(
    join(home, 'policies', 'p.ts'),
    `import { mergeMap, policy, syslog } from 'offbox';
export default policy({ name: 'p', describe: 'd', on: syslog(), pipe: (events, { notice }) => events.pipe(mergeMap((event) => notice('x', event.text, []))) });
`,
  );
  writeFileSync(join(home, 'inventory.yaml'), 'targets:\n  r1: { platform: frr, address: 192.0.2.1 }\n');
  writeFileSync(join(home, 'offbox.yaml'), 'inventory: inventory.yaml\ndata: data\n');
  mkdirSync(join(home, 'data'));
  const journal = await openSqliteJournal({ path: join(home, 'data', 'journal.sqlite') });
  const event = eventOf(
    readMessage('udp', '192.0.2.1', '<189>1 - r1 app - - - hi \u001b]0;owned\u0007\u001b[2J\u001b[8m', undefined),
  );
  await journal.append([{ kind: 'event', event, at: 1_700_000_000_000 } as never], { epoch: 1, lastSeq: 0 });
  await journal.close();
  for (const command of [['show', 'events'], ['explain', '1'], ['backtest']]) {
    const { out } = await runOffbox(home, command);
    expect({ command, isIn: out.includes('hi'), escapes: out.includes('\u001b') }).toEqual({
      command,
      isIn: true,
      escapes: false,
    });
  }
}, 30_000);
