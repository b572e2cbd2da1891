// A NETCONF server on loopback for the tests: SSH subsystem, hellos, both framings; what it answers is the test's.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import ssh2, { type ServerChannel } from 'ssh2';
import { encode, Framing } from '../../adapters/actuator-netconf/framing.ts';
import { newKeyPair } from '../../lab/servers/ssh-keys.ts';
import type { Target } from '../../src/model/target.ts';
import { password, pinOf } from '../actuator-cli/device.ts';

const hostKey = newKeyPair();
const base = 'urn:ietf:params:netconf:base';

export interface ServerOptions {
  readonly versions?: readonly ('1.0' | '1.1')[];
  readonly capabilities?: readonly string[];
  /** The inner XML of the reply to an operation; undefined answers nothing. May write to the stream itself. */
  readonly answer?: (operation: string, stream: ServerChannel, reply: (inner: string) => void) => string | undefined;
  /** Replaces the hello. */
  readonly hello?: string;
  readonly subsystem?: 'refused';
  /** How bytes go out. */
  readonly send?: (stream: ServerChannel, bytes: string) => void;
}

export interface NetconfServer {
  readonly target: Target;
  /** Operations as they came, without the rpc around them. */
  readonly operations: readonly string[];
  close(): Promise<void>;
}

export async function netconfServer(options: ServerOptions): Promise<NetconfServer> {
  const operations: string[] = [];
  const sockets = new Set<Socket>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      if (context.method === 'password' && context.password === password) context.accept();
      else context.reject(['password']);
    });
    client.on('session', (accept) => {
      accept().on('subsystem', (acceptSubsystem, reject) => {
        if (options.subsystem === 'refused') reject();
        else serve(acceptSubsystem(), options, operations);
      });
    });
  });
  (server as unknown as { _srv: { on(event: 'connection', listener: (socket: Socket) => void): void } })._srv.on(
    'connection',
    (socket) => {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => sockets.delete(socket));
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = (server.address() as AddressInfo).port;
  const netconf = { port, user: 'netop', password: { env: 'PASSWORD' }, hostKey: pinOf(hostKey.private) };
  return {
    target: { platform: 'cisco-iosxe', address: '127.0.0.1', netconf },
    operations,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(stream: ServerChannel, options: ServerOptions, operations: string[]): void {
  const versions = options.versions ?? ['1.0', '1.1'];
  const capabilities = [...versions.map((version) => `${base}:${version}`), ...(options.capabilities ?? [])];
  const style = versions.includes('1.1') ? 'chunked' : 'end-of-message';
  const send = (text: string) => (options.send ?? ((to, bytes) => to.write(bytes)))(stream, text);
  const hello = `<hello xmlns="x"><capabilities>${capabilities.map((each) => `<capability>${each}</capability>`).join('')}</capabilities><session-id>7</session-id></hello>`;
  const frames = new Framing(1_000_000);
  let greeted = false;
  stream.on('error', () => undefined);
  stream.on('data', (bytes: Buffer) => {
    frames.feed(bytes, (xml) => {
      if (!greeted) {
        greeted = true;
        if (style === 'chunked') frames.chunked();
        return;
      }
      const [, messageId, operation] = /^<rpc [^>]*message-id="(\d+)">(.*)<\/rpc>$/s.exec(xml)!;
      operations.push(operation!);
      const reply = (inner: string) => send(encode(`<rpc-reply message-id="${messageId}" xmlns="x">${inner}</rpc-reply>`, style));
      const inner = options.answer ? options.answer(operation!, stream, reply) : '<ok/>';
      if (inner !== undefined) reply(inner);
    });
  });
  send(encode(options.hello ?? hello, 'end-of-message'));
}
