// A policy that takes memory without end, at once or little by little, is the one that is ended; its neighbour misses nothing.
import { expect, it } from 'vitest';
import { homeWith, line, started, telling } from './rig.ts';

const endless = (what: string): string =>
  `if (event.text === 'poison') { const kept: unknown[] = []; for (;;) kept.push(${what}); }`;

it.each([
  ['objects', endless('{ size: kept.length }')],
  ['buffers', endless('new Uint8Array(10_000_000).fill(1)')],
])('ends a policy that takes %s without end', async (_, before) => {
  const home = homeWith({ good: telling('good', 'HELLO'), takes: telling('takes', 'HELLO', before) });
  const offbox = await started(home);
  await offbox.say([line('HELLO', 'poison'), line('HELLO', 'after')]);
  await offbox.until('it is quarantined', () => offbox.ofKind('quarantine').length === 1);
  await offbox.until('the other has all', () => offbox.notices('good').length === 2);
  expect(offbox.ofKind('quarantine')).toMatchObject([{ policy: 'takes' }]);
  expect(offbox.notices('good')).toEqual(['poison', 'after']);
  expect(offbox.failures).toEqual([]);
});

it('names the policy that keeps a little of every event, and not the one that was running', async () => {
  const text = 'x'.repeat(200);
  const home = homeWith({
    innocent: telling('innocent', 'HELLO', 'JSON.parse(JSON.stringify(new Array(10_000).fill(event.text)));'),
    leaks: telling('leaks', 'HELLO', 'kept.push(new Uint8Array(4_000_000).fill(1));', 'const kept: Uint8Array[] = [];'),
  });
  const offbox = await started(home);
  for (let each = 0; each < 40; each += 1)
    await offbox.say(Array.from({ length: 10 }, (_, index) => line('HELLO', `${each} ${index} ${text}`)));
  await offbox.until('it is quarantined', () => offbox.ofKind('quarantine').length > 0, 50_000);
  await offbox.until('the other has all', () => offbox.notices('innocent').length === 400, 50_000);
  expect(offbox.ofKind('quarantine')).toMatchObject([{ policy: 'leaks', ended: 'memory' }]);
  expect(offbox.failures).toEqual([]);
}, 120_000);
