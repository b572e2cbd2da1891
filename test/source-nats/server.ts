// Owns: a NATS server of a few verbs on loopback, that says what it is told to and keeps what it hears.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { inbox } from '../source-snmp/kit.ts';

export interface Published {
  readonly subject: string;
  readonly reply: string;
  readonly headers: string;
  readonly text: string;
}

interface ServerOptions {
  readonly port?: number;
  /** Refuses the login, or what is asked for there. */
  readonly refuses?: 'login' | { readonly verb: 'publish' | 'subscription'; readonly subject: string };
  /** Answers no PING once it has answered the first. */
  readonly silent?: boolean;
}

export interface Client {
  readonly socket: Socket;
  readonly login: Readonly<Record<string, unknown>>;
  readonly subject: string;
  readonly sid: string;
}

export const nonce = 'a-nonce-to-sign';

export async function natsServer(options: ServerOptions = {}) {
  const published = inbox<Published>();
  const subscribed = inbox<Client>();
  const logins: object[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    serve(socket, options, { login: (login) => logins.push(login), published: published.put, subscribed: subscribed.put });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  onTestFinished(close);
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    published,
    subscribed,
    /** Every CONNECT. */
    logins,
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    close,
  };
}

/** The bytes of a message to a subscriber. */
export function messageBytes(
  { subject, sid }: Client,
  payload: Uint8Array | string,
  more: { readonly reply?: string; readonly headers?: string; readonly on?: string } = {},
): Buffer {
  const { reply, headers, on = subject.replace(/>$/, 'test') } = more;
  const body = Buffer.from(payload);
  const head = headers === undefined ? undefined : Buffer.from(headers, 'latin1');
  const sizes = head ? `${head.length} ${head.length + body.length}` : `${body.length}`;
  const line = `${head ? 'HMSG' : 'MSG'} ${on} ${sid}${reply === undefined ? '' : ` ${reply}`} ${sizes}\r\n`;
  return Buffer.concat([Buffer.from(line), head ?? Buffer.alloc(0), body, Buffer.from('\r\n')]);
}

interface Heard {
  readonly login: (login: object) => void;
  readonly published: (what: Published) => void;
  readonly subscribed: (client: Client) => void;
}

function serve(socket: Socket, options: ServerOptions, heard: Heard): void {
  const info = {
    server_id: 'fake',
    server_name: 'fake',
    version: '2.10.0',
    go: 'none',
    host: '127.0.0.1',
    port: 0,
    headers: true,
  };
  socket.write(`INFO ${JSON.stringify({ ...info, proto: 1, max_payload: 1_048_576, nonce })}\r\n`);
  let rest = Buffer.alloc(0);
  let login: Record<string, unknown> = {};
  let pings = 0;
  const refuse = (verb: string, subject: string): boolean => {
    const { refuses } = options;
    if (typeof refuses !== 'object' || refuses.verb !== verb.toLowerCase() || refuses.subject !== subject) return false;
    socket.write(`-ERR 'Permissions Violation for ${verb} to "${subject}"'\r\n`);
    return true;
  };
  const obey = (words: readonly string[], body: Buffer): void => {
    const [verb = '', ...args] = words;
    if (verb === 'CONNECT') {
      login = JSON.parse(args.join(' ')) as Record<string, unknown>;
      heard.login(login);
      if (options.refuses === 'login') socket.end("-ERR 'Authorization Violation'\r\n");
    } else if (verb === 'PING') {
      pings += 1;
      // The first belongs to the login, the second to the subscription.
      if (!options.silent || pings <= 2) socket.write('PONG\r\n');
    } else if (verb === 'SUB' && !refuse('Subscription', args[0]!)) {
      heard.subscribed({ socket, login, subject: args[0]!, sid: args.at(-1)! });
    } else if ((verb === 'PUB' || verb === 'HPUB') && !refuse('Publish', args[0]!)) {
      const headerBytes = verb === 'HPUB' ? Number(args.at(-2)) : 0;
      const hasReply = args.length === (verb === 'HPUB' ? 4 : 3);
      heard.published({
        subject: args[0]!,
        reply: hasReply ? args[1]! : '',
        headers: body.toString('latin1', 0, headerBytes),
        text: body.toString('utf8', headerBytes),
      });
    }
  };
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const end = rest.indexOf('\r\n');
      if (end < 0) return;
      const words = rest.toString('latin1', 0, end).split(' ');
      const bodyBytes = /^H?PUB$/.test(words[0]!) ? Number(words.at(-1)) : -2;
      if (rest.length < end + 2 + bodyBytes + 2) return;
      const body = rest.subarray(end + 2, end + 2 + Math.max(bodyBytes, 0));
      rest = rest.subarray(end + 2 + bodyBytes + 2);
      obey(words, body);
    }
  });
}
