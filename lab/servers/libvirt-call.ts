// Owns: what a call to a simulated libvirtd is answered from, and how an answer is tied to its procedure.
import type { Procedure } from '../../adapters/libvirt-rpc/protocol.ts';
import { decode, encode } from '../../adapters/libvirt-rpc/xdr.ts';
import type { HypervisorHost, Hypervisors } from '../model/hypervisor.ts';

/** The one of a connection that calls can change. */
export interface CallerState {
  opened: boolean;
  readOnly: boolean;
  keepalive: boolean;
  /** By callback id: which event, of which domain. */
  readonly registrations: Map<number, Registration>;
}

export interface Registration {
  readonly eventId: number;
  /** Of all domains where it is null. */
  readonly uuid: string | null;
}

export interface CallContext {
  readonly host: HypervisorHost;
  readonly hypervisors: Hypervisors<string>;
  readonly caller: CallerState;
}

export interface Handler {
  readonly number: number;
  readonly name: string;
  /** The API function that changes something, refused to who opened read-only. */
  readonly writes: string | undefined;
  /** The result, encoded. Rejects with LibvirtRefusal, or with TargetError `bad-xdr` where the arguments are none. */
  readonly answer: (context: CallContext, payload: Uint8Array) => Promise<Buffer>;
}

export function on<A, R>(
  { number, name, args, result }: Procedure<A, R>,
  run: (context: CallContext, args: A) => R | Promise<R>,
  writes?: string,
): Handler {
  return { number, name, writes, answer: async (context, payload) => encode(result, await run(context, decode(args, payload))) };
}
