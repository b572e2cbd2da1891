// A small SSH server on loopback that plays a device's shell: what the tests of the CLI actuator talk to.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import ssh2, { type AuthContext, type ServerChannel, type ServerConfig } from 'ssh2';
import type { Target } from '../../src/model/target.ts';

const hostKey = ssh2.utils.generateKeyPairSync('ed25519');
export const userKey = ssh2.utils.generateKeyPairSync('ed25519');

export interface DeviceOptions {
  readonly user?: string;
  readonly password?: string;
  /** Which methods it takes; default password. */
  readonly methods?: readonly AuthContext['method'][];
  readonly config?: Partial<ServerConfig>;
  /** The device's side of the shell. */
  readonly shell: (stream: ServerChannel) => void;
}

export interface Device {
  readonly port: number;
  readonly target: Target;
  /** Everything typed at it, as bytes came. */
  readonly typed: () => string;
  readonly connections: () => number;
  close(): Promise<void>;
}

export const password = 'correct horse';
/** What the inventory's references resolve to. */
export const secrets = async (reference: object): Promise<string> =>
  'env' in reference && reference.env === 'KEY'
    ? userKey.private
    : 'env' in reference && reference.env === 'ENABLE'
      ? 'sesame'
      : password;

export function pinOf(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error('no key');
  return `SHA256:${createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
}

export async function device(options: DeviceOptions): Promise<Device> {
  const methods = options.methods ?? ['password'];
  let typed = '';
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private], ...options.config }, (client) => {
    connections += 1;
    client.on('error', () => undefined);
    client.on('authentication', (context) => authenticate(context, methods));
    client.on('session', (accept) => {
      const session = accept();
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('shell', (acceptShell) => {
        const stream = acceptShell();
        stream.on('error', () => undefined);
        stream.on('data', (bytes: Buffer) => {
          typed += bytes.toString('latin1');
        });
        options.shell(stream);
      });
    });
  });
  server.on('connection', () => undefined);
  (server as unknown as { _srv: { on(event: 'connection', listener: (socket: Socket) => void): void } })._srv.on(
    'connection',
    (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = (server.address() as AddressInfo).port;
  const config = options.config?.hostKeys?.[0];
  return {
    port,
    target: {
      platform: 'cisco-ios',
      address: '127.0.0.1',
      cli: {
        port,
        user: 'netop',
        password: { env: 'PASSWORD' },
        hostKey: pinOf(typeof config === 'string' ? config : hostKey.private),
      },
    },
    typed: () => typed,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function authenticate(context: AuthContext, methods: readonly AuthContext['method'][]): void {
  if (!methods.includes(context.method)) return context.reject([...methods] as never);
  if (context.method === 'password') return context.password === password ? context.accept() : context.reject();
  if (context.method === 'keyboard-interactive') {
    return context.prompt([{ prompt: 'Password: ', echo: false }], (answers) =>
      answers[0] === password ? context.accept() : context.reject(),
    );
  }
  if (context.method === 'publickey') {
    const parsed = ssh2.utils.parseKey(userKey.public);
    if (parsed instanceof Error || Array.isArray(parsed)) return context.reject();
    const same = parsed.getPublicSSH().equals(context.key.data);
    const signed =
      !context.signature || !context.blob || parsed.verify(context.blob, context.signature, context.hashAlgo) === true;
    return same && signed ? context.accept() : context.reject();
  }
  context.reject();
}

export interface IosOptions {
  readonly host?: string;
  /** Output by exec line. */
  readonly answers?: Readonly<Record<string, string>>;
  /** Configuration lines that are refused, with what is said. */
  readonly refusals?: Readonly<Record<string, string>>;
  readonly startsInUserMode?: boolean;
  /** Lines a screen has; 0 pages nothing. */
  readonly screen?: number;
  readonly motd?: string;
  /** How the bytes go out: whole, or one at a time. */
  readonly send?: (stream: ServerChannel, text: string) => void;
}

export const oneByOne = (stream: ServerChannel, text: string): void => {
  for (const byte of Buffer.from(text)) stream.write(Buffer.from([byte]));
};

/** Plays an IOS command line: echo, enable, configuration modes, --More--, % Invalid input. */
export function ios(options: IosOptions = {}): (stream: ServerChannel) => void {
  return (stream) => {
    const send = (text: string) => (options.send ?? ((to, what) => to.write(what)))(stream, text);
    const host = options.host ?? 'edge1';
    let mode = '';
    let privileged = !options.startsInUserMode;
    let line = '';
    let page: string[] = [];
    let wantsPassword = false;
    let paging = options.screen ?? 0;
    const prompt = () => send(`${host}${mode && `(${mode})`}${privileged ? '#' : '>'}`);

    function show(output: string): void {
      const lines = output === '' ? [] : output.replace(/\n$/, '').split('\n');
      page = paging > 0 ? lines.splice(paging) : [];
      send(lines.map((each) => `${each}\r\n`).join(''));
      if (page.length > 0) send(' --More-- ');
      else prompt();
    }

    function execute(typed: string): void {
      if (wantsPassword) {
        wantsPassword = false;
        privileged = typed === 'sesame';
        return show(privileged ? '' : '% Bad secrets\n');
      }
      if (mode) return configure(typed);
      if (typed === 'terminal length 0') paging = 0;
      if (/^terminal /.test(typed) || typed === '') return show('');
      if (typed === 'enable') {
        wantsPassword = true;
        return send('Password: ');
      }
      if (typed === 'configure terminal') {
        mode = 'config';
        return show('Enter configuration commands, one per line.  End with CNTL/Z.\n');
      }
      const answer = options.answers?.[typed];
      show(answer ?? `${' '.repeat(host.length + 1)}^\n% Invalid input detected at '^' marker.\n\n`);
    }

    function configure(typed: string): void {
      const refusal = options.refusals?.[typed];
      if (refusal !== undefined) return show(refusal);
      if (typed === 'end') mode = '';
      else if (typed.startsWith('router ')) mode = 'config-router';
      else if (typed.startsWith('address-family ')) mode = 'config-router-af';
      show('');
    }

    stream.on('data', (bytes: Buffer) => {
      for (const character of bytes.toString('latin1')) {
        if (page.length > 0 && line === '') {
          send(`${'\b'.repeat(10)}${' '.repeat(10)}${'\b'.repeat(10)}`);
          const rest = page.join('\n');
          page = [];
          show(rest);
        } else if (character === '\n' || character === '\r') {
          const typed = line;
          line = '';
          send('\r\n');
          execute(typed);
        } else {
          line += character;
          if (!wantsPassword) send(character);
        }
      }
    });
    send(options.motd ?? '');
    prompt();
  };
}
