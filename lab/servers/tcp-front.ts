// Owns: the TCP ports of one device: open while it has power, silent while it hangs, refused while it is off.
import { createServer, type Server, type Socket } from 'node:net';
import { listening } from './listening.ts';
import { createValve, type Valve } from './valve.ts';

/** Connections to one port of one device at once; more are closed unheard. */
const connectionsMax = 64;

export interface TcpFront {
  open(): Promise<void>;
  hold(): void;
  release(): void;
  /** No new connections; those there are go silent. */
  powerOff(): void;
  /** Resets what a power failure left behind. */
  reset(): void;
  stop(): void;
}

export interface TcpFrontOptions {
  readonly address: string;
  readonly port: number;
  readonly connection: (valve: Valve) => void;
}

export function createTcpFront({ address, port, connection }: TcpFrontOptions): TcpFront {
  const valves = new Set<Valve>();
  const gone = new Set<Valve>();
  let held = false;
  let server: Server | undefined;

  const accept = (socket: Socket) => {
    if (valves.size >= connectionsMax) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const valve = createValve(socket);
    valves.add(valve);
    socket.on('close', () => {
      valves.delete(valve);
      gone.delete(valve);
    });
    if (held) valve.hold();
    connection(valve);
  };
  const closeServer = () => {
    // Its callback would wait for the connections, which stay: what matters is that the port is free, which is so at once.
    server?.close();
    server = undefined;
  };

  return {
    async open() {
      if (server) return;
      server = createServer(accept);
      await listening(server, () => server?.listen(port, address), `tcp ${address}:${port}`);
    },
    hold() {
      held = true;
      for (const valve of valves) valve.hold();
    },
    release() {
      held = false;
      for (const valve of valves) valve.release();
    },
    powerOff() {
      closeServer();
      for (const valve of valves) {
        valve.vanish();
        gone.add(valve);
      }
      valves.clear();
    },
    reset() {
      for (const valve of gone) valve.destroy();
      gone.clear();
    },
    stop() {
      closeServer();
      for (const valve of [...valves, ...gone]) valve.destroy();
      valves.clear();
      gone.clear();
    },
  };
}
