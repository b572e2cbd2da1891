// Killed after a policy began to spin and before that was journaled: the next start finds it again, once.
import { expect, it } from 'vitest';
import { ended, printed, startOffbox } from '../../cli/offbox.ts';
import { homeOfOneThatSpins, journaled, line, sent, started } from './rig.ts';

it('finds and quarantines at the next start what it was killed in, and never wakes it again', async () => {
  const home = homeOfOneThatSpins();
  const running = startOffbox(home.folder, 'start', '--config', 'offbox.yaml');
  const [, port = ''] = /tcp \S*:(\d+)/.exec(await printed(running, /tcp \S*:\d+/)) ?? [];
  const told = printed(running, /TEST-5-HELLO: poison/);
  await sent(Number(port), [line('HELLO', 'poison')]);
  // In the journal, and spinning since: nothing of it can be told.
  await told;
  const end = ended(running);
  running.kill('SIGKILL');
  await end;
  const before = await journaled(home);
  expect(before.filter(({ kind }) => kind === 'quarantine')).toEqual([]);
  const poison = before.find((entry) => entry.kind === 'event' && entry.event.syslog?.text === 'poison')!;

  let offbox = await started(home);
  await offbox.until('it is quarantined', () => offbox.ofKind('quarantine').length === 1);
  expect(offbox.ofKind('quarantine')).toMatchObject([{ policy: 'spins', cause: poison.seq, ended: 'hung' }]);
  await offbox.until('the other has it', () => offbox.notices('good').length === 1);
  await offbox.stop();

  offbox = await started(home);
  await offbox.say([line('HELLO', 'after')]);
  await offbox.until('the other goes on', () => offbox.notices('good').length === 1);
  expect(offbox.ofKind('quarantine')).toEqual([]);
  expect(offbox.notices('spins')).toEqual([]);
}, 60_000);
