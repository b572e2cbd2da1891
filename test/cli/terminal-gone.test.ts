// Who reads what is said goes away; and a lab that runs is not touched by the next one.
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ended, printed, runOffbox, startOffbox } from './offbox.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-gone-'));
afterAll(() => rm(home, { recursive: true, force: true }));

test('what runs goes on without its terminal, and in its folder no other one starts', async () => {
  const running = startOffbox(home, 'start', '--lab');
  let err = '';
  running.stderr!.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const over = once(running, 'exit');
  await printed(running, /It runs; Ctrl-C ends it/);
  running.stdout!.destroy();
  const second = await runOffbox(home, ['start', '--lab', '--once']);
  expect(second).toMatchObject({ code: 1, err: expect.stringMatching(/another lab runs in .*Stop it, or use another folder/) });
  const failed = await runOffbox(home, ['lab', 'fail', 'gw-a']);
  expect(failed).toMatchObject({ code: 0, err: '' });
  // What it tells of that finds nobody; it answers all the same.
  await expect.poll(async () => (await runOffbox(home, ['show', 'gateways'])).out, { timeout: 20_000 }).toMatch(/gw-b +Vlan10/);
  running.kill('SIGINT');
  expect(await over).toEqual([expect.anything(), null]);
  expect(err).not.toContain('EPIPE');
}, 60_000);

test('what only answers is done when nobody reads', async () => {
  const deaf = startOffbox(home, 'decode', 'syslog');
  deaf.stdout!.destroy();
  const { err } = await ended(deaf, '<189>1: r1: Nov 23 03:31:00: %SYS-5-CONFIG_I: Configured\n'.repeat(1_000));
  expect(err).toBe('');
}, 30_000);
