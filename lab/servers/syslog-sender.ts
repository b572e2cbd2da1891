// Owns: the device's syslog datagrams, sent from its own address.
import { createSocket } from 'node:dgram';
import { listening } from './listening.ts';

export interface DatagramEnd {
  readonly address: string;
  readonly port: number;
}

export interface SyslogSender {
  open(): Promise<void>;
  send(line: string): void;
  stop(): void;
}

export function createSyslogSender(from: string, to: DatagramEnd): SyslogSender {
  const socket = createSocket('udp4');
  return {
    open: () => listening(socket, () => socket.bind(0, from), `udp ${from}`),
    // Nobody there to listen is the receiver's affair, as for any device.
    send: (line) => socket.send(line, to.port, to.address, () => {}),
    stop: () => socket.close(),
  };
}
