// The two SSH actuators may not import each other, so the connection under them is one file twice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('actuator-cli and actuator-netconf connect by the same code', () => {
  const [cli, netconf] = ['actuator-cli', 'actuator-netconf'].map((name) =>
    readFileSync(join(import.meta.dirname, '../../adapters', name, 'socket.ts'), 'utf8'),
  );
  expect(netconf).toBe(cli);
});
