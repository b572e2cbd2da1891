// Policies run apart from receiving: one that does not come back is named, stopped and journaled, and the others miss nothing.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ask } from '../../../src/cli/client.ts';
import { controlSocket } from '../../../src/runtime/api.ts';
import { type Home, homeOfOneThatSpins, homeWith, journaled, line, started, telling } from './rig.ts';

/** Puts an event in over the control socket; its number is the acknowledgement. */
async function emitted({ folder }: Home, raw: string): Promise<number> {
  const origin = { source: 'emit', peer: 'local', transport: 'local', trust: 'claimed', raw };
  const answer = await ask(controlSocket(join(folder, '.offbox')), 'POST', '/emit', { event: { meaning: null, origin } });
  return (answer as { readonly seq: number }).seq;
}

it('takes events to policies in their thread and their intents back', async () => {
  const home = homeWith({ good: telling('good', 'HELLO') });
  const offbox = await started(home);
  await offbox.say([line('HELLO', 'one'), line('OTHER', 'nobody'), line('HELLO', 'two')]);
  await offbox.until('both said', () => offbox.notices('good').length === 2);
  expect(offbox.notices('good')).toEqual(['one', 'two']);
});

it('ends a policy that spins, and its neighbour hears every event', async () => {
  const home = homeOfOneThatSpins();
  let offbox = await started(home);
  await offbox.say([line('HELLO', 'one')]);
  await offbox.until('one said', () => offbox.notices('spins').length === 1);
  await offbox.say([line('HELLO', 'poison')]);
  for (let each = 0; each < 100; each += 1) await offbox.say([line('HELLO', `n${each}`), line('OTHER', 'nobody')]);
  const acknowledged = await Promise.all(Array.from({ length: 100 }, (_, each) => emitted(home, `emit ${each}`)));
  await offbox.until('it is quarantined', () => offbox.ofKind('quarantine').length === 1);
  await offbox.until('the other has all', () => offbox.notices('good').length === 102);
  const [quarantine] = offbox.ofKind('quarantine');
  const poison = offbox.ofKind('event').find(({ event }) => event.syslog?.text === 'poison')!;
  expect(quarantine).toMatchObject({ policy: 'spins', cause: poison.seq, ended: 'hung' });
  // While it spun.
  expect(Math.min(...acknowledged)).toBeLessThan(quarantine!.seq);
  expect(offbox.notices('good')).toEqual(['one', 'poison', ...Array.from({ length: 100 }, (_, each) => `n${each}`)]);
  expect(offbox.notices('spins')).toEqual(['one']);
  expect(offbox.rebuilt).toHaveLength(1);
  expect(offbox.failures).toEqual([]);
  console.log(`rebuilt in ${Math.round(offbox.rebuilt[0]!.tookMs)} ms`);
  const [shown] = (await offbox.runtime.shownPolicies()).filter(({ name }) => name === 'spins');
  expect(shown).toMatchObject({ state: 'stopped', reason: expect.stringContaining('did not come back within 2 s') });
  await offbox.stop();
  // What was acknowledged is there: syslog over TCP is taken in order.
  const kept = (await journaled(home)).filter((entry) => entry.kind === 'event');
  expect(kept.filter(({ event }) => event.syslog)).toHaveLength(202);
  const texts = new Map(kept.map(({ seq, event }) => [seq, event.origin.raw]));
  expect(acknowledged.map((seq) => texts.get(seq))).toEqual(acknowledged.map((_, each) => `emit ${each}`));
  offbox = await started(home);
  await offbox.say([line('HELLO', 'poison'), line('HELLO', 'after')]);
  await offbox.until('the other goes on', () => offbox.notices('good').length === 2);
  expect(offbox.notices('spins')).toEqual([]);
  expect(offbox.rebuilt).toEqual([]);
});
