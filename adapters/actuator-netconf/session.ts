// Owns: a NETCONF session's life: SSH subsystem, hellos, one rpc at a time, the end.
//
// N1  A reply is taken for the rpc whose message-id it carries, and for no other; anything else ends the session.
// N2  What breaks the stream ends the session: after a bad frame nothing says where the next message begins.
import { randomUUID } from 'node:crypto';
import type { ClientChannel } from 'ssh2';
import { OperatorError, RuntimeFault, TargetError } from '../../src/model/errors.ts';
import { replyBytesMax } from '../../src/model/limits.ts';
import type { Actuator, Command, Reply, Secrets, Session } from '../../src/ports/actuator.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { applyEdit } from './edit.ts';
import { encode, framing } from './framing.ts';
import { base10, base11, type Hello, type Message, readMessage, rpcFault } from './reply.ts';
import { abandoned, connectSsh, lost, type SshConnection, type SshPeer } from './socket.ts';

export interface NetconfActuatorOptions {
  readonly wall: Wall;
  readonly secrets: Secrets;
}

/** How long a peer may take to close after we said goodbye. */
const farewellMs = 100;
const namespace = 'urn:ietf:params:xml:ns:netconf:base:1.0';

export function netconfActuator({ wall, secrets }: NetconfActuatorOptions): Actuator {
  return {
    transport: 'netconf',
    async open(name, target, signal) {
      const access = target.netconf;
      if (!access) {
        throw new OperatorError(`[actuator-netconf] ${name} has no netconf access in the inventory`, {
          code: 'no-netconf',
          remedy: 'Give the target a netconf section.',
        });
      }
      const peer: SshPeer = { adapter: 'actuator-netconf', name, address: target.address, port: access.port ?? 830, access };
      const connection = await connectSsh(peer, secrets, signal);
      const stream = await openSubsystem(peer, connection, signal);
      const talk = exchange(peer, connection, stream);
      const hello = await untilAborted(peer, connection, talk, signal, 'exchanging hellos', () => talk.hello);
      return session({ wall, peer, connection, talk, hello });
    },
  };
}

function openSubsystem(peer: SshPeer, connection: SshConnection, signal: AbortSignal): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(abandoned(peer, 'opening NETCONF', signal.reason));
      connection.client.destroy();
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    void connection.ended.then((fault) => reject(fault ?? lost(peer, 'closed the connection instead of opening NETCONF')));
    connection.client.subsys('netconf', (error, stream) => {
      signal.removeEventListener('abort', abort);
      if (!error) {
        resolve(stream);
        return;
      }
      reject(
        new TargetError(`[${peer.adapter}] ${peer.name} has no NETCONF on port ${peer.port}: ${error.message}`, {
          code: 'no-subsystem',
          retry: false,
          remedy: 'Enable NETCONF on the target, or correct the port in the inventory.',
        }),
      );
      connection.client.destroy();
    });
  });
}

interface Exchange {
  readonly hello: Promise<Hello>;
  /** Sends one operation; the inner XML of its reply. */
  rpc(operation: string, during: string): Promise<string>;
  fail(error: Error): void;
}

interface Waiting {
  readonly messageId: string;
  readonly during: string;
  resolve(inner: string): void;
  reject(error: Error): void;
}

/** The two byte streams as rpc and reply. */
function exchange(peer: SshPeer, connection: SshConnection, stream: ClientChannel): Exchange {
  const frames = framing(replyBytesMax);
  const greeted = Promise.withResolvers<Hello>();
  greeted.promise.catch(() => undefined);
  let style: 'end-of-message' | 'chunked' = 'end-of-message';
  let waiting: Waiting | undefined;
  let failure: Error | undefined;
  let hello: Hello | undefined;
  let count = 0;

  function fail(error: Error): void {
    failure ??= error;
    greeted.reject(failure);
    waiting?.reject(failure);
    waiting = undefined;
    connection.client.destroy();
  }

  function greet(theirs: Hello): void {
    if (hello) fail(broken(peer, 'a second hello'));
    else if (theirs.capabilities.has(base11)) {
      style = 'chunked';
      frames.chunked();
    } else if (!theirs.capabilities.has(base10)) fail(broken(peer, 'a hello that names neither base:1.0 nor base:1.1'));
    hello = theirs;
    greeted.resolve(theirs);
  }

  function answer(reply: Extract<Message, { kind: 'reply' }>): void {
    const asked = waiting;
    // A peer that could not even parse our rpc has no id to answer with (RFC 6241 section 4.3, malformed-message).
    const anonymous = reply.messageId === undefined && reply.errors.length > 0;
    if (!asked || (!anonymous && reply.messageId !== asked.messageId)) {
      const given = `a reply to ${reply.messageId ?? 'nothing'}`;
      fail(broken(peer, `${given} while ${asked ? asked.messageId : 'nothing'} was asked`));
      return;
    }
    waiting = undefined;
    if (reply.errors.length > 0) asked.reject(rpcFault(`[${peer.adapter}] ${peer.name}`, asked.during, reply.errors));
    else asked.resolve(reply.inner);
  }

  function take(xml: string): void {
    if (failure) return;
    const message = readMessage(xml);
    if (message.kind === 'hello') greet(message.hello);
    else if (message.kind === 'reply') answer(message);
    else if (!hello) fail(broken(peer, `<${message.name}> instead of a hello`));
  }

  stream.on('data', (bytes: Buffer) => {
    if (failure) return;
    try {
      const reason = frames.feed(bytes, take);
      if (reason !== undefined) fail(broken(peer, reason));
    } catch (error) {
      fail(error instanceof Error ? error : broken(peer, 'nonsense'));
    }
  });
  stream.stderr.resume();
  stream.on('error', () => connection.client.destroy());
  stream.on('close', () => connection.client.destroy());
  void connection.ended.then((fault) => fail(fault ?? lost(peer, 'closed the session')));

  const capabilities = [base10, base11].map((uri) => `<capability>${uri}</capability>`).join('');
  stream.write(encode(`<hello xmlns="${namespace}"><capabilities>${capabilities}</capabilities></hello>`, 'end-of-message'));

  return {
    hello: greeted.promise,
    fail,
    rpc(operation, during) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const messageId = String(++count);
        waiting = { messageId, during, resolve, reject };
        stream.write(encode(`<rpc xmlns="${namespace}" message-id="${messageId}">${operation}</rpc>`, style));
      });
    },
  };
}

/** An abort closes the session: what the target does with an rpc we no longer wait for cannot be known. */
async function untilAborted<T>(
  peer: SshPeer,
  connection: SshConnection,
  talk: Exchange,
  signal: AbortSignal,
  during: string,
  work: () => Promise<T>,
): Promise<T> {
  const abort = (): void => {
    talk.fail(abandoned(peer, during, signal.reason));
    connection.client.destroy();
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

interface Parts {
  readonly wall: Wall;
  readonly peer: SshPeer;
  readonly connection: SshConnection;
  readonly talk: Exchange;
  readonly hello: Hello;
}

function session({ wall, peer, connection, talk, hello }: Parts): Session {
  const closed = connection.ended.then(() => undefined);
  let busy = false;
  return {
    closed,
    async run(command, signal) {
      if (busy) throw misuse(peer, 'was given a command while another runs', 'Queue the commands of a target.');
      busy = true;
      try {
        const text = await untilAborted(peer, connection, talk, signal, `running ${command.kind}`, () =>
          perform(peer, talk, hello, command),
        );
        return { text } satisfies Reply;
      } finally {
        busy = false;
      }
    },
    async close() {
      // Answered or not: the target frees our locks when the session ends either way.
      void talk.rpc('<close-session/>', 'to close the session').then(
        () => connection.client.end(),
        () => connection.client.end(),
      );
      const cancel = wall.after(farewellMs, () => connection.client.destroy());
      await closed;
      cancel();
    },
  };
}

function perform(peer: SshPeer, talk: Exchange, hello: Hello, command: Command): Promise<string> {
  const place = `[${peer.adapter}] ${peer.name}`;
  switch (command.kind) {
    case 'get':
      return talk.rpc(`<get><filter type="subtree">${command.filter}</filter></get>`, 'a get');
    case 'get-config':
      return talk.rpc(
        `<get-config><source><running/></source><filter type="subtree">${command.filter}</filter></get-config>`,
        'a get-config',
      );
    case 'edit': {
      const { capabilities } = hello;
      return applyEdit({ ...command, place, capabilities, persistId: `offbox-${randomUUID()}`, rpc: talk.rpc });
    }
    case 'rpc':
      return talk.rpc(command.operation, `the operation ${/[\w.-]+/.exec(command.operation)?.[0] ?? ''}`);
    default:
      throw misuse(peer, `cannot run a ${command.kind} command`, 'Send it over the CLI.');
  }
}

function broken(peer: SshPeer, what: string): TargetError {
  return new TargetError(`[${peer.adapter}] ${peer.name} broke the protocol with ${what}, the session is closed`, {
    code: 'protocol-broken',
    retry: true,
    remedy: 'Check that the port is its NETCONF port, and its software version.',
  });
}

function misuse(peer: SshPeer, what: string, remedy: string): RuntimeFault {
  return new RuntimeFault(`[${peer.adapter}] ${peer.name} ${what}`, { code: 'bad-command', remedy });
}
