// Owns: the receiving thread as the main one sees it: starting it, what is said between the two, and how it ends.
import { Worker } from 'node:worker_threads';
import { OperatorError, RuntimeFault } from '../../src/model/errors.ts';
import type { PlatformName } from '../../src/model/target.ts';
import type { RingMemory } from './ring.ts';

export interface ListenOn {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

/** By the sender's address: its platform's own readings of a message come first. */
export type Platforms = ReadonlyMap<string, PlatformName>;

export interface ReceiverRequest {
  readonly udp?: ListenOn;
  readonly tcp?: ListenOn;
  readonly ring: RingMemory;
  readonly platforms: Platforms;
}

/** Where it really listens. */
export interface Bound {
  /** What the kernel granted of the receive buffer asked for. */
  readonly udp?: ListenOn & { readonly receiveBufferBytes: number };
  readonly tcp?: ListenOn;
}

/** `room`: the ring has room again; `stop`: close everything and end. */
export type ReceiverOrder = 'room' | 'stop';

export type ReceiverReport =
  | { readonly kind: 'listening'; readonly bound: Bound }
  | {
      readonly kind: 'refused';
      readonly transport: 'udp' | 'tcp';
      readonly host: string;
      readonly port: number;
      readonly code: string;
      readonly message: string;
    }
  /** The ring holds something and the reader sleeps. */
  | { readonly kind: 'bell' };

export interface Receiver {
  readonly bound: Bound;
  order(what: ReceiverOrder): void;
  /** Resolves when the thread is gone: with its error, or with nothing after a stop. Never rejects. */
  readonly ended: Promise<Error | undefined>;
}

/** In the checkout this file and the thread's are .ts, in the package both are .js. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const file = new URL(`./receiver${extension}`, import.meta.url);

/** Resolves when it listens. `onBell` may be called before that. */
export async function startReceiver(request: ReceiverRequest, onBell: () => void): Promise<Receiver> {
  const worker = new Worker(file, { workerData: request, name: 'offbox-syslog' });
  let failure: Error | undefined;
  worker.on('error', (error: Error) => {
    failure = error;
  });
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.once('exit', (code) => resolve(failure ?? (code === 0 ? undefined : new Error(`it ended with code ${code}`))));
  });
  const bound = await new Promise<Bound>((resolve, reject) => {
    worker.on('message', (report: ReceiverReport) => {
      if (report.kind === 'bell') onBell();
      else if (report.kind === 'listening') resolve(report.bound);
      else reject(refusal(report));
    });
    void ended.then((cause) => reject(died(cause)));
  });
  return { bound, ended, order: (what) => worker.postMessage(what) };
}

function died(cause: Error | undefined): RuntimeFault {
  return new RuntimeFault(`[source-syslog] the receiving thread ended before it listened: ${cause?.message ?? 'no error'}`, {
    code: 'receiver-ended',
    remedy: 'Report it with this message; `offbox start` again may help meanwhile.',
    cause,
  });
}

/** Why a socket may not be opened, and what the operator can do. */
function refusal({ transport, host, port, code, message }: ReceiverReport & { readonly kind: 'refused' }): OperatorError {
  const place = `${transport} ${host.includes(':') ? `[${host}]` : host}:${port}`;
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: `Stop the other receiver (ss -lpn 'sport = :${port}' names it) or listen on another port.`,
    EACCES: `Ports below 1024 need a right: listen on a higher one, such as 5514, or give the node binary cap_net_bind_service.`,
    EADDRNOTAVAIL: 'The address is none of this machine: `ip address` lists those it has; 0.0.0.0 is all of them.',
    ENOTFOUND: 'The name has no address: write the address itself.',
  };
  return new OperatorError(`[source-syslog] cannot listen on ${place}: ${message}`, {
    code: 'cannot-listen',
    remedy: remedies[code] ?? 'Check the address and port of the syslog source.',
  });
}
