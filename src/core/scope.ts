// Owns: the scope an operator lives in: which policy, where in its pipeline, below which group; its cells, its clock, its
// voice. Operators written by authors as plain functions (`settle(…)`, `threshold(…)`) find it as the current scope,
// which is set only while a pipeline is being built: synchronous, so never another policy's.

import type { Entry } from '../model/entry.ts';
import { OperatorError } from '../model/errors.ts';
import type { CellStore, Cells } from './cells.ts';
import type { EventClock } from './clock.ts';

/** What an operator says of one event, for `offbox explain`. */
export interface Verdict {
  readonly policy: string;
  /** The entry that made it say so. */
  readonly seq: number;
  readonly at: number;
  /** `on`, `key`, `settle`, `exclusive`, … */
  readonly step: string;
  readonly key: string;
  /** `missed`: it nearly did; the detail says by what. */
  readonly verdict: 'passed' | 'stopped' | 'waiting' | 'fired' | 'missed';
  readonly detail: string;
  /** Of a correlation: the operator's place in its pipe. */
  readonly place?: string;
  /** … when the earliest event that the verdict is about came. */
  readonly since?: number;
  /** … until when it holds. */
  readonly until?: number;
}

/** What a correlation says besides: so that `explain` can follow an event until its window is over. */
export type VerdictFrame = Pick<Verdict, 'place' | 'since' | 'until'>;

/** What an engine gives every scope of one policy. */
export interface ScopeHost {
  readonly policy: string;
  readonly clock: EventClock;
  readonly store: CellStore;
  /** The entry being stepped: its seq, and its `at` (later than the clock while overdue alarms ring). */
  entry(): Pick<Entry, 'seq' | 'at'>;
  /** While a pipe is built from a snapshot. What it gives as soon as it is subscribed to the operators have had before. */
  puttingBack(): boolean;
  /** Runs what an alarm sets off: a throw stops this policy and no other (law E7). */
  guard(act: () => void): void;
  /** Present only while explaining. */
  readonly trace: ((verdict: Verdict) => void) | undefined;
}

export class Scope {
  readonly host: ScopeHost;
  readonly path: string;
  /** The keys of the groups it is below, each ended with a NUL (and free of any: a key may be what a device sent); empty at the top. */
  readonly prefix: string;
  #operators = 0;

  constructor(host: ScopeHost, path: string, prefix: string) {
    this.host = host;
    this.path = path;
    this.prefix = prefix;
  }

  /** Names the next operator of this pipeline by its place: `my-policy/0.perKey/1.threshold`. */
  place(operator: string): string {
    return `${this.path}/${this.#operators++}.${operator}`;
  }

  cells<T>(place: string, ring: (key: string) => void, dropped?: (key: string) => void): Cells<T> {
    const guarded = (key: string): void => this.host.guard(() => ring(key));
    return this.host.store.open<T>(place, this.prefix, { ring: guarded, ...(dropped ? { dropped } : {}) });
  }

  now(): number {
    return this.host.clock.now();
  }

  /** When the entry being stepped was admitted: what is asked for now can be answered only after it. */
  entryAt(): number {
    return this.host.entry().at;
  }

  get puttingBack(): boolean {
    return this.host.puttingBack();
  }

  /** Whether anybody hears what is said: what is remembered only to be said is remembered only then. */
  get traced(): boolean {
    return this.host.trace !== undefined;
  }

  say(step: string, key: string, verdict: Verdict['verdict'], detail: () => string, frame?: VerdictFrame): void {
    this.host.trace?.({
      policy: this.host.policy,
      seq: this.host.entry().seq,
      at: this.now(),
      step,
      key: this.prefix.slice(0, -1) + key,
      verdict,
      detail: detail(),
      ...frame,
    });
  }

  /** A scope for one group below the operator at `place`. */
  below(place: string, key: string): Scope {
    const free = key.replaceAll('\u0001', '\u00011').replaceAll('\u0000', '\u00010');
    return new Scope(this.host, place, `${this.prefix}${free}\u0000`);
  }

  /** Builds a pipeline in this scope. */
  build<T>(make: () => T): T {
    const before = current;
    current = this;
    try {
      return make();
    } finally {
      current = before;
    }
  }
}

let current: Scope | undefined;

/** Whether a pipeline is being built: what it does now it does again whenever it is built. */
export function isBuilding(): boolean {
  return current !== undefined;
}

/** The scope of the pipeline being built. */
export function currentScope(operator: string): Scope {
  if (!current) {
    throw new OperatorError(`${operator}() was called outside a pipeline`, {
      code: 'operator-outside-pipeline',
      remedy: 'Call it while the pipe function of a policy runs, not later and not at the top of the file.',
    });
  }
  return current;
}
