// A long past costs a rebuild nothing: it begins at the newest snapshot. And a flood beside a policy that spins is all kept.
import { expect, it } from 'vitest';
import { WrittenEvent } from '../../../src/model/written-event.ts';
import { homeOfOneThatSpins, line, type Offbox, started } from './rig.ts';

it('decides again within seconds with a million entries behind it, and has lost none', async () => {
  const home = homeOfOneThatSpins();
  let others = 0;
  const offbox = await started(home, (entry) => {
    const isOther =
      entry.kind === 'event' && entry.event instanceof WrittenEvent && entry.event.brief.mnemonic === 'TEST-5-OTHER';
    if (isOther) others += 1;
    return !isOther || others % 100_000 === 0;
  });
  const some = Array.from({ length: 50_000 }, (_, index) => line('OTHER', `n${index}`));
  for (let each = 0; each < 20; each += 1) await offbox.say(some);
  await offbox.until('a million is there', () => others === 1_000_000, 60_000);
  await offbox.say([line('HELLO', 'poison')]);
  await offbox.say(some);
  await offbox.say([line('HELLO', 'after')]);
  await offbox.until('the other goes on', () => offbox.notices('good').length === 2);
  const [{ tookMs, entries, restored }] = offbox.rebuilt as [Offbox['rebuilt'][number]];
  console.log(`rebuilt in ${Math.round(tookMs)} ms, from the snapshot at entry ${restored} and ${entries} entries`);
  expect(restored).toBeGreaterThan(500_000);
  expect(offbox.ofKind('quarantine')).toMatchObject([{ policy: 'spins', ended: 'hung' }]);
  expect(others).toBe(1_050_000);
}, 120_000);
