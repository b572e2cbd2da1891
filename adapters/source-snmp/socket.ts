// Owns: the UDP socket: binding with a clear error, datagrams in and out, and what the kernel dropped. No parsing.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { messageOf, OperatorError } from '../../src/model/errors.ts';
import { receiveBufferBytes } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { kernelDrops } from './kernel-drops.ts';

/** How often the kernel's counter is read. */
const dropsEveryMs = 1_000;

export interface SocketHandlers {
  datagram(bytes: Buffer, address: string, port: number): void;
  /** So many more were dropped by the kernel. */
  dropped(count: number): void;
  /** The socket failed; it goes on where it can. */
  failed(reason: string): void;
}

export interface Listening {
  readonly address: string;
  readonly port: number;
  /** Best effort: what cannot be sent is sent for again. */
  send(bytes: Buffer, port: number, address: string): void;
  close(): Promise<void>;
}

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program listens there (snmptrapd?): stop it, or listen on another port.',
  EACCES: 'Ports below 1024 need a right: use a higher port and redirect 162 to it, or grant CAP_NET_BIND_SERVICE.',
  EADDRNOTAVAIL: 'This machine has no such address: use one of its own, or 0.0.0.0 for all.',
  ENOTFOUND: 'The host is not known: write an address of this machine, or 0.0.0.0 for all.',
};

function cannotListen(host: string, port: number, error: unknown): OperatorError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new OperatorError(`[source-snmp] cannot listen on udp ${host}:${port}: ${messageOf(error)}`, {
    code: 'cannot-listen',
    remedy: remedies[code] ?? 'Check sources.snmp in offbox.yaml.',
    cause: error,
  });
}

/** Reads the counter until cancelled. */
function watchDrops(wall: Wall, address: string, port: number, dropped: (count: number) => void): () => void {
  let last = 0; // A socket just made has dropped nothing.
  let cancel = () => {};
  let over = false;
  async function look(): Promise<void> {
    const drops = await kernelDrops(address, port);
    if (over || drops === undefined) return; // A system without /proc/net tells nothing, ever.
    if (drops > last) dropped(drops - last);
    last = drops;
    cancel = wall.after(dropsEveryMs, () => void look());
  }
  void look();
  return () => {
    over = true;
    cancel();
  };
}

export async function listen(host: string, port: number, wall: Wall, handlers: SocketHandlers): Promise<Listening> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: receiveBufferBytes });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  try {
    socket.bind({ port, address: host }, () => resolve());
    await promise;
  } catch (error) {
    socket.close();
    throw cannotListen(host, port, error);
  }
  socket.removeAllListeners('error');
  socket.on('error', (error) => handlers.failed(messageOf(error)));
  socket.on('message', (bytes, from) => handlers.datagram(bytes, from.address, from.port));
  const bound = socket.address();
  const unwatch = watchDrops(wall, bound.address, bound.port, handlers.dropped);
  let open = true;
  return {
    address: bound.address,
    port: bound.port,
    send: (bytes, toPort, address) => {
      if (open) socket.send(bytes, toPort, address, () => {});
    },
    close() {
      if (!open) return Promise.resolve();
      open = false;
      unwatch();
      return new Promise((closed) => socket.close(() => closed()));
    },
  };
}
