// Port: what one network operating system says and means: prompts and modes, what to ask to read a state, what to send
// to change a resource. Sans I/O: a dialogue yields commands and is fed the replies.
import type { Desired, Resource } from '../model/intent.ts';
import type { QueryKind, QueryRow } from '../model/query.ts';
import type { PlatformName, Target } from '../model/target.ts';
import type { Verdict } from '../resources/verdict.ts';
import type { Command, Reply } from './actuator.ts';

/** Yields what to send, is resumed with what came back, returns what it all meant. Throws TargetError on nonsense. */
export type Dialogue<T> = Generator<Command, T, Reply>;

/** How a CLI session of this platform looks; data for the prompt engine. */
export interface CliDialect {
  /** Matches a whole last line that is a prompt; group `host`, and group `mode` where the prompt names a configuration mode. */
  readonly prompt: RegExp;
  /** Asked for a password, on login or enable. */
  readonly passwordPrompt: RegExp;
  /** Lines to send first: no paging, wide terminal. Their refusal is no fault. */
  readonly preamble: readonly string[];
  /** To leave user mode, where the platform has one and the prompt ends in `>`. */
  readonly enable?: string;
  readonly configure: string;
  /** Ends configuration mode from any depth. */
  readonly leaveConfigure: string;
  /** Shown when a screen is full, and what to press. */
  readonly pager: { readonly pattern: RegExp; readonly key: string };
  /** A line of output that means the command was refused. */
  readonly failures: readonly RegExp[];
}

/** As much of a state as plan() needs, and the rest of it. */
export interface Looked<S> {
  readonly state: S;
  rest(): Dialogue<S>;
}

/** Reads and changes one kind of resource. */
export interface ResourceDriver<R extends Resource = Resource, S = unknown> {
  read(resource: R, target: Target): Dialogue<S>;
  /** The first part of read(), where that is enough for plan(): what restores service does not wait for what proves it. */
  look?(resource: R, target: Target): Dialogue<Looked<S>>;
  /** What to send so that `desired` holds; empty where it already does. Pure. Throws TargetError `refused` where ambiguous. */
  plan(state: S, resource: R, desired: Desired, target: Target): readonly Command[];
  /** Whether `desired` is not only configured but effective; otherwise what is missing, in one sentence. */
  verify(state: S, resource: R, desired: Desired, target: Target): Verdict;
  /** One line for people and evidence: `network configured, in the BGP table, advertised to 10.0.2.1`. */
  describe(state: S): string;
  /** What stands there, where the resource is a place with a value (a port's policy-map); null: nothing. A hold restores it. */
  value?(state: S): string | null;
  /**
   * Of an attempt that nobody followed to its end (a crash, a lost session): why it has failed for good, so that it is not
   * waited for and not tried again. Undefined: something of it may still be under way.
   */
  abandoned?(state: S, resource: R, desired: Desired): string | undefined;
  /** Where an application or its effect takes longer than a command (a migration), milliseconds. */
  readonly applyDeadlineMs?: number;
  readonly verifyDeadlineMs?: number;
}

/** How the state that a query asks for is read on this platform. */
export type QueryReader<Q extends QueryKind> = (
  target: Target,
  ask: { readonly about: string | undefined; readonly protocol: 'hsrp' | 'vrrp' },
) => Dialogue<readonly QueryRow<Q>[]>;

export interface Platform {
  readonly name: PlatformName;
  readonly cli?: CliDialect;
  readonly queries: { readonly [Q in QueryKind]?: QueryReader<Q> };
  /** By resource kind. */
  readonly resources: Readonly<Record<string, ResourceDriver>>;
}
