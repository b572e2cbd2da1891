// Owns: one question at a time to one agent over UDP, and its answer.
//
// X1. What only reads is sent again where no answer comes; what sets is sent once.
// X2. An answer counts under the id of a datagram of this very question, from the address and port asked, and authentic.
// X3. Whatever goes wrong on the way ends the exchange: only an agent's own answer leaves it open.
import type { Socket } from 'node:dgram';
import { snmpAnswerMs, snmpAsksMax } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { CodecPdu } from '../snmp/net-snmp.ts';
import { abandoned, lost, type Peer, reported } from './faults.ts';
import type { Request } from './pdu.ts';
import type { Answer, Security } from './security.ts';

export interface ExchangeOptions {
  readonly wall: Wall;
  readonly peer: Peer;
  /** Connected: the kernel leaves out what others send, and tells when nobody listens there. */
  readonly socket: Socket;
  readonly security: Security;
  /** 0 to below 1. */
  readonly random: () => number;
}

type Heard = Answer | { readonly kind: 'silence' };

/** Reports that only tell the engine or its time, in a row: one names the engine, one corrects the clock, one is to spare. */
const lessonsMax = 3;

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #over = new AbortController();
  #hear: ((answer: Answer) => void) | undefined;
  #unread = 0;
  #opened = false;
  readonly #end = Promise.withResolvers<void>();

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { socket, peer } = options;
    socket.on('message', (bytes) => this.#take(bytes));
    socket.on('error', (error) =>
      this.fail(lost(peer, `cannot be reached over SNMP: ${error.message}`, 'Check that an agent listens there.', error)),
    );
  }

  get closed(): Promise<void> {
    return this.#end.promise;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Ends it: whoever waits is told so. */
  fail(fault: Error): void {
    if (this.isOver) return;
    // Before anybody hears of the fault: whoever tries again at once must not find this one still open.
    this.#end.resolve();
    this.#over.abort(fault);
    this.#options.socket.close();
  }

  /** Rejects with a TargetError; with `retry: true` it is over. */
  async ask(request: Request, during: string, signal: AbortSignal): Promise<CodecPdu> {
    const { peer } = this.#options;
    const abort = (): void => this.fail(abandoned(peer, during, signal.reason));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    try {
      const pdu = await this.#answered(request, during);
      this.#opened = true;
      return pdu;
    } catch (thrown) {
      this.fail(thrown as Error);
      throw thrown;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #answered(request: Request, during: string): Promise<CodecPdu> {
    const ids = new Set<number>();
    const once = request.kind === 'set';
    this.#unread = 0;
    for (let asked = 1, lessons = 0; ; ) {
      const heard = await this.#once(request, ids, once ? snmpAnswerMs * snmpAsksMax : snmpAnswerMs);
      if (heard.kind === 'response') return heard.pdu;
      if (heard.kind === 'report') {
        if (once || !heard.learned || ++lessons > lessonsMax)
          throw reported(this.#options.peer, heard.cause, this.#opened ? 'open' : 'opening');
      } else if (once || ++asked > snmpAsksMax) throw this.#silence(during);
    }
  }

  #once(request: Request, ids: Set<number>, patienceMs: number): Promise<Heard> {
    const { wall, socket, security } = this.#options;
    const { signal } = this.#over;
    return new Promise<Heard>((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const id = this.#freshId(ids);
      ids.add(id);
      const done = (settle: () => void) => {
        cancel();
        this.#hear = undefined;
        signal.removeEventListener('abort', over);
        settle();
      };
      const over = () => done(() => reject(signal.reason));
      const cancel = wall.after(patienceMs, () => done(() => resolve({ kind: 'silence' })));
      signal.addEventListener('abort', over, { once: true });
      // A Report of an earlier datagram is of an earlier lesson.
      this.#hear = (answer) => {
        if (answer.kind === 'response' ? ids.has(answer.id) : answer.id === id) done(() => resolve(answer));
      };
      socket.send(security.seal(id, request));
    });
  }

  #take(bytes: Buffer): void {
    const answer = this.#options.security.open(bytes);
    if (answer) this.#hear?.(answer);
    else this.#unread += 1;
  }

  #silence(during: string): Error {
    const { peer, security } = this.#options;
    const unread = this.#unread > 0 ? ` (${this.#unread} datagrams came that are no authentic SNMP answers)` : '';
    const who = this.#opened
      ? 'its load'
      : security.engine === undefined
        ? 'the port, the community and who may ask'
        : "the user's keys: some agents answer wrong ones with silence";
    return lost(peer, `did not answer while ${during}${unread}`, `Check the way to it, and ${who}.`);
  }

  #freshId(taken: ReadonlySet<number>): number {
    let id: number;
    do id = 1 + Math.floor(this.#options.random() * 0x7ffffffe);
    while (taken.has(id));
    return id;
  }
}
