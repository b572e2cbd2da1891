// Owns: a way from the machine's own loopback into a node's network, for code that cannot itself be put there. Run as a
// program in the node's network: it is handed a listening socket of the machine's, and connects on in the node's.
import { connect, type Server, type Socket } from 'node:net';

export interface Destination {
  readonly address: string;
  readonly port: number;
}

function join(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

process.once('message', ({ address, port }: Destination, server: Server) => {
  server.on('connection', (socket) => {
    const onward = connect(port, address);
    join(socket, onward);
    join(onward, socket);
  });
  process.send?.('relaying');
});
