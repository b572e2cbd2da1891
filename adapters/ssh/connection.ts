// Owns: the SSH connection under a session: host key pinned, authentication, which algorithms, and what its errors mean.
// Under both actuators: it speaks SSH and knows nothing of prompts or XML.
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import ssh2, { type Algorithms, type Client, type ConnectConfig } from 'ssh2';
import { messageOf, OperatorError, TargetError } from '../../src/model/errors.ts';
import { sshHandshakeMs, sshKeepaliveMs } from '../../src/model/limits.ts';
import type { NetconfAccess } from '../../src/model/target.ts';
import type { Secrets } from '../../src/ports/actuator.ts';
import { inOnePiece } from './socket.ts';

export interface SshPeer {
  /** The adapter's name, for messages. */
  readonly adapter: string;
  /** The target's inventory name. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly access: NetconfAccess;
}

export interface SshConnection {
  readonly client: Client;
  /** Settles when the connection is over, with what ended it where that was a fault. Never rejects. */
  readonly ended: Promise<TargetError | undefined>;
}

/** SHA-1 key exchange, CBC and MD5: what IOS before 15.x has and nothing else. Offered only where the inventory asks. */
const legacy = {
  kex: { append: ['diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1', 'diffie-hellman-group-exchange-sha1'] },
  serverHostKey: { append: ['ssh-dss'] },
  cipher: { append: ['aes128-cbc', 'aes192-cbc', 'aes256-cbc', '3des-cbc'] },
  hmac: { append: ['hmac-sha1-96', 'hmac-md5'] },
} as unknown as Algorithms; // The types ask for append, prepend and remove at once; the library does not.

/** `SHA256:…` of a public key blob, as ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Connects and authenticates. The signal ends the attempt; later it has no part in the connection. */
export async function connectSsh(peer: SshPeer, secrets: Secrets, signal: AbortSignal): Promise<SshConnection> {
  const config = await configOf(peer, secrets);
  if (signal.aborted) throw abandoned(peer, 'connecting', signal.reason);
  const client = new ssh2.Client();
  const sock = new Socket().setMaxListeners(0);
  let presented: Buffer | undefined;
  let fault: TargetError | undefined;
  const ended = new Promise<TargetError | undefined>((resolve) => client.once('close', () => resolve(fault)));
  const hostVerifier = (key: Buffer): boolean => {
    presented = key;
    return fingerprint(key) === peer.access.hostKey;
  };
  client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) => {
    finish(prompts.map((prompt) => (prompt.echo ? '' : (config.password ?? ''))));
  });
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      reject(abandoned(peer, 'connecting', signal.reason));
      client.destroy();
    };
    signal.addEventListener('abort', abort, { once: true });
    client.on('error', (error) => {
      fault ??= faultOf(peer, error, presented);
      reject(fault);
    });
    client.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(fault ?? lost(peer, 'closed the connection before login was done'));
    });
    client.once('ready', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    try {
      inOnePiece(sock.connect({ host: peer.address, port: peer.port }));
      client.connect({ ...config, hostVerifier, sock });
    } catch (error) {
      sock.destroy();
      // Thrown at once means our own arguments: a key that is none, an algorithm this build lacks.
      const cause = config.privateKey ? 'its private key cannot be read' : messageOf(error);
      reject(
        new OperatorError(`[${peer.adapter}] ${peer.name}: ${cause}`, {
          code: 'bad-ssh-access',
          remedy: 'Give an unencrypted private key in OpenSSH or PEM form, or a password.',
        }),
      );
    }
  });
  return { client, ended };
}

async function configOf(peer: SshPeer, secrets: Secrets): Promise<ConnectConfig> {
  const { access } = peer;
  if (!access.hostKey) {
    throw new OperatorError(
      `[${peer.adapter}] ${peer.name} has no hostKey in the inventory, so whoever answers cannot be told from it`,
      {
        code: 'no-host-key',
        remedy: `Compare and add the SHA256 fingerprint that \`ssh-keyscan -p ${peer.port} ${peer.address} | ssh-keygen -lf -\` prints.`,
      },
    );
  }
  if (!access.password && !access.key) {
    throw new OperatorError(`[${peer.adapter}] ${peer.name} has neither password nor key in the inventory`, {
      code: 'no-credentials',
      remedy: 'Add one of them, as {env: NAME}, {file: PATH} or {command: …}.',
    });
  }
  return {
    username: access.user,
    ...(access.key ? { privateKey: await secrets(access.key) } : {}),
    ...(access.password ? { password: await secrets(access.password), tryKeyboard: true } : {}),
    ...(access.legacyAlgorithms ? { algorithms: legacy } : {}),
    readyTimeout: sshHandshakeMs,
    keepaliveInterval: sshKeepaliveMs,
    keepaliveCountMax: 3,
  };
}

/** What an error of the SSH library means: whose fault, and whether again. Its texts carry no credentials. */
function faultOf(peer: SshPeer, error: Error & { level?: string }, presented: Buffer | undefined): TargetError {
  const place = `${peer.name} (${peer.address} port ${peer.port})`;
  if (presented && fingerprint(presented) !== peer.access.hostKey) {
    return new TargetError(
      `[${peer.adapter}] ${place} presented the ${keyType(presented)} host key ${fingerprint(presented)}, but the inventory pins ${peer.access.hostKey}`,
      {
        code: 'host-key-mismatch',
        retry: false,
        remedy:
          'If the device was really given a new key, or the pinned one is of another type, pin the one presented; else someone is in between.',
      },
    );
  }
  if (error.level === 'client-authentication') {
    return new TargetError(`[${peer.adapter}] ${place} refused the login of user ${peer.access.user}`, {
      code: 'login-refused',
      retry: false,
      remedy: 'Check user, password or key of the target in the inventory.',
      cause: error,
    });
  }
  if (error.level === 'handshake' && /no matching/i.test(error.message)) {
    return new TargetError(`[${peer.adapter}] ${place} shares no algorithm with us: ${error.message}`, {
      code: 'no-common-algorithm',
      retry: false,
      remedy: peer.access.legacyAlgorithms
        ? 'Enable a newer SSH on the device.'
        : 'Only if the box has nothing newer, set legacyAlgorithms: true for it.',
    });
  }
  return lost(peer, `cannot be reached over SSH: ${error.message}`, error);
}

/** A fault of the way to the target: worth another try. */
export function lost(peer: SshPeer, what: string, cause?: unknown): TargetError {
  return new TargetError(`[${peer.adapter}] ${peer.name} (${peer.address} port ${peer.port}) ${what}`, {
    code: 'connection-lost',
    retry: true,
    remedy: 'Check the way to it and that its SSH server answers.',
    cause,
  });
}

/** The caller's signal ended it. */
export function abandoned(peer: SshPeer, during: string, cause?: unknown): TargetError {
  return new TargetError(`[${peer.adapter}] ${peer.name}: gave up while ${during}, the session is closed`, {
    code: 'aborted',
    retry: true,
    remedy: 'The deadline passed or Offbox is stopping; what was sent last may have taken effect.',
    cause,
  });
}

function keyType(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  const name = blob.subarray(4, 4 + length).toString('latin1');
  return /^[\w@.-]{1,64}$/.test(name) ? name : 'unknown';
}
