// Owns: the one connection to NATS: made, kept, made again; up or down, and who is told. Requests and reports go over it.
//
// A server that is away at the start keeps nobody from starting: it is tried again. One that refuses the login, or the
// subscription, is the operator's to mend, and is told at the start.
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type Msg,
  type NatsConnection,
  type Status,
} from '@nats-io/transport-node';
import { messageOf, OperatorError } from '../../src/model/errors.ts';
import { natsConnectMs, natsPingMs, reconnectFirstMs, reconnectLastMs } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';

/** The secrets themselves: resolved by whoever makes the source. */
export interface NatsLogin {
  /** The text of a .creds file. */
  readonly credentials?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** PEM. TLS is demanded where this is there. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
}

export interface LinkOptions extends NatsLogin {
  /** `nats://HOST:PORT` */
  readonly servers: readonly string[];
  readonly subject: string;
  readonly wall: Wall;
}

export interface Listener {
  /** Must not throw. */
  readonly message: (message: Msg) => void;
  /** Up again after it was down: what was sent meanwhile nobody heard. */
  readonly back: () => void;
  readonly down: (reason: string) => void;
  /** The server refused to have something published there. */
  readonly refused: (subject: string) => void;
}

export interface Link {
  /** Undefined while it is down. */
  up(): NatsConnection | undefined;
  /** Whether the server lets us hear requests. */
  hears(): boolean;
  close(): Promise<void>;
}

/** Whether the server knows who we are, and so who may publish to us. */
export const logsIn = ({ credentials, user, token, tls }: NatsLogin): boolean =>
  credentials !== undefined || user !== undefined || token !== undefined || tls?.certificate !== undefined;

function connectionOptions({ servers, credentials, user, password, token, tls }: LinkOptions): ConnectionOptions {
  return {
    servers: [...servers],
    name: 'offbox',
    timeout: natsConnectMs,
    pingInterval: natsPingMs,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    // Our login goes to the servers that are configured, not to those that one of them names.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    noEcho: true,
    ...(credentials === undefined ? {} : { authenticator: signerOf(credentials) }),
    ...(user === undefined ? {} : { user, pass: password ?? '' }),
    ...(token === undefined ? {} : { token }),
    // Without it TLS is used where the server offers it; with it, or not at all.
    ...(tls
      ? {
          tls: {
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
        }
      : {}),
  };
}

/** The client looks at credentials when it logs in, and takes those that are none for a server that is away. */
function signerOf(credentials: string): Authenticator {
  const signer = credsAuthenticator(Buffer.from(credentials));
  try {
    signer('any nonce');
    return signer;
  } catch {
    // What was thrown may hold what it was thrown for.
    const remedy = 'Refer to a .creds file as nsc makes it: a user JWT and its NKEY seed.';
    throw new OperatorError('[source-nats] these credentials are none', { code: 'nats-credentials', remedy });
  }
}

/** Resolves when connected and subscribed, or when it is clear that it must be tried again. */
export async function openLink(options: LinkOptions, listener: Listener): Promise<Link> {
  const { wall } = options;
  const stopped = new AbortController();
  let connection: NatsConnection | undefined;
  let up = false;
  const ear = earOf(options, listener, stopped.signal);

  const attempt = async (): Promise<void> => {
    const made = await connect(connectionOptions(options));
    try {
      await ear.open(made);
    } catch (thrown) {
      await made.close();
      throw thrown;
    }
    if (stopped.signal.aborted) return made.close();
    connection = made;
    up = true;
    void watch(made, listener, (now) => {
      up = now;
    });
    return undefined;
  };

  const insist = async (): Promise<void> => {
    for (let delay = reconnectFirstMs; !stopped.signal.aborted; delay = Math.min(delay * 2, reconnectLastMs)) {
      await wall.sleep(delay, stopped.signal).catch(() => undefined);
      if (stopped.signal.aborted) return;
      try {
        await attempt();
        listener.back();
        return;
      } catch {
        // Told once, when the first attempt failed; stats say that it is down.
      }
    }
  };

  let insisting: Promise<void> | undefined;
  try {
    await attempt();
  } catch (thrown) {
    const refusal = refusalOf(thrown, options);
    if (refusal) throw refusal;
    listener.down(messageOf(thrown));
    insisting = insist();
  }
  return {
    up: () => (up ? connection : undefined),
    hears: ear.hears,
    async close() {
      stopped.abort(new Error('stopping'));
      await insisting;
      await connection?.close();
    },
  };
}

/** What hears requests over a connection. The server may close it any time: nothing but its word says so, and reports go on. */
function earOf({ subject, wall }: LinkOptions, listener: Listener, stopped: AbortSignal) {
  let hears = true;
  const open = (connection: NatsConnection): Promise<void> =>
    subscribe(connection, subject, listener, () => void again(connection));
  const again = async (connection: NatsConnection): Promise<void> => {
    hears = false;
    listener.down(`${connection.getServer()} does not let us hear ${subject} any more`);
    for (let delay = reconnectFirstMs; !stopped.aborted; delay = Math.min(delay * 2, reconnectLastMs)) {
      await wall.sleep(delay, stopped).catch(() => undefined);
      if (stopped.aborted) return;
      try {
        await open(connection);
        hears = true;
        listener.back();
        return;
      } catch {
        // Told once; stats say that nothing is heard.
      }
    }
  };
  return { open, hears: () => hears };
}

/** Resolves when the server has taken the subscription; rejects with its refusal. `refused` hears of one that comes later. */
async function subscribe(connection: NatsConnection, subject: string, { message }: Listener, refused: () => void): Promise<void> {
  let refusal: Error | undefined;
  let taken = false;
  const subscription = connection.subscribe(subject, {
    callback: (error, msg) => {
      if (!error) message(msg);
      else if (taken) refused();
      else refusal = error;
    },
  });
  try {
    await connection.flush();
    if (refusal) throw refusal;
    taken = true;
  } catch (thrown) {
    if (!connection.isClosed()) subscription.unsubscribe();
    throw thrown;
  }
}

async function watch(connection: NatsConnection, listener: Listener, set: (up: boolean) => void): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') {
      set(false);
      listener.down(`the connection to ${status.server} was lost`);
    } else if (status.type === 'reconnect') {
      set(true);
      listener.back();
    } else tellRefusal(status, listener);
  }
}

function tellRefusal(status: Status, { refused }: Listener): void {
  if (status.type !== 'error') return;
  const { error } = status;
  if (error instanceof errors.PermissionViolationError && error.operation === 'publish') refused(error.subject);
}

/** What trying again does not mend. */
function refusalOf(thrown: unknown, { servers, subject }: LinkOptions): OperatorError | undefined {
  const where = servers.join(', ');
  if (thrown instanceof errors.AuthorizationError || thrown instanceof errors.UserAuthenticationExpiredError) {
    const remedy = 'Check credentials, user, password, token and tls of sources.nats, and the account on the server.';
    return new OperatorError(`[source-nats] ${where} refuses the login`, { code: 'nats-login', remedy, cause: thrown });
  }
  if (thrown instanceof errors.PermissionViolationError) {
    const remedy = `Allow this user to subscribe to ${subject} on the server, or configure another subject.`;
    const what = `[source-nats] ${where} does not let us hear ${subject}`;
    return new OperatorError(what, { code: 'nats-permission', remedy, cause: thrown });
  }
  if (thrown instanceof OperatorError) return thrown;
  return undefined;
}
