// Owns: dying with the launcher. Loaded before anything else on Node 24; the pipe at fd 3 ends when the launcher is gone,
// however it went. Not left to the program, so that vitest and tsc do not outlive their launcher either.
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.env.OFFBOX_LAUNCHER) {
  // What we start has another fd 3, or none.
  delete process.env.OFFBOX_LAUNCHER;
  const pipe = new Socket({ fd: 3, readable: true, writable: false });
  pipe.on('error', () => undefined);
  pipe.on('close', () => process.kill(process.pid, 'SIGKILL'));
  pipe.resume();
  pipe.unref();
}
