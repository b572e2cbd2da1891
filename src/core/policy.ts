// Owns: policy(): what an author writes, fully typed. A policy is data and pure functions; the engine runs it (policy-run.ts).
import type { Observable } from 'rxjs';
import { messageOf, OperatorError } from '../model/errors.ts';
import type { Want } from '../model/intent.ts';
import { ensureValidMs, ensureValidMsMax } from '../model/limits.ts';
import type { Outcome } from '../model/outcome.ts';
import type { QueryKind, QueryRow } from '../model/query.ts';
import { type Duration, durationMs } from '../model/time.ts';
import type { Desire, ResourceDesire } from './desire.ts';
import type { InventoryView } from './facts.ts';
import type { absent } from './operators/absent.ts';
import type { allOf } from './operators/all-of.ts';
import type { dampening } from './operators/dampening.ts';
import type { pair } from './operators/pair.ts';
import type { perKey } from './operators/per-key.ts';
import type { sequence } from './operators/sequence.ts';
import type { SettleOptions, settle } from './operators/settle.ts';
import type { suppress } from './operators/suppress.ts';
import type { threshold } from './operators/threshold.ts';
import type { within } from './operators/within.ts';
import type { EventFrame, Selector } from './selector.ts';

type Selectors = Selector | readonly Selector[];
/** The type of event that selectors give. */
export type EventOf<S> = S extends readonly (infer One)[] ? EventOf<One> : S extends Selector<infer E> ? E : never;

export interface PolicyContext {
  readonly inventory: InventoryView;
}

/** What a pipe gets besides its events. */
export interface PipeTools extends PolicyContext {
  readonly absent: typeof absent;
  readonly allOf: typeof allOf;
  readonly dampening: typeof dampening;
  readonly pair: typeof pair;
  readonly perKey: typeof perKey;
  readonly sequence: typeof sequence;
  readonly settle: typeof settle;
  readonly suppress: typeof suppress;
  readonly threshold: typeof threshold;
  readonly within: typeof within;
  /** Reads a state on a target: `about` says of what, where the query asks for one. Completes without a value where it cannot be read. */
  readonly read: <Q extends QueryKind>(target: string, query: Q, about?: string) => Observable<readonly QueryRow<Q>[]>;
  /** Ensures a resource and gives what became of it. What `event` claims is read before anything is written. */
  readonly act: (desire: ResourceDesire, event?: EventFrame & { readonly kind: string }) => Observable<Outcome>;
  /** Looks until a resource is as desired, for as long as it may take to become effective; writes nothing. */
  readonly prove: (desire: ResourceDesire) => Observable<Outcome>;
  /** Tells people: on the terminal and in `offbox show intents`. `code` is for machines, kebab-case. Completes at once. */
  readonly notice: (code: string, text: string, targets?: readonly string[]) => Observable<never>;
  /** Whether a migration that was asked for is still to be: it has not ended, and nobody has called it off. */
  readonly stands: (request: { readonly uuid: string; readonly request: string }) => boolean;
  /** Whether word that a migration is over is meant for the one that is on or asked for now, not late for one before. True where none is. */
  readonly isMeant: (ended: { readonly uuid: string; readonly to: string; readonly request?: string | undefined }) => boolean;
  /** Tells whoever asked. The last word is `refused`, `done`, `failed` or `cancelled`. Completes at once. */
  readonly report: (event: { readonly request: string }, state: ReportState, text: string) => Observable<never>;
}

export type ReportState = Extract<Want, { kind: 'report' }>['state'];

interface Common<S extends Selectors> {
  /** Kebab-case, the sentence it enforces: `hsrp-active-advertises`. */
  readonly name: string;
  readonly describe?: string;
  /**
   * What its correlations waited for and came due while Offbox was down: rings late (`fire`), or is forgotten (`drop`). Rounds, holds
   * and schedules go on either way. By default `fire`.
   */
  readonly late?: 'fire' | 'drop';
  /** What wakes it. */
  readonly on: S;
}

interface Declarative<S extends Selectors> extends Common<S> {
  /** What belongs together; by default the subject of the meaning. */
  readonly key?: (event: EventOf<S>) => string;
  /** Waits for quiet before it acts. */
  readonly settle?: SettleOptions;
  /** Reads and proves its state again this often, whatever was lost. */
  readonly resync?: Duration;
  /**
   * How long it waits for a target that is away; by default a minute. Longer suits what nobody says again (a VM has moved), for what
   * the event claims is read again before anything is written. Given up after that, a notice says so.
   */
  readonly validFor?: Duration;
  readonly ensure: (event: EventOf<S>, context: PolicyContext) => Desire | readonly Desire[];
  readonly pipe?: never;
  readonly hold?: never;
}

/** Held from what wakes it until something else, and what stood before put back. */
interface Holding<S extends Selectors, U extends Selectors> extends Common<S> {
  /** What belongs together; by default the subject of the meaning. It pairs `on` with `until`: both have it. */
  readonly key?: (event: EventOf<S> | EventOf<U>) => string;
  readonly until: U;
  /** Nobody may say that it is over: then the state is read, and while it is on the hold goes on, with a notice. */
  readonly atMost: Duration;
  /** Once it is over it is held for this long still: what it guards against may come a little later. */
  readonly lingers?: Duration;
  readonly hold: (event: EventOf<S>, context: PolicyContext) => ResourceDesire | readonly ResourceDesire[];
  /** Takes the place of whatever stands there, and puts it back; otherwise the hold is refused where something else stands. */
  readonly replace?: true;
  readonly ensure?: never;
  readonly pipe?: never;
  readonly settle?: never;
  readonly resync?: never;
  readonly validFor?: never;
}

interface Piped<S extends Selectors> extends Common<S> {
  /** RxJS on event time: returns desires, or whatever is left when everything was done by `act`. */
  readonly pipe: (events: Observable<EventOf<S>>, tools: PipeTools) => Observable<unknown>;
  /** How far back its own RxJS operators remember: after a restart it is built again from so long before. */
  readonly horizon?: Duration;
  readonly ensure?: never;
  readonly hold?: never;
  readonly key?: never;
  readonly settle?: never;
  readonly resync?: never;
  readonly validFor?: never;
}

export type PolicySpec<S extends Selectors, U extends Selectors = Selector> = Declarative<S> | Holding<S, U> | Piped<S>;

/** A policy as the engine takes it: the author's types are behind it. */
export interface Policy {
  readonly offbox: 'policy';
  readonly name: string;
  readonly describe: string;
  readonly on: readonly Selector[];
  readonly key?: (event: never) => string;
  readonly settle?: SettleOptions;
  readonly resyncMs?: number;
  readonly validForMs?: number;
  readonly ensure?: (event: never, context: PolicyContext) => Desire | readonly Desire[];
  readonly pipe?: (events: Observable<never>, tools: PipeTools) => Observable<unknown>;
  readonly hold?: HoldSpec;
  readonly late: 'fire' | 'drop';
  readonly horizonMs?: number;
}

export interface HoldSpec {
  readonly until: readonly Selector[];
  readonly atMostMs: number;
  readonly lingersMs: number;
  readonly desires: (event: never, context: PolicyContext) => ResourceDesire | readonly ResourceDesire[];
  readonly replace: boolean;
}

/** A policy with the version that runs. */
export interface DeployedPolicy {
  readonly policy: Policy;
  /** The digest of its bundle. */
  readonly version: string;
  /** The git revision it came from, where there is one. */
  readonly revision?: string;
  /** Its code as one module, `offbox` and rxjs outside; absent where it was not loaded from a file. */
  readonly bundle?: string;
}

const nameForm = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** A schedule finer than this is a poll, not a safety net. */
const resyncMinMs = 1_000;

/** Declares a policy. Everything is inferred; what cannot be is refused here, with the remedy. */
export function policy<const S extends Selectors, const U extends Selectors = Selector>(spec: PolicySpec<S, U>): Policy {
  const refuse = (what: string, remedy: string): never => {
    throw new OperatorError(`Policy "${String(spec.name)}": ${what}`, { code: 'policy-invalid', remedy });
  };
  if (typeof spec.name !== 'string' || !nameForm.test(spec.name))
    refuse('the name is not one', 'Use 1 to 63 lower-case letters, digits and dashes.');
  const on = listOf(spec.on);
  if (on.length === 0 || on.some((selector) => !selector?.select))
    refuse('`on` names nothing to listen to', 'Give it a selector such as fhrp.changed().');
  if ([spec.ensure, spec.hold, spec.pipe].filter(Boolean).length !== 1)
    refuse(
      'it needs exactly one of `ensure`, `hold` and `pipe`',
      'Say what to ensure or to hold, or return intents from a pipe.',
    );
  refuseUnknown(spec, refuse);
  const unheard = (['key', 'settle', 'resync', 'validFor'] as const).find((word) => spec.pipe && spec[word] !== undefined);
  if (unheard) refuse(`\`${unheard}\` says nothing beside a pipe`, 'Use its operators inside the pipe, or `ensure`.');
  const lengthOf = (what: string, duration: Duration): number => {
    try {
      return durationMs(duration);
    } catch (thrown) {
      return refuse(`${what}: ${messageOf(thrown)}`, 'Mend it there.');
    }
  };
  if (spec.settle) {
    const quietMs = lengthOf('settle.quiet', spec.settle.quiet);
    if (spec.settle.atMost !== undefined && lengthOf('settle.atMost', spec.settle.atMost) < quietMs)
      refuse('settle.atMost is shorter than settle.quiet', 'Make it longer.');
  }
  const hold = spec.hold ? holdOf(spec as unknown as Holding<Selectors, Selectors>, lengthOf, refuse) : undefined;
  if (spec.late !== undefined && spec.late !== 'fire' && spec.late !== 'drop')
    refuse(`\`late\` is "${String(spec.late)}"`, "Say 'fire' or 'drop'.");
  const horizon = (spec as Piped<S>).horizon;
  if (horizon !== undefined && !spec.pipe) refuse('`horizon` says nothing without a pipe', 'Leave it out.');
  const horizonMs = horizon === undefined ? undefined : lengthOf('horizon', horizon);
  const resyncMs = spec.resync === undefined ? undefined : lengthOf('resync', spec.resync);
  if (resyncMs !== undefined && resyncMs < resyncMinMs)
    refuse('resync is under 1 s', 'Use minutes: it is what mends a lost event.');
  const validForMs = spec.validFor === undefined ? undefined : lengthOf('validFor', spec.validFor);
  if (validForMs !== undefined && (validForMs < ensureValidMs || validForMs > ensureValidMsMax))
    refuse('validFor is under 1 min or over 7 d', 'Say how long a target may be away and the event still be true, such as 24h.');
  return {
    offbox: 'policy',
    name: spec.name,
    describe: spec.describe ?? '',
    on,
    late: spec.late ?? 'fire',
    ...(horizonMs === undefined ? {} : { horizonMs }),
    ...(spec.key ? { key: spec.key as Policy['key'] & object } : {}),
    ...(spec.settle ? { settle: spec.settle } : {}),
    ...(resyncMs === undefined ? {} : { resyncMs }),
    ...(validForMs === undefined ? {} : { validForMs }),
    ...(spec.ensure ? { ensure: spec.ensure as Policy['ensure'] & object } : {}),
    ...(hold ? { hold } : {}),
    ...(spec.pipe ? { pipe: spec.pipe as Policy['pipe'] & object } : {}),
  };
}

const commonFields = ['name', 'describe', 'late', 'on'];
const fieldsOf = {
  ensure: ['ensure', 'key', 'settle', 'resync', 'validFor'],
  hold: ['hold', 'key', 'until', 'atMost', 'lingers', 'replace'],
  // What says nothing beside a pipe is refused as that.
  pipe: ['pipe', 'horizon', 'key', 'settle', 'resync', 'validFor'],
} as const;

/** A word misspelled is a wish unheard: without types nobody else would say so. */
function refuseUnknown(spec: object, refuse: (what: string, remedy: string) => never): void {
  const form =
    (['ensure', 'hold', 'pipe'] as const).find((each) => each in spec && (spec as Record<string, unknown>)[each]) ?? 'ensure';
  const known = [...commonFields, ...fieldsOf[form]];
  for (const [field, value] of Object.entries(spec))
    if (value !== undefined && field !== 'horizon' && !known.includes(field))
      refuse(`it has no field \`${field}\``, `With \`${form}\` it takes ${known.join(', ')}.`);
  const settle: unknown = 'settle' in spec ? spec.settle : undefined;
  for (const field of Object.keys(settle ?? {}))
    if (field !== 'quiet' && field !== 'atMost') refuse(`\`settle\` has no field \`${field}\``, 'It takes quiet and atMost.');
}

function listOf(selectors: unknown): readonly Selector[] {
  return (Array.isArray(selectors) ? selectors : [selectors]) as readonly Selector[];
}

function holdOf(
  spec: Holding<Selectors, Selectors>,
  lengthOf: (what: string, duration: Duration) => number,
  refuse: (what: string, remedy: string) => never,
): HoldSpec {
  const until = listOf(spec.until);
  if (until.length === 0 || until.some((selector) => !selector?.select))
    refuse('`until` names nothing that ends the hold', 'Give it a selector such as vm.migrationEnded().');
  if ([...listOf(spec.on), ...until].some(({ select }) => select !== 'meaning'))
    refuse('a hold listens to meanings, not to messages', 'Use a selector such as vm.migrationStarted(), or a pipe.');
  if (spec.atMost === undefined) refuse('`atMost` is missing', "Say when to look whether it is still on, such as '30m'.");
  const desires = spec.hold as unknown as HoldSpec['desires'];
  const lingersMs = spec.lingers === undefined ? 0 : lengthOf('lingers', spec.lingers);
  return { until, atMostMs: lengthOf('atMost', spec.atMost), lingersMs, desires, replace: spec.replace === true };
}

export function isPolicy(value: unknown): value is Policy {
  return typeof value === 'object' && value !== null && 'offbox' in value && value.offbox === 'policy';
}
