// Owns: asking a running Offbox over its control socket.
import { request } from 'node:http';
import { OperatorError } from '../model/errors.ts';

/** Nobody listens there, or nobody ever has. */
const absent: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED']);

interface Refusal {
  readonly error?: string;
  /** Of what the operator can mend. */
  readonly code?: string;
  readonly remedy?: string;
}

/** The answer, or undefined where no Offbox runs on this data folder. Rejects with what it refused. */
export function ask(socket: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath: socket, method, path, headers, timeout: 30_000 }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const said = JSON.parse(Buffer.concat(parts).toString('utf8')) as Refusal;
        if (answer.statusCode === 200) resolve(said);
        else reject(refused(said, answer.statusCode));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer within 30 s')));
    sent.on('error', (thrown: NodeJS.ErrnoException) => (absent.has(thrown.code) ? resolve(undefined) : reject(thrown)));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function refused({ error, code, remedy }: Refusal, status: number | undefined): OperatorError {
  if (error !== undefined && code !== undefined && remedy !== undefined) return new OperatorError(error, { code, remedy });
  return new OperatorError(`Offbox refused: ${error ?? `status ${status}`}`, { code: 'refused', remedy: 'Mend the request.' });
}
