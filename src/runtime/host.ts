// Owns: the host: the one loop that stamps, appends, steps and hands on. Everything that happens goes through it in one
// order, and that order is the journal's.
//
// H1. An entry is stepped AFTER its append is taken, and looking for an intent begins then. Whoever waits for an entry (an attempt, an
//     acknowledgement) hears of it AFTER it is durable, and so does whoever tells the world of it (law E3).
// H2. `at` is the wall's time, never below the last one (law E2, E8).
// H3. When the journal refuses, nothing is acted on any more: the host stops and says why.
// H4. Where it has no room, nothing is decided or done until it has: what sources bring is refused and counted, what came of acting
//     is kept and appended first.
import type { Concern, Engine, StepResult } from '../core/engine.ts';
import type { Entry, EntryBody, EntryOf, NewEntry } from '../model/entry.ts';
import { OperatorError, RuntimeFault } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import {
  appendEntriesMax,
  decidedRestMs,
  journalEntryBytesMax,
  journalRetryMs,
  pendingEventsMax,
  timeJumpMs,
} from '../model/limits.ts';
import { OfferedEntry } from '../model/written-event.ts';
import type { Appended, Journal } from '../ports/journal.ts';
import type { Sink } from '../ports/source.ts';
import type { Wall } from '../ports/wall.ts';
import { admit, fitsEntry } from './admission.ts';
import type { Decided } from './apart/apart.ts';
import { appendSettled } from './append-settled.ts';
import { bounded, gapEvent, offeredEntry } from './entry-bound.ts';
import { Gathering } from './gathering.ts';
import { Stamps } from './stamps.ts';
import { type Committed, type Pending, refuse, Telling } from './telling.ts';

export interface HostOptions {
  readonly journal: Journal;
  readonly epoch: number;
  /** The one that is in force. */
  readonly engine: () => Engine;
  readonly wall: Wall;
  /** An intent is taken, a report durable: do it. */
  readonly execute: (intent: Intent, at: number) => void;
  /** Where policies run apart: the engine here knows facts and what is open, and wants nothing. */
  readonly apart?: { see(entry: Entry, concern: Concern): void; appended(through: number, at: number): void } | undefined;
  /** After each entry was stepped; for those who watch. */
  readonly onEntry?: (entry: Entry, result: StepResult) => void;
  /** After an append whose entries have all been stepped: how many, and what is wanted because of them and not yet recorded. */
  readonly onAppended?: (entries: number, moment: { seq: number; at: number; derived: readonly EntryBody[] }) => void;
  /** The journal has no room. Told once, until onRoom. */
  readonly onFull?: (fault: Error) => void;
  /** It has room again; so many events were not kept. */
  readonly onRoom?: (dropped: number) => void;
  /** The host has stopped by itself: the journal failed. */
  readonly onFailure: (fault: Error) => void;
}

/** While the journal has no room. */
interface Full {
  readonly fault: Error;
  /** Events not kept. */
  dropped: number;
}

export interface HostStats {
  readonly entries: number;
  readonly appends: number;
  readonly pending: number;
  readonly lastSeq: number;
}

/** What came of acting, or must be durable before acting: it waits until there is room. Of the rest whoever submits it is told. */
const waitsForRoom: ReadonlySet<EntryBody['kind']> = new Set(['outcome', 'reading', 'attempt', 'tick', 'quarantine']);

export class Host {
  readonly #options: HostOptions;
  #pending: Pending[] = [];
  /** Entries in there. */
  #waiting = 0;
  /** What the last step wants, to be appended before anything else. */
  #derived: EntryBody[] = [];
  #foremost: readonly EntryBody[] = [];
  /** What policies that run apart want, up to `#answered`. */
  #wanted: EntryBody[] = [];
  #answered = 0;
  /** Between a batch's making and its last entry's step. */
  #committing = false;
  #anew: ((lastSeq: number) => void)[] = [];
  #lastSeq = 0;
  #decidedThrough = 0;
  /** The last entry but `decided` ones: of those nobody decides. */
  #lastToDecide = 0;
  /** What was decided is to be recorded, though nothing else is to be appended. */
  #recording = false;
  #cancelRecording: (() => void) | undefined;
  readonly #stamps: Stamps;
  readonly #gathering: Gathering;
  #pumping: Promise<void> | undefined;
  readonly #telling: Telling;
  /** Intents to report, of the last append. */
  readonly #reports: Pending[] = [];
  #cancelTick: (() => void) | undefined;
  #dueAt: number | undefined;
  #stopped: Error | undefined;
  /** The journal's. */
  #failure: Error | undefined;
  #full: Full | undefined;
  /** The first append after it was full: whether there is room again. */
  #attempted: { readonly pending: Pending; readonly dropped: number } | undefined;
  #cancelRetry: (() => void) | undefined;
  #appends = 0;
  #entries = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#gathering = new Gathering(options.wall);
    this.#telling = new Telling({ wall: options.wall, onFailure: (thrown, taken) => this.#fail(errorOf(thrown), taken) });
    this.#stamps = new Stamps(options.wall);
  }

  /**
   * Begins after what recovery found, with what it derived and what the start itself adds, in one append. `foremost` comes before
   * all of it: at the first entry rings whatever came due meanwhile.
   */
  async begin(
    from: { readonly lastSeq: number; readonly lastAt: number; readonly nextDue: number | undefined },
    first: readonly EntryBody[],
    foremost: readonly EntryBody[] = [],
  ): Promise<void> {
    this.#lastSeq = from.lastSeq;
    this.#stamps.begin(from.lastAt);
    this.#answered = from.lastSeq;
    this.#decidedThrough = from.lastSeq === 0 ? 0 : -1;
    this.#dueAt = from.nextDue;
    this.#derived.push(...first);
    this.#foremost = foremost;
    await this.#pump();
    await this.#telling.end();
    if (this.#stopped) throw this.#stopped;
  }

  /**
   * Appends an entry; resolves with its seq AFTER it is durable and stepped. Rejects with an OperatorError where it is larger than an
   * entry may be; of an outcome only the words are cut.
   */
  submit(submitted: EntryBody): Promise<number> {
    return new Promise((resolve, reject) => {
      const body = bounded(submitted);
      if (this.#stopped) reject(this.#stopped);
      else if (this.#full && !waitsForRoom.has(body.kind)) reject(this.#full.fault);
      else this.#add([body], (error, seq) => (error ? reject(error) : resolve(seq)));
    });
  }

  /** Takes an event put in by hand; resolves with its seq AFTER it is durable. */
  emit(event: Event): Promise<number> {
    const admitted = admit(event, this.#options.engine().facts.inventory);
    if (fitsEntry(admitted)) return this.submit({ kind: 'event', event: admitted });
    const remedy = `An entry of the journal is ${journalEntryBytesMax} bytes at most: say less.`;
    return Promise.reject(new OperatorError('the event is too large', { code: 'too-large', remedy }));
  }

  /** Where a source puts its events. */
  sink(source: string): Sink {
    return {
      offer: (events, committed) => {
        if (this.#full) this.#full.dropped += events.length;
        if (this.#stopped || this.#full || this.#waiting + events.length > pendingEventsMax) return false;
        const { inventory } = this.#options.engine().facts;
        this.#add(
          events.map((event) => offeredEntry(admit(event, inventory), inventory)),
          committed,
          true,
        );
        return true;
      },
      gap: (reason, targets) => {
        if (!this.#stopped && !this.#full)
          this.#add([{ kind: 'event', event: gapEvent(source, reason, targets) }], undefined, true);
      },
    };
  }

  stats(): HostStats {
    return { entries: this.#entries, appends: this.#appends, pending: this.#waiting, lastSeq: this.#lastSeq };
  }

  /**
   * Runs `work` between two appends: everything that is durable has been stepped, and nothing more is until it is done. What it
   * returns is appended first. What rings next is asked anew.
   */
  async between(
    work: () => Promise<{ readonly first: readonly EntryBody[]; readonly nextDue: number | undefined }>,
  ): Promise<void> {
    // What those before have decided is theirs, however little it was.
    await this.#recordDecided();
    while (this.#pumping) await this.#pumping;
    const held = Promise.withResolvers<void>();
    this.#pumping = held.promise;
    try {
      const { first, nextDue } = await work();
      this.#derived.push(...first);
      this.#dueAt = nextDue;
    } finally {
      this.#pumping = undefined;
      held.resolve();
      // Also where it threw: what came meanwhile waits.
      void this.#pump();
    }
    await this.#pump();
  }

  /** What policies that run apart decided, all of it up to an entry. */
  decided({ through, intents, faults, nextDue }: Decided): void {
    for (const intent of intents) this.#wanted.push({ kind: 'intent', intent });
    for (const fault of faults) this.#wanted.push({ kind: 'quarantine', ...fault });
    this.#answered = through;
    this.#dueAt = nextDue;
    if (this.#wanted.length > 0) this.#gathering.hurry();
    if (this.#wanted.length > 0) void this.#pump();
    else if (!this.#pumping) this.#rest();
  }

  /**
   * Policies that run apart are begun anew: what they wanted and is not recorded they will want again. Calls back between two appends,
   * with the seq of the last entry.
   */
  beginAnew(work: (lastSeq: number) => void): void {
    this.#anew.push(work);
    if (!this.#committing) this.#restart();
  }

  #restart(): void {
    for (const work of this.#anew.splice(0)) {
      this.#wanted = [];
      this.#answered = Math.max(this.#decidedThrough, 0);
      this.#dueAt = undefined;
      work(this.#lastSeq);
    }
  }

  /** Appends what is waiting, then takes nothing more. */
  async stop(): Promise<void> {
    this.#cancelTick?.();
    this.#gathering.end();
    await this.#pumping;
    await this.#recordDecided();
    this.#cancelRecording?.();
    await this.#telling.end();
    this.#stopped ??= new RuntimeFault('[host] stopped', { code: 'stopped', remedy: 'Start Offbox again.' });
  }

  /** Before what waits for the journal is waited for: it may have no room for it. What is given up is found open at the next start. */
  giveUp(): void {
    this.#cancelRetry?.();
    if (!this.#full) return;
    for (const { committed } of this.#pending.splice(0)) committed?.(this.#full.fault, 0);
    this.#waiting = 0;
    this.#stopped ??= this.#full.fault;
  }

  #add(bodies: readonly EntryBody[], committed: Committed | undefined, offered = false): void {
    this.#pending.push({ bodies, committed, offered });
    if (!offered) this.#gathering.hurry();
    this.#waiting += bodies.length;
    void this.#pump();
  }

  #pump(): Promise<void> {
    this.#pumping ??= this.#drain();
    return this.#pumping;
  }

  async #drain(): Promise<void> {
    // A turn of its own: what arrives in the same turn of the event loop is appended together.
    await Promise.resolve();
    while (!this.#stopped && !this.#full && this.#hasWork()) {
      const gathered = this.#gathering.wait(this.#waiting, () => this.#hurries());
      if (gathered) await gathered;
      const taken = this.#take();
      try {
        const appended = await this.#commit(taken.flatMap(({ bodies }) => bodies));
        this.#telling.appended([...taken, ...this.#reports.splice(0)], appended);
        this.#hasRoom();
      } catch (thrown) {
        if (thrown instanceof RuntimeFault && thrown.code === 'journal-full') this.#fill(thrown, taken);
        else this.#fail(errorOf(thrown), taken);
      }
    }
    // In the turn that found nothing waiting: what comes in the next one must find nobody pumping.
    this.#pumping = undefined;
    this.#rest();
  }

  /** Nothing is to be appended now. */
  #rest(): void {
    this.#armTick();
    this.#cancelRecording?.();
    if (this.#isUnrecorded()) this.#cancelRecording = this.#options.wall.after(decidedRestMs, () => void this.#recordDecided());
  }

  /** Else it would be decided once more, by whatever version is in force when the next entry comes, or at the next start. */
  #isUnrecorded(): boolean {
    return this.#decidedThrough < this.#lastToDecide && this.#lastToDecide <= this.#through;
  }

  async #recordDecided(): Promise<void> {
    await this.#pumping;
    if (this.#stopped || this.#full || !this.#isUnrecorded()) return;
    this.#recording = true;
    await this.#pump();
  }

  /** Something else than events of sources is to be appended. */
  #hurries(): boolean {
    const own = this.#derived.length + this.#wanted.length + this.#foremost.length;
    return own > 0 || this.#pending.some(({ offered }) => !offered);
  }

  #hasWork(): boolean {
    return this.#recording || this.#pending.length > 0 || this.#derived.length > 0 || this.#wanted.length > 0;
  }

  /** The first that came, as many as one append takes. */
  #take(): readonly Pending[] {
    let offers = 0;
    let entries = 0;
    for (; offers < this.#pending.length; offers += 1) {
      const { length } = this.#pending[offers]!.bodies;
      if (offers > 0 && entries + length > appendEntriesMax) break;
      entries += length;
    }
    this.#waiting -= entries;
    return this.#pending.splice(0, offers);
  }

  /** Returns the seq of the first of `taken`, and when all of it is durable. */
  async #commit(taken: readonly EntryBody[]): Promise<Appended> {
    const { at, jumpedMs } = this.#stamps.next();
    const jumped = jumpedMs > timeJumpMs ? [jumpOf(jumpedMs)] : [];
    const before = [this.#foremost, this.#derived, this.#decidedThrough] as const;
    const wanted = this.#wanted;
    const decided = this.#decided();
    this.#recording = false;
    const bodies = [...this.#foremost, ...decided, ...this.#derived, ...wanted, ...jumped, ...taken];
    this.#derived = [];
    this.#wanted = [];
    this.#foremost = [];
    this.#committing = true;
    try {
      const batch = bodies.map((body) => stamped(body, at));
      this.#gathering.appending(batch.length);
      const { firstSeq, durable } = await this.#append(batch).catch((thrown: unknown) => {
        // None of it was taken: what policies want is still to be recorded.
        [this.#foremost, this.#derived, this.#decidedThrough] = before;
        this.#wanted = [...wanted, ...this.#wanted];
        throw thrown;
      });
      this.#stepAll(batch, { firstSeq, durable }, at);
      return { firstSeq: this.#lastSeq + 1 - taken.length, durable };
    } finally {
      this.#committing = false;
      this.#restart();
    }
  }

  #append(batch: readonly NewEntry[]): Promise<Appended> {
    const { journal, epoch, wall } = this.#options;
    return appendSettled(journal, batch, { epoch, lastSeq: this.#lastSeq }, wall);
  }

  #stepAll(batch: readonly NewEntry[], { firstSeq, durable }: Appended, at: number): void {
    const { onEntry, apart } = this.#options;
    const engine = this.#options.engine();
    this.#appends += 1;
    // It rings at one of these.
    if (apart && this.#dueAt !== undefined && this.#dueAt <= at) this.#dueAt = undefined;
    for (let index = 0; index < batch.length; index += 1) {
      const entry = numbered(batch[index]!, firstSeq + index);
      const result = engine.step(entry);
      this.#entries += 1;
      this.#lastSeq = entry.seq;
      if (entry.kind !== 'decided') this.#lastToDecide = entry.seq;
      if (apart) apart.see(entry, engine.concern);
      else this.#want(result);
      if (entry.kind === 'intent') this.#execute(entry, durable !== undefined);
      onEntry?.(entry, result);
    }
    apart?.appended(this.#lastSeq, at);
    this.#options.onAppended?.(batch.length, { seq: this.#lastSeq, at, derived: this.#derived });
  }

  /** Of what a power cut may still take nobody outside is told: a report waits as whoever submits something does. */
  #execute({ intent, at }: EntryOf<'intent'>, waits: boolean): void {
    const execute = (error?: Error): void => {
      if (!error) this.#options.execute(intent, at);
    };
    if (waits && intent.want.kind === 'report') this.#reports.push({ bodies: [], committed: execute, offered: false });
    else execute();
  }

  #want({ intents, faults, nextDue }: StepResult): void {
    this.#dueAt = nextDue;
    for (const intent of intents) this.#derived.push({ kind: 'intent', intent });
    for (const fault of faults) this.#derived.push({ kind: 'quarantine', ...fault });
  }

  /** Up to where policies have decided. */
  get #through(): number {
    return this.#options.apart ? this.#answered : this.#lastSeq;
  }

  #decided(): readonly EntryBody[] {
    const through = this.#through;
    if (this.#decidedThrough === through) return [];
    this.#decidedThrough = through;
    return through === 0 ? [] : [{ kind: 'decided', through }];
  }

  #armTick(): void {
    this.#cancelTick?.();
    if (this.#stopped || this.#full || this.#dueAt === undefined) return;
    const { wall } = this.#options;
    this.#cancelTick = wall.after(Math.min(Math.max(this.#dueAt - this.#stamps.now(), 0), 2 ** 31 - 1), () => {
      if (this.#dueAt === undefined || this.#stopped) return;
      if (this.#dueAt <= this.#stamps.now()) this.#add([{ kind: 'tick' }], undefined);
      else this.#armTick();
    });
  }

  #fill(fault: Error, taken: readonly Pending[]): void {
    const before = this.#attempted;
    const all = [...taken, ...this.#pending].filter((pending) => pending !== before?.pending);
    const offered = all.filter((pending) => pending.offered);
    this.#pending = all.filter((pending) => !pending.offered);
    this.#waiting = this.#pending.reduce((sum, { bodies }) => sum + bodies.length, 0);
    const dropped = offered.reduce((sum, { bodies }) => sum + bodies.length, before?.dropped ?? 0);
    this.#full = { fault, dropped };
    this.#attempted = undefined;
    for (const { committed } of offered) committed?.(fault, 0);
    if (!before) this.#options.onFull?.(fault);
    this.#cancelRetry = this.#options.wall.after(journalRetryMs, () => this.#tryAgain());
  }

  #tryAgain(): void {
    const { dropped } = this.#full!;
    const event = gapEvent('journal', `it had no room: ${dropped} events were not kept`);
    const pending: Pending = { bodies: [{ kind: 'event', event }], committed: undefined, offered: false };
    this.#full = undefined;
    this.#attempted = { pending, dropped };
    this.#pending.push(pending);
    this.#waiting += 1;
    void this.#pump();
  }

  #hasRoom(): void {
    if (!this.#attempted || this.#pending.includes(this.#attempted.pending)) return;
    const { dropped } = this.#attempted;
    this.#attempted = undefined;
    this.#options.onRoom?.(dropped);
  }

  #fail(fault: Error, taken: readonly Pending[]): void {
    const isFirst = this.#failure === undefined;
    this.#failure ??= fault;
    this.#stopped = this.#failure;
    refuse([...taken, ...this.#pending.splice(0)], fault);
    this.#waiting = 0;
    if (isFirst) this.#options.onFailure(fault);
  }
}

const errorOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

const stamped = (body: EntryBody, at: number): NewEntry => (body instanceof OfferedEntry ? body.stamped(at) : { ...body, at });

const numbered = (entry: NewEntry, seq: number): Entry =>
  entry instanceof OfferedEntry ? entry.numbered(seq) : { ...entry, seq };

const jumpOf = (ms: number): EntryBody => ({
  kind: 'event',
  event: gapEvent('offbox', `the clock jumped ${Math.round(ms)} ms ahead`),
});
