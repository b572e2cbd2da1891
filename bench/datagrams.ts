// Owns: the floor of a burst: a bare node:dgram socket with Offbox's receive buffer, counting and nothing else.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { receiveBufferBytes } from '../src/model/limits.ts';
import { serve } from './process.ts';

let received = 0;

export type DatagramCalls = typeof calls;
const calls = serve({
  async start(_: null): Promise<number> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: receiveBufferBytes });
    socket.on('message', () => {
      received += 1;
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket.address().port;
  },
  count: (_: null): number => received,
});
