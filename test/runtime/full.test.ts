// Where the journal has no room: Offbox stops acting before it stops remembering, says so, and goes on when there is room again.
import { expect, test } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { bgpNetwork, config, policy } from '../../src/index.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import { journalReserveBytes } from '../../src/model/limits.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { eventOf, type Rig, rig } from './rig.ts';

const wanting: DeployedPolicy = {
  version: 'v1',
  policy: policy({ name: 'wanting', on: config.changed(), ensure: ({ target }) => bgpNetwork({ target }, '10.0.0.0/8') }),
};

/** A journal with as much room as it is said to have. */
function narrow() {
  const inner = memoryJournal();
  const disk = { freeBytes: Number.POSITIVE_INFINITY, isFull: false };
  const journal: Journal = {
    ...inner,
    append: (batch, expect) =>
      disk.isFull
        ? Promise.reject(new RuntimeFault('[test] no room', { code: 'journal-full', remedy: 'Make some.' }))
        : inner.append(batch, expect),
    room: async () => ({ usedBytes: 0, freeBytes: disk.freeBytes }),
  };
  return { journal, disk };
}

const keeping = { keepMs: 86_400_000, bytesMax: Number.POSITIVE_INFINITY };
const writes = (on: Rig): readonly string[] => on.world.gateways.device('gw-a').writes;

test('with little room it goes on remembering, and does nothing until there is more', async () => {
  const { journal, disk } = narrow();
  const on = await rig({ policies: [wanting], journal, keeping });
  disk.freeBytes = journalReserveBytes - 1;
  await on.pass(2_000);
  await on.hear('gw-a', { kind: 'config.changed' });
  await on.pass(5_000);
  expect(on.ofKind('intent').some(({ intent }) => intent.want.kind === 'ensure')).toBe(true);
  expect([on.ofKind('attempt'), writes(on)]).toEqual([[], []]);
  expect(on.warnings.join()).toContain('nothing is done on any target');
  disk.freeBytes = 3 * journalReserveBytes;
  await on.pass(20_000);
  expect(writes(on)).toEqual(['network 10.0.0.0/8']);
  expect(on.outcomes()).toEqual(['done']);
});

test('with none at all events are refused to their source and counted, and it goes on by itself', async () => {
  const { journal, disk } = narrow();
  const on = await rig({ policies: [wanting], journal, keeping });
  const sink = on.runtime.host.sink('test');
  const heard = eventOf('gw-a', { kind: 'config.changed' });
  disk.isFull = true;
  const answers: (string | undefined)[] = [];
  sink.offer([heard], (error) => void answers.push(error?.message));
  await on.pass(0);
  expect(answers).toEqual([expect.stringContaining('no room')]);
  expect(sink.offer([heard, heard])).toBe(false);
  await expect(on.runtime.host.emit(heard)).rejects.toThrow('no room');
  await on.pass(5_000);
  expect(on.failures).toEqual([]);
  expect(on.warnings.filter((text) => text.includes('no room'))).toHaveLength(1);
  disk.isFull = false;
  await on.pass(1_000);
  expect(on.warnings.at(-1)).toContain('3 events were not kept');
  expect(sink.offer([heard])).toBe(true);
  await on.pass(5_000);
  expect(writes(on)).toEqual(['network 10.0.0.0/8']);
});

test('what came of acting is kept until there is room for it', async () => {
  const { journal, disk } = narrow();
  const on = await rig({ policies: [wanting], journal, keeping });
  await on.hear('gw-a', { kind: 'config.changed' });
  while (on.ofKind('attempt').length === 0) await on.pass(1);
  disk.isFull = true;
  await on.pass(10_000);
  expect(on.outcomes()).toEqual([]);
  disk.isFull = false;
  await on.pass(2_000);
  expect(on.outcomes()).toEqual(['done']);
  expect(writes(on)).toEqual(['network 10.0.0.0/8']);
});

test('it stops in order though there is no room', async () => {
  const { journal, disk } = narrow();
  const on = await rig({ policies: [wanting], journal, keeping });
  await on.hear('gw-a', { kind: 'config.changed' });
  while (on.ofKind('attempt').length === 0) await on.pass(1);
  disk.isFull = true;
  await on.pass(10_000);
  const stopped = on.runtime.stop();
  await on.pass(100);
  await expect(stopped).resolves.toBeUndefined();
});
