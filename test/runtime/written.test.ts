import { expect, it } from 'vitest';
import type { Engine } from '../../src/core/engine.ts';
import { writtenSnapshot } from '../../src/runtime/written.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

it('leaves nothing of a snapshot behind but its blob: what was compressed would wait for a collection', async () => {
  const engine = {
    versionsLeft: () => ({}),
    unsettled: () => [],
    *save() {
      yield `"${'x'.repeat(100_000)}"`;
    },
  } as unknown as Engine;
  let packed: Buffer | undefined;
  const pack = async (json: Buffer): Promise<Uint8Array<ArrayBuffer>> => {
    packed = json;
    return new Uint8Array(json.subarray(0, 10));
  };
  const ways = { wall: new VirtualWall(0), sliceMs: 2, turn: async () => undefined, pack };
  const { blob } = await writtenSnapshot(engine, { through: 1, at: 1 }, { older: [], derived: [], requests: ['{}'] }, ways);
  expect(Buffer.from(blob).toString()).toBe('{"format":');
  expect(packed).toHaveLength(0);
});
