// Owns: the http source: a server of its own that takes requests and tells what became of them.
//
//   POST /requests      a request (src/model/request.ts) → 202 {seq, request}, AFTER the commit
//   GET /requests/ID    the last report
//
// There are no callbacks: Offbox calls no address that a request names.
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from 'fastify';
import { messageOf, OperatorError } from '../../src/model/errors.ts';
import { httpConnectionsMax, httpHeaderBytesMax, httpIdleMs, httpRequestMs, requestBytesMax } from '../../src/model/limits.ts';
import type { RequestBook } from '../../src/ports/request-book.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { Answer, Intake } from '../requests/intake.ts';
import { type Problem, sendAnswer, sendProblem } from './answers.ts';
import { type Allowed, loginWith, trustOf } from './auth.ts';

export interface HttpTls {
  /** PEM: our certificate with its chain, and its key. */
  readonly certificate: string;
  readonly key: string;
  /** PEM: who signs the certificates of clients; then every client must have one. */
  readonly clientCa?: string;
}

export interface HttpSourceOptions extends Allowed {
  readonly host: string;
  /** 0 for any that is free; `stats().listening` says which. */
  readonly port: number;
  readonly tls?: HttpTls;
  readonly intake: Intake;
  readonly book: RequestBook;
  readonly wall: Pick<Wall, 'after'>;
  /** httpRequestMs, but for tests of the slow. */
  readonly requestMs?: number;
}

/** 16 random letters cannot be guessed over a network. */
const tokenLettersMin = 16;

export function httpSource(options: HttpSourceOptions): Source {
  if (options.token !== undefined && options.token.length < tokenLettersMin)
    throw new OperatorError('[source-http] the token is too short', {
      code: 'http-token',
      remedy: `Make one of at least ${tokenLettersMin} letters, as \`openssl rand -base64 24\` prints it.`,
    });
  const dropped: Record<string, number> = {};
  let received = 0;
  let server: FastifyInstance | undefined;
  const count = (cause: string): void => {
    dropped[cause] = (dropped[cause] ?? 0) + 1;
  };
  const { host, port, tls, wall, requestMs = httpRequestMs } = options;

  async function start(sink: Sink): Promise<void> {
    if (server) return;
    const made = serverOf(options);
    const problem = (reply: FastifyReply, told: Problem): FastifyReply => {
      count(told.code);
      return sendProblem(reply, told);
    };
    declare(made, options, {
      sink,
      problem,
      heard: () => {
        received += 1;
      },
      answered: (answer) => {
        if (answer.kind === 'refused') count(answer.refusal.code);
        else if (answer.kind !== 'taken') count(answer.kind === 'busy' ? 'no-room' : answer.kind);
      },
    });
    try {
      await made.listen({ host, port });
    } catch (thrown) {
      throw new OperatorError(`[source-http] ${host}:${port} cannot be listened on: ${messageOf(thrown)}`, {
        code: 'http-listen',
        remedy: 'Choose another address or port in sources.http.listen.',
        cause: thrown,
      });
    }
    server = made;
  }

  return {
    name: 'http',
    start,
    async stop() {
      const stopping = server;
      server = undefined;
      // Node looks after nobody's deadline once it closes: whoever has not sent all of a request by then is cut off.
      const cancel = wall.after(requestMs, () => stopping?.server.closeAllConnections());
      await stopping?.close();
      cancel();
    },
    stats() {
      const at = server?.server.address() as AddressInfo | null | undefined;
      return {
        listening: at ? [`${tls ? 'https' : 'http'} ${at.address}:${at.port}`] : [],
        received,
        dropped: { ...dropped },
      };
    },
  };
}

/** Everything a client could hold on to is bounded: connections, headers, body, and the time for each. */
function serverOf({ tls, requestMs = httpRequestMs }: HttpSourceOptions): FastifyInstance {
  // Node looks for requests that take too long only this often.
  const node = { maxHeaderSize: httpHeaderBytesMax, connectionsCheckingInterval: Math.min(1_000, requestMs) };
  const common = {
    bodyLimit: requestBytesMax,
    requestTimeout: requestMs,
    keepAliveTimeout: httpIdleMs,
    connectionTimeout: httpIdleMs + requestMs,
    // Requests under way are answered; one that is sent slowly ends with its deadline.
    forceCloseConnections: 'idle',
    // Nothing is logged: requests carry tokens.
    logger: false,
  } as const;
  const server = tls
    ? (fastify({
        ...common,
        https: {
          ...node,
          cert: tls.certificate,
          key: tls.key,
          minVersion: 'TLSv1.2',
          handshakeTimeout: requestMs,
          ...(tls.clientCa ? { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true } : {}),
        },
      }) as unknown as FastifyInstance)
    : fastify<
        import('node:http').Server,
        import('node:http').IncomingMessage,
        import('node:http').ServerResponse,
        FastifyBaseLogger
      >({
        ...common,
        http: node,
      });
  server.server.maxConnections = httpConnectionsMax;
  server.server.headersTimeout = requestMs;
  return server;
}

interface Handling {
  readonly sink: Sink;
  readonly problem: (reply: FastifyReply, told: Problem) => FastifyReply;
  readonly heard: () => void;
  readonly answered: (answer: Answer) => void;
}

function declare(server: FastifyInstance, { intake, book, ...allowed }: HttpSourceOptions, handling: Handling): void {
  const { sink, problem, heard, answered } = handling;
  const login = loginWith(allowed);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.setErrorHandler((thrown, _request, reply) => problem(reply, problemOf(thrown)));
  server.setNotFoundHandler((_request, reply) =>
    problem(reply, { status: 404, code: 'not-found', cause: 'there is nothing here', remedy: 'Send POST /requests.' }),
  );
  // Before the body is read: whoever may not come in does not get to send one.
  server.addHook('onRequest', async (request, reply) => {
    heard();
    const found = login(request.headers.authorization, request.raw.socket);
    if (found.kind === 'out') return problem(reply, { ...found, code: 'login' });
    return undefined;
  });
  const trust = trustOf(allowed);
  server.post('/requests', async ({ body, ip }, reply) => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const answer = await intake.take(bytes, { source: 'http', peer: ip.replace(/^::ffff:/, ''), transport: 'http', trust }, sink);
    answered(answer);
    return sendAnswer(reply, answer);
  });
  server.get<{ Params: { id: string } }>('/requests/:id', async ({ params }, reply) => {
    const status = book.status(params.id);
    if (!status) {
      const remedy = 'Correct the id; long ago it was forgotten.';
      return problem(reply, { status: 404, code: 'unknown-request', cause: 'there is no such request', remedy });
    }
    const { request, seq, report } = status;
    return reply.send(report ? { ...report, seq } : { request, seq, state: 'received', text: '', final: false });
  });
}

function problemOf(thrown: unknown): Problem {
  const { statusCode = 500 } = (thrown ?? {}) as { readonly statusCode?: number };
  if (statusCode === 413)
    return {
      status: 413,
      code: 'too-large',
      cause: 'the request is too large',
      remedy: `Send at most ${requestBytesMax} bytes.`,
    };
  if (statusCode === 415)
    return { status: 415, code: 'malformed', cause: 'this is not JSON', remedy: 'Send it with content-type: application/json.' };
  if (statusCode >= 400 && statusCode < 500)
    return { status: 400, code: 'malformed', cause: messageOf(thrown), remedy: 'Send one JSON object, in UTF-8.' };
  return { status: 500, code: 'fault', cause: 'Offbox failed to answer', remedy: 'Send it again, under the same id.' };
}
