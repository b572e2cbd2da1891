// Owns: how an answer reads over NATS: {seq, request}, or {error: {code, field, cause, remedy}}.
import type { Answer } from '../requests/intake.ts';

export function answerText(answer: Answer): string {
  switch (answer.kind) {
    case 'taken':
      return JSON.stringify({ seq: answer.seq, request: answer.request });
    case 'refused':
      return JSON.stringify({ error: answer.refusal });
    case 'busy':
      return errorText('busy', 'there is no room now', 'Send it again later.');
    case 'lost':
      return errorText('lost', answer.cause, 'Send it again, under the same id.');
  }
}

const errorText = (code: string, cause: string, remedy: string): string => JSON.stringify({ error: { code, cause, remedy } });

/** A request's id as one token of a subject; ids that did not come from here may hold anything. */
export function subjectToken(request: string): string {
  const safe = encodeURIComponent(request.toWellFormed()).replaceAll('.', '%2E').replaceAll('*', '%2A');
  return safe === '' ? '%' : safe;
}
