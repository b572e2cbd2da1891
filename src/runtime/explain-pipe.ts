// Owns: following one entry through a policy's pipe: what each operator says of it, what becomes of the windows it waits in
// (they fire, they lapse, what was missing comes too late), and the intents on the way. What the same operators say of
// other events is left out.
import type { Verdict } from '../core/scope.ts';
import type { Entry } from '../model/entry.ts';
import { outcomeKindSchema } from '../model/outcome.ts';
import type { Step } from './explain.ts';

/** A window the entry waits in, at one operator for one key. */
interface Wait {
  readonly place: string;
  readonly key: string;
  readonly until: number;
  /** It fired or lapsed: from now on only what comes too late is of interest. */
  over: boolean;
}

/** Where it goes on: what follows at the same instant is its doing, until the same operator speaks again. */
interface Link {
  readonly seq: number;
  readonly at: number;
  readonly place: string;
}

export class PipeTrail {
  readonly #entry: Entry;
  readonly #waits = new Map<string, Wait>();
  /** Entries that made the pipe want something because of the one explained. */
  readonly #causes = new Set<number>();
  readonly #intents = new Set<string>();
  #woken: boolean;
  #link: Link | undefined;

  constructor(entry: Entry) {
    this.#entry = entry;
    // Alarms that are due ring before the event itself is heard.
    this.#woken = entry.kind !== 'event';
  }

  /** Whether a verdict is about the entry explained. To be called with every verdict of the policy from that entry on. */
  concerns(verdict: Verdict): boolean {
    const { seq, step } = verdict;
    if (seq === this.#entry.seq) {
      this.#woken ||= step === 'on';
      if (!this.#woken) return this.#later(verdict);
      this.#note(verdict);
      return true;
    }
    return step !== 'on' && this.#later(verdict);
  }

  /** Whether an entry tells of an intent that the one explained led to. */
  follows(entry: Entry): boolean {
    if (entry.kind === 'intent') {
      if (!this.#causes.has(entry.intent.cause)) return false;
      this.#intents.add(entry.intent.id);
      return true;
    }
    if (entry.kind !== 'reading' && entry.kind !== 'attempt' && entry.kind !== 'outcome') return false;
    if (!this.#intents.has(entry.kind === 'reading' ? entry.reading.intent : entry.intent)) return false;
    // The pipe goes on with an answer.
    this.#causes.add(entry.seq);
    return entry.kind !== 'reading';
  }

  /** Whether a window it is in is still open. */
  get waits(): boolean {
    return [...this.#waits.values()].some(({ over }) => !over);
  }

  #note({ seq, verdict, place, key, until = Number.POSITIVE_INFINITY }: Verdict): void {
    this.#causes.add(seq);
    if (verdict === 'waiting' && place !== undefined) this.#waits.set(`${place}\n${key}`, { place, key, until, over: false });
  }

  #later(verdict: Verdict): boolean {
    const { place, key } = verdict;
    const wait = place === undefined ? undefined : this.#waits.get(`${place}\n${key}`);
    if (wait) return this.#atWait(wait, verdict);
    if (verdict.verdict === 'missed') return this.#missedAbove(verdict);
    if (!this.#link || verdict.seq !== this.#link.seq || verdict.at !== this.#link.at) return false;
    if (place === this.#link.place) {
      // Another key's alarm of the same instant.
      this.#link = undefined;
      return false;
    }
    this.#note(verdict);
    return true;
  }

  #atWait(wait: Wait, { verdict, since, seq, at }: Verdict): boolean {
    if (verdict === 'waiting' || verdict === 'passed') return false;
    if (since !== undefined && since > this.#entry.at) {
      // The window has gone on without the event explained.
      if (verdict === 'fired') this.#waits.delete(`${wait.place}\n${wait.key}`);
      return false;
    }
    if (verdict === 'missed') {
      // It was the oldest, and no longer counts.
      if (since === this.#entry.at && at >= wait.until) wait.over = true;
      return true;
    }
    if (wait.over) return false;
    wait.over = true;
    if (verdict === 'fired') {
      this.#causes.add(seq);
      this.#link = { seq, at, place: wait.place };
    }
    return true;
  }

  /** Of a group: something below it waits. */
  #missedAbove({ place, key }: Verdict): boolean {
    return [...this.#waits.values()].some(
      (wait) => !wait.over && place !== undefined && wait.place.startsWith(`${place}/`) && wait.key.startsWith(key),
    );
  }
}

/** What steps that a pipe took come to. */
export function pipeConclusion(steps: readonly Step[], waits: boolean): string {
  const last = steps.at(-1)!;
  if (outcomes.has(last.step) && last.verdict === 'stopped') return `It was stopped at ${last.step}.`;
  const missed = steps.findLast(({ verdict }) => verdict === 'missed');
  if (steps.some(({ step }) => intents.has(step))) return 'It fired and went through.';
  const waiting = steps.findLast(({ verdict }) => verdict === 'waiting');
  if (waits && waiting) return `It still waits at ${waiting.step}${missed ? `; the nearest miss so far: ${missed.detail}` : ''}.`;
  if (missed) return `It did not fire. The nearest miss: ${missed.detail}.`;
  if (last.verdict === 'stopped') return `It was stopped at ${last.step}.`;
  return last.verdict === 'waiting' ? `It still waits at ${last.step}.` : 'It wanted nothing.';
}

const outcomes: ReadonlySet<string> = new Set([...outcomeKindSchema.options, 'stopped']);
const intents: ReadonlySet<string> = new Set([...outcomeKindSchema.options, 'wants', 'notice', 'report', 'apply']);
