// Owns: SSH on one port of one device: keys, passwords, and which channel gets a shell, a command or NETCONF.
import { timingSafeEqual } from 'node:crypto';
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from 'ssh2';
import type { DeviceName } from '../model/addresses.ts';
import type { Operator } from '../model/chassis.ts';
import type { LabAccess } from './secrets.ts';
import { createTcpFront, type TcpFront } from './tcp-front.ts';

/** A conversation over a channel: bytes in by `input`, out by the `write` it was made with. */
export interface Conversation {
  start(): void;
  input(bytes: Buffer): void;
  /** The peer says no more; what it said is still to be answered. */
  eof(): void;
  /** The peer is gone. */
  end(): void;
}

export interface Outlet {
  readonly operator: Operator;
  write(text: string): void;
  /** Hangs up after what was written is sent. */
  close(): void;
}

export interface SshServices {
  /** Undefined: no line is free. */
  readonly shell?: (outlet: Outlet) => Conversation | undefined;
  readonly exec?: (outlet: Outlet, command: string) => Conversation | undefined;
  readonly netconf?: (outlet: Outlet) => Conversation | undefined;
}

export interface SshServerOptions {
  readonly address: string;
  readonly port: number;
  readonly device: DeviceName;
  readonly access: LabAccess;
  readonly services: SshServices;
}

/** Tries on one connection, as `ip ssh authentication-retries`. */
const authTriesMax = 3;

export function createSshServer(options: SshServerOptions): TcpFront {
  const server = new ssh2.Server({ hostKeys: [options.access.hostKeys[options.device].key], ident: 'Cisco-1.25' });
  server.on('connection', (connection, info) => serve(connection, `${info.ip}:${info.port}`, options));
  return createTcpFront({
    address: options.address,
    port: options.port,
    connection: (valve) => server.injectSocket(valve.stream as never),
  });
}

function serve(connection: Connection, peer: string, options: SshServerOptions): void {
  let tries = 0;
  connection.on('error', () => {});
  connection.on('authentication', (context: AuthContext) => {
    if (context.method === 'none') return context.reject(['password']);
    tries += 1;
    if (
      context.method === 'password' &&
      context.username === options.access.user &&
      same(context.password, options.access.password.value)
    )
      return context.accept();
    context.reject(['password']);
    if (tries >= authTriesMax) connection.end();
  });
  connection.on('session', (accept) => channels(accept(), peer, options));
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function channels(session: Session, peer: string, { access, services }: SshServerOptions): void {
  const attach = (channel: ServerChannel, make: (outlet: Outlet) => Conversation | undefined, transport: 'cli' | 'netconf') => {
    const hangUp = () => {
      if (channel.destroyed) return;
      channel.exit(0);
      channel.end();
    };
    const conversation = make({
      operator: { user: access.user, peer, transport },
      write: (text) => {
        if (channel.writable) channel.write(text);
      },
      close: hangUp,
    });
    if (!conversation) return hangUp();
    channel.on('data', (bytes: Buffer) => conversation.input(bytes));
    channel.on('error', () => {});
    channel.once('close', () => conversation.end());
    channel.once('end', () => conversation.eof());
    conversation.start();
  };

  session.on('error', () => {});
  session.on('pty', (accept) => accept?.());
  session.on('window-change', (accept) => accept?.());
  session.on('env', (accept) => accept?.());
  session.on('shell', (accept, reject) => {
    if (services.shell) attach(accept(), services.shell, 'cli');
    else reject();
  });
  session.on('exec', (accept, reject, { command }) => {
    const { exec } = services;
    if (exec) attach(accept(), (outlet) => exec(outlet, command), 'cli');
    else reject();
  });
  session.on('subsystem', (accept, reject, { name }) => {
    if (name === 'netconf' && services.netconf) attach(accept(), services.netconf, 'netconf');
    else reject();
  });
}
