// Owns: what is said between the journal's port (index.ts) and its thread (thread.ts), and how a fault gets across.
import { messageOf, OperatorError, RuntimeFault } from '../../src/model/errors.ts';
import type { Expectation, Room, Tail } from '../../src/ports/journal.ts';
import type { PlainRow, Row } from './rows.ts';

/** Name → what is asked, what is answered. */
export interface Calls {
  /** The answer is the memory of the rows. */
  append: { ask: { readonly rows: readonly PlainRow[]; readonly expect: Expectation }; answer: readonly ArrayBuffer[] };
  /** What was written beside the thread is on the disk; so many bytes. */
  sync: { ask: number; answer: undefined };
  read: { ask: { readonly fromSeq: number; readonly throughSeq: number }; answer: readonly Row[] };
  tail: { ask: undefined; answer: Tail };
  /** `true`: all of it is gone; otherwise ask again. */
  trim: { ask: number; answer: boolean };
  putBlob: { ask: Uint8Array; answer: string };
  getBlob: { ask: string; answer: Uint8Array<ArrayBuffer> | undefined };
  deleteBlob: { ask: string; answer: undefined };
  blobs: { ask: undefined; answer: readonly string[] };
  /** While nobody waits: brings the log into the file where it has become worth it. */
  checkpoint: { ask: undefined; answer: undefined };
  room: { ask: undefined; answer: Room };
  close: { ask: undefined; answer: undefined };
}

export interface Asked {
  readonly id: number;
  readonly call: keyof Calls;
  readonly ask: unknown;
}

/** A class does not survive the way between threads, its parts do. */
export interface PlainFault {
  readonly kind: 'operator' | 'runtime' | 'other';
  readonly message: string;
  readonly code: string;
  readonly remedy: string;
}

export type Answered = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly fault: PlainFault };

/** The thread's first word. */
export type Opened = { readonly cut: string | undefined } | { readonly fault: PlainFault };

export interface ThreadOptions {
  readonly path: string;
  readonly bytesMax: number;
}

export function plain(error: unknown): PlainFault {
  if (error instanceof OperatorError || error instanceof RuntimeFault) {
    const { code, remedy, message } = error;
    const kind = error instanceof OperatorError ? 'operator' : 'runtime';
    return { kind, code, remedy, message: message.slice(0, -remedy.length - 1) };
  }
  return { kind: 'other', message: messageOf(error), code: '', remedy: '' };
}

export function thrown({ kind, message, code, remedy }: PlainFault): Error {
  if (kind === 'operator') return new OperatorError(message, { code, remedy });
  if (kind === 'runtime') return new RuntimeFault(message, { code, remedy });
  return new Error(message);
}
