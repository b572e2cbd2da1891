// Owns: the floor of the hypervisors: a process that reads their sockets and decodes the events, and does nothing else.
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { decodeEvent, encodeCall, events, Framing, messageTypes, procedures } from '../adapters/libvirt-rpc/protocol.ts';
import { socketPath } from './domains.ts';
import { serve, steadyClock } from './process.ts';
import { TimeLog, type Times } from './time-log.ts';

const messageBytesMax = 1_048_576;
const log = new TimeLog();
const now = steadyClock();
const sockets: Socket[] = [];

async function watch(path: string, host: number): Promise<void> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  const framing = new Framing(messageBytesMax);
  socket.on('data', (bytes) => {
    framing.feed(bytes, (message) => {
      if (message.type === messageTypes.event && decodeEvent(message)) log.add(host, now(), 0);
    });
  });
  socket.write(encodeCall(procedures.registerEvent, 1, { eventId: events.lifecycle.id, dom: null }));
  sockets.push(socket);
}

export type BareWatcherCalls = typeof calls;
const calls = serve(
  {
    async start({ hosts, folder }: { readonly hosts: number; readonly folder: string }): Promise<void> {
      for (let host = 0; host < hosts; host += 1) await watch(socketPath(folder, host), host);
    },
    times: (_: null): Times => log.drain(),
    cpuMs: (_: null): number => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
  },
  () => {
    for (const socket of sockets) socket.destroy();
  },
);
