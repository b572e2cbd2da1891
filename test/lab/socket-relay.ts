// A way to a unix socket that can be cut and mended.
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';

export interface SocketRelay {
  readonly path: string;
  listen(): Promise<void>;
  cut(): void;
}

/** A socket that leads to another, and can be cut. */
export async function relayTo(socket: string, path: string): Promise<SocketRelay> {
  const open: Socket[] = [];
  const server = createServer((near) => {
    const far = createConnection(socket);
    open.push(near, far);
    for (const each of [near, far]) each.on('error', () => undefined);
    near.pipe(far).pipe(near);
  });
  const listen = async (): Promise<void> => {
    await rm(path, { force: true });
    server.listen(path);
    await once(server, 'listening');
  };
  await listen();
  return {
    path,
    listen,
    cut(): void {
      server.close();
      for (const each of open.splice(0)) each.destroy();
    },
  };
}
