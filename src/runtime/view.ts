// Owns: what `offbox show` shows, folded from entries: live from the running host, or from the journal of a stopped one.
import type { Engine } from '../core/engine.ts';
import type { FhrpFact, TargetFact } from '../core/facts.ts';
import type { PolicyStatus } from '../core/slot.ts';
import type { Migration } from '../core/vm-migration.ts';
import type { Place } from '../model/domain-place.ts';
import type { Entry } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import type { Intent } from '../model/intent.ts';
import type { Outcome } from '../model/outcome.ts';
import type { LineStatus } from './line.ts';
import type { Requests, ShownRequest } from './requests.ts';

/** How many of the newest are kept for showing; the journal has them all. */
const shownMax = 1_000;

export interface ShownEvent {
  readonly seq: number;
  readonly at: number;
  readonly event: Event;
}

export interface ShownIntent {
  readonly seq: number;
  readonly at: number;
  readonly intent: Intent;
  readonly attempts: number;
  /** `open`, or the outcome's kind. */
  readonly state: string;
  readonly outcome?: Outcome;
  readonly endedAt?: number;
}

export interface ShownGateway {
  readonly gateway: string;
  readonly protocol: string;
  readonly vrf: string;
  readonly prefixes: readonly string[];
  readonly members: readonly {
    readonly target: string;
    readonly row: string;
    readonly role: string;
    readonly known: string;
    readonly since?: number;
    /** The line to it now; known only while Offbox runs. */
    readonly line?: LineStatus['state'] | undefined;
  }[];
}

export interface ShownVm {
  readonly vm: string;
  readonly uuid: string;
  readonly places: readonly { readonly host: string; readonly place: Place; readonly off: boolean }[];
  readonly macs: readonly string[];
  readonly migration?: Pick<Migration, 'from' | 'to' | 'phase' | 'since'>;
}

export class View {
  #engine: Engine;
  readonly #requests: Requests;
  readonly #events = new Ring();
  readonly #intents = new Map<string, ShownIntent>();

  constructor(engine: Engine, requests: Requests) {
    this.#engine = engine;
    this.#requests = requests;
  }

  /** Another engine is in force. */
  look(engine: Engine): void {
    this.#engine = engine;
  }

  /** To be called with every entry, after it was stepped. */
  take(entry: Entry): void {
    this.#requests.take(entry);
    this.show(entry);
  }

  /** One that the requests know already: they were put back as they were after it. */
  show(entry: Entry): void {
    if (entry.kind === 'event') this.#events.push(entry);
    else if (entry.kind === 'intent')
      this.#add({
        seq: entry.seq,
        at: entry.at,
        intent: entry.intent,
        attempts: 0,
        state: entry.intent.want.kind === 'notice' ? 'told' : 'open',
      });
    else if (entry.kind === 'attempt') this.#change(entry.intent, (intent) => ({ ...intent, attempts: intent.attempts + 1 }));
    else if (entry.kind === 'outcome')
      this.#change(entry.intent, (intent) => ({
        ...intent,
        state: entry.outcome.kind,
        outcome: entry.outcome,
        endedAt: entry.at,
      }));
    else if (entry.kind === 'command' && entry.verb === 'resolve') {
      const [id = '', answer = ''] = entry.arguments;
      const reason = `answered by ${entry.by}`;
      this.#change(id, ({ outcome, ...intent }) =>
        answer === 'again'
          ? { ...intent, state: 'open' }
          : { ...intent, state: answer, outcome: { kind: outcome?.kind ?? 'unknown', reason } },
      );
    } else if (entry.kind === 'reading')
      this.#change(entry.reading.intent, (intent) => ({
        ...intent,
        state: entry.reading.result.kind === 'rows' ? 'read' : entry.reading.result.kind,
        endedAt: entry.at,
      }));
  }

  events(): readonly ShownEvent[] {
    return this.#events.all();
  }

  /** The newest; and before them those that wait for an operator's answer, however old. */
  intents(): readonly ShownIntent[] {
    const waiting = this.#engine.ledger.unknown().filter(({ intent }) => !this.#intents.has(intent.id));
    const older = waiting.map(
      ({ intent, seq, at, outcome, endedAt }): ShownIntent => ({
        seq,
        at,
        intent,
        attempts: 1,
        state: 'unknown',
        outcome,
        endedAt,
      }),
    );
    return [...older, ...this.#intents.values()];
  }

  requests(): readonly ShownRequest[] {
    return this.#requests.all();
  }

  policies(): readonly PolicyStatus[] {
    return this.#engine.policies();
  }

  facts(): { readonly fhrp: readonly FhrpFact[]; readonly targets: readonly TargetFact[] } {
    return { fhrp: this.#engine.facts.allFhrp(), targets: this.#engine.facts.allTargets() };
  }

  /** Each VM heard of: where it is, with which addresses, and the migration that is on. */
  vms(): readonly ShownVm[] {
    return this.#engine.facts.vms.all().map(({ uuid, vm, places, nics, migration }) => ({
      vm,
      uuid,
      places: Object.entries(places).flatMap(([host, { place, off }]) => (place === 'gone' ? [] : [{ host, place, off }])),
      macs: nics.map(({ mac }) => mac),
      ...(migration
        ? { migration: { from: migration.from, to: migration.to, phase: migration.phase, since: migration.since } }
        : {}),
    }));
  }

  gateways(): readonly ShownGateway[] {
    const { facts } = this.#engine;
    return Object.entries(facts.inventory.gateways).map(([gateway, { protocol, vrf, prefixes, members }]) => ({
      gateway,
      protocol,
      vrf,
      prefixes,
      members: members.map(({ target, interface: name, group, instance, family }) => {
        const fact = facts.fhrp(gateway, target);
        const row = [name, group === undefined ? instance : `group ${group}`, family].filter(Boolean).join(' ');
        return {
          target,
          row,
          role: fact?.role ?? 'unknown',
          known: fact ? fact.by : 'not yet',
          ...(fact ? { since: fact.at } : {}),
        };
      }),
    }));
  }

  #add(shown: ShownIntent): void {
    if (this.#intents.size >= shownMax) this.#intents.delete(this.#intents.keys().next().value!);
    this.#intents.set(shown.intent.id, shown);
  }

  #change(id: string, change: (intent: ShownIntent) => ShownIntent): void {
    const shown = this.#intents.get(id);
    if (shown) this.#intents.set(id, change(shown));
  }
}

/**
 * Column by column. A record made for each event V8 comes to make old from birth (it takes those of the start for long-lived), and then
 * each holds its event until old space is collected: at 25,000 events a second that made collections five times as long.
 */
class Ring {
  readonly #seqs = new Float64Array(shownMax);
  readonly #ats = new Float64Array(shownMax);
  readonly #events: Event[] = [];
  /** The oldest, once it is full. */
  #start = 0;

  push({ seq, at, event }: ShownEvent): void {
    const place = this.#start;
    this.#seqs[place] = seq;
    this.#ats[place] = at;
    this.#events[place] = event;
    this.#start = (place + 1) % shownMax;
  }

  all(): readonly ShownEvent[] {
    const { length } = this.#events;
    return Array.from({ length }, (_, index) => {
      const place = length < shownMax ? index : (this.#start + index) % shownMax;
      return { seq: this.#seqs[place]!, at: this.#ats[place]!, event: this.#events[place]! };
    });
  }
}
