// Where the journal has no room: Offbox stops acting before it stops remembering, says so, and goes on when there is room again.
import { expect, test } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { bgpNetwork, config, interfaces, policy, servicePolicy } from '../../src/index.ts';
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

const hourMs = 3_600_000;
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

test('what has waited too long for room is not done any more, and not in a mode that forbids it since', async () => {
  for (const [waitsMs, isDemoted, expected] of [
    [3 * hourMs, false, 'expired'],
    [20_000, true, 'held'],
  ] as const) {
    const { journal, disk } = narrow();
    const on = await rig({ policies: [wanting], journal, keeping });
    disk.freeBytes = 0;
    await on.pass(2_000);
    await on.hear('gw-a', { kind: 'config.changed' });
    await on.pass(waitsMs);
    if (isDemoted) on.runtime.modes.demote('wanting', 'only observes');
    disk.freeBytes = 3 * journalReserveBytes;
    await on.pass(20_000);
    expect([on.outcomes(), writes(on)]).toEqual([[expected], []]);
  }
});

test('what somebody put there while a hold waited for room is not replaced, and stays', async () => {
  const { journal, disk } = narrow();
  const [place, change] = [{ interface: 'Gi1' }, { kind: 'interface.state-changed', interface: 'Gi1', layer: 'link' } as const];
  const qos = policy({
    ...{ name: 'qos', on: interfaces.down(), until: interfaces.up(), atMost: '12h' },
    hold: ({ target }) => servicePolicy({ target, ...place }, 'output', 'LIVE'),
  });
  const on = await rig({ policies: [{ policy: qos, version: 'v1' }], journal, keeping });
  const port = on.world.switches.port('gw-a', 'Gi1');
  on.world.switches.switch('gw-a').policyMaps.set('LIVE', []);
  disk.freeBytes = 0;
  await on.pass(2_000);
  await on.hear('gw-a', { ...change, to: 'down' });
  await on.pass(hourMs);
  port.output = 'VOICE';
  disk.freeBytes = 3 * journalReserveBytes;
  await on.pass(20_000);
  expect(port.output).toBe('VOICE');
  await on.hear('gw-a', { ...change, to: 'up' });
  await on.pass(hourMs);
  expect(port.output).toBe('VOICE');
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
