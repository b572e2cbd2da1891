// Owns: the peer that receives: the npm package syslog-server in a process of its own, counting what it hands on.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { serve } from './process.ts';

interface Server {
  on(event: 'message', listener: () => void): void;
  start(options: { readonly port: number; readonly address: string; readonly exclusive: boolean }): Promise<void>;
}

const Server = createRequire(import.meta.url)('syslog-server') as new () => Server;
let received = 0;

/** It does not tell which port it got: so one that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

export type SyslogServerCalls = typeof calls;
const calls = serve({
  async start(_: null): Promise<number> {
    const server = new Server();
    server.on('message', () => {
      received += 1;
    });
    const port = await freePort();
    await server.start({ port, address: '127.0.0.1', exclusive: true });
    return port;
  },
  count: (_: null): number => received,
});
