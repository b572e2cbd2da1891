// Port: where events come from. A source turns bytes into events and hands them on; it decides nothing and keeps nothing.
//
// Ordering law: receive → check → sink.offer → (committed) → acknowledgement, where the protocol has one. A source that
// acknowledges does so in `committed` and nowhere else. A datagram the sink has no room for is dropped and counted.
import type { Event } from '../model/event.ts';

/** An event before admission; the runtime puts in `target` from the sender's address where the source did not. */
export type OfferedEvent = Event;

export interface Sink {
  /**
   * Takes the events, or none of them: `false` means no room now (count them as dropped).
   * `committed` is called once, AFTER the entries are durable, with the seq of the last; or with the error that kept them
   * from it.
   */
  offer(events: readonly OfferedEvent[], committed?: (error?: Error, seq?: number) => void): boolean;
  /** Something may have been missed: becomes a `source.gap` entry. */
  gap(reason: string, targets?: readonly string[]): void;
}

export interface SourceStats {
  /** Where it listens, as `udp 127.0.0.1:5514`. */
  readonly listening: readonly string[];
  readonly received: number;
  /** By cause, as `kernel`, `no-room`, `too-long`, `malformed`, `rate`: every drop is counted under one. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface Source {
  /** As in `origin.source`. */
  readonly name: string;
  /** Resolves when listening. Rejects with an OperatorError where it cannot (port taken, no right). */
  start(sink: Sink): Promise<void>;
  stop(): Promise<void>;
  stats(): SourceStats;
}
