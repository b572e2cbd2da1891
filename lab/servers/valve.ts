// Owns: the valve between a TCP connection and the SSH server behind it, so that a device can hang or lose its power as a
// real one does: nothing comes, nothing goes, and no FIN says so.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export interface Valve {
  /** What the SSH server takes for its socket. */
  readonly stream: Duplex;
  /** Holds everything back, both ways; nothing is lost. */
  hold(): void;
  release(): void;
  /** The device is off: the connection stays open for the peer, and is answered no more. The server's side ends. */
  vanish(): void;
  /** With a reset, as a rebooted device answers. */
  destroy(): void;
}

export function createValve(socket: Socket): Valve {
  let state: 'open' | 'held' | 'gone' = 'open';
  let resume: (() => void)[] = [];

  const write = (chunk: Buffer, done: (error?: Error | null) => void) => {
    if (state === 'gone' || socket.destroyed) return done();
    if (state === 'held') resume.push(() => write(chunk, done));
    else socket.write(chunk, done);
  };
  const stream = new Duplex({
    read: () => {
      if (state === 'open') socket.resume();
    },
    write: (chunk: Buffer, _, done) => write(chunk, done),
    final: (done) => {
      if (state !== 'gone') socket.end();
      done();
    },
    destroy: (error, done) => {
      if (state !== 'gone') socket.destroy();
      done(error);
    },
  });
  // ssh2 reads these off its socket.
  Object.assign(stream, {
    remoteAddress: socket.remoteAddress,
    remotePort: socket.remotePort,
    remoteFamily: socket.remoteFamily,
  });

  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (state !== 'gone' && !stream.push(chunk)) socket.pause();
  });
  socket.on('end', () => stream.push(null));
  socket.on('error', () => stream.destroy());
  socket.on('close', () => stream.destroy());
  stream.on('error', () => socket.destroy());

  return {
    stream,
    hold() {
      if (state !== 'open') return;
      state = 'held';
      socket.pause();
    },
    release() {
      if (state !== 'held') return;
      state = 'open';
      for (const each of resume) each();
      resume = [];
      socket.resume();
    },
    vanish() {
      state = 'gone';
      resume = [];
      // Reads on, to learn of the peer's own end, and throws away what it reads.
      socket.resume();
      stream.destroy();
    },
    destroy() {
      state = 'gone';
      socket.resetAndDestroy();
      stream.destroy();
    },
  };
}
