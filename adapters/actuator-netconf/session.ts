// Owns: a NETCONF session's life: SSH subsystem, hellos, commands as rpcs, the end.
import type { ClientChannel } from 'ssh2';
import { OperatorError, RuntimeFault, TargetError } from '../../src/model/errors.ts';
import type { Actuator, Command, Reply, Secrets, Session } from '../../src/ports/actuator.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { abandoned, connectSsh, lost, type SshConnection, type SshPeer } from '../ssh/connection.ts';
import { applyEdit } from './edit.ts';
import { Exchange } from './exchange.ts';
import type { Hello } from './reply.ts';

export interface NetconfActuatorOptions {
  readonly wall: Wall;
  readonly secrets: Secrets;
}

/** How long a peer may take to close after we said goodbye. */
const farewellMs = 100;

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
      const talk = new Exchange(peer, connection, stream);
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
          perform(peer, talk, hello, command, (ms) => wall.sleep(ms, signal)),
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

function perform(
  peer: SshPeer,
  talk: Exchange,
  hello: Hello,
  command: Command,
  wait: (ms: number) => Promise<void>,
): Promise<string> {
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
      return applyEdit({
        ...command,
        place,
        capabilities,
        rpc: (operation, during) => talk.rpc(operation, during),
        wait,
      });
    }
    case 'rpc':
      return talk.rpc(command.operation, `the operation ${/[\w.-]+/.exec(command.operation)?.[0] ?? ''}`);
    default:
      throw misuse(peer, `cannot run a ${command.kind} command`, 'Send it over the CLI.');
  }
}

function misuse(peer: SshPeer, what: string, remedy: string): RuntimeFault {
  return new RuntimeFault(`[${peer.adapter}] ${peer.name} ${what}`, { code: 'bad-command', remedy });
}
