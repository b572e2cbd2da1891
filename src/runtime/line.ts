// Owns: the line to one target: its warm sessions (one a transport), kept open and opened again with backoff, and the
// rule that one dialogue at a time is held over it.
//
// L1. While a target is known to be down, whoever asks is told so at once: a dead member delays nobody.
// L2. A dialogue that only reads is tried once more where the session turned out to be gone, within the same deadline;
//     one that writes never is.
// L3. A line that came back after being down tells so, once: something may have been missed.
// L4. Nothing that changes is sent when less than half of its attempt's time is left: the other half is for its arrival.
import { OperatorError, TargetError, toldOf } from '../model/errors.ts';
import { connectDeadlineMs, reconnectFirstMs, reconnectLastMs } from '../model/limits.ts';
import type { Target } from '../model/target.ts';
import { type Actuator, type Command, gives, type Reply, type Session, type Transport, transportOf } from '../ports/actuator.ts';
import type { Dialogue } from '../ports/platform.ts';
import type { Wall } from '../ports/wall.ts';
import { deadline } from './deadline.ts';

/** Behind its name: how what rejects as `unreachable` begins. */
export const cannotBeReached = 'cannot be reached';

export interface LineStatus {
  readonly target: string;
  readonly state: 'opening' | 'up' | 'down';
  /** Since when, milliseconds since 1970. */
  readonly since: number;
  readonly reason?: string;
}

export interface LineOptions {
  readonly name: string;
  readonly target: Target;
  readonly actuators: readonly Actuator[];
  readonly wall: Wall;
  /** Up again after having been down. */
  readonly onBack: (name: string) => void;
}

/** Told of every command and reply, for evidence. */
export type Hear = (command: Command, reply: Reply) => void;

export class Line {
  readonly #options: LineOptions;
  readonly #sessions = new Map<Transport, Session>();
  readonly #stopped = new AbortController();
  #status: LineStatus;
  #opening: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #wasDown = false;
  #backoffMs = reconnectFirstMs;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#status = { target: options.name, state: 'opening', since: options.wall.now() };
  }

  status(): LineStatus {
    return this.#status;
  }

  /** Opens every session the inventory gives access for; on failure goes on trying behind the scenes. */
  open(): Promise<void> {
    this.#opening ??= this.#openAll().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Holds a dialogue that only reads. Rejects with a TargetError: `unreachable` where there is no way to it. */
  async read<T>(start: () => Dialogue<T>, deadlineMs: number, hear?: Hear): Promise<T> {
    return this.#inTurn(async () => {
      const { wall } = this.#options;
      const until = wall.monotonic() + deadlineMs;
      try {
        return await this.#hold(start(), deadlineMs, hear);
      } catch (thrown) {
        const leftMs = until - wall.monotonic();
        const gone = thrown instanceof TargetError && thrown.retry && this.#status.state !== 'down';
        if (!gone || leftMs <= 0) throw thrown;
        return this.#hold(start(), leftMs, hear);
      }
    });
  }

  /**
   * Sends commands that change something, once, with `until` as their end on the monotonic clock. Returns false where it was too
   * late for them when their turn came, or `mayBegin` says no by then: then nothing was sent.
   */
  async write(
    commands: readonly Command[],
    deadlineMs: number,
    until: number,
    hear: Hear,
    mayBegin: () => boolean = () => true,
  ): Promise<boolean> {
    return this.#inTurn(async () => {
      const leftMs = until - this.#options.wall.monotonic();
      if (leftMs < deadlineMs / 2 || !mayBegin()) return false;
      await this.#hold(sayAll(commands), leftMs, hear);
      return true;
    });
  }

  async close(): Promise<void> {
    this.#stopped.abort(new Error('stopping'));
    await Promise.allSettled([...this.#sessions.values()].map((session) => session.close()));
    this.#sessions.clear();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #hold<T>(dialogue: Dialogue<T>, deadlineMs: number, hear: Hear | undefined): Promise<T> {
    const { wall } = this.#options;
    const until = wall.monotonic() + deadlineMs;
    const { signal, done } = deadline(wall, deadlineMs, this.#stopped.signal, () => this.#tooLate(deadlineMs));
    try {
      let step = dialogue.next();
      while (!step.done) {
        const command = step.value;
        const session = await this.#session(transportOf[command.kind]);
        // A process that stood still (a paused machine) hears of its deadlines only after this.
        if (wall.monotonic() >= until) {
          void session.close();
          throw this.#tooLate(deadlineMs);
        }
        const reply = await session.run(command, signal);
        hear?.(command, reply);
        step = dialogue.next(reply);
      }
      return step.value;
    } finally {
      done();
    }
  }

  #tooLate(deadlineMs: number): TargetError {
    return new TargetError(`${this.#options.name} did not answer within ${deadlineMs} ms`, {
      code: 'no-answer',
      retry: true,
      remedy: 'Look whether it is alive and not overloaded.',
    });
  }

  async #session(transport: Transport): Promise<Session> {
    if (this.#status.state === 'down') throw this.#unreachable(this.#status.reason ?? 'it is down');
    if (!this.#sessions.has(transport)) await this.open();
    const session = this.#sessions.get(transport);
    if (session) return session;
    const { state, reason } = this.status();
    if (state === 'down') throw this.#unreachable(reason ?? 'it is down');
    throw new OperatorError(`${this.#options.name} has no ${transport} access`, {
      code: 'no-access',
      remedy: `Give targets.${this.#options.name}.${transport === 'snmp' ? 'snmp.write' : transport} in the inventory.`,
    });
  }

  #unreachable(reason: string): TargetError {
    return new TargetError(`${this.#options.name} ${cannotBeReached}: ${reason}`, {
      code: 'unreachable',
      retry: true,
      remedy: 'Offbox goes on trying and asks again when it is back.',
    });
  }

  async #openAll(): Promise<void> {
    const { name, target, actuators, wall } = this.#options;
    const wanted = actuators.filter(({ transport }) => gives(target, transport) && !this.#sessions.has(transport));
    const { signal, done } = deadline(wall, connectDeadlineMs, this.#stopped.signal, () => this.#tooLate(connectDeadlineMs));
    try {
      await Promise.all(
        wanted.map(async (actuator) => this.#keep(actuator.transport, await actuator.open(name, target, signal))),
      );
      this.#up();
    } catch (thrown) {
      if (!this.#stopped.signal.aborted) this.#down(thrown);
    } finally {
      done();
    }
  }

  #keep(transport: Transport, session: Session): void {
    if (this.#stopped.signal.aborted) {
      void session.close();
      return;
    }
    this.#sessions.set(transport, session);
    void session.closed.then(() => {
      if (this.#sessions.get(transport) === session) this.#sessions.delete(transport);
      if (this.#stopped.signal.aborted) return;
      this.#wasDown = true;
      if (this.#status.state === 'up') {
        this.#set('opening');
        void this.open();
      }
    });
  }

  #up(): void {
    this.#backoffMs = reconnectFirstMs;
    this.#set('up');
    if (this.#wasDown) this.#options.onBack(this.#options.name);
    this.#wasDown = false;
  }

  #down(thrown: unknown): void {
    const reason = toldOf(thrown);
    this.#wasDown = true;
    this.#set('down', reason);
    this.#options.wall.after(this.#backoffMs, () => {
      if (!this.#stopped.signal.aborted) void this.open();
    });
    this.#backoffMs = Math.min(this.#backoffMs * 2, reconnectLastMs);
  }

  #set(state: LineStatus['state'], reason?: string): void {
    const { target, since, state: before } = this.#status;
    this.#status = {
      target,
      state,
      since: before === state ? since : this.#options.wall.now(),
      ...(reason === undefined ? {} : { reason }),
    };
  }
}

function* sayAll(commands: readonly Command[]): Dialogue<void> {
  for (const command of commands) yield command;
}
