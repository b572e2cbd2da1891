import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { soloLease } from '../../adapters/lease-solo/index.ts';
import { OperatorError, RuntimeFault } from '../../src/model/errors.ts';

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'offbox-lease-')), 'data');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(join(directory, '..'), { recursive: true });
});

const ours = (describe = 'the second') => soloLease({ directory, describe: () => describe });

/** A second process that holds the lease; `next` is its next line. */
async function otherProcess() {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'hold.ts'), directory],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  return { child, next, epoch: Number(await next()) };
}

async function refused(work: Promise<unknown>): Promise<OperatorError> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OperatorError);
  return error as OperatorError;
}

test('raises the epoch with every holder', async () => {
  for (const epoch of [1, 2, 3]) {
    const lease = await ours().acquire();
    expect(lease.epoch).toBe(epoch);
    await lease.release();
    await lease.release();
  }
});

test('rises above an epoch the journal has seen, should the lock file be lost', async () => {
  const lease = await soloLease({ directory, describe: () => 'x', seenEpoch: async () => 41 }).acquire();
  expect(lease.epoch).toBe(42);
  await lease.release();
  const next = await ours().acquire();
  expect(next.epoch).toBe(43);
  await next.release();
});

test('refuses a second holder in the same process', async () => {
  const lease = await ours('the first').acquire();
  expect((await refused(ours().acquire())).code).toBe('already-running');
  await lease.release();
  const next = await ours().acquire();
  expect(next.epoch).toBe(2);
  await next.release();
});

test('refuses while another process holds it, naming that process, and takes it once released', async () => {
  const { child, next, epoch } = await otherProcess();
  expect(epoch).toBe(1);
  const error = await refused(ours().acquire());
  expect(error.code).toBe('already-running');
  expect(error.message).toMatch(
    new RegExp(
      `is in use: pid ${child.pid} on \\S+ \\(the first\\), since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC\\. Stop that one first`,
    ),
  );
  child.stdin!.write('\n');
  expect(await next()).toBe('released');
  const lease = await ours().acquire();
  expect(lease.epoch).toBe(2);
  await lease.release();
});

test('is free at once when its holder is killed', async () => {
  for (const killed of [1, 3, 5]) {
    const { child, epoch } = await otherProcess();
    expect(epoch).toBe(killed);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lease = await ours().acquire();
    expect(lease.epoch).toBe(killed + 1);
    await lease.release();
  }
});

test('lets one of several that start at once win', async () => {
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => ours().acquire()));
  const winners = results.filter((result) => result.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  await winners[0]!.value.release();
});

test('lets go again when the journal cannot tell its epoch', async () => {
  const unreadable = new RuntimeFault('[journal] is damaged', { code: 'journal-damaged', remedy: 'Restore it.' });
  const failing = soloLease({ directory, describe: () => 'x', seenEpoch: () => Promise.reject(unreadable) });
  await expect(failing.acquire()).rejects.toBe(unreadable);
  const lease = await ours().acquire();
  expect(lease.epoch).toBe(1);
  await lease.release();
});

test('says what is wrong with a lock file that is none, and cuts a hostile holder text', async () => {
  const lease = await ours(`\u001b[2J\n${'x'.repeat(10_000)}`).acquire();
  const { message } = await refused(ours().acquire());
  expect(message).not.toMatch(/\p{C}/u);
  expect(message.length).toBeLessThan(900);
  await lease.release();
  writeFileSync(join(directory, 'lock.sqlite'), 'not a database, but long enough to be looked at as one'.repeat(100));
  const error = await refused(ours().acquire());
  expect(error.code).toBe('no-lease');
  expect(error.message).toContain('delete it');
});

test('leaves no holder behind once released', async () => {
  const lease = await ours('the first').acquire();
  expect(readFileSync(join(directory, 'holder.txt'), 'utf8')).toContain('(the first)');
  await lease.release();
  expect(() => readFileSync(join(directory, 'holder.txt'))).toThrow('ENOENT');
});
