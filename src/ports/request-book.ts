// Port: what is known of requests and of the VMs they name. Folded from the journal by the runtime; the sources that take
// requests look things up in it, so that each is answered with what the journal holds, after a restart too.
import type { RequestFacts } from '../model/request.ts';
import type { Report } from './reporter.ts';

/** What is known of a request: for answering whoever asks, or asks twice. */
export interface RequestStatus {
  readonly request: string;
  /** The entry it became; absent where only its reports are known. */
  readonly seq?: number;
  /** As it was sent, so that the same again is known for what it is. */
  readonly sent?: string;
  /** How the orchestrator said it ended, and the entry of it. */
  readonly ended?: { readonly seq: number; readonly sent: string };
  /** The last. */
  readonly report?: Report & { readonly at: number };
}

export interface RequestBook extends RequestFacts {
  /** Undefined where it was never heard of, or so long ago that it is forgotten. */
  status(request: string): RequestStatus | undefined;
}
