// Owns: the handle on relay.ts: a loopback port of the machine that leads to an address in a node's network.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { LabNode } from './node.ts';
import { start } from './process.ts';
import type { Destination } from './relay.ts';

export async function reach(node: LabNode, to: Destination): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const argv = node.network([process.execPath, join(import.meta.dirname, 'relay.ts')]);
  const child = start(argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.send(to, server);
  await once(child, 'message');
  server.close(); // the relay has it now
  return { port, child };
}
