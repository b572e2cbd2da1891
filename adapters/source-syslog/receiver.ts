// Owns: the receiving thread: UDP and TCP sockets. It puts what arrives into the ring and never waits for anybody: a burst
// of datagrams is taken from the kernel as it is while the main thread parses, journals and decides. What comes over TCP can
// wait in the sender: it is read here, and the main thread is spared that.
//
// A full ring drops datagrams and counts them. TCP senders are stopped before that, when three quarters are full, so that
// the last quarter is the datagrams', which cannot be stopped.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { receiveBufferBytes, syslogConnectionsMax, syslogMessageBytesMax } from '../../src/model/limits.ts';
import type { PlatformName } from '../../src/model/target.ts';
import { Framer } from './framing.ts';
import { readMessage, recordOf } from './read.ts';
import { RingWriter } from './ring.ts';
import type { Bound, ListenOn, Platforms, ReceiverOrder, ReceiverReport, ReceiverRequest } from './thread.ts';

/** What must be free of the ring before a TCP sender is read. */
const freeForTcp = 1 / 4;
/** setpriority(2) of the calling thread. */
const receiverNice = -10;
/** A dead TCP peer is noticed by the kernel's probes after this and not never. */
const keepaliveMs = 60_000;

const addressOf = (address: string | undefined) => (address?.startsWith('::ffff:') ? address.slice(7) : (address ?? ''));

function listenUdp(at: ListenOn, ring: RingWriter): UdpSocket {
  const type = at.host.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
  socket.on('message', (bytes, { address }) => {
    ring.count('received');
    const long = bytes.length > syslogMessageBytesMax;
    if (long) ring.count('too-long');
    if (bytes.length === 0) ring.count('malformed');
    else if (!ring.write(`udp ${addressOf(address)} `, long ? bytes.subarray(0, syslogMessageBytesMax) : bytes))
      ring.count('no-room');
  });
  return socket;
}

/** One sender. Reads no further than the ring has room; what it holds meanwhile is one chunk and one unfinished frame. */
class Connection {
  readonly #socket: Socket;
  readonly #ring: RingWriter;
  readonly #framer = new Framer();
  readonly #peer: string;
  readonly #platform: PlatformName | undefined;
  #stalled = false;
  #over = false;
  #tooLong = 0;

  constructor(socket: Socket, ring: RingWriter, platforms: Platforms, onStall: (connection: Connection) => void) {
    this.#socket = socket;
    this.#ring = ring;
    this.#peer = addressOf(socket.remoteAddress);
    this.#platform = platforms.get(this.#peer);
    socket.setKeepAlive(true, keepaliveMs);
    socket.on('data', (chunk: Buffer) => {
      this.#framer.feed(chunk);
      if (!this.pump()) onStall(this);
    });
    // A sender that resets is over as one that ends is; 'close' follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#over = true;
      if (!this.#stalled) this.#finish();
    });
  }

  /** Moves whole messages into the ring. False where the ring is full; then call again when there is room. */
  pump(): boolean {
    while (this.#ring.hasFree(freeForTcp)) {
      const frame = this.#framer.next();
      if (frame) this.#put(frame);
      else {
        this.#stalled = false;
        this.#settle();
        return true;
      }
    }
    this.#stalled = true;
    this.#socket.pause();
    return false;
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(): void {
    this.#ring.count('too-long', this.#framer.tooLong - this.#tooLong);
    this.#tooLong = this.#framer.tooLong;
    if (this.#over) this.#finish();
    else if (this.#framer.endless) this.#socket.destroy();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #finish(): void {
    const { last, cut } = this.#framer.end();
    if (last) this.#put(last);
    if (cut) {
      this.#ring.count('received');
      this.#ring.count('malformed');
    }
    this.#ring.count('too-long', this.#framer.tooLong - this.#tooLong);
    this.#tooLong = this.#framer.tooLong;
  }

  #put(frame: Buffer): void {
    this.#ring.count('received');
    const record = recordOf(readMessage('tcp', this.#peer, frame.toString('utf8'), this.#platform));
    const written = record === undefined ? this.#ring.write(`tcp ${this.#peer} `, frame) : this.#ring.writeText(record);
    if (!written) this.#ring.count('no-room');
  }
}

class TcpListener {
  readonly server: Server;
  readonly #ring: RingWriter;
  readonly #open = new Set<Connection>();
  readonly #stalled = new Set<Connection>();

  constructor(ring: RingWriter, platforms: Platforms) {
    this.#ring = ring;
    this.server = createServer((socket) => {
      const connection = new Connection(socket, ring, platforms, (stalled) => this.#stall(stalled));
      this.#open.add(connection);
      socket.on('close', () => this.#open.delete(connection));
    });
    this.server.maxConnections = syslogConnectionsMax;
    this.server.on('drop', () => ring.count('connections'));
  }

  /** There is room: each stalled sender goes on, until one finds the ring full again. */
  resume(): void {
    for (const connection of this.#stalled) {
      if (!connection.pump()) {
        this.#wait();
        return;
      }
      this.#stalled.delete(connection);
    }
  }

  close(): void {
    this.server.close();
    for (const connection of this.#open) connection.close();
  }

  #stall(connection: Connection): void {
    this.#stalled.add(connection);
    this.#wait();
  }

  #wait(): void {
    this.#ring.await();
    if (this.#ring.hasFree(1 / 2)) this.resume(); // the reader had finished before it could see us wait
  }
}

interface Listeners {
  readonly udp: UdpSocket | undefined;
  readonly tcp: TcpListener | undefined;
  readonly bound: Bound;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Rejects with a Refusal where the system does not let it. */
async function listen({ udp: udpAt, tcp: tcpAt, platforms }: ReceiverRequest, ring: RingWriter): Promise<Listeners> {
  const bound: Mutable<Bound> = {};
  const udp = udpAt && listenUdp(udpAt, ring);
  if (udp && udpAt) {
    udp.bind(udpAt.port, udpAt.host);
    await once(udp, 'listening').catch((cause: Error) => refuse('udp', udpAt, cause));
    const { address, port } = udp.address();
    // Linux says twice what it grants: the other half is for its own bookkeeping.
    bound.udp = { host: address, port, receiveBufferBytes: udp.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1) };
  }
  const tcp = tcpAt && new TcpListener(ring, platforms);
  if (tcp && tcpAt) {
    tcp.server.listen(tcpAt.port, tcpAt.host);
    await once(tcp.server, 'listening').catch((cause: Error) => {
      udp?.close();
      refuse('tcp', tcpAt, cause);
    });
    const address = tcp.server.address();
    if (address && typeof address === 'object') bound.tcp = { host: address.address, port: address.port };
  }
  return { udp, tcp, bound };
}

type RefusedReport = ReceiverReport & { readonly kind: 'refused' };

class Refusal extends Error {
  readonly report: RefusedReport;

  constructor(report: RefusedReport) {
    super(report.message);
    this.report = report;
  }
}

function refuse(transport: 'udp' | 'tcp', { host, port }: ListenOn, cause: NodeJS.ErrnoException): never {
  throw new Refusal({ kind: 'refused', transport, host, port, code: cause.code ?? '', message: cause.message });
}

async function receive(port: MessagePort, request: ReceiverRequest): Promise<void> {
  const tell = (report: ReceiverReport) => port.postMessage(report);
  const ring = new RingWriter(request.ring, () => tell({ kind: 'bell' }));
  const { udp, tcp, bound } = await listen(request, ring);
  port.on('message', (order: ReceiverOrder) => {
    if (order === 'room') tcp?.resume();
    else {
      udp?.close();
      tcp?.close();
      port.close();
    }
  });
  tell({ kind: 'listening', bound });
}

/**
 * Whoever parses and journals has time, the kernel's buffer has not: on Linux this thread alone goes first, where it may (root,
 * CAP_SYS_NICE); elsewhere it goes on as it is.
 */
function goFirst(): void {
  try {
    setPriority(0, receiverNice);
  } catch {
    // Not allowed: the buffer must do.
  }
}

if (parentPort) {
  const port = parentPort;
  if (process.platform === 'linux') goFirst();
  receive(port, workerData as ReceiverRequest).catch((thrown: unknown) => {
    if (!(thrown instanceof Refusal)) throw thrown;
    port.postMessage(thrown.report);
    port.close();
  });
}
