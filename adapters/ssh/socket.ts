// Owns: the TCP socket under an SSH connection: what is written in one turn goes out as one piece. The SSH library writes a packet in
// four (its length, its body, its tag), which without Nagle are as many segments and wake the other side as often.
import type { Socket } from 'node:net';

/**
 * The same socket, which must have begun to connect (connect() gives it its own `write` back), without Nagle: that and delayed
 * acknowledgements cost 40 to 80 ms a round trip, at login and a command.
 */
export function inOnePiece(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
  let gathers = false;
  socket.write = (...given: unknown[]): boolean => {
    if (!gathers) {
      gathers = true;
      socket.cork();
      process.nextTick(() => {
        gathers = false;
        socket.uncork();
      });
    }
    return write(...given);
  };
  return socket.setNoDelay(true);
}
