// Owns: the process of the hypervisors: a libvirtd each, as small as one can be that Offbox watches, on a unix socket of its
// own; and what they say, at a steady rate, with when each event was put on its socket.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import {
  encodeError,
  encodeEvent,
  encodeKeepalive,
  encodeReply,
  errorCodes,
  events,
  Framing,
  keepaliveProcedures,
  type Message,
  messageTypes,
  type Procedure,
  procedures,
  programs,
  remoteError,
} from '../adapters/libvirt-rpc/protocol.ts';
import { decode } from '../adapters/libvirt-rpc/xdr.ts';
import { eventOf, listedOn, socketPath, xmlOf } from './domains.ts';
import { clockMs, serve, steadyClock } from './process.ts';
import { TimeLog, type Times } from './time-log.ts';

const callBytesMax = 65_536;
/** Between two looks at what is due. */
const tickMs = 1;
const log = new TimeLog();
const clock = steadyClock();
/** An event's bytes are the same each time: making them is not measured. */
const encoded = new Map<string, Buffer>();

class Libvirtd {
  readonly host: number;
  /** Events said so far. */
  said = 0;
  #socket: Socket | undefined;
  #callback: number | undefined;

  constructor(host: number) {
    this.host = host;
  }

  /** Somebody has registered for the lifecycle. */
  get heard(): boolean {
    return this.#callback !== undefined;
  }

  accept(socket: Socket): void {
    const framing = new Framing(callBytesMax);
    socket.on('data', (bytes) => {
      if (framing.feed(bytes, (message) => this.#hear(socket, message)) !== undefined) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#callback = undefined;
    });
  }

  say(): void {
    if (!this.#socket || this.#callback === undefined) throw new Error(`nobody listens to hypervisor ${this.host} any more`);
    const { dom, event, detail } = eventOf(this.host, this.said);
    const key = `${dom.name} ${this.host} ${event} ${detail}`;
    let bytes = encoded.get(key);
    if (!bytes) {
      bytes = encodeEvent({ kind: 'lifecycle', callbackId: this.#callback, dom, event, detail });
      encoded.set(key, bytes);
    }
    this.said += 1;
    log.add(this.host, clock(), 0);
    this.#socket.write(bytes);
  }

  #hear(socket: Socket, message: Message): void {
    const { program, type, procedure } = message;
    if (program === programs.keepalive) {
      if (procedure === keepaliveProcedures.ping) socket.write(encodeKeepalive('pong'));
      return;
    }
    if (type === messageTypes.call) socket.write(this.#answer(socket, message));
  }

  #answer(socket: Socket, message: Message): Buffer {
    const { procedure, serial, payload } = message;
    const reply = <A, R>(to: Procedure<A, R>, value: R): Buffer => encodeReply(to, serial, value);
    switch (procedure) {
      case procedures.authList.number:
        return reply(procedures.authList, { types: [0] });
      case procedures.supportsFeature.number:
        return reply(procedures.supportsFeature, { supported: 1 });
      case procedures.connectOpen.number:
        return reply(procedures.connectOpen, undefined);
      case procedures.connectClose.number:
        return reply(procedures.connectClose, undefined);
      case procedures.registerEvent.number: {
        const { eventId } = decode(procedures.registerEvent.args, payload);
        if (eventId === events.lifecycle.id) {
          this.#socket = socket;
          this.#callback = eventId;
        }
        return reply(procedures.registerEvent, { callbackId: eventId });
      }
      case procedures.listAllDomains.number: {
        const domains = listedOn(this.host, this.said).map(({ dom }) => dom);
        return reply(procedures.listAllDomains, { domains, count: domains.length });
      }
      case procedures.getState.number: {
        const { dom } = decode(procedures.getState.args, payload);
        const found = listedOn(this.host, this.said).find((each) => each.dom.uuid === dom.uuid);
        if (found) return reply(procedures.getState, { state: found.state, reason: found.reason });
        break;
      }
      case procedures.getXmlDesc.number:
        return reply(procedures.getXmlDesc, { xml: xmlOf(decode(procedures.getXmlDesc.args, payload).dom) });
    }
    const { payload: _, version: __, ...header } = message;
    return encodeError(header, remoteError(errorCodes.noSupport, 'not of this hypervisor'));
  }
}

let fleet: readonly Libvirtd[] = [];

interface Start {
  readonly hosts: number;
  /** Of the sockets. */
  readonly folder: string;
}

interface Say {
  /** Of each hypervisor. */
  readonly perSecond: number;
  readonly seconds: number;
}

let isDone = true;
let fault: unknown;

/** In turn, evenly over each second; what came too late is said at once. */
function sayAll({ perSecond, seconds }: Say): Promise<void> {
  const total = perSecond * seconds * fleet.length;
  const perMs = (perSecond * fleet.length) / 1000;
  const from = clockMs();
  let said = 0;
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      try {
        const due = Math.min(total, Math.floor((clockMs() - from) * perMs));
        for (; said < due; said += 1) fleet[said % fleet.length]!.say();
        if (said < total) return;
        clearInterval(timer);
        resolve();
      } catch (error) {
        clearInterval(timer);
        reject(error);
      }
    }, tickMs);
  });
}

export type FleetCalls = typeof calls;
const calls = serve({
  async start({ hosts, folder }: Start): Promise<void> {
    fleet = Array.from({ length: hosts }, (_, host) => new Libvirtd(host));
    for (const libvirtd of fleet) {
      const server = createServer((socket) => libvirtd.accept(socket)).listen(socketPath(folder, libvirtd.host));
      await once(server, 'listening');
    }
  },
  heard: (_: null): number => fleet.filter(({ heard }) => heard).length,
  say(what: Say): void {
    isDone = false;
    void sayAll(what)
      .catch((thrown: unknown) => {
        fault = thrown;
      })
      .finally(() => {
        isDone = true;
      });
  },
  /** Whether all is said. */
  said(_: null): boolean {
    if (fault !== undefined) throw fault;
    return isDone;
  },
  times: (_: null): Times => log.drain(),
});
