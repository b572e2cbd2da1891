// Policies have no clock, no chance, no process and no promises; one that asks for them is stopped, and told what to use.
import { expect, it } from 'vitest';
import { homeWith, journaled, line, started, telling } from './rig.ts';

const uses: Readonly<Record<string, string>> = {
  now: 'Date.now();',
  date: 'new Date();',
  behind: 'new (new Date(0).constructor as DateConstructor)();',
  random: 'Math.random();',
  timer: 'setTimeout(() => undefined, 1);',
  microtask: 'queueMicrotask(() => undefined);',
  promise: 'void Promise.resolve();',
  made: 'new Promise(() => undefined);',
  process: 'process.exit(1);',
  uuid: 'crypto.randomUUID();',
  fetched: "void fetch('http://127.0.0.1/');",
  performance: 'performance.now();',
};

it('stops each policy that uses what a replay cannot give again, and says what to use', async () => {
  const home = homeWith({
    ...Object.fromEntries(Object.entries(uses).map(([name, before]) => [name, telling(name, 'HELLO', before)])),
    good: telling('good', 'HELLO', 'if (new Date(event.at).getTime() !== event.at || !(new Date(0) instanceof Date)) throw 1;'),
  });
  const offbox = await started(home);
  await offbox.say([line('HELLO', 'one')]);
  await offbox.until('all are stopped', () => offbox.ofKind('quarantine').length === Object.keys(uses).length);
  await offbox.say([line('HELLO', 'two')]);
  await offbox.until('the pure one goes on', () => offbox.notices('good').length === 2);
  for (const { policy, reason, ended } of offbox.ofKind('quarantine')) {
    expect(Object.keys(uses)).toContain(policy);
    expect(reason).toMatch(/^it uses .*, which policies do not have\. .+/);
    expect(ended).toBeUndefined();
  }
  expect(offbox.rebuilt).toEqual([]);
});

it('refuses at a start what does not come back while it is loaded, and names the file', async () => {
  const home = homeWith({ loops: telling('loops', 'HELLO', '', 'while (true);') });
  await expect(started(home)).rejects.toThrow(/loops\.ts: it did not come back within 2 s/);
});

it('refuses async functions with their place, and lets generators be', async () => {
  const after = 'const later = async (): Promise<void> => undefined; void later();';
  const home = homeWith({ waits: telling('waits', 'HELLO', after) });
  await expect(started(home)).rejects.toThrow(/waits\.ts:\d+:\d+: a policy has no async functions and no await/);
  home.write(
    'waits',
    telling(
      'waits',
      'HELLO',
      'for (const one of numbers()) if (one > 1) throw new Error("async");',
      'function* numbers() { yield 1; }',
    ),
  );
  const offbox = await started(home);
  await offbox.say([line('HELLO', 'one')]);
  await offbox.until('it said so', () => offbox.notices('waits').length === 1);
});

it('puts no version in force that does not come back, and the one before goes on', async () => {
  const home = homeWith({ one: telling('one', 'HELLO') });
  const offbox = await started(home);
  await offbox.say([line('HELLO', 'before')]);
  await offbox.until('it said so', () => offbox.notices('one').length === 1);
  home.write('one', telling('one', 'HELLO', 'for (;;);'));
  await offbox.until('it is refused', () => offbox.reloadFaults.length === 1);
  expect(offbox.reloadFaults[0]).toMatch(/one: it did not come back within 2 s, at entry \d+ of the past/);
  await offbox.say([line('HELLO', 'after')]);
  await offbox.until('the old one goes on', () => offbox.notices('one').length === 2);
  home.write('one', telling('one', 'HELLO', "if (event.text === 'never') return [];"));
  await offbox.until('a good one is put in force', () => offbox.ofKind('deploy').length === 2);
  await offbox.say([line('HELLO', 'newest')]);
  await offbox.until('it decides', () => offbox.notices('one').length === 3);
  expect(offbox.ofKind('quarantine')).toEqual([]);
  expect((await journaled(home)).filter(({ kind }) => kind === 'deploy')).toHaveLength(2);
});
