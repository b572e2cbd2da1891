import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { clientOf } from '../../adapters/journal-sqlite/client.ts';
import { RuntimeFault } from '../../src/model/errors.ts';

const ending = (how: string) =>
  clientOf(
    new Worker(`require('node:worker_threads').parentPort.once('message', () => { ${how} })`, { eval: true }),
    '/j',
    undefined,
  );

test.each([
  ['throws', "throw new Error('out of luck')", 'lost its thread: out of luck'],
  ['ends', 'process.exit(1)', 'lost its thread'],
])('does not leave anybody waiting when the thread %s', async (_, how, said) => {
  const client = ending(how);
  const [first, second] = await Promise.allSettled([client.call('tail', undefined), client.call('trim', 1)]);
  for (const { reason } of [first, second] as PromiseRejectedResult[]) {
    // No refusal: the append may be in the file.
    expect(reason).not.toBeInstanceOf(RuntimeFault);
    expect(reason.message).toBe(`[journal-sqlite] no answer: /j ${said}`);
  }
  await expect(client.call('tail', undefined)).rejects.toMatchObject({
    code: 'journal-closed',
    message: expect.stringContaining(said),
  });
  await client.close();
});

test('closes when the thread ends instead of answering', async () => {
  await expect(ending('process.exit(1)').close()).rejects.toThrow('no answer');
});
