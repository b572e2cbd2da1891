// Owns: a small libvirtd on a unix socket, that answers as it is told to: for what a real one does only when it is ill.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import {
  type Domain,
  encodeError,
  encodeEvent,
  encodeMessage,
  encodeReply,
  Framing,
  type Message,
  messageBytesMax,
  messageTypes,
  type Procedure,
  procedures,
  programs,
  type RemoteEvent,
  remoteError,
  stateNumbers,
} from '../../adapters/libvirt-rpc/protocol.ts';
import { decode } from '../../adapters/libvirt-rpc/xdr.ts';

export interface FakeDomain {
  readonly name: string;
  readonly uuid: string;
  readonly id?: number;
  readonly state?: Parameters<typeof stateNumbers>;
  readonly xml: string;
}

/** What it says to one message; undefined: the usual. An empty buffer is silence. */
export type Answer = (message: Message, connection: Connection) => Buffer | undefined;

export interface Connection {
  readonly socket: Duplex;
  /** Procedures called, by name, and `ping`, `pong`; in order. */
  readonly heard: string[];
}

export interface FakeLibvirtd {
  readonly path: string;
  readonly connections: readonly Connection[];
  /** May be changed at any time. */
  readonly domains: Map<string, FakeDomain>;
  answer: Answer;
  /** Speaks over any stream, as if it had come over the socket. */
  accept(stream: Duplex): void;
  /** To every connection that registered. */
  emit(event: RemoteEvent): void;
  /** Resolves once it is so; asked again whenever a message comes. */
  until(so: () => boolean): Promise<void>;
  /** Closes every connection and takes no new ones, or takes them again. */
  cut(): void;
  listen(): Promise<void>;
  close(): Promise<void>;
}

export const uuidOf = (number: number): string => `c7a5fdbd-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
export const macOf = (number: number): string =>
  `52:54:00:aa:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`;

export function fakeDomain(number: number, more: Partial<FakeDomain> & { readonly metadata?: string } = {}): FakeDomain {
  const name = more.name ?? `vm${number}`;
  const xml = `<domain type='qemu' id='${number}'><name>${name}</name><uuid>${uuidOf(number)}</uuid>
  <memory unit='KiB'>32768</memory>${more.metadata ? `<metadata>${more.metadata}</metadata>` : ''}
  <devices><interface type='bridge'><mac address='${macOf(number)}'/><source bridge='br0'/></interface></devices></domain>`;
  return { id: number, state: ['running', 'booted'], xml, ...more, name, uuid: uuidOf(number) };
}

export const domOf = ({ name, uuid, id = -1 }: FakeDomain): Domain => ({ name, uuid, id });

const byNumber = new Map(Object.values(procedures).map((each) => [each.number, each as Procedure<unknown, unknown>]));

function usual(domains: ReadonlyMap<string, FakeDomain>, message: Message, callback: () => number): Buffer {
  const { serial, procedure: number, payload } = message;
  const procedure = byNumber.get(number);
  if (!procedure) return encodeError(message, remoteError(39, `unknown procedure: ${number}`));
  const args = decode(procedure.args, payload) as { readonly dom?: Domain } | undefined;
  const found = args?.dom ? domains.get(args.dom.uuid) : undefined;
  if (args?.dom && !found) return encodeError(message, remoteError(42, 'Domain not found'));
  switch (procedure.name) {
    case procedures.authList.name:
      return encodeReply(procedures.authList, serial, { types: [0] });
    case procedures.authPolkit.name:
      return encodeReply(procedures.authPolkit, serial, { complete: 1 });
    case procedures.getHostname.name:
      return encodeReply(procedures.getHostname, serial, { hostname: 'kvm1' });
    case procedures.supportsFeature.name:
      return encodeReply(procedures.supportsFeature, serial, { supported: 1 });
    case procedures.registerEvent.name:
      return encodeReply(procedures.registerEvent, serial, { callbackId: callback() });
    case procedures.listAllDomains.name: {
      const all = [...domains.values()].map(domOf);
      return encodeReply(procedures.listAllDomains, serial, { domains: all, count: all.length });
    }
    case procedures.getState.name:
      return encodeReply(procedures.getState, serial, stateNumbers(...(found!.state ?? (['running', 'booted'] as const))));
    case procedures.getXmlDesc.name:
      return encodeReply(procedures.getXmlDesc, serial, { xml: found!.xml });
    default:
      return encodeReply(procedure, serial, undefined);
  }
}

export async function fakeLibvirtd(): Promise<FakeLibvirtd> {
  const folder = await mkdtemp(join(tmpdir(), 'offbox-fake-'));
  const path = join(folder, 'libvirt-sock');
  const connections: Connection[] = [];
  let waiting: { readonly so: () => boolean; readonly resolve: () => void }[] = [];
  let callbacks = 0;
  const look = (): void => {
    for (const each of waiting) if (each.so()) each.resolve();
    waiting = waiting.filter(({ so }) => !so());
  };
  const accept = (socket: Duplex): void => {
    const connection: Connection = { socket, heard: [] };
    const framing = new Framing(messageBytesMax);
    connections.push(connection);
    socket.on('error', () => undefined);
    socket.on('close', look);
    socket.on('data', (bytes: Buffer) => {
      framing.feed(bytes, (message) => {
        const ours = message.program === programs.keepalive;
        connection.heard.push(
          ours ? (message.procedure === 1 ? 'ping' : 'pong') : (byNumber.get(message.procedure)?.name ?? '?'),
        );
        const told = fake.answer(message, connection);
        if (told) socket.write(told);
        else if (!ours) socket.write(usual(fake.domains, message, () => callbacks++));
        else if (message.procedure === 1) socket.write(encodeMessage({ ...message, procedure: 2 }, Buffer.alloc(0)));
      });
      look();
    });
    look();
  };
  const server = createServer(accept);
  const listen = async (): Promise<void> => {
    await rm(path, { force: true });
    server.listen(path);
    await once(server, 'listening');
  };
  const cut = (): void => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  };
  const fake: FakeLibvirtd = {
    path,
    connections,
    domains: new Map(),
    answer: () => undefined,
    accept,
    emit(event) {
      for (const { socket, heard } of connections) {
        if (heard.includes(procedures.registerEvent.name) && socket.writable) socket.write(encodeEvent(event));
      }
    },
    until: (so) =>
      new Promise((resolve) => {
        waiting.push({ so, resolve });
        look();
      }),
    cut,
    listen,
    async close() {
      cut();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await listen();
  return fake;
}

export const isCall = ({ type }: Message): boolean => type === messageTypes.call;
