// Owns: the conversation over one NETCONF channel: hellos, then one rpc at a time and its reply.
//
// N1  A reply is taken for the rpc whose message-id it carries, and for no other; anything else ends the session.
// N2  What breaks the stream ends the session: after a bad frame nothing says where the next message begins.
import type { ClientChannel } from 'ssh2';
import { TargetError } from '../../src/model/errors.ts';
import { replyBytesMax } from '../../src/model/limits.ts';
import { lost, type SshConnection, type SshPeer } from '../ssh/connection.ts';
import { encode, Framing, type Style } from './framing.ts';
import { base10, base11, type Hello, type Message, readMessage, rpcFault } from './reply.ts';

const namespace = 'urn:ietf:params:xml:ns:netconf:base:1.0';
const ourHello = `<hello xmlns="${namespace}"><capabilities><capability>${base10}</capability><capability>${base11}</capability></capabilities></hello>`;

interface Waiting {
  readonly messageId: string;
  readonly during: string;
  resolve(inner: string): void;
  reject(error: Error): void;
}

export class Exchange {
  readonly #peer: SshPeer;
  readonly #connection: SshConnection;
  readonly #stream: ClientChannel;
  readonly #frames = new Framing(replyBytesMax);
  readonly #greeted = Promise.withResolvers<Hello>();
  #hello: Hello | undefined;
  #style: Style = 'end-of-message';
  #waiting: Waiting | undefined;
  #failure: Error | undefined;
  #count = 0;

  constructor(peer: SshPeer, connection: SshConnection, stream: ClientChannel) {
    this.#peer = peer;
    this.#connection = connection;
    this.#stream = stream;
    this.#greeted.promise.catch(() => undefined);
    stream.on('data', (bytes: Buffer) => this.#take(bytes));
    // Unread, the other stream would stall the channel's window.
    stream.stderr.resume();
    stream.on('error', () => connection.client.destroy());
    stream.on('close', () => connection.client.destroy());
    void connection.ended.then((fault) => this.fail(fault ?? lost(peer, 'closed the session')));
    stream.write(encode(ourHello, 'end-of-message'));
  }

  /** The target's hello. */
  get hello(): Promise<Hello> {
    return this.#greeted.promise;
  }

  /** Sends one operation; the inner XML of its reply. */
  rpc(operation: string, during: string): Promise<string> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const messageId = String(++this.#count);
      this.#waiting = { messageId, during, resolve, reject };
      this.#stream.write(encode(`<rpc xmlns="${namespace}" message-id="${messageId}">${operation}</rpc>`, this.#style));
    });
  }

  /** Ends the session; whatever waits, and everything after, fails with this error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#greeted.reject(this.#failure);
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
    this.#connection.client.destroy();
  }

  #take(bytes: Buffer): void {
    if (this.#failure) return;
    try {
      const reason = this.#frames.feed(bytes, (xml) => this.#read(xml));
      if (reason !== undefined) this.#broke(reason);
    } catch (error) {
      this.fail(error instanceof TargetError ? error : lost(this.#peer, 'sent what cannot be read', error));
    }
  }

  #read(xml: string): void {
    if (this.#failure) return;
    const message = readMessage(xml);
    if (message.kind === 'hello') this.#greet(message.hello);
    else if (message.kind === 'reply') this.#answer(message);
    else if (!this.#hello) this.#broke(`<${message.name}> instead of a hello`);
  }

  #greet(hello: Hello): void {
    if (this.#hello) this.#broke('a second hello');
    else if (hello.capabilities.has(base11)) {
      this.#style = 'chunked';
      this.#frames.chunked();
    } else if (!hello.capabilities.has(base10)) this.#broke('a hello that names neither base:1.0 nor base:1.1');
    this.#hello = hello;
    this.#greeted.resolve(hello);
  }

  #answer(reply: Extract<Message, { kind: 'reply' }>): void {
    const asked = this.#waiting;
    // A peer that could not even parse our rpc has no id to answer with (RFC 6241 section 4.3, malformed-message).
    const anonymous = reply.messageId === undefined && reply.errors.length > 0;
    if (!asked || (!anonymous && reply.messageId !== asked.messageId)) {
      this.#broke(`a reply to ${reply.messageId ?? 'nothing'} while ${asked ? asked.messageId : 'nothing'} was asked`);
      return;
    }
    this.#waiting = undefined;
    if (reply.errors.length === 0) asked.resolve(reply.inner);
    else asked.reject(rpcFault(`[${this.#peer.adapter}] ${this.#peer.name}`, asked.during, reply.errors));
  }

  #broke(what: string): void {
    const { adapter, name } = this.#peer;
    this.fail(
      new TargetError(`[${adapter}] ${name} broke the protocol with ${what}, the session is closed`, {
        code: 'protocol-broken',
        retry: true,
        remedy: 'Check that the port is its NETCONF port, and its software version.',
      }),
    );
  }
}
