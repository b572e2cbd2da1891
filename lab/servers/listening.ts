// Owns: waiting until a socket listens, and saying plainly why it cannot.
import type { EventEmitter } from 'node:events';
import { OperatorError } from '../../src/model/errors.ts';

/** `what` as in `tcp 127.23.0.2:2222`. */
export function listening(socket: EventEmitter, begin: () => void, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      socket.off('listening', done);
      reject(refused(error, what));
    };
    const done = () => {
      socket.off('error', failed);
      resolve();
    };
    socket.once('error', failed);
    socket.once('listening', done);
    begin();
  });
}

function refused(error: NodeJS.ErrnoException, what: string): OperatorError {
  const cause = error;
  if (error.code === 'EADDRINUSE')
    return new OperatorError(`[lab] cannot listen on ${what}: another lab has it`, {
      code: 'lab-address-in-use',
      remedy: 'Stop the other lab, or start this one with another net number (24 puts it on 127.24.0.x).',
      cause,
    });
  if (error.code === 'EADDRNOTAVAIL')
    return new OperatorError(`[lab] cannot listen on ${what}: this machine has no such address`, {
      code: 'lab-address-unavailable',
      remedy: 'Linux has all of 127/8; elsewhere add the addresses first, as in `sudo ifconfig lo0 alias 127.23.0.2`.',
      cause,
    });
  return new OperatorError(`[lab] cannot listen on ${what}: ${error.message}`, {
    code: 'lab-cannot-listen',
    remedy: 'Look at the reason, then try again.',
    cause,
  });
}
