// Owns: what an engine keeps of each policy, and small things it says.
import { type Entry, isRemoval } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import type { Remembered } from './cells.ts';
import type { DeployedPolicy } from './policy.ts';
import type { PolicyEvent, PolicyRun } from './policy-run.ts';
import type { SavedPolicy } from './saved-engine.ts';
import type { Match } from './selector.ts';

export interface Slot {
  /** Its place among those deployed. */
  readonly number: number;
  /** Takes no part until a snapshot says how it stands: no deploy entry wakes it. */
  dormant: boolean;
  readonly deployed: DeployedPolicy;
  /** Running from its deploy entry on, until it is stopped. */
  run: PolicyRun | undefined;
  /** Stopped, with something held that is still to be let go of. */
  ending: PolicyRun | undefined;
  stopped: string | undefined;
  /** It was ended from outside: from there on it is given nothing, until the entry that says so. */
  withheld: readonly Withheld[];
  since: number;
  /** Intents made, and alarms rung, in the step of `steppedAt`. */
  made: number;
  rung: number;
  steppedAt: number;
}

export interface PolicyStatus {
  readonly name: string;
  readonly describe: string;
  readonly version: string;
  readonly revision?: string;
  readonly state: 'running' | 'waiting for its deploy entry' | 'stopped';
  readonly reason?: string;
  /** `at` of its deploy entry. */
  readonly since: number;
  /** What its operators remember, and had no room for. */
  readonly remembered: readonly Remembered[];
}

/** A policy that was ended from outside at entry `cause`. */
export interface Withheld {
  readonly from: number;
  readonly cause: number;
}

/** Told of each call of a policy, before and after: from outside it can be seen which one does not come back. */
export interface CallWatch {
  /** `policy`: its place among those deployed; `seq`: of the entry being stepped. */
  enter(policy: number, seq: number): void;
  leave(policy: number): void;
}

/** All policies deployed. They come by the ten thousand: what is asked for after each entry is not sought among all of them. */
export class Slots {
  readonly all: readonly Slot[];
  readonly #byName: ReadonlyMap<string, Slot>;
  readonly #unsettled = new Set<Slot>();

  constructor(policies: readonly DeployedPolicy[]) {
    this.all = policies.map(slotOf);
    this.#byName = new Map(this.all.map((slot) => [slot.deployed.policy.name, slot]));
  }

  at(number: number): Slot {
    return this.all[number]!;
  }

  named(policy: string): Slot | undefined {
    return this.#byName.get(policy);
  }

  /** To be said whenever its policy was called, begun or stopped: only then does a pipe begin or cease to wait. */
  called(slot: Slot): void {
    if (slot.run && !slot.run.settled) this.#unsettled.add(slot);
    else this.#unsettled.delete(slot);
  }

  /** By policy, all but those whose files are gone and that hold nothing any more. */
  versionsLeft(holds: (policy: string) => boolean): Readonly<Record<string, string>> {
    const left: Record<string, string> = {};
    for (const { deployed, stopped } of this.all) {
      const { name } = deployed.policy;
      if (stopped === undefined || !isRemoval(stopped) || holds(name)) left[name] = deployed.version;
    }
    return left;
  }

  /** The policies whose pipe waits for an answer (PolicyRun.settled), in the order they were deployed in. */
  unsettled(): readonly string[] {
    const waiting = [...this.#unsettled].sort((a, b) => a.number - b.number);
    return waiting.map(({ deployed }) => deployed.policy.name);
  }
}

function slotOf(deployed: DeployedPolicy, number: number): Slot {
  const nothing = { run: undefined, ending: undefined, stopped: undefined, withheld: [] };
  return { number, deployed, dormant: false, ...nothing, since: 0, made: 0, rung: 0, steppedAt: 0 };
}

export function statusOf({ deployed, run, stopped, since }: Slot, remembered: readonly Remembered[]): PolicyStatus {
  const { policy, version, revision } = deployed;
  return {
    name: policy.name,
    describe: policy.describe,
    version,
    ...(revision === undefined ? {} : { revision }),
    state: stopped !== undefined ? 'stopped' : run ? 'running' : 'waiting for its deploy entry',
    ...(stopped === undefined ? {} : { reason: stopped }),
    since,
    remembered,
  };
}

export function savedOf({ deployed: { policy, version }, run, ending, stopped, since }: Slot): SavedPolicy {
  return {
    name: policy.name,
    version,
    state: run ? 'running' : ending ? 'ending' : stopped === undefined ? 'waiting' : 'stopped',
    ...(stopped === undefined ? {} : { reason: stopped }),
    since,
    settled: run?.settled ?? true,
  };
}

/** An event as a policy gets it: `fields` are those of the meaning, or of the message, that it listens to. */
export function policyEventOf(
  event: Event,
  fields: { readonly kind: string },
  groups: Match['groups'],
  { seq, at }: Pick<Entry, 'seq' | 'at'>,
): PolicyEvent {
  const frame = { seq, at, target: event.target ?? '', trust: event.origin.trust };
  return { ...fields, ...(groups ? { groups } : {}), ...frame, ...(event.because ? { because: event.because } : {}) };
}

/** An intent's id without policy and version: `seq/n`. A new version of a policy still knows what the old one waits for. */
export function serialOf(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}
