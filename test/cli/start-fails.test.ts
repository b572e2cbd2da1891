// A start that fails ends: whoever is told that it did not start must not find it running.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linkOffbox } from '../linked.ts';
import { ended, startOffbox } from './offbox.ts';

function folder(more: string): string {
  const home = mkdtempSync(join(tmpdir(), 'offbox-start-'));
  linkOffbox(home);
  mkdirSync(join(home, 'policies'));
  writeFileSync(join(home, 'token'), 'a-token-of-some-length');
  writeFileSync(join(home, 'inventory.yaml'), 'targets:\n  r1: { platform: frr, address: 192.0.2.1 }\n');
  writeFileSync(join(home, 'offbox.yaml'), `inventory: inventory.yaml\n${more}`);
  return home;
}

async function endsWith1(home: string, said = 'offbox: ') {
  const child = startOffbox(home, 'start');
  const late = setTimeout(() => child.kill('SIGKILL'), 25_000);
  const { code, err } = await ended(child);
  clearTimeout(late);
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(said) });
}

test('ends where a source cannot listen', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  try {
    await endsWith1(
      folder(
        `data: data\nsources:\n  syslog: { udp: '127.0.0.1:0' }\n  http: { listen: '127.0.0.1:${port}', token: { file: token } }\n`,
      ),
    );
  } finally {
    taken.close();
  }
}, 30_000);

test('ends where the control socket cannot be made', async () => {
  await endsWith1(folder(`data: ${'x'.repeat(110)}\nsources:\n  syslog: { udp: '127.0.0.1:0' }\n`));
}, 30_000);

test.each([
  ['where no folder can be made', '/proc/offbox/data', '/proc/offbox/data: the folder of the journal cannot be made: '],
  [
    'where a file is above it',
    'token/data',
    'token/data: the folder of the journal cannot be made: there is a file in its place. Name',
  ],
])(
  'ends %s',
  async (_, data, said) => {
    await endsWith1(folder(`data: ${data}\nsources:\n  syslog: { udp: '127.0.0.1:0' }\n`), said);
  },
  30_000,
);

test('a lab ends where no folder can be made', async () => {
  const child = startOffbox('/proc', 'start', '--lab');
  const late = setTimeout(() => child.kill('SIGKILL'), 25_000);
  const { code, err } = await ended(child);
  clearTimeout(late);
  const said = '/proc/.offbox/lab: the folder of the lab cannot be made: ';
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(said) });
}, 30_000);
