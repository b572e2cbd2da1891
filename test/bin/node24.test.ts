import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = join(import.meta.dirname, '../../bin/run.js');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offbox-bin-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function script(name: string, source: string): Promise<string> {
  await writeFile(join(folder, name), source);
  return join(folder, name);
}

/** Started by the machine's own Node, whatever it is. */
function launch(file: string, ...args: string[]) {
  return spawn('node', [run, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

const waiting = `console.log('up'); setInterval(() => {}, 1000);`;

test('TypeScript runs on Node 24, with its arguments and its exit code', async () => {
  const file = await script(
    'ends.ts',
    `const [a]: string[] = process.argv.slice(2); console.log(process.version, a); process.exit(7);`,
  );
  const { status, stdout } = spawnSync('node', [run, file, 'a b'], { encoding: 'utf8' });
  expect(stdout).toMatch(/^v24\.\d+\.\d+ a b\n$/);
  expect(status).toBe(7);
});

test('a child with nothing more to do ends, though its launcher holds a pipe to it', async () => {
  const file = await script('done.ts', `console.log('done');`);
  const launcher = launch(file);
  expect(await text(launcher.stdout)).toBe('done\n');
  expect(launcher.exitCode ?? (await once(launcher, 'exit'))[0]).toBe(0);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s is passed on', async (signal) => {
  const file = await script(
    `${signal}.ts`,
    `process.on('${signal}', () => { console.log('heard'); process.exit(3); }); ${waiting}`,
  );
  const launcher = launch(file);
  await once(launcher.stdout, 'data');
  launcher.kill(signal);
  expect(await text(launcher.stdout)).toBe('heard\n');
  expect(launcher.exitCode ?? (await once(launcher, 'exit'))[0]).toBe(3);
});

test('the child dies with its launcher, killed with -9 too', async () => {
  const launcher = launch(await script('waits.ts', waiting));
  await once(launcher.stdout, 'data');
  launcher.kill('SIGKILL');
  // The child has the same stdout: it ends when both are gone.
  expect(await text(launcher.stdout)).toBe('');
});

test('a child that a signal ended gives 128 and its number', async () => {
  const { status } = spawnSync('node', [run, await script('kills.ts', `process.kill(process.pid, 'SIGKILL'); ${waiting}`)]);
  expect(status).toBe(137);
});

test('what the child starts does not take the pipe for its own', async () => {
  const inner = await script('inner.ts', `console.log('inner', process.env.OFFBOX_LAUNCHER ?? 'free');`);
  const outer = `import { fork } from 'node:child_process'; fork(${JSON.stringify(inner)});`;
  expect(await text(launch(await script('outer.ts', outer)).stdout)).toBe('inner free\n');
});

test('memory that was freed is given back, unless whoever starts us says otherwise', async () => {
  const file = await script('env.ts', 'console.log(process.env.MALLOC_ARENA_MAX, process.env.MALLOC_TRIM_THRESHOLD_);');
  const started = (env: NodeJS.ProcessEnv) =>
    spawnSync('node', [run, file], { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } }).stdout;
  expect(started({})).toBe('2 131072\n');
  expect(started({ MALLOC_ARENA_MAX: '8' })).toBe('8 131072\n');
});
