// Owns: a rig for core tests: an engine fed as the host feeds it (one entry at a time, intents journaled after the entry
// that caused them, a tick where only an alarm is due), with everything it took kept for a replay.
import { Engine, type PolicyFault, type StepResult } from '../../src/core/engine.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Verdict } from '../../src/core/scope.ts';
import type { Entry, EntryBody, Reading } from '../../src/model/entry.ts';
import type { Event } from '../../src/model/event.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { OutcomeKind } from '../../src/model/outcome.ts';
import { type Inventory, inventorySchema } from '../../src/model/target.ts';

/** Any time will do: nothing may hang on it. */
export const start = 1_700_000_000_000;

const router = (address: string) => ({ platform: 'cisco-ios', address });
/** Two gateways: lan23 on r1, r2, r3; lan42 on r1 and r2. */
export const inventory: Inventory = inventorySchema.parse({
  targets: { r1: router('10.0.0.1'), r2: router('10.0.0.2'), r3: router('10.0.0.3') },
  gateways: {
    lan23: { protocol: 'hsrp', members: ['r1', 'r2', 'r3'].map((target) => ({ target, interface: 'Vlan23', group: 23 })) },
    lan42: { protocol: 'hsrp', members: ['r1', 'r2'].map((target) => ({ target, interface: 'Vlan42', group: 42 })) },
  },
});

/** The gateway lan23 with these members only. */
export const gatewayOf = (...targets: string[]): Inventory => ({
  targets: inventory.targets,
  gateways: {
    lan23: {
      ...inventory.gateways.lan23!,
      members: inventory.gateways.lan23!.members.filter(({ target }) => targets.includes(target)),
    },
  },
});

export const origin = { source: 'syslog', peer: '10.0.0.1', transport: 'udp', trust: 'claimed', raw: '' } as const;

export const eventOf = (target: string, meaning: Meaning): Event => ({ target, meaning, origin });

export const hsrpEvent = (target: string, to: 'active' | 'standby' | 'speak' | 'init', group = 23): Event =>
  eventOf(target, { kind: 'hsrp.state-changed', interface: `Vlan${group}`, group, to });

export const gap = (...targets: string[]): Event => ({
  meaning: { kind: 'source.gap', source: 'offbox', reason: 'a test', ...(targets.length > 0 ? { targets } : {}) },
  origin: { ...origin, transport: 'local' },
});

/** A syslog message without a meaning, whose text is all there is to it. */
export const textEvent = (text: string, target = 'r1'): Event => ({
  target,
  meaning: null,
  syslog: { pri: 189, facility: 23, severity: 5, mnemonic: 'TEST-5-LETTER', host: null, app: null, text },
  origin,
});

export const row = (role: 'active' | 'standby' | 'other', state: string = role === 'other' ? 'listen' : role, group = 23) => ({
  interface: `Vlan${group}`,
  group,
  family: 'ipv4' as const,
  role,
  state,
});

export interface RigOptions {
  readonly inventory?: Inventory;
  readonly version?: string;
  readonly at?: number;
  readonly trace?: (verdict: Verdict) => void;
}

export class Rig {
  engine: Engine;
  readonly entries: Entry[] = [];
  readonly intents: Intent[] = [];
  readonly faults: PolicyFault[] = [];
  now: number;
  #nextDue: number | undefined;
  readonly #policies: readonly Policy[];
  readonly #version: string;

  constructor(policies: readonly Policy[], options: RigOptions = {}) {
    this.#policies = policies;
    this.#version = options.version ?? 'v1';
    this.now = options.at ?? start;
    this.engine = this.#newEngine(options.trace);
    this.feed({ kind: 'inventory', inventory: options.inventory ?? inventory });
    for (const { name } of policies) this.deploy(name);
  }

  /** Appends an entry at the present, steps it, and journals what it made. */
  feed(body: EntryBody): StepResult {
    const result = this.#step(body);
    if (result.intents.length + result.faults.length > 0) this.#step({ kind: 'decided', through: this.entries.length });
    for (const intent of result.intents) this.#step({ kind: 'intent', intent });
    for (const fault of result.faults) this.#step({ kind: 'quarantine', ...fault });
    return result;
  }

  event(event: Event): readonly Intent[] {
    return this.feed({ kind: 'event', event }).intents;
  }

  deploy(policy: string, version = this.#version): StepResult {
    return this.feed({ kind: 'deploy', policy, version, runtime: 'test' });
  }

  outcome(intent: Intent, kind: OutcomeKind): readonly Intent[] {
    return this.feed({ kind: 'outcome', intent: intent.id, outcome: { kind } }).intents;
  }

  reading(intent: Intent | string, result: Reading['result'], target?: string): readonly Intent[] {
    const id = typeof intent === 'string' ? intent : intent.id;
    const asked = typeof intent === 'string' ? target! : targetOf(intent);
    return this.feed({ kind: 'reading', reading: { target: asked, query: 'fhrp', intent: id, result, tookMs: 1 } }).intents;
  }

  /** Lets time pass: a tick at each alarm that comes due, as the host stamps them. Returns what came of it. */
  pass(ms: number): readonly Intent[] {
    const until = this.now + ms;
    const before = this.intents.length;
    while (this.#nextDue !== undefined && this.#nextDue <= until) {
      this.now = Math.max(this.now, this.#nextDue);
      this.feed({ kind: 'tick' });
    }
    this.now = until;
    return this.intents.slice(before);
  }

  /** Crashes and comes back from a snapshot of the cells, as JSON keeps it. */
  restart(): void {
    const snapshot = JSON.parse(JSON.stringify(this.engine.cells.snapshot())) as ReturnType<Engine['cells']['snapshot']>;
    const stopped = new Set(this.engine.policies().flatMap(({ name, state }) => (state === 'running' ? [] : [name])));
    this.engine = this.#newEngine();
    this.engine.cells.restore(snapshot);
    // There is no snapshot of facts and ledger yet: they are folded again, before any policy runs.
    for (const entry of this.entries) {
      this.engine.facts.fold(entry);
      this.engine.ledger.fold(entry);
    }
    for (const { name } of this.#policies)
      if (!stopped.has(name)) this.#step({ kind: 'deploy', policy: name, version: this.#version, runtime: 'test' });
  }

  #newEngine(trace?: (verdict: Verdict) => void): Engine {
    return new Engine(
      this.#policies.map((policy) => ({ policy, version: this.#version })),
      trace ? { trace } : {},
    );
  }

  #step(body: EntryBody): StepResult {
    const entry = { ...body, at: this.now, seq: this.entries.length + 1 };
    this.entries.push(entry);
    const result = this.engine.step(entry);
    this.intents.push(...result.intents);
    this.faults.push(...result.faults);
    this.#nextDue = result.nextDue;
    return result;
  }
}

/** The same entries through a new engine. */
export function replay(policies: readonly Policy[], entries: readonly Entry[], version = 'v1') {
  const engine = new Engine(policies.map((policy) => ({ policy, version })));
  const intents: Intent[] = [];
  const faults: PolicyFault[] = [];
  for (const entry of entries) {
    const result = engine.step(entry);
    intents.push(...result.intents);
    faults.push(...result.faults);
  }
  return { engine, intents, faults };
}

export function targetOf({ want }: Intent): string {
  if (want.kind === 'notice') return want.targets.join(' ');
  if (want.kind === 'report') return '';
  return want.kind === 'ensure' ? want.resource.target : want.target;
}

/** One line an intent: `read r1`, `present r2`, `absent r1`, `notice none-active`. */
export function line(intent: Intent): string {
  const { want } = intent;
  if (want.kind === 'notice') return `notice ${want.code}`;
  if (want.kind === 'report') return `report ${want.state}`;
  return want.kind === 'read' ? `read ${want.target}` : `${want.desired} ${want.resource.target}`;
}

export const lines = (intents: readonly Intent[]): string[] => intents.map(line);
