// A client of libvirtd for tests: calls over a real socket, and the events that come.
import { createConnection, type Socket } from 'node:net';
import {
  decodeEvent,
  decodeReply,
  encodeCall,
  encodeKeepalive,
  Framing,
  type Message,
  messageBytesMax,
  messageTypes,
  type Procedure,
  procedures,
  programs,
  type RemoteError,
  type RemoteEvent,
} from '../../adapters/libvirt-rpc/protocol.ts';
import { nothing } from '../../adapters/libvirt-rpc/xdr.ts';

/** What libvirtd refused with. */
export class Refused extends Error {
  readonly error: RemoteError;

  constructor(error: RemoteError) {
    super(error.message ?? '');
    this.error = error;
  }
}

export type Where = { readonly path: string } | { readonly port: number; readonly host: string };

export class LibvirtClient {
  readonly events: RemoteEvent[] = [];
  /** Of the server, counted. */
  pings = 0;
  pongs = 0;
  closed = false;
  readonly socket: Socket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #watchers: (() => void)[] = [];
  #serial = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    const framing = new Framing(messageBytesMax);
    socket.on('data', (bytes) => framing.feed(bytes, (message) => this.#take(message)));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#look();
    });
  }

  /** Resolves with the result; rejects with Refused. */
  call<A, R>(procedure: Procedure<A, R>, args: A): Promise<R> {
    const serial = this.#serial++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(serial, (message) => {
        const reply = decodeReply(procedure, message);
        if ('error' in reply) reject(new Refused(reply.error));
        else resolve(reply.value);
      });
      this.socket.write(encodeCall(procedure, serial, args));
    });
  }

  /** A procedure by its number, without arguments. */
  callNumber(number: number): Promise<unknown> {
    return this.call({ name: String(number), number, args: nothing, result: nothing }, undefined);
  }

  ping(): void {
    this.socket.write(encodeKeepalive('ping'));
  }

  /** Resolves once it holds; asked after everything that comes. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (holds()) resolve();
        else this.#watchers.push(look);
      };
      this.#watchers.push(look);
    });
  }

  #take(message: Message): void {
    if (message.program === programs.keepalive) {
      if (message.procedure === 1) this.pings += 1;
      else this.pongs += 1;
    } else if (message.type === messageTypes.event) {
      const event = decodeEvent(message);
      if (event) this.events.push(event);
    } else {
      const waiting = this.#waiting.get(message.serial);
      this.#waiting.delete(message.serial);
      waiting?.(message);
    }
    this.#look();
  }

  #look(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}

export function connectTo(where: Where): Promise<LibvirtClient> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(where);
    socket.once('error', reject);
    socket.once('connect', () => resolve(new LibvirtClient(socket)));
  });
}

/** Connected and open, as virsh does it. */
export async function openTo(where: Where, flags = 0): Promise<LibvirtClient> {
  const client = await connectTo(where);
  await client.call(procedures.authList, undefined);
  await client.call(procedures.supportsFeature, { feature: 10 });
  await client.call(procedures.connectOpen, { uri: 'qemu:///system', flags });
  return client;
}
