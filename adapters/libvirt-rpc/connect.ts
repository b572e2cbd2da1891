// Owns: how a conversation with libvirtd begins: stream, authentication, keepalive, the hypervisor's URI.
import { OperatorError, TargetError } from '../../src/model/errors.ts';
import { LibvirtClient } from './client.ts';
import { authTypes, featureKeepalive, openReadOnly, procedures, type RemoteEvent } from './protocol.ts';
import { type LibvirtPeer, openStream, type TransportOptions, unreachable } from './transport.ts';

export interface ConnectOptions extends TransportOptions {
  /** Told of every event in order, also before `connectLibvirt` resolves. */
  readonly event?: (event: RemoteEvent) => void;
}

/**
 * Connects, authenticates and opens the URI. Rejects with a TargetError, or an OperatorError where the inventory lacks what
 * it needs; then nothing stays open. The signal ends the attempt; later it has no part in the conversation.
 */
export async function connectLibvirt(peer: LibvirtPeer, options: ConnectOptions, signal: AbortSignal): Promise<LibvirtClient> {
  const carrier = await openStream(peer, options, signal);
  const client = new LibvirtClient(peer, carrier, options.wall, options.event ?? (() => undefined));
  const abort = (): void => client.fail(unreachable(peer, 'gave up while connecting', signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await authenticate(peer, client);
    const { supported } = await client.call(procedures.supportsFeature, { feature: featureKeepalive });
    if (supported === 1) client.keepAlive();
    await client.call(procedures.connectOpen, {
      uri: peer.access.uri,
      flags: options.mode === 'read-only' ? openReadOnly : 0,
    });
    return client;
  } catch (error) {
    client.fail(error instanceof TargetError ? error : unreachable(peer, 'connecting failed', error));
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function authenticate(peer: LibvirtPeer, client: LibvirtClient): Promise<void> {
  const { types } = await client.call(procedures.authList, undefined);
  if (types.length === 0 || types.includes(authTypes.none)) return;
  if (types.includes(authTypes.polkit)) {
    await client.call(procedures.authPolkit, undefined);
    return;
  }
  throw new OperatorError(`[${peer.adapter}] libvirtd of ${peer.name} asks for SASL, which Offbox does not speak`, {
    code: 'no-sasl',
    remedy: 'Reach it over tls, ssh or its unix socket; none of them needs SASL.',
  });
}
