// systemd tells the launcher and its child, and the launcher passes it on: the second signal comes at any moment after the first.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';

const start = join(import.meta.dirname, '..', '..', 'src', 'cli', 'start.ts');
const file = join(mkdtempSync(join(tmpdir(), 'offbox-signals-')), 'ends.mjs');
writeFileSync(
  file,
  `import { endOf } from ${JSON.stringify(start)};
const stop = () => new Promise((done) => setTimeout(done, 200));
const end = endOf({ stop }, new Promise(() => undefined));
console.log('runs');
await end;
console.log('stopped');
`,
);

/** What it says until it is gone, told twice, so many milliseconds apart. */
async function toldTwice(apartMs: number) {
  const child = spawn(process.execPath, ['--conditions=offbox-source', '--disable-warning=ExperimentalWarning', file]);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  await pause(20);
  child.kill('SIGTERM');
  // No timer is as fine.
  for (const from = performance.now(); performance.now() - from < apartMs; );
  child.kill('SIGTERM');
  const [code, signal] = await closed;
  return { code, signal, out };
}

it('stops in order when it is told twice, however soon the second time comes', async () => {
  const ends: unknown[] = [];
  for (let apart = 0; apart < 20; apart += 1) ends.push(await toldTwice(apart / 15));
  expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null, out: 'runs\nstopped\n' })));
}, 60_000);
