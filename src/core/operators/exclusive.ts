// Owns: exclusive: of a gateway's members the one that is READ active has the resource, and only then is it taken from
// the others. It survives a crash in the middle: all it knows is in its cell, its readings are entries.
//
// X1. Give before take: a take goes out only AFTER the present on the active member is verified.
// X2. None active, more than one, or a reading that is cut short, nonsense or finds no such group: nothing is taken away.
// X3. A member that cannot be reached blocks nobody: what shall be taken from it is asked for and stays held.
// X4. A member read active is given to after `graceMs`, however long the others take to answer; takes wait for all.
// X5. What is asked for during a round is done after it, as it was asked for last.
//
// Deadlines count from the entry being stepped, not from the alarm that rang: after a long downtime overdue alarms ring
// far in the past, and nothing asked for then can be answered before now.

import { type EntryOf, rowsOf } from '../../model/entry.ts';
import { OperatorError } from '../../model/errors.ts';
import type { EnsureWant, Requirement, Resource, Want } from '../../model/intent.ts';
import type { Role } from '../../model/meaning.ts';
import type { OutcomeKind } from '../../model/outcome.ts';
import type { FhrpRow } from '../../model/query.ts';
import { secondsText } from '../../model/time.ts';
import type { Cells } from '../cells.ts';
import { type ExclusiveDesire, resourceKey } from '../desire.ts';
import { type GatewayMember, type InventoryView, rowOf } from '../facts.ts';
import type { Scope } from '../scope.ts';

/** A healthy member answers in tens of milliseconds; one that just died does not answer at all. */
const graceMs = 500;
/** After this a reading that has not come never will: the executor's own deadlines are shorter. */
const readingDeadlineMs = 30_000;
/** How long a give or take may wait in the queue before it is stale. */
const validForMs = 60_000;
/** After an inconclusive round it looks again after 2 s, 4 s, 8 s … */
const retryFirstMs = 2_000;
const retryLastMs = 60_000;

type Seen = Role | 'pending' | 'unreadable' | 'unreachable';

interface MemberState {
  readonly member: GatewayMember;
  readonly resource: Resource;
  readonly desired: EnsureWant['desired'];
  seen: Seen;
  /** The protocol's word, or why it could not be read. */
  state: string;
  /** The open intent: its reading, then its give or take. */
  waits: string | null;
  outcome: OutcomeKind | null;
}

interface ExclusiveCell {
  readonly key: string;
  readonly gateway: string;
  readonly members: MemberState[];
  phase: 'reading' | 'giving' | 'taking' | 'resting';
  startedAt: number;
  /** Since a member was read active while others had not answered. */
  graceUntil: number | null;
  /** Asked for while a round was on: it follows. */
  next: MemberState[] | null;
  /** Inconclusive rounds in a row. */
  failures: number;
  /** The condition last told, so that it is told once. */
  told: string | null;
}

export interface ExclusiveHost {
  readonly scope: Scope;
  readonly inventory: InventoryView;
  /** Makes an intent and returns its id without the version, as readings and outcomes are matched. */
  intend(key: string, want: Want): string;
}

export class Exclusive {
  readonly #host: ExclusiveHost;
  readonly #cells: Cells<ExclusiveCell>;
  /** Intent → cell, to find who waits for an outcome. Rebuilt from the cells. */
  readonly #waiting = new Map<string, string>();

  constructor(host: ExclusiveHost) {
    this.#host = host;
    this.#cells = host.scope.cells(host.scope.place('exclusive'), (id) => this.#rung(id));
    for (const id of this.#cells.keys()) {
      for (const { waits } of this.#cells.get(id)!.members) if (waits) this.#waiting.set(waits, id);
    }
  }

  /** Begins a round, or asks for another after the one that is on. */
  start(key: string, desire: ExclusiveDesire, reason: string): void {
    const { gateway } = desire;
    const members = this.#host.inventory.membersOf(gateway).map((member): MemberState => {
      const { resource, desired } = desire.resourceOf(member);
      return { member, resource, desired, seen: 'pending', state: '', waits: null, outcome: null };
    });
    const first = members[0];
    if (!first) {
      this.#host.scope.say('exclusive', key, 'stopped', () => `no gateway ${gateway} in the inventory`);
      return;
    }
    refuseShared(gateway, members);
    const id = `${key} ${gateway} ${resourceKey({ ...first.resource, target: '' })}`;
    const before = this.#cells.get(id);
    if (before && awaitsReadings(before)) {
      this.#askAgain(id, before, members, reason);
      return;
    }
    if (before && before.phase !== 'resting') {
      before.next = members;
      this.#say(before, 'waiting', () => `${reason}: a round is on (${before.phase}); another follows`);
      return;
    }
    const { failures = 0, told = null } = before ?? {};
    const cell: ExclusiveCell = {
      key,
      gateway,
      members,
      phase: 'resting',
      startedAt: 0,
      graceUntil: null,
      next: null,
      failures,
      told,
    };
    this.#cells.set(id, cell);
    this.#read(id, cell, reason);
  }

  /** Whatever a round was doing is void: the next start begins anew (the gap that every start of Offbox appends). For a new version. */
  reset(): void {
    for (const id of this.#cells.keys()) {
      const cell = this.#cells.get(id)!;
      for (const state of cell.members) this.#settle(state);
      cell.phase = 'resting';
      cell.next = null;
      this.#cells.clearAlarm(id);
    }
  }

  /** Returns whether a round was waiting for it. */
  onReading(serial: string, entry: EntryOf<'reading'>): boolean {
    const found = this.#find(serial);
    if (!found) return false;
    const { id, cell, state } = found;
    this.#settle(state);
    const { result } = entry.reading;
    const rows = rowsOf(entry.reading, 'fhrp') ?? [];
    const row = rowOf(state.member, rows);
    state.seen = row ? row.role : result.kind === 'unreachable' ? 'unreachable' : 'unreadable';
    state.state = row ? row.state : result.kind === 'rows' ? noSuchRow(state.member, rows) : result.reason;
    this.#say(
      cell,
      'waiting',
      () =>
        `${state.member.target} reads ${state.seen}${row && row.role === 'other' ? ` (${row.state})` : row ? '' : `: ${state.state}`}`,
    );
    this.#weigh(id, cell);
    return true;
  }

  onOutcome(serial: string, kind: OutcomeKind): void {
    const found = this.#find(serial);
    if (!found) return;
    const { id, cell, state } = found;
    this.#settle(state);
    state.outcome = kind;
    this.#say(cell, 'waiting', () => `${cell.phase === 'giving' ? 'give to' : 'take from'} ${state.member.target}: ${kind}`);
    this.#weigh(id, cell);
  }

  #read(id: string, cell: ExclusiveCell, reason: string): void {
    cell.phase = 'reading';
    cell.startedAt = this.#host.scope.entryAt();
    cell.graceUntil = null;
    this.#say(
      cell,
      'fired',
      () => `${reason}: who is active? asks ${cell.members.map(({ member }) => member.target).join(', ')}`,
    );
    for (const state of cell.members) {
      state.seen = 'pending';
      state.outcome = null;
      this.#intend(id, cell, state, { kind: 'read', target: state.member.target, query: 'fhrp' });
    }
    this.#cells.setAlarm(id, cell.startedAt + readingDeadlineMs);
  }

  /**
   * What was read before the event that came now is no longer good: those who answered are asked again. Those who have
   * not answered yet are not: a member that just died would hold up the one that takes its place (X4). Nor does their
   * deadline begin anew: flapping would put it off for ever.
   */
  #askAgain(id: string, before: ExclusiveCell, members: MemberState[], reason: string): void {
    for (const state of before.members) {
      const again = members.find(({ member }) => member.target === state.member.target);
      if (again && state.seen === 'pending') again.waits = state.waits;
      else this.#settle(state);
    }
    const asked = members.filter(({ waits }) => waits === null);
    const cell: ExclusiveCell = {
      ...before,
      members,
      phase: 'reading',
      startedAt: asked.length < members.length ? before.startedAt : this.#host.scope.entryAt(),
      graceUntil: null,
      next: null,
    };
    this.#cells.set(id, cell);
    this.#say(cell, 'fired', () => `${reason}: who is active now? asks ${names(asked) || 'nobody'} again`);
    for (const state of asked) this.#intend(id, cell, state, { kind: 'read', target: state.member.target, query: 'fhrp' });
    this.#cells.setAlarm(id, cell.startedAt + readingDeadlineMs);
  }

  /** The whole decision: looks at what is known and takes the next step there is. */
  #weigh(id: string, cell: ExclusiveCell): void {
    const actives = cell.members.filter(({ seen }) => seen === 'active');
    const pending = cell.members.some(({ seen }) => seen === 'pending');
    const active = actives[0];
    if (cell.phase === 'taking') {
      if (cell.members.every(({ waits }) => waits === null)) this.#finish(id, cell);
    } else if (actives.length > 1) {
      this.#inconclusive(id, cell, 'several-active', `${names(actives)} are all active`);
    } else if (!active) {
      if (!pending) this.#nobody(id, cell);
    } else if (cell.phase === 'reading') {
      const now = this.#host.scope.now();
      if (!pending || now >= (cell.graceUntil ?? Number.POSITIVE_INFINITY)) this.#give(id, cell, active);
      else if (cell.graceUntil === null) {
        cell.graceUntil = Math.min(now + graceMs, cell.startedAt + readingDeadlineMs);
        this.#cells.setAlarm(id, cell.graceUntil);
      }
    } else if (active.waits === null) {
      this.#afterGive(id, cell, active, pending);
    }
  }

  #give(id: string, cell: ExclusiveCell, active: MemberState): void {
    cell.phase = 'giving';
    this.#cells.setAlarm(id, cell.startedAt + readingDeadlineMs);
    this.#say(cell, 'passed', () => `${active.member.target} is the active one: it gets ${active.resource.kind} first`);
    this.#intend(id, cell, active, ensureWant(active, active.desired, [requirement(active.member, 'active')]));
  }

  #afterGive(id: string, cell: ExclusiveCell, active: MemberState, pending: boolean): void {
    const { outcome } = active;
    if (outcome !== 'already' && outcome !== 'done') {
      this.#inconclusive(id, cell, `give-${outcome}`, `giving to ${active.member.target} ended ${outcome}`);
    } else if (pending) {
      if (cell.next) this.#askAgain(id, cell, cell.next, 'something came meanwhile');
    } else {
      const unreadable = cell.members.filter(({ seen }) => seen === 'unreadable');
      if (unreadable.length > 0) this.#inconclusive(id, cell, 'unreadable', unreadableText(unreadable));
      else this.#take(id, cell, active);
    }
  }

  #take(id: string, cell: ExclusiveCell, active: MemberState): void {
    cell.phase = 'taking';
    this.#cells.clearAlarm(id);
    const others = cell.members.filter((state) => state !== active);
    this.#say(cell, 'passed', () => `${active.member.target} has it, verified; it is taken from ${names(others) || 'nobody'}`);
    for (const state of others) {
      const requires = [requirement(state.member, 'not-active'), requirement(active.member, 'active')];
      this.#intend(id, cell, state, ensureWant(state, state.desired === 'present' ? 'absent' : 'present', requires));
    }
    if (others.length === 0) this.#finish(id, cell);
  }

  #finish(id: string, cell: ExclusiveCell): void {
    const bad = cell.members.filter(({ outcome }) => outcome !== 'already' && outcome !== 'done' && outcome !== 'held');
    if (bad.length > 0) {
      const what = bad.map(({ member, outcome }) => `${member.target} ${outcome}`).join(', ');
      this.#inconclusive(id, cell, `take-${bad[0]!.outcome}`, `not all could be taken: ${what}`);
      return;
    }
    cell.phase = 'resting';
    cell.failures = 0;
    cell.told = null;
    this.#cells.clearAlarm(id);
    const after = (): string => `${secondsText(this.#host.scope.now() - cell.startedAt)} after the round began`;
    const held = cell.members.filter(({ outcome }) => outcome === 'held');
    if (held.length === 0) this.#say(cell, 'passed', () => `as it should be, ${after()}`);
    else this.#say(cell, 'waiting', () => `as far as it can be, ${after()}: what is taken from ${names(held)} is held`);
    this.#readNext(id, cell);
  }

  #readNext(id: string, cell: ExclusiveCell): void {
    if (!cell.next) return;
    const cellNext: ExclusiveCell = { ...cell, members: cell.next, next: null };
    this.#cells.set(id, cellNext);
    this.#read(id, cellNext, 'something came meanwhile');
  }

  #nobody(id: string, cell: ExclusiveCell): void {
    const unreadable = cell.members.filter(({ seen }) => seen === 'unreadable');
    if (unreadable.length > 0) this.#inconclusive(id, cell, 'unreadable', unreadableText(unreadable));
    else
      this.#inconclusive(
        id,
        cell,
        'none-active',
        `nobody is read active: ${cell.members.map(({ member, state }) => `${member.target} ${state}`).join(', ')}`,
      );
  }

  /** Nothing is taken away. Tells once, and looks again later. */
  #inconclusive(id: string, cell: ExclusiveCell, code: string, why: string): void {
    for (const state of cell.members) this.#settle(state);
    cell.phase = 'resting';
    const delay = cell.next ? 0 : Math.min(retryFirstMs * 2 ** cell.failures, retryLastMs);
    cell.failures = Math.min(cell.failures + 1, 16);
    this.#say(cell, 'stopped', () => `${why}: nothing is taken away; looks again in ${secondsText(delay)}`);
    if (cell.told !== code) {
      cell.told = code;
      const text = `Gateway ${cell.gateway}: ${why}. Nothing is taken away; Offbox looks again by itself.`;
      this.#host.intend(cell.key, { kind: 'notice', code, text, targets: cell.members.map(({ member }) => member.target) });
    }
    this.#cells.setAlarm(id, this.#host.scope.entryAt() + delay);
    this.#readNext(id, cell);
  }

  #rung(id: string): void {
    const cell = this.#cells.get(id);
    if (!cell) return;
    if (cell.phase === 'resting') {
      if (this.#isAsDescribed(cell)) this.#read(id, cell, 'looks again');
      else this.#cells.delete(id);
      return;
    }
    if (cell.phase !== 'reading' || cell.graceUntil === null) {
      for (const state of cell.members) {
        if (state.seen !== 'pending') continue;
        this.#settle(state);
        state.seen = 'unreadable';
        state.state = 'no answer in time';
      }
    }
    this.#weigh(id, cell);
  }

  /** Another inventory begins rounds of its own; one kept from before must not act on what is no longer there. */
  #isAsDescribed(cell: ExclusiveCell): boolean {
    const members = this.#host.inventory.membersOf(cell.gateway);
    return JSON.stringify(members) === JSON.stringify(cell.members.map(({ member }) => member));
  }

  #find(serial: string): { id: string; cell: ExclusiveCell; state: MemberState } | undefined {
    const id = this.#waiting.get(serial);
    if (id === undefined) return undefined;
    const cell = this.#cells.get(id);
    const state = cell?.members.find(({ waits }) => waits === serial);
    if (cell && state) return { id, cell, state };
    // Its cell was dropped for want of room.
    this.#waiting.delete(serial);
    return undefined;
  }

  #intend(id: string, cell: ExclusiveCell, state: MemberState, want: Want): void {
    this.#settle(state);
    state.waits = this.#host.intend(cell.key, want);
    this.#waiting.set(state.waits, id);
  }

  #settle(state: MemberState): void {
    if (state.waits !== null) this.#waiting.delete(state.waits);
    state.waits = null;
  }

  #say(cell: ExclusiveCell, verdict: 'passed' | 'stopped' | 'waiting' | 'fired', detail: () => string): void {
    this.#host.scope.say('exclusive', cell.key, verdict, detail);
  }
}

/** Nothing is being given or taken: it only waits for answers. */
function awaitsReadings(cell: ExclusiveCell): boolean {
  return (
    cell.phase === 'reading' ||
    (cell.phase === 'giving' && cell.members.every(({ seen, waits }) => seen === 'pending' || waits === null))
  );
}

function ensureWant(state: MemberState, desired: EnsureWant['desired'], requires: Requirement[]): Want {
  return { kind: 'ensure', resource: state.resource, desired, requires, validForMs };
}

export function requirement(member: GatewayMember, is: 'active' | 'not-active'): Requirement {
  const { target, family } = member;
  return {
    target,
    query: 'fhrp',
    ...(member.interface === undefined ? {} : { interface: member.interface }),
    ...(member.group === undefined ? {} : { group: member.group }),
    ...(member.instance === undefined ? {} : { instance: member.instance }),
    family,
    is,
  };
}

function noSuchRow(member: GatewayMember, rows: readonly FhrpRow[]): string {
  const wanted = [member.interface, member.group === undefined ? member.instance : `group ${member.group}`, member.family]
    .filter(Boolean)
    .join(' ');
  return `no one row for ${wanted} among ${rows.length} read`;
}

/** Given to one member and taken from the next, one thing would flap for ever. */
function refuseShared(gateway: string, members: readonly MemberState[]): void {
  const keys = new Set(members.map(({ resource }) => resourceKey(resource)));
  if (keys.size === members.length) return;
  throw new OperatorError(`exclusive("${gateway}", …) names the same ${members[0]!.resource.kind} for two members`, {
    code: 'exclusive-shared',
    remedy: 'Make the resource from the member it is given: exclusive(gateway, (member) => bgpNetwork(member, …)).',
  });
}

function names(states: readonly MemberState[]): string {
  return states.map(({ member }) => member.target).join(' and ');
}

function unreadableText(states: readonly MemberState[]): string {
  return `${states.map(({ member, state }) => `${member.target} could not be read (${state})`).join(', ')}`;
}
