// Owns: how an answer reads over HTTP: 202 with the seq, or problem details (RFC 9457) with code, field and remedy.
import type { FastifyReply } from 'fastify';
import type { Refusal } from '../../src/model/request.ts';
import type { Answer } from '../requests/intake.ts';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const retryAfterSeconds = '1';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly field?: string;
  readonly cause: string;
  readonly remedy: string;
}

export function sendProblem(reply: FastifyReply, { status, code, field, cause, remedy }: Problem): FastifyReply {
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  if (status === 429 || status === 503) void reply.header('retry-after', retryAfterSeconds);
  return reply
    .status(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: titles[status] ?? 'Error', status, detail: cause, code, field, remedy });
}

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  switch (answer.kind) {
    case 'taken':
      return reply
        .status(202)
        .header('location', `/requests/${answer.request}`)
        .send({ seq: answer.seq, request: answer.request });
    case 'refused':
      return sendProblem(reply, { ...answer.refusal, status: statusOf(answer.refusal.code) });
    case 'busy':
      return sendProblem(reply, { status: 429, code: 'busy', cause: 'there is no room now', remedy: 'Send it again later.' });
    case 'lost':
      return sendProblem(reply, { status: 503, code: 'lost', cause: answer.cause, remedy: 'Send it again, under the same id.' });
  }
}

function statusOf(code: Refusal['code']): number {
  if (code === 'too-large') return 413;
  return code === 'conflict' ? 409 : 400;
}
