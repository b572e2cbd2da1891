import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageOf, OperatorError } from '../../src/model/errors.ts';
import { secretBytesMax, secretCommandMs } from '../../src/model/limits.ts';
import type { SecretReference } from '../../src/model/target.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { secretsFrom } from '../../src/runtime/secrets.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offbox-secrets-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A wall on which nothing comes due but by hand. */
function stillWall() {
  const alarms = new Map<() => void, number>();
  const wall: Wall = {
    now: () => 0,
    monotonic: () => 0,
    after: (ms, callback) => {
      alarms.set(callback, ms);
      return () => alarms.delete(callback);
    },
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
  };
  return { wall, alarms };
}

const warnings: string[] = [];
const secrets = secretsWith({});

function secretsWith(environment: Record<string, string>) {
  return (reference: SecretReference) =>
    secretsFrom({ directory, wall: stillWall().wall, environment, warn: (text) => warnings.push(text) })(reference);
}

async function refusal(reference: SecretReference, from = secrets): Promise<string> {
  const error = await from(reference).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OperatorError);
  return messageOf(error).replaceAll(directory, 'DIR');
}

async function fileOf(name: string, content: string | Uint8Array): Promise<SecretReference> {
  await writeFile(join(directory, name), content, { mode: 0o600 });
  return { file: name };
}

describe('from the environment', () => {
  test('a variable is taken as it is', async () => {
    expect(await secretsWith({ KEY: ' a b\n' })({ env: 'KEY' })).toBe(' a b\n');
  });

  test('a variable that is not set, or empty, is named', async () => {
    expect(await refusal({ env: 'KEY' })).toBe(
      '[secrets] environment variable "KEY" is not set. Set it where Offbox is started, or refer to a file or a command.',
    );
    expect(await refusal({ env: 'KEY' }, secretsWith({ KEY: '' }))).toContain('"KEY" is empty.');
    expect(await refusal({ env: 'toString' })).toContain('"toString" is not set.');
  });
});

describe('from a file', () => {
  test.each([
    ['without a newline', 'a b', 'a b'],
    ['less one newline', 'a\n', 'a'],
    ['less one newline of DOS', 'a\r\n', 'a'],
    ['with every other newline', '\na\n\n', '\na\n'],
  ])('the text is taken %s', async (_, content, secret) => {
    expect(await secrets(await fileOf('good', content))).toBe(secret);
  });

  test('a file that gives no secret is named with the reason', async () => {
    expect(await refusal({ file: 'none' })).toBe('[secrets] file "DIR/none" is not there. Write it, or correct the reference.');
    expect(await refusal({ file: '.' })).toContain('file "DIR" is not a regular file.');
    expect(await refusal({ file: '/dev/zero' })).toContain('file "/dev/zero" is not a regular file.');
    expect(await refusal(await fileOf('empty', '\n'))).toContain('gives nothing.');
    expect(await refusal(await fileOf('binary', new Uint8Array([0xff, 0xfe])))).toContain('is not UTF-8 text.');
    expect(await refusal(await fileOf('large', 'x'.repeat(secretBytesMax + 1)))).toContain('gives more than 65536 bytes.');
  });

  test('a file that every user can read is warned of once', async () => {
    const reference = await fileOf('open', 'hunter2');
    await chmod(join(directory, 'open'), 0o644);
    const fetch = secretsFrom({ directory, wall: stillWall().wall, warn: (text) => warnings.push(text) });
    warnings.length = 0;
    expect([await fetch(reference), await fetch(reference)]).toEqual(['hunter2', 'hunter2']);
    const path = join(directory, 'open');
    expect(warnings).toEqual([`[secrets] file "${path}" can be read by every user of this machine. Run: chmod 600 ${path}`]);
  });
});

describe('from a command', () => {
  test('what it prints is taken, less one newline, and it runs beside offbox.yaml', async () => {
    expect(await secrets({ command: 'echo hunter2; echo noise >&2' })).toBe('hunter2');
    expect(await secrets({ command: 'pwd -P' })).toBe(directory);
  });

  test('one that fails is named with its end, and nothing it printed', async () => {
    const told = await refusal({ command: 'cat pass; printf %s hunter; exit 3' });
    expect(told).toBe(
      '[secrets] command "cat pass; printf %s hunter; exit 3" ended with status 3. Run it by hand, as the user and in the folder Offbox runs in.',
    );
    await fileOf('printed', 'hunter2');
    expect(await refusal({ command: 'cat printed; cat printed >&2; kill -9 $$' })).toContain('was ended by SIGKILL.');
    expect(await refusal({ command: 'cat printed; cat printed >&2; false' })).not.toContain('hunter2');
    expect(await refusal({ command: 'true' })).toContain('gives nothing.');
  });

  test('one that prints without end is cut off', async () => {
    expect(await refusal({ command: 'yes' })).toContain('command "yes" gives more than 65536 bytes.');
  });

  test('one that hangs is ended with all it started when its time is over', async () => {
    const { wall, alarms } = stillWall();
    execFileSync('mkfifo', [join(directory, 'alive')]);
    // Whoever holds the pipe's other end is alive: the shell, and the sleep it started.
    const alive = createReadStream(join(directory, 'alive'));
    const over = once(alive, 'end');
    const hanging = secretsFrom({ directory, wall })({ command: 'exec 3>alive; sleep 1000 & echo up >&3; wait' });
    await once(alive, 'data');
    const [[ring, ms] = [() => {}, 0]] = alarms;
    expect(ms).toBe(secretCommandMs);
    ring();
    await expect(hanging).rejects.toThrow('gave no answer within 10 s. Run it by hand');
    await over;
  });

  test('nothing is left on the wall when it is over', async () => {
    const { wall, alarms } = stillWall();
    await secretsFrom({ directory, wall })({ command: 'echo a' });
    expect(alarms.size).toBe(0);
  });

  test('a folder that is gone is named', async () => {
    const fetch = secretsFrom({ directory: join(directory, 'gone'), wall: stillWall().wall });
    expect(await refusal({ command: 'echo a' }, fetch)).toContain('could not be started (ENOENT).');
  });
});
