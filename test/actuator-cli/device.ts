// A small SSH server on loopback that plays a device's shell: what the tests of the CLI actuator talk to.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import ssh2, { type AuthContext, type ServerChannel, type ServerConfig } from 'ssh2';
import { newKeyPair } from '../../lab/servers/ssh-keys.ts';
import type { Target } from '../../src/model/target.ts';

const hostKey = newKeyPair();
export const userKey = newKeyPair();

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
  const decide = (right: boolean): void => (right ? context.accept() : context.reject());
  if (!methods.includes(context.method)) context.reject([...methods] as never);
  else if (context.method === 'password') decide(context.password === password);
  else if (context.method === 'keyboard-interactive') {
    context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => decide(answers[0] === password));
  } else if (context.method === 'publickey') {
    const parsed = ssh2.utils.parseKey(userKey.public);
    if (parsed instanceof Error || Array.isArray(parsed)) throw new Error('no key');
    const signed =
      !context.signature || !context.blob || parsed.verify(context.blob, context.signature, context.hashAlgo) === true;
    decide(parsed.getPublicSSH().equals(context.key.data) && signed);
  }
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
  return (stream) => new Ios(stream, options).greet();
}

class Ios {
  readonly #stream: ServerChannel;
  readonly #options: IosOptions;
  #mode = '';
  #privileged: boolean;
  #line = '';
  #page: string[] = [];
  #wantsPassword = false;
  #screen: number;

  constructor(stream: ServerChannel, options: IosOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#privileged = !options.startsInUserMode;
    this.#screen = options.screen ?? 0;
    stream.on('data', (bytes: Buffer) => {
      for (const character of bytes.toString('latin1')) this.#key(character);
    });
  }

  greet(): void {
    this.#send(this.#options.motd ?? '');
    this.#prompt();
  }

  #send(text: string): void {
    (this.#options.send ?? ((to, what) => to.write(what)))(this.#stream, text);
  }

  #prompt(): void {
    this.#send(`${this.#options.host ?? 'edge1'}${this.#mode && `(${this.#mode})`}${this.#privileged ? '#' : '>'}`);
  }

  #key(character: string): void {
    if (this.#page.length > 0) {
      this.#send(`${'\b'.repeat(10)}${' '.repeat(10)}${'\b'.repeat(10)}`);
      this.#show(this.#page.splice(0).join('\n'));
    } else if (character === '\n' || character === '\r') {
      const typed = this.#line;
      this.#line = '';
      this.#send('\r\n');
      this.#execute(typed);
    } else {
      this.#line += character;
      if (!this.#wantsPassword) this.#send(character);
    }
  }

  #show(output: string): void {
    const lines = output === '' ? [] : output.replace(/\n$/, '').split('\n');
    this.#page = this.#screen > 0 ? lines.splice(this.#screen) : [];
    this.#send(lines.map((each) => `${each}\r\n`).join(''));
    if (this.#page.length > 0) this.#send(' --More-- ');
    else this.#prompt();
  }

  #execute(typed: string): void {
    if (this.#wantsPassword) {
      this.#wantsPassword = false;
      this.#privileged = typed === 'sesame';
      this.#show(this.#privileged ? '' : '% Bad secrets\n');
    } else if (this.#mode) this.#configure(typed);
    else if (typed === 'enable' && !this.#privileged) {
      this.#wantsPassword = true;
      this.#send('Password: ');
    } else if (typed === 'configure terminal') {
      this.#mode = 'config';
      this.#show('Enter configuration commands, one per line.  End with CNTL/Z.\n');
    } else if (/^terminal /.test(typed) || typed === '') this.#show('');
    else this.#show(this.#options.answers?.[typed] ?? "      ^\n% Invalid input detected at '^' marker.\n\n");
  }

  #configure(typed: string): void {
    const refusal = this.#options.refusals?.[typed];
    if (refusal === undefined) {
      if (typed === 'end') this.#mode = '';
      else if (typed.startsWith('router ')) this.#mode = 'config-router';
      else if (typed.startsWith('address-family ')) this.#mode = 'config-router-af';
    }
    this.#show(refusal ?? '');
  }
}
