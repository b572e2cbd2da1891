// The lab as a process of its own runs it: up until it is ended.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { labCommand } from '../../lab/control.ts';
import { labUp } from '../../lab/up.ts';
import { realWall } from '../../src/runtime/wall.ts';

test('it says where everything is, obeys the control socket, and leaves nothing behind when it ends', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lab-'));
  const end = new AbortController();
  const said = Promise.withResolvers<string>();
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => said.resolve(text));
  const over = labUp({ dir, wall: realWall, net: 210, signal: end.signal });
  const text = await said.promise;
  expect(text).toContain(`${dir}/inventory.yaml`);
  expect(text).toContain('gw-b  127.210.0.3');
  expect(await labCommand(dir, 'external', [])).toEqual([]);
  end.abort();
  await over;
  await expect(labCommand(dir, 'external', [])).rejects.toMatchObject({ code: 'no-lab' });
  log.mockRestore();
  rmSync(dir, { recursive: true });
});
