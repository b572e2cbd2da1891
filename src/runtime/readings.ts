// Owns: reading states on targets, each reading an entry, and how fresh the last one is.
import { rowOf } from '../core/facts.ts';
import { placeOf } from '../model/domain-place.ts';
import { type EntryBody, type Reading, rowsOf } from '../model/entry.ts';
import { OperatorError, summaryOf, TargetError, toldOf } from '../model/errors.ts';
import type { Requirement, Resource } from '../model/intent.ts';
import { readDeadlineMs, readingBytesMax, readingFreshMs } from '../model/limits.ts';
import type { DomainRow, FhrpRow, QueryKind } from '../model/query.ts';
import type { Gateway, Inventory } from '../model/target.ts';
import type { Dialogue, Platform, QueryReader, ResourceDriver } from '../ports/platform.ts';
import type { Wall } from '../ports/wall.ts';
import { cut } from './entry-bound.ts';
import { cannotBeReached, type Line } from './line.ts';

type Protocol = Gateway['protocol'];

export interface ReadingsOptions {
  readonly wall: Wall;
  readonly lines: ReadonlyMap<string, Line>;
  readonly platforms: Readonly<Record<string, Platform>>;
  readonly inventory: Inventory;
  readonly journal: (body: EntryBody) => Promise<unknown>;
}

interface Fresh {
  readonly reading: Reading;
  readonly takenAt: number;
}

/** What to read: as a `read` wants it. */
export interface Question {
  readonly target: string;
  readonly query: QueryKind;
  readonly about?: string | undefined;
}

/** Whether a requirement holds, and if not, why: as an outcome would say it. */
export type Holds =
  | { readonly holds: true }
  | { readonly holds: false; readonly kind: 'held' | 'rejected'; readonly reason: string };

export class Readings {
  readonly #options: ReadingsOptions;
  readonly #last = new Map<string, Fresh>();

  constructor(options: ReadingsOptions) {
    this.#options = options;
  }

  /** Reads a state now, hands the reading to the journal under `intent`, and remembers it as fresh. */
  async take({ target, query, about }: Question, intent: string): Promise<Reading> {
    const { wall, journal } = this.#options;
    const askedAt = wall.monotonic();
    const keep = (result: Reading['result']): Reading => {
      const tookMs = Math.round((wall.monotonic() - askedAt) * 1000) / 1000;
      const reading = kept({ target, query, ...(about === undefined ? {} : { about }), intent, result, tookMs });
      if (about === undefined) this.#last.set(`${target} ${query}`, { reading, takenAt: askedAt });
      return reading;
    };
    let answered: Reading | undefined;
    const result = await this.#ask({ target, query, about }, (rows) => {
      answered = keep(rows);
    });
    const reading = answered ?? keep(result);
    // Not waited for: whatever is journaled because of it comes behind it, and what goes wrong is the host's to tell.
    void journal({ kind: 'reading', reading }).catch(() => undefined);
    return reading;
  }

  /** Reads a state now, and leaves no trace of it. */
  peek({ target, query, about }: Question): Promise<Reading['result']> {
    return this.#ask({ target, query, about });
  }

  /**
   * Checks a requirement against a reading asked for less than 2 s ago. A reading that old may carry a write, but it
   * cannot deny one: it may be older than the event. Where it does not hold, the state is read now.
   */
  async check(requirement: Requirement, intent: string): Promise<Holds> {
    const { target, query } = requirement;
    const last = this.#last.get(`${target} ${query}`);
    if (last && this.isFresh(requirement)) {
      const held = judge(requirement, last.reading);
      if (held.holds) return held;
    }
    const answer = judge(requirement, await this.take({ target, query }, `${intent}/check`));
    const left = leftOf(requirement);
    if (answer.holds || answer.kind === 'held' || !left) return answer;
    return judge(left, await this.take({ target: left.target, query }, `${intent}/check`));
  }

  /** Whether it holds by what was read less than 2 s ago, without asking anybody. */
  stands(requirement: Requirement): boolean {
    const left = leftOf(requirement);
    const last = this.#last.get(`${requirement.target} ${requirement.query}`);
    const holds = last !== undefined && this.isFresh(requirement) && judge(requirement, last.reading).holds;
    return holds || (left !== undefined && this.stands(left));
  }

  isFresh({ target, query }: Requirement): boolean {
    const last = this.#last.get(`${target} ${query}`);
    return last !== undefined && this.#options.wall.monotonic() - last.takenAt < readingFreshMs;
  }

  /** The driver of a resource on its target. */
  driver(resource: Resource): ResourceDriver | undefined {
    const platform = this.#options.inventory.targets[resource.target]?.platform;
    return platform === undefined ? undefined : this.#options.platforms[platform]?.resources[resource.kind];
  }

  /** `answered` hears of the rows before anything else is said on the line: a write that waits there must know them. */
  async #ask({ target, query, about }: Question, answered?: (result: Reading['result']) => void): Promise<Reading['result']> {
    const described = this.#options.inventory.targets[target];
    const line = this.#options.lines.get(target);
    const start =
      described && (this.#options.platforms[described.platform]?.queries[query] as QueryReader<QueryKind> | undefined);
    if (!described || !line) return { kind: 'unreadable', reason: `${target} is not in the inventory` };
    if (!start) return { kind: 'unreadable', reason: `Offbox cannot read ${query} on ${described.platform} yet` };
    const protocols = query === 'fhrp' ? protocolsOf(this.#options.inventory, target) : (['hsrp'] as const);
    try {
      return await line.read(function* (): Dialogue<Reading['result']> {
        const rows = yield* inEach(protocols, (protocol) => start(described, { about, protocol }));
        const result: Reading['result'] = { kind: 'rows', rows: [...rows] };
        answered?.(result);
        return result;
      }, readDeadlineMs);
    } catch (thrown) {
      const transport = thrown instanceof TargetError && thrown.retry;
      if (!transport)
        return { kind: 'unreadable', reason: cut(thrown instanceof OperatorError ? toldOf(thrown) : summaryOf(thrown)) };
      // Whoever tells a reading names its target.
      return { kind: 'unreachable', reason: cut(summaryOf(thrown).replace(`${target} ${cannotBeReached}: `, '')) };
    }
  }
}

/** As the journal takes it: what is not kept must not be acted on either. */
function kept(reading: Reading): Reading {
  const bytes = Buffer.byteLength(JSON.stringify(reading));
  if (bytes <= readingBytesMax) return reading;
  const reason = `it says ${bytes} bytes of ${reading.query}, and ${readingBytesMax} are kept at most`;
  return { ...reading, result: { kind: 'unreadable', reason } };
}

/** Those of the gateways it is in: there may be one of each. */
function protocolsOf(inventory: Inventory, target: string): readonly Protocol[] {
  const gateways = Object.values(inventory.gateways).filter(({ members }) => members.some((each) => each.target === target));
  return gateways.length === 0 ? ['hsrp'] : [...new Set(gateways.map(({ protocol }) => protocol))];
}

/** What each shows. One that cannot be read says nothing of the other: its own gateways miss their rows. */
function* inEach<R>(
  protocols: readonly Protocol[],
  start: (protocol: Protocol) => Dialogue<readonly R[]>,
): Dialogue<readonly R[]> {
  const rows: R[] = [];
  const faults: unknown[] = [];
  for (const protocol of protocols) {
    try {
      rows.push(...(yield* start(protocol)));
    } catch (thrown) {
      faults.push(thrown);
    }
  }
  if (faults.length === protocols.length) throw faults[0];
  return rows;
}

/** What does as well: where it was it is not. */
function leftOf(requirement: Requirement): Requirement | undefined {
  if (requirement.query !== 'domains' || !requirement.orGoneFrom) return undefined;
  const { query, uuid, orGoneFrom } = requirement;
  return { query, target: orGoneFrom, uuid, is: 'gone' };
}

function judge(requirement: Requirement, reading: Reading): Holds {
  const { result, target } = reading;
  if (result.kind === 'unreachable')
    return { holds: false, kind: 'held', reason: `${target} ${cannotBeReached}: ${result.reason}` };
  if (result.kind === 'unreadable')
    return { holds: false, kind: 'rejected', reason: `${target} could not be read: ${result.reason}` };
  return requirement.query === 'fhrp'
    ? judgeFhrp(requirement, rowsOf(reading, 'fhrp') ?? [])
    : judgeDomain(requirement, rowsOf(reading, 'domains') ?? []);
}

function judgeFhrp(requirement: Requirement & { query: 'fhrp' }, rows: readonly FhrpRow[]): Holds {
  const { target, interface: name, group, instance, is } = requirement;
  const what = [name, group === undefined ? instance : `group ${group}`].filter(Boolean).join(' ');
  const row = rowOf(requirement, rows);
  if (!row) return { holds: false, kind: 'rejected', reason: `${target} shows no one row for ${what}` };
  const holds = (row.role === 'active') === (is === 'active');
  const wanted = is === 'active' ? 'active' : 'anything but active';
  return holds ? { holds } : { holds, kind: 'rejected', reason: `${target} ${what} reads ${row.state}, wanted ${wanted}` };
}

function judgeDomain({ target, uuid, is }: Requirement & { query: 'domains' }, rows: readonly DomainRow[]): Holds {
  const row = rows.find((each) => each.uuid === uuid);
  const place = placeOf(row);
  if (place === is || (is === 'there' && place !== 'gone')) return { holds: true };
  const found = row ? `reads ${row.state} (${row.reason}) on ${target}` : `is not on ${target}`;
  const wanted = { here: 'there', there: 'there', gone: 'gone from there', coming: 'arriving there' }[is];
  return { holds: false, kind: 'rejected', reason: `${row?.vm ?? uuid} ${found}, wanted ${wanted}` };
}
