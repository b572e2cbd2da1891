// Owns: taking a request, whatever brought it: bytes → checked → understood → sink.offer → (committed) → answer.
//
// R1. `taken` is said AFTER the commit and nowhere else.
// R2. The same request again is the same request: it is answered with the seq it has, and no second event.
// R3. Nothing that is sent throws, and what is refused is refused with field, cause and remedy.
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../src/model/errors.ts';
import type { Event, Origin } from '../../src/model/event.ts';
import { requestBytesMax, requestsUnderWayMax } from '../../src/model/limits.ts';
import { type Refusal, type Request, readRequest, understand } from '../../src/model/request.ts';
import type { RequestBook } from '../../src/ports/request-book.ts';
import type { Sink } from '../../src/ports/source.ts';

export type Answer =
  | { readonly kind: 'taken'; readonly request: string; readonly seq: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** No room now; nothing of it was taken. */
  | { readonly kind: 'busy' }
  /** The journal did not take it, or did not say so: whoever sent it sends it again. */
  | { readonly kind: 'lost'; readonly cause: string };

export interface Intake {
  take(bytes: Uint8Array, from: Omit<Origin, 'raw'>, sink: Sink): Promise<Answer>;
}

/** What keeps one request from being taken twice at the same time: one intake for all the sources. */
export function requestIntake(book: RequestBook): Intake {
  const underWay = new Map<string, { readonly request: Request; readonly answer: Promise<Answer> }>();

  function offer(request: Request, event: Event, sink: Sink): Promise<Answer> {
    if (underWay.size >= requestsUnderWayMax) return Promise.resolve({ kind: 'busy' });
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const key = keyOf(request);
    underWay.set(key, { request, answer: promise });
    const settle = (answer: Answer): void => {
      underWay.delete(key);
      resolve(answer);
    };
    const taken = sink.offer([event], (error, seq) =>
      settle(
        error || seq === undefined
          ? { kind: 'lost', cause: error ? messageOf(error) : 'the journal gave no number' }
          : { kind: 'taken', request: request.request, seq },
      ),
    );
    if (!taken) settle({ kind: 'busy' });
    return promise;
  }

  return {
    async take(bytes, from, sink) {
      const text = textOf(bytes);
      if (typeof text !== 'string') return { kind: 'refused', refusal: text };
      const read = readRequest(text);
      if (read.kind === 'refused') return read;
      const { request } = read;
      const before = underWay.get(keyOf(request));
      if (before) return same(before.request, request) ? before.answer : { kind: 'refused', refusal: conflict(request) };
      const known = earlier(request, book);
      if (known !== undefined) return known;
      const understood = understand(request, book);
      if (understood.kind === 'refused') return understood;
      return offer(request, { meaning: understood.meaning, origin: { ...from, raw: text } }, sink);
    },
  };
}

/** A migration is asked for once under an id, and ends once. */
const keyOf = ({ kind, request }: Request): string => `${kind === 'migration-requested' ? 'asked' : 'ended'} ${request}`;

const same = (one: Request, other: Request): boolean => isDeepStrictEqual(one, other);

/** The answer that the request got the last time, or why it cannot be another now. */
function earlier(request: Request, book: RequestBook): Answer | undefined {
  const status = book.status(request.request);
  const before = request.kind === 'migration-requested' ? status : status?.ended;
  if (before?.seq === undefined) return undefined;
  const read = readRequest(before.sent ?? '');
  if (read.kind === 'request' && same(read.request, request)) return { kind: 'taken', request: request.request, seq: before.seq };
  return { kind: 'refused', refusal: conflict(request) };
}

function conflict({ kind, request }: Request): Refusal {
  return kind === 'migration-requested'
    ? {
        code: 'conflict',
        field: 'request',
        cause: `"${request}" asked for something else already`,
        remedy: 'Give each request an id of its own, such as a UUID.',
      }
    : {
        code: 'conflict',
        field: 'kind',
        cause: `"${request}" ended otherwise already`,
        remedy: 'Look at its outcomes: a migration ends once.',
      };
}

function textOf(bytes: Uint8Array): string | Refusal {
  if (bytes.length > requestBytesMax)
    return {
      code: 'too-large',
      cause: `the request has ${bytes.length} bytes`,
      remedy: `Send at most ${requestBytesMax}.`,
    };
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { code: 'malformed', cause: 'this is not UTF-8', remedy: 'Send one JSON object, in UTF-8.' };
  }
}
