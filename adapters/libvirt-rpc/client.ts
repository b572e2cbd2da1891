// Owns: the conversation with one libvirtd: opening, calls and their replies, events, keepalive both ways, the end.
//
// C1. Type before serial: an event carries a serial too, and means nothing by it. Replies come in any order.
// C2. What breaks the protocol ends the connection: after a bad message nothing says where the next one begins.
// C3. libvirtd stops reading after max_client_requests (5) calls of one client, pings included. So we have no more than
//     `libvirtCallsAtOnce` under way; a call that nobody waits for any more still counts until its reply is there.
// C4. A frozen libvirtd keeps its socket open: only our own pings find out.
import type { Duplex } from 'node:stream';
import { RuntimeFault, TargetError } from '../../src/model/errors.ts';
import {
  libvirtCallMs,
  libvirtCallsAtOnce,
  libvirtCallsMax,
  libvirtPingMs,
  libvirtPingsMax,
  libvirtUnsentBytesMax,
  replyBytesMax,
} from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import {
  decodeEvent,
  decodeReply,
  encodeCall,
  encodeKeepalive,
  errorCodes,
  Framing,
  keepaliveProcedures,
  type Message,
  messageTypes,
  type Procedure,
  procedures,
  programs,
  protocolVersion,
  type RemoteError,
  type RemoteEvent,
} from './protocol.ts';
import { type Carrier, type LibvirtPeer, unreachable } from './transport.ts';

export interface CallOptions {
  readonly deadlineMs?: number;
}

interface Call {
  readonly name: string;
  readonly bytes: (serial: number) => Buffer;
  /** Undefined once nobody waits for it. Throws what the answer cannot be read for, after telling who waits. */
  settle: ((message: Message | TargetError) => void) | undefined;
}

export class LibvirtClient {
  readonly #peer: LibvirtPeer;
  readonly #stream: Duplex;
  readonly #wall: Wall;
  readonly #event: (event: RemoteEvent) => void;
  readonly #framing = new Framing(replyBytesMax);
  readonly #under = new Map<number, Call>();
  readonly #waiting: Call[] = [];
  readonly #ended = Promise.withResolvers<TargetError | undefined>();
  #serial = 0;
  #failure: TargetError | undefined;
  #heard = false;
  #isPaused = false;
  #unanswered = 0;
  #cancelPing = (): void => undefined;

  constructor(peer: LibvirtPeer, { stream, ended, hear }: Carrier, wall: Wall, event: (event: RemoteEvent) => void) {
    this.#peer = peer;
    this.#stream = stream;
    this.#wall = wall;
    this.#event = event;
    void ended.then((why) => this.fail(unreachable(peer, why)));
    hear((bytes) => this.#take(bytes));
    stream.resume();
  }

  /** Settles when the conversation is over, with what ended it; undefined where we did. Never rejects. */
  get ended(): Promise<TargetError | undefined> {
    return this.#ended.promise;
  }

  /** Rejects with a TargetError: `retry: true` for faults of transport, false for libvirt's no (its code: `refusedAs`). */
  call<A, R>(procedure: Procedure<A, R>, args: A, { deadlineMs = libvirtCallMs }: CallOptions = {}): Promise<R> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#waiting.length >= libvirtCallsMax) return Promise.reject(tooMany(this.#peer));
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const call: Call = { name: procedure.name, bytes: (serial) => encodeCall(procedure, serial, args), settle: undefined };
    const cancel = this.#wall.after(deadlineMs, () => {
      call.settle?.(silent(this.#peer, `no answer to ${procedure.name} in ${deadlineMs} ms`));
      this.#giveUp(call);
    });
    call.settle = (answer) => {
      cancel();
      call.settle = undefined;
      try {
        if (answer instanceof TargetError) throw answer;
        const reply = decodeReply(procedure, answer);
        if ('error' in reply) reject(refusal(this.#peer, procedure.name, reply.error));
        else resolve(reply.value);
      } catch (error) {
        reject(error);
        if (error !== answer) throw error;
      }
    };
    this.#waiting.push(call);
    this.#send();
    return promise;
  }

  /** From now on pings are sent wherever nothing has come for a while. libvirtd must have said that it answers them. */
  keepAlive(): void {
    this.#cancelPing = this.#wall.after(libvirtPingMs, () => {
      this.#unanswered = this.#heard || this.#isPaused ? 0 : this.#unanswered + 1;
      this.#heard = false;
      if (this.#unanswered > libvirtPingsMax) {
        this.fail(silent(this.#peer, `nothing heard for ${this.#unanswered * libvirtPingMs} ms, pings unanswered`));
        return;
      }
      if (this.#unanswered > 0) this.#stream.write(encodeKeepalive('ping'));
      this.keepAlive();
    });
  }

  /**
   * Reads nothing more until `resume`: what comes waits in the socket, replies and pings too. That we hear nothing meanwhile says
   * nothing of libvirtd; but one that hears nothing of us for half a minute hangs up.
   */
  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#heard = true;
    this.#stream.resume();
  }

  /** Does not keep the process alive any more. */
  unref(): void {
    if ('unref' in this.#stream && typeof this.#stream.unref === 'function') this.#stream.unref();
  }

  /** Says goodbye and closes. Resolves when closed. */
  async close(farewellMs = 100): Promise<void> {
    if (!this.#failure) {
      await this.call(procedures.connectClose, undefined, { deadlineMs: farewellMs }).catch(() => undefined);
      this.#end(undefined);
    }
    await this.#ended.promise;
  }

  /** Ends the conversation; whatever waits, and every later call, fails with this error. */
  fail(error: TargetError): void {
    this.#end(error);
  }

  #end(error: TargetError | undefined): void {
    if (this.#failure) return;
    this.#failure = error ?? unreachable(this.#peer, 'the connection was closed by us');
    this.#cancelPing();
    const left = [...this.#under.values(), ...this.#waiting];
    this.#under.clear();
    this.#waiting.length = 0;
    for (const { settle } of left) settle?.(this.#failure);
    this.#stream.destroy();
    this.#ended.resolve(error);
  }

  #send(): void {
    while (!this.#failure && this.#under.size < libvirtCallsAtOnce) {
      const call = this.#waiting.shift();
      if (!call) return;
      this.#serial = (this.#serial + 1) >>> 0;
      this.#under.set(this.#serial, call);
      this.#stream.write(call.bytes(this.#serial));
    }
  }

  /** Its place stays taken (C3) if it was sent; with all places taken by such, nothing can be asked any more. */
  #giveUp(call: Call): void {
    const index = this.#waiting.indexOf(call);
    if (index >= 0) this.#waiting.splice(index, 1);
    const dead = [...this.#under.values()].filter(({ settle }) => !settle).length;
    if (dead >= libvirtCallsAtOnce) this.fail(silent(this.#peer, `${dead} calls stay unanswered`));
  }

  #take(bytes: Buffer): void {
    if (this.#failure) return;
    this.#heard = true;
    try {
      const broken = this.#framing.feed(bytes, (message) => this.#read(message));
      if (broken !== undefined) this.#broke(broken);
    } catch (error) {
      this.fail(error instanceof TargetError ? error : unreachable(this.#peer, 'sent what cannot be read', error));
    }
  }

  #read(message: Message): void {
    if (this.#failure) return;
    const { program, type, procedure, version } = message;
    if (version !== protocolVersion) this.#broke(`version ${version} of the protocol`);
    else if (program === programs.keepalive) {
      if (procedure === keepaliveProcedures.ping) this.#pong();
    } else if (type === messageTypes.event) {
      const event = decodeEvent(message);
      if (event) this.#event(event);
    } else if (type === messageTypes.reply && program === programs.remote) this.#answer(message);
    else this.#broke(`a message of type ${type} and program 0x${program.toString(16)}`);
  }

  /** Who pings on and on and reads nothing would have us keep the answers. */
  #pong(): void {
    if (this.#stream.writableLength < libvirtUnsentBytesMax) this.#stream.write(encodeKeepalive('pong'));
    else this.fail(silent(this.#peer, `${this.#stream.writableLength} bytes wait to be read`));
  }

  #answer(message: Message): void {
    const call = this.#under.get(message.serial);
    if (!call) {
      this.#broke(`a reply to call ${message.serial}, which is not open`);
      return;
    }
    this.#under.delete(message.serial);
    call.settle?.(message);
    this.#send();
  }

  #broke(what: string): void {
    this.fail(
      new TargetError(`[${this.#peer.adapter}] libvirtd of ${this.#peer.name} broke the protocol with ${what}`, {
        code: 'protocol-broken',
        retry: true,
        remedy: 'Check that the port is that of libvirtd, and its version.',
      }),
    );
  }
}

function silent(peer: LibvirtPeer, what: string): TargetError {
  return new TargetError(`[${peer.adapter}] libvirtd of ${peer.name} does not answer: ${what}`, {
    code: 'no-answer',
    retry: true,
    remedy: 'See whether libvirtd or the guest the call is about hangs.',
  });
}

function tooMany(peer: LibvirtPeer): RuntimeFault {
  return new RuntimeFault(`[${peer.adapter}] ${libvirtCallsMax} calls wait for ${peer.name} already`, {
    code: 'bad-command',
    remedy: 'Queue the commands of a target.',
  });
}

const codeNames: Readonly<Record<number, string>> = {
  [errorCodes.noSupport]: 'not-supported',
  [errorCodes.operationDenied]: 'operation-denied',
  [errorCodes.noDomain]: 'no-domain',
  [errorCodes.noStorageVolume]: 'no-volume',
  [errorCodes.operationInvalid]: 'operation-invalid',
  [errorCodes.operationAborted]: 'operation-aborted',
  [errorCodes.operationUnsupported]: 'operation-unsupported',
  [errorCodes.authFailed]: 'login-refused',
};

/** libvirt's no, in its own sentence. */
function refusal(peer: LibvirtPeer, procedure: string, { code, message }: RemoteError): TargetError {
  const said = (message ?? `error ${code}`).replace(/\s+/g, ' ').trim().slice(0, 400);
  return new TargetError(`[${peer.adapter}] libvirtd of ${peer.name} refused ${procedure}: ${said}`, {
    code: codeNames[code] ?? 'libvirt-error',
    retry: false,
    remedy: code === errorCodes.operationDenied ? 'Set write: true in its libvirt section.' : 'See the log of libvirtd there.',
  });
}

/** Whether libvirt's answer was this no. */
export const refusedAs = (thrown: unknown, ...codes: readonly string[]): boolean =>
  thrown instanceof TargetError && codes.includes(thrown.code);
