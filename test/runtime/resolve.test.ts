// An intent of which nobody can tell what became waits for an operator's answer, over restarts too.
import { expect, test } from 'vitest';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { bgpNetwork, config, policy } from '../../src/index.ts';
import { type Rig, rig } from './rig.ts';

const wanting: DeployedPolicy = {
  version: 'v1',
  policy: policy({ name: 'wanting', on: config.changed(), ensure: ({ target }) => bgpNetwork({ target }, '10.0.0.0/8') }),
};

/** One attempt, of which the journal says that nobody can tell what became. */
async function unknown(): Promise<{ readonly on: Rig; readonly id: string }> {
  const before = await rig({ policies: [wanting], modes: { default: 'observe', policies: {}, targets: {} } });
  await before.hear('gw-a', { kind: 'config.changed' });
  await before.pass(100);
  const [{ intent } = undefined!] = before.ofKind('intent');
  await before.runtime.host.submit({ kind: 'attempt', intent: intent.id, deadlineMs: 100, plan: ['network 10.0.0.0/8'] });
  await before.runtime.host.submit({ kind: 'outcome', intent: intent.id, outcome: { kind: 'unknown', reason: 'a test' } });
  before.die();
  const { wall, world, journal } = before;
  return { on: await rig({ policies: [wanting], wall, world, journal, epoch: 2 }), id: intent.id };
}

const shown = (on: Rig, id: string) => on.runtime.view.intents().find(({ intent }) => intent.id === id)?.state;

test('is shown, and done again only when asked for', async () => {
  const { on, id } = await unknown();
  await on.pass(60_000);
  expect(shown(on, id)).toBe('unknown');
  expect(on.runtime.engine.ledger.unknown()).toHaveLength(1);
  expect(on.world.gateways.device('gw-a').writes).toEqual([]);
  await on.runtime.resolve(id, 'again', 'ada');
  await on.pass(1_000);
  expect(on.world.gateways.device('gw-a').writes).toEqual(['network 10.0.0.0/8']);
  expect(shown(on, id)).toBe('done');
  expect(on.runtime.engine.ledger.unknown()).toEqual([]);
});

test.each(['done', 'failed'] as const)('is over when it is answered %s', async (answer) => {
  const { on, id } = await unknown();
  await on.runtime.resolve(id, answer, 'ada');
  await on.pass(60_000);
  expect(on.ofKind('command')).toMatchObject([{ by: 'ada', verb: 'resolve', arguments: [id, answer] }]);
  expect(shown(on, id)).toBe(answer);
  expect(on.runtime.engine.ledger.unknown()).toEqual([]);
  expect(on.runtime.engine.ledger.doubts()).toEqual([]);
  expect(on.world.gateways.device('gw-a').writes).toEqual([]);
  await expect(on.runtime.resolve(id, answer, 'ada')).rejects.toThrow('waits for an answer');
});
