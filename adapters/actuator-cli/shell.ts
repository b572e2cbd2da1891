// Owns: talking to a shell: one line out, the answer in, screens paged on. Knows the prompt engine and a byte stream,
// nothing of SSH, logins or configuration modes.
import type { Duplex } from 'node:stream';
import { TargetError } from '../../src/model/errors.ts';
import { replyBytesMax } from '../../src/model/limits.ts';
import type { CliDialect } from '../../src/ports/platform.ts';
import { type Prompt, promptEngine } from './prompt.ts';

export interface Answer {
  readonly prompt: Prompt;
  readonly lines: readonly string[];
}

export interface Shell {
  /** What the device says first, unasked. */
  greeting(): Promise<Answer | 'password'>;
  /** Sends a line and waits for the prompt. */
  ask(line: string): Promise<Answer>;
  /** As `ask`, where the device may want a password instead. */
  askMaybePassword(line: string): Promise<Answer | 'password'>;
  /** Sends what must not be echoed, quoted or kept. */
  answerPassword(password: string): Promise<Answer | 'password'>;
  learn(host: string): void;
  /** Ends whatever waits with this error; everything after fails with it too. */
  fail(error: Error): void;
  strayed(): boolean;
  lastLine(): string;
}

interface Waiting {
  readonly password: 'expected' | 'is-output';
  resolve(answer: Answer | 'password'): void;
  reject(error: Error): void;
}

export function shell(stream: Duplex, dialect: CliDialect, place: string): Shell {
  const engine = promptEngine(dialect, replyBytesMax);
  let waiting: Waiting | undefined;
  let failure: Error | undefined;

  function fail(error: Error): void {
    failure ??= error;
    waiting?.reject(failure);
    waiting = undefined;
  }

  function settle(answer: Answer | 'password'): void {
    const settled = waiting;
    waiting = undefined;
    settled?.resolve(answer);
  }

  stream.on('data', (bytes: Buffer) => {
    if (failure) return;
    const seen = engine.feed(bytes);
    if (seen.kind === 'prompt') settle(seen);
    else if (seen.kind === 'password' && waiting?.password === 'expected') settle('password');
    else if (seen.kind === 'pager') stream.write(seen.key);
    else if (seen.kind === 'too-long') fail(tooLong(place, seen.bytes));
  });

  function wait(password: Waiting['password'], bytes: string | undefined): Promise<Answer | 'password'> {
    if (failure) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      waiting = { password, resolve, reject };
      if (bytes !== undefined) stream.write(bytes);
    });
  }

  function send(line: string, password: Waiting['password']): Promise<Answer | 'password'> {
    engine.sending(line);
    return wait(password, `${line}\n`);
  }

  return {
    greeting: () => wait('expected', undefined),
    ask: (line) => send(line, 'is-output') as Promise<Answer>,
    askMaybePassword: (line) => send(line, 'expected'),
    answerPassword(password) {
      engine.sending('');
      return wait('expected', `${password}\n`);
    },
    learn: engine.learn,
    fail,
    strayed: engine.strayed,
    lastLine: engine.lastLine,
  };
}

function tooLong(place: string, bytes: number): TargetError {
  return new TargetError(
    `${place} answered more than ${replyBytesMax} bytes (${bytes} so far) to one command, the session is closed`,
    {
      code: 'reply-too-long',
      retry: false,
      remedy: 'Ask for less: a section or one entry instead of everything.',
    },
  );
}
