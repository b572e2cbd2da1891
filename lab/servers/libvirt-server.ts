// Owns: where a simulated libvirtd listens, its unix socket and its TCP port, and how connections fare with the daemon.
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { OperatorError } from '../../src/model/errors.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { Hypervisors } from '../model/hypervisor.ts';
import type { DaemonChange, HypervisorHost } from '../model/virt/host.ts';
import { createLibvirtSession } from './libvirt-session.ts';
import { listening } from './listening.ts';

/** libvirt's own port for TCP. */
export const libvirtPort = 16_509;
/** libvirtd.conf has max_clients at 5,000; more than these are closed unheard. */
const connectionsMax = 64;
/** Bytes that a client has not taken: events of some hours. Beyond it, unlike libvirtd, we hang up. */
const unsentBytesMax = 8_388_608;
/** Linux: sun_path is 108 bytes with its final NUL. */
const socketPathBytesMax = 107;

export interface LibvirtServerOptions {
  readonly host: HypervisorHost;
  readonly hypervisors: Hypervisors<string>;
  readonly wall: Wall;
  /** Listens there on TCP, where said. */
  readonly address?: string;
  /** 16509, unless said otherwise. */
  readonly port?: number;
  /** Listens there as well, where said. */
  readonly socketPath?: string;
}

export interface LibvirtServer {
  /** Rejects with an OperatorError. */
  open(): Promise<void>;
  stop(): Promise<void>;
}

export function createLibvirtServer(options: LibvirtServerOptions): LibvirtServer {
  const { host, address, port = libvirtPort, socketPath } = options;
  const connections = new Set<Connection>();
  let servers: Server[] = [];

  const accept = (socket: Socket) => {
    if (connections.size >= connectionsMax) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const connection = connect(socket, options);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
    if (host.daemon === 'frozen') connection.hold();
  };
  const listen = async (where: { readonly path: string } | { readonly port: number; readonly host: string }, what: string) => {
    const server = createServer(accept);
    await listening(server, () => server.listen(where), what);
    servers.push(server);
  };
  const open = async () => {
    if (address !== undefined) await listen({ port, host: address }, `tcp ${address}:${port}`);
    if (socketPath === undefined) return;
    await makeRoom(socketPath);
    await listen({ path: socketPath }, `unix ${socketPath}`);
    chmodSync(socketPath, 0o700);
  };
  const hangUp = () => {
    for (const connection of connections) connection.destroy();
  };
  const close = async () => {
    const closing = servers;
    servers = [];
    hangUp();
    await Promise.all(closing.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  };
  const changes: Readonly<Record<DaemonChange, () => Promise<void> | void>> = {
    down: close,
    up: open,
    cut: hangUp,
    frozen: () => {
      for (const connection of connections) connection.hold();
    },
    thawed: () => {
      for (const connection of connections) connection.release();
    },
  };
  const unwatch = host.onDaemon((change) => changes[change]());

  return {
    async open() {
      try {
        await open();
      } catch (error) {
        await close();
        throw error;
      }
    },
    async stop() {
      unwatch();
      await close();
    },
  };
}

interface Connection {
  /** Nothing comes, nothing goes; nothing is lost. */
  hold(): void;
  release(): void;
  destroy(): void;
}

function connect(socket: Socket, { host, hypervisors, wall }: LibvirtServerOptions): Connection {
  let held: Buffer[] | undefined;
  let heldBytes = 0;
  const write = (bytes: Buffer) => {
    if (socket.destroyed) return;
    if (held) {
      held.push(bytes);
      heldBytes += bytes.length;
    } else socket.write(bytes);
    if (heldBytes + socket.writableLength > unsentBytesMax) socket.destroy();
  };
  const session = createLibvirtSession({ context: { host, hypervisors }, wall, write, close: () => socket.destroy() });
  socket.setNoDelay(true);
  socket.on('data', (bytes) => session.input(bytes));
  socket.on('error', () => {});
  socket.on('close', () => session.end());
  return {
    hold() {
      held ??= [];
      session.freeze();
      socket.pause();
    },
    release() {
      const waiting = held ?? [];
      held = undefined;
      heldBytes = 0;
      for (const bytes of waiting) socket.write(bytes);
      session.thaw();
      socket.resume();
    },
    destroy: () => socket.destroy(),
  };
}

/** Removes a socket that somebody left behind; one that answers is another lab's. */
async function makeRoom(path: string): Promise<void> {
  if (Buffer.byteLength(path) > socketPathBytesMax)
    throw new OperatorError(`[lab] the path ${path} is longer than ${socketPathBytesMax} bytes, the most for a socket`, {
      code: 'lab-path-too-long',
      remedy: 'Use a folder with a shorter path.',
    });
  if (!existsSync(path)) return;
  const taken = await new Promise<boolean>((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!taken) rmSync(path, { force: true });
  else
    throw new OperatorError(`[lab] cannot listen on ${path}: another lab has it`, {
      code: 'lab-address-in-use',
      remedy: 'Stop the other lab, or start this one in another folder.',
    });
}
