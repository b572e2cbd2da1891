// Owns: the lab's control socket, `lab.sock` in its folder: one JSON request a line, one JSON answer a line. The folder is
// its owner's alone (mode 0700), and so is the socket.
import { existsSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { relative, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, OperatorError, RuntimeFault } from '../src/model/errors.ts';
import type { Wall } from '../src/ports/wall.ts';
import { type Controlled, obeyVerb } from './verbs.ts';

/** A request is a verb and a few words. */
const requestBytesMax = 4_096;
/** The state of two gateways is some 2 kB. */
const answerBytesMax = 1_048_576;
const connectionsMax = 16;
/** Whoever connects and says nothing goes. */
const idleMs = 30_000;
/** Linux: sun_path is 108 bytes with its final NUL. */
const socketPathBytesMax = 107;
const labFaultRemedy = 'This is a fault of the lab: start it anew.';

const requestSchema = z.strictObject({ verb: z.string().max(64), words: z.array(z.string().max(128)).max(8) });
const answerSchema = z.union([
  z.strictObject({ ok: z.literal(true), result: z.unknown() }),
  z.strictObject({ ok: z.literal(false), code: z.string(), message: z.string(), remedy: z.string() }),
]);
type Answer = z.infer<typeof answerSchema>;

/** Whichever is shorter, the whole path or the one from where we are. */
function socketPath(dir: string): string {
  const whole = resolve(dir, 'lab.sock');
  const near = relative('', whole);
  const path = near.length < whole.length ? near : whole;
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path;
  throw new OperatorError(`[lab] the path of the control socket, ${path}, is longer than ${socketPathBytesMax} bytes`, {
    code: 'lab-path-too-long',
    remedy: 'Use a folder with a shorter path.',
  });
}

/** Told what is asked, as it was written, BEFORE it is done; not of what is refused. */
export type OnVerb = (verb: string, words: readonly string[]) => void;

interface Served {
  readonly lab: Controlled;
  readonly wall: Wall;
  readonly onVerb: OnVerb;
}

export interface Control {
  stop(): Promise<void>;
}

/** Rejects with an OperatorError, code `lab-running`, where a lab runs in this folder: it is not to be touched. */
export async function refuseAnotherLab(dir: string): Promise<void> {
  const path = socketPath(dir);
  if (!existsSync(path) || !(await answers(path))) return;
  throw new OperatorError(`[lab] another lab runs in ${dir}`, { code: 'lab-running', remedy: 'Stop it, or use another folder.' });
}

/** Serves the socket. Rejects as refuseAnotherLab() does. */
export async function serveControl(dir: string, lab: Controlled, wall: Wall, onVerb: OnVerb = () => {}): Promise<Control> {
  await refuseAnotherLab(dir);
  const path = socketPath(dir);
  // Left behind by one that was killed.
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (sockets.size >= connectionsMax) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, { lab, wall, onVerb });
  });
  await listen(server, path);
  return {
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new OperatorError(`[lab] cannot listen on ${path}: ${error.message}`, {
          code: 'lab-cannot-listen',
          remedy: 'Look at the reason, then try again.',
          cause: error,
        }),
      ),
    );
    server.listen(path, resolve);
  });
}

/** One request after the other; a request longer than it may be ends the connection. */
function serve(socket: Socket, { lab, wall, onVerb }: Served): void {
  let waiting = Promise.resolve();
  let unanswered = 0;
  const idle = () => wall.after(idleMs, () => socket.destroy());
  let cancel = idle();
  const answer = (what: Answer) => {
    if (socket.writable) socket.write(`${JSON.stringify(what)}\n`);
  };
  readLines(socket, requestBytesMax, {
    line: (line) => {
      cancel();
      unanswered += 1;
      waiting = waiting.then(async () => {
        answer(await answerTo(lab, line, onVerb));
        unanswered -= 1;
        if (unanswered === 0 && !socket.destroyed) cancel = idle();
      });
    },
    tooLong: () => {
      answer(
        refusal(
          new OperatorError(`[lab] a request is longer than ${requestBytesMax} bytes`, {
            code: 'usage',
            remedy: 'Shorten it.',
          }),
        ),
      );
      socket.end();
    },
  });
  socket.on('error', () => {});
  socket.on('close', () => cancel());
}

async function answerTo(lab: Controlled, line: string, onVerb: OnVerb): Promise<Answer> {
  try {
    const { verb, words } = parsed(line);
    return { ok: true, result: await obeyVerb(lab, verb, words, () => onVerb(verb, words)) };
  } catch (error) {
    return refusal(error);
  }
}

function parsed(line: string): z.infer<typeof requestSchema> {
  try {
    return requestSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new OperatorError('[lab] this is not a request', {
      code: 'usage',
      remedy: 'Send {"verb": "fail", "words": ["gw-a"]} and a line feed.',
      cause: error,
    });
  }
}

function refusal(error: unknown): Answer {
  if (!(error instanceof OperatorError))
    return { ok: false, code: 'lab-fault', message: messageOf(error), remedy: labFaultRemedy };
  return { ok: false, code: error.code, message: error.message, remedy: error.remedy };
}

interface LineReader {
  line(text: string): void;
  tooLong(): void;
}

/** Splits what comes at line feeds. Once too long is too long: nothing is read any more. */
function readLines(socket: Socket, bytesMax: number, reader: LineReader): void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const take = (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...held, chunk.subarray(from, end)]);
      held = [];
      heldBytes = 0;
      from = end + 1;
      if (line.length > bytesMax) {
        stop();
        return;
      }
      reader.line(line.toString('utf8'));
    }
    held.push(chunk.subarray(from));
    heldBytes += chunk.length - from;
    if (heldBytes > bytesMax) stop();
  };
  const stop = () => {
    socket.off('data', take);
    socket.resume();
    held = [];
    reader.tooLong();
  };
  socket.on('data', take);
}

/**
 * Asks the lab that runs in `dir`: `labCommand(dir, 'fail', ['gw-a'])`. Resolves with a sentence, or with data for `state`
 * and `external`. Rejects with an OperatorError: no lab there, or what was wrong with the words.
 */
export async function labCommand(dir: string, verb: string, words: readonly string[]): Promise<unknown> {
  const path = socketPath(dir);
  const { promise, resolve: answered, reject } = Promise.withResolvers<unknown>();
  const socket = createConnection(path, () => socket.write(`${JSON.stringify({ verb, words })}\n`));
  socket.once('error', (error) => reject(noLab(dir, error)));
  socket.once('close', () => reject(noLab(dir, new Error('it hung up without an answer'))));
  readLines(socket, answerBytesMax, {
    line: (line) => {
      settle(line, answered, reject);
      socket.destroy();
    },
    tooLong: () => reject(nonsense(path, new Error(`its answer is longer than ${answerBytesMax} bytes`))),
  });
  return promise;
}

function settle(line: string, resolve: (result: unknown) => void, reject: (error: Error) => void): void {
  let answer: Answer;
  try {
    answer = answerSchema.parse(JSON.parse(line));
  } catch (error) {
    reject(nonsense('the control socket', error));
    return;
  }
  if (answer.ok) {
    resolve(answer.result);
    return;
  }
  const { code, message, remedy } = answer;
  // The sentence came with its remedy behind it.
  const sentence = message.endsWith(` ${remedy}`) ? message.slice(0, -remedy.length - 1) : message;
  reject(new OperatorError(sentence, { code, remedy }));
}

function noLab(dir: string, cause: Error): OperatorError {
  // No socket, or nobody behind it: that is what the sentence says already.
  const known = ['ENOENT', 'ECONNREFUSED'].includes((cause as NodeJS.ErrnoException).code ?? '');
  return new OperatorError(`[lab] no lab runs in ${dir}${known ? '' : `: ${cause.message}`}`, {
    code: 'no-lab',
    remedy: 'Start one with `offbox start --lab`, or go to the folder where that runs, or name its .offbox/lab with --dir.',
    cause,
  });
}

function nonsense(where: string, cause: unknown): RuntimeFault {
  return new RuntimeFault(`[lab] ${where} did not answer in the lab's form: ${messageOf(cause)}`, {
    code: 'lab-answer',
    remedy: 'Is something else listening there?',
    cause,
  });
}
