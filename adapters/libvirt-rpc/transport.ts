// Owns: the byte stream to a libvirtd, whatever carries it: a local socket, TLS with certificates both ways, SSH, bare TCP.
// What it hands back is open and authenticated; nothing of libvirt's protocol has been said on it.
import { createConnection, isIP, type NetConnectOpts, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Client, ClientChannel } from 'ssh2';
import { messageOf, OperatorError, TargetError } from '../../src/model/errors.ts';
import { connectDeadlineMs } from '../../src/model/limits.ts';
import type { LibvirtAccess } from '../../src/model/target.ts';
import type { Secrets } from '../../src/ports/actuator.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { connectSsh } from '../ssh/connection.ts';

/** Whether anything may be changed over it. Reading needs no more than the read-only socket. */
export type Mode = 'read-only' | 'read-write';

export interface LibvirtPeer {
  /** The adapter's name, for messages. */
  readonly adapter: string;
  /** The target's inventory name. */
  readonly name: string;
  readonly address: string;
  readonly access: LibvirtAccess;
}

export interface TransportOptions {
  readonly secrets: Secrets;
  readonly wall: Wall;
  readonly mode: Mode;
}

export interface Carrier {
  readonly stream: Duplex;
  /** Hands on what comes, from the beginning. The bytes are the listener's until it returns. For one listener. */
  readonly hear: (listener: (bytes: Buffer) => void) => void;
  /** Settles when the stream is closed, with why, as far as anybody said. Never rejects. */
  readonly ended: Promise<string>;
}

/** libvirtd says this one byte after a handshake whose certificate it takes; without one it closes. */
const certificateTaken = 0x01;

/** Opens the stream. Rejects with a TargetError, or an OperatorError where the inventory lacks what it needs. */
export async function openStream(peer: LibvirtPeer, options: TransportOptions, signal: AbortSignal): Promise<Carrier> {
  // Of this attempt alone: what listens to it goes with it, however often the same caller tries.
  const attempt = new AbortController();
  const abort = (): void => attempt.abort(signal.reason);
  const cancel = options.wall.after(connectDeadlineMs, () =>
    attempt.abort(new Error(`no connection in ${connectDeadlineMs} ms`)),
  );
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await openers[peer.access.transport](peer, options, attempt.signal);
  } catch (error) {
    if (error instanceof OperatorError || error instanceof TargetError) throw error;
    throw unreachable(peer, messageOf(error), error);
  } finally {
    signal.removeEventListener('abort', abort);
    cancel();
  }
}

type Opener = (peer: LibvirtPeer, options: TransportOptions, signal: AbortSignal) => Promise<Carrier>;

const openers: Readonly<Record<LibvirtAccess['transport'], Opener>> = {
  unix: ({ access }, { mode }, signal) => {
    const path = access.socket ?? `/run/libvirt/libvirt-sock${mode === 'read-only' ? '-ro' : ''}`;
    return openSocket({ path }, signal);
  },
  tcp: ({ address, access }, _options, signal) =>
    openSocket({ host: address, port: access.port ?? 16_509, noDelay: true }, signal),
  tls: openTls,
  ssh: openSsh,
};

/** What every plain socket is read into: its bytes are taken before the next read, and a buffer for each would be mostly waste. */
const readInto = Buffer.allocUnsafeSlow(65_536);

async function openSocket(where: NetConnectOpts, signal: AbortSignal): Promise<Carrier> {
  let hand: ((bytes: Buffer) => void) | undefined;
  let early: Buffer | undefined;
  const callback = (length: number): boolean => {
    const bytes = readInto.subarray(0, length);
    if (hand) hand(bytes);
    else early = Buffer.from(bytes);
    // Nobody listens yet: what comes next waits until the socket is resumed.
    return hand !== undefined;
  };
  const socket = createConnection({ ...where, onread: { buffer: readInto, callback } });
  const { stream, ended } = carried(await connected(socket, 'connect', signal));
  const hear = (listener: (bytes: Buffer) => void): void => {
    hand = listener;
    if (early) listener(early);
    early = undefined;
  };
  return { stream, ended, hear };
}

function connected<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal.reason);
    const closed = (): void => fail(new Error('closed the connection'));
    signal.addEventListener('abort', abort, { once: true });
    // Stays: until its user listens, an error must not become the process's.
    socket.on('error', fail);
    socket.once('close', closed);
    socket.once(event, () => {
      signal.removeEventListener('abort', abort);
      socket.off('close', closed);
      resolve(socket);
    });
  });
}

async function openTls(peer: LibvirtPeer, { secrets }: TransportOptions, signal: AbortSignal): Promise<Carrier> {
  const { ca, certificate, key, port } = peer.access;
  if (!ca || !certificate || !key) {
    throw new OperatorError(`[${peer.adapter}] ${peer.name} lacks ca, certificate or key for libvirt over TLS`, {
      code: 'no-credentials',
      remedy: 'Add all three to its libvirt section, as {env: NAME}, {file: PATH} or {command: …}.',
    });
  }
  const [trusted, ours, ourKey] = await Promise.all([secrets(ca), secrets(certificate), secrets(key)]);
  signal.throwIfAborted();
  let socket: TLSSocket;
  try {
    const servername = isIP(peer.address) ? {} : { servername: peer.address };
    socket = connectTls({ host: peer.address, port: port ?? 16_514, ca: trusted, cert: ours, key: ourKey, ...servername });
  } catch (error) {
    // Thrown at once means our own files; their text stays out of the message.
    throw new OperatorError(`[${peer.adapter}] ${peer.name}: its certificate or key cannot be read`, {
      code: 'bad-tls-access',
      remedy: 'Give PEM files: the CA, our certificate, and its unencrypted key.',
      cause: (error as NodeJS.ErrnoException).code,
    });
  }
  socket.setNoDelay(true);
  await connected(socket, 'secureConnect', signal).catch((error: NodeJS.ErrnoException) => {
    throw tlsFault(peer, error);
  });
  await certificateAccepted(peer, socket, signal);
  return carried(socket);
}

/** Whose certificate it is that was not taken: Node says so only before the handshake is done. */
function tlsFault(peer: LibvirtPeer, error: NodeJS.ErrnoException): unknown {
  if (!/CERT|ALTNAME|SELF_SIGNED|ISSUER|SIGNATURE/.test(error.code ?? '')) return error;
  return new TargetError(`[${peer.adapter}] ${peer.name} shows a certificate we do not trust: ${error.message}`, {
    code: 'certificate-mismatch',
    retry: false,
    remedy: 'Compare the ca of its libvirt section, and that its certificate names its address.',
    cause: error,
  });
}

/** The handshake looks done here before the other side has judged our certificate: its byte is the judgement. */
function certificateAccepted(peer: LibvirtPeer, socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      done();
      socket.destroy();
      reject(error);
    };
    const closed = (): void => fail(notTaken(peer));
    const abort = (): void => fail(signal.reason);
    const take = (bytes: Buffer): void => {
      if (bytes[0] !== certificateTaken) {
        fail(notTaken(peer));
        return;
      }
      done();
      socket.pause();
      if (bytes.length > 1) socket.unshift(bytes.subarray(1));
      resolve();
    };
    const done = (): void => {
      signal.removeEventListener('abort', abort);
      socket.off('data', take);
      socket.off('close', closed);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.on('data', take);
    socket.on('close', closed);
  });
}

function notTaken(peer: LibvirtPeer): TargetError {
  return new TargetError(`[${peer.adapter}] ${peer.name} does not take our certificate`, {
    code: 'login-refused',
    retry: false,
    remedy: 'Check that its CA signed the certificate, and tls_allowed_dn_list in its libvirtd.conf.',
  });
}

async function openSsh(peer: LibvirtPeer, { secrets, mode }: TransportOptions, signal: AbortSignal): Promise<Carrier> {
  const { ssh, socket, uri } = peer.access;
  if (!ssh) {
    throw new OperatorError(`[${peer.adapter}] ${peer.name} has no ssh section in its libvirt section`, {
      code: 'no-credentials',
      remedy: 'Add user, hostKey, and password or key.',
    });
  }
  const way = { adapter: peer.adapter, name: peer.name, address: peer.address, port: ssh.port ?? 22, access: ssh };
  const { client } = await connectSsh(way, secrets, signal);
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      client.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    const ready = (error: Error | undefined, stream: ClientChannel): void => {
      signal.removeEventListener('abort', abort);
      if (error) {
        client.destroy();
        reject(unreachable(peer, `the SSH server opens no way to libvirtd: ${error.message}`, error));
        return;
      }
      // The connection is the stream's alone.
      stream.on('close', () => client.end());
      resolve(carriedBySsh(stream, client));
    };
    if (socket) client.openssh_forwardOutStreamLocal(socket, ready);
    else client.exec(`virt-ssh-helper ${mode === 'read-only' ? '-r ' : ''}${quoted(uri)}`, ready);
  });
}

function carried(stream: Duplex): Carrier {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let why = 'closed the connection';
  stream.on('error', (error) => {
    why = error.message;
  });
  stream.on('close', () => resolve(why));
  if (stream.destroyed) resolve(why);
  return { stream, ended, hear: (listener) => void stream.on('data', listener) };
}

/** With why the helper ended, in its own words; unread they would stall the channel. */
function carriedBySsh(stream: ClientChannel, client: Client): Carrier {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let why = 'closed the connection';
  let said = '';
  stream.stderr?.on('data', (bytes: Buffer) => {
    if (said.length < 400) said += bytes.toString('utf8', 0, 400);
  });
  stream.on('exit', (status: number | null) => {
    if (status !== 0) why = `virt-ssh-helper ended with ${status}`;
  });
  stream.on('error', (error: Error) => {
    why = error.message;
  });
  const over = (): void => resolve(said === '' ? why : `${why}: ${said.replace(/\s+/g, ' ').trim()}`);
  stream.on('close', over);
  client.on('close', () => {
    stream.destroy();
    over();
  });
  return { stream, ended, hear: (listener) => void stream.on('data', listener) };
}

/** For the hypervisor's shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A fault of the way to it: worth another try. */
export function unreachable(peer: LibvirtPeer, why: string, cause?: unknown): TargetError {
  return new TargetError(`[${peer.adapter}] libvirtd of ${peer.name} (${placeOf(peer)}): ${why}`, {
    code: 'connection-lost',
    retry: true,
    remedy: 'Check that libvirtd runs there and the way to it.',
    cause,
  });
}

function placeOf({ address, access }: LibvirtPeer): string {
  if (access.transport === 'unix') return access.socket ?? 'unix';
  return `${access.transport} ${address}${access.port ? ` port ${access.port}` : ''}`;
}
