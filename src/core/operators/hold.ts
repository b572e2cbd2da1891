// Owns: hold: something is there from one event until another, and what stood before is put back, however it ends.
//
// H1. Holds are counted per place: what two keys hold is applied once and goes with the last of them.
// H2. What stood before is what was read before the first changing byte; the attempt's entry has it. Nothing is put back where
//     nothing was changed, or where somebody has changed it since: then it is told.
// H3. Nobody may say when it ends: at `atMost` the hosts of a migration are read; while it is on the hold goes on, and that is
//     told. What is no migration ends there, told.
// H4. A place is let go of until it is: a target that cannot be reached, or refuses, is asked again.
// H5. What a claim needs is read before the first application, and again once it was let go of. Where it does not hold the next
//     holder's claim is tried; where none does, what an attempt left there is let go of.
// H6. A place that another policy still holds is left to it, with what stood there before the first of them: the last release puts
//     that back, whichever policy's it is.
import type { EntryOf } from '../../model/entry.ts';
import type { EnsureWant, Intent, Requirement, Resource, Want } from '../../model/intent.ts';
import { migrationStartWithinMs } from '../../model/limits.ts';
import type { Outcome } from '../../model/outcome.ts';
import { spanText } from '../../model/time.ts';
import { placeKey, placeText, placeValue, withValue } from '../../resources/place.ts';
import type { Cells } from '../cells.ts';
import type { ResourceDesire } from '../desire.ts';
import type { Scope } from '../scope.ts';
import type { Migration } from '../vm-migration.ts';

/** How long an application may wait in the queue before it is stale; a target that is down longer is asked again after it. */
const validForMs = 600_000;
/** What failed is tried again after 10 s, 20 s, 40 s … */
const retryFirstMs = 10_000;
const retryLastMs = 600_000;
/** After `atMost` it looks again this often. */
const lookMs = 60_000;

interface HoldCell {
  readonly key: string;
  readonly places: string[];
  readonly since: number;
  /** Of a migration: which one. */
  readonly uuid: string | null;
  readonly atMostAt: number;
  /** What its last event claims (H5). */
  requires: readonly Requirement[];
  overdueTold: boolean;
  /** It is over, and goes on until then. */
  overAt?: number;
}

interface PlaceCell {
  readonly resource: Resource;
  readonly holders: string[];
  readonly replace: boolean;
  /** `failed`: not applied, whoever holds it. */
  phase: 'applying' | 'held' | 'failed' | 'releasing';
  /** The intent under way, and whose claim the last one that applied carries. */
  waits: string | null;
  carries: string | null;
  /** What its holders claim was read since it was last let go of, and held (H5). */
  proved: boolean;
  /** An attempt was made: something of ours may stand there; and what stood there before (null: nothing). */
  changed: boolean;
  before: string | null;
  /** Seen there, and not touched by us since: that nothing stands there is then somebody else's doing. */
  verified: boolean;
  /** In a row. */
  failures: number;
}

export interface HoldHost {
  readonly scope: Scope;
  /** Every policy's, by its name: this one enters itself. */
  readonly holds: Map<string, Hold>;
  /** Makes an intent and returns its id without the version. */
  intend(key: string, want: Want): string;
  /** The migration of this VM that is on, as far as is known. */
  migration(uuid: string): Migration | undefined;
  /** The VM's name, where it is known. */
  nameOf(uuid: string): string | undefined;
  readonly atMostMs: number;
  /** How long it goes on once it is over. */
  readonly lingersMs: number;
  readonly replace: boolean;
}

export class Hold {
  /** Where its cells are: they outlive a policy that is stopped, until all is let go of. */
  readonly cellPaths: readonly string[];
  readonly #host: HoldHost;
  readonly #holds: Cells<HoldCell>;
  readonly #places: Cells<PlaceCell>;

  constructor(host: HoldHost) {
    this.#host = host;
    const { scope } = host;
    host.holds.set(scope.host.policy, this);
    this.cellPaths = [scope.place('hold'), scope.place('held')];
    const [holds, held] = this.cellPaths as readonly [string, string];
    this.#holds = scope.cells(
      holds,
      (key) => this.#look(key),
      (key) => this.#forgotten(key),
    );
    this.#places = scope.cells(held, (id) => this.#again(id));
  }

  /** Nothing is held, and nothing still to be let go of. */
  get isIdle(): boolean {
    return this.#holds.keys().length === 0 && this.#places.keys().length === 0;
  }

  /** The places that it holds or has still to let go of, for people. */
  get heldPlaces(): readonly string[] {
    return this.#places.keys().map((id) => {
      const { resource } = this.#places.get(id)!;
      const value = placeValue(resource);
      return value === undefined ? placeText(resource) : `${placeText(resource)} as ${value}`;
    });
  }

  /** From now on these are held for `key`. Begun again (a request, then its start) it adds what is new. */
  begin(key: string, desires: readonly ResourceDesire[], requires: readonly Requirement[], uuid: string | null): void {
    const now = this.#host.scope.entryAt();
    const known = this.#holds.get(key);
    const isNew = known === undefined || known.overAt !== undefined;
    const cell: HoldCell = !isNew
      ? known
      : {
          key,
          places: known?.places ?? [],
          since: now,
          uuid,
          atMostAt: now + this.#host.atMostMs,
          requires: [],
          overdueTold: false,
        };
    cell.requires = requires;
    this.#holds.set(key, cell);
    for (const { resource } of desires) {
      const id = placeKey(resource);
      if (!cell.places.includes(id)) cell.places.push(id);
      this.#hold(id, key, resource);
    }
    this.#say(key, isNew ? 'fired' : 'waiting', () => `${cell.places.length} held`);
    if (isNew) this.#holds.setAlarm(key, uuid === null ? cell.atMostAt : Math.min(now + migrationStartWithinMs, cell.atMostAt));
  }

  /** What ends it has come. */
  over(key: string, why: string): void {
    const cell = this.#holds.get(key);
    const { lingersMs, scope } = this.#host;
    if (!cell || lingersMs === 0) this.end(key, why);
    else if (cell.overAt === undefined) {
      cell.overAt = scope.entryAt() + lingersMs;
      this.#holds.setAlarm(key, cell.overAt);
      this.#say(key, 'waiting', () => `${why}: ${cell.places.length} held ${spanText(lingersMs)} more`);
    }
  }

  /** It is let go of. */
  end(key: string, why: string): void {
    const cell = this.#holds.get(key);
    if (!cell) return;
    this.#say(key, 'fired', () => `${why}: ${cell.places.length} released`);
    this.#holds.delete(key);
    for (const id of cell.places) this.#release(id, key);
  }

  /** The policy goes: what it holds is released, and that is told. */
  endAll(why: string): void {
    // Their alarm may have rung while the policy was given nothing.
    for (const id of this.#places.keys())
      if (this.#places.get(id)!.phase === 'releasing' && !this.#places.hasAlarm(id)) this.#again(id);
    const keys = this.#holds.keys();
    if (keys.length === 0) return;
    const places = keys.flatMap((key) => this.#holds.get(key)!.places);
    const targets = [...new Set(places.map((id) => this.#places.get(id)?.resource.target ?? ''))].filter(Boolean);
    const text = `${why}: what it holds is released, ${new Set(places).size} places for ${keys.join(', ')}.`;
    this.#host.intend('', { kind: 'notice', code: 'hold-policy-stopped', text, targets });
    for (const key of keys) this.end(key, why);
  }

  /** Proves again what is held: after a gap. */
  resync(targets: readonly string[] | undefined): void {
    for (const id of this.#places.keys()) {
      const place = this.#places.get(id)!;
      const isIdle = place.waits === null && place.holders.length > 0;
      if (isIdle && (!targets || targets.includes(place.resource.target))) this.#apply(id, place);
    }
  }

  /** `asked`: its intent; of several for a place an older one may have been begun. */
  onAttempt(asked: Intent, { before }: EntryOf<'attempt'>): void {
    const id = placeOf(asked);
    const place = id === undefined ? undefined : this.#places.get(id);
    if (id === undefined || !place) return;
    place.verified = false;
    if (place.changed) {
      // Attempted anew over what somebody put there since: an attempt before it had not arrived, or that has replaced it.
      const isOther = before !== undefined && before !== null && before !== placeValue(place.resource);
      if (isOther && place.phase === 'applying') place.before = before;
      return;
    }
    place.changed = true;
    place.before = before ?? null;
    // It was let go of before it was applied: now it is known what to put back.
    if (place.phase === 'releasing') this.#putBack(id, place);
  }

  onOutcome(serial: string, asked: Intent, outcome: Outcome): void {
    const id = placeOf(asked);
    const place = id === undefined ? undefined : this.#places.get(id);
    if (id === undefined || !place || outcome.kind === 'held') return;
    // One that another took the place of, which is awaited now.
    if (place.waits !== serial) return;
    place.waits = null;
    const isFine = outcome.kind === 'already' || outcome.kind === 'done';
    if (isFine) Object.assign(place, { failures: 0, verified: true });
    if (isFine && place.phase === 'applying') place.proved = true;
    if (place.phase === 'releasing') this.#released(id, place, outcome, isFine);
    // Another policy wants the same there, and does it.
    else if (outcome.kind === 'superseded' && this.#sharer(id, place)) place.phase = 'held';
    else if (isFine) place.phase = 'held';
    else this.#notHeld(id, place, outcome);
  }

  #hold(id: string, key: string, resource: Resource): void {
    const place = this.#places.get(id) ?? newPlace(resource, this.#host.replace);
    if (placeValue(place.resource) !== placeValue(resource)) {
      const held = placeValue(place.resource);
      this.#tell(
        key,
        'hold-conflict',
        `${placeText(place.resource)} is held as ${held}; ${placeValue(resource)} is not applied.`,
        place,
      );
      return;
    }
    this.#places.set(id, place);
    if (!place.holders.includes(key)) place.holders.push(key);
    const isApplied = place.phase === 'held' || (place.phase === 'applying' && place.waits !== null);
    if (!isApplied) this.#apply(id, place, key);
  }

  #apply(id: string, place: PlaceCell, key = place.holders[0] ?? ''): void {
    const isFirst = !place.proved && place.phase !== 'held';
    const value = placeValue(place.resource);
    // What may stand there: nothing, ourselves, and what stood there when we came (a release that had begun put it back).
    const isAny = value === undefined || (place.replace && !place.changed);
    const mayStand = isAny ? {} : { replaces: [...new Set([null, value, place.before])] };
    place.phase = 'applying';
    place.carries = key;
    // Later it is on because it was (H5).
    const requires = isFirst ? [...(this.#holds.get(key)?.requires ?? [])] : [];
    this.#intend(id, place, { resource: place.resource, desired: 'present', requires, ...mayStand });
  }

  #release(id: string, key: string): void {
    const place = this.#places.get(id);
    const index = place?.holders.indexOf(key) ?? -1;
    if (!place || index < 0) return;
    place.holders.splice(index, 1);
    if (place.holders.length > 0) return;
    if (place.changed) this.#putBack(id, place);
    // Found as it shall be, or refused: nothing of ours is there (H2).
    else if (place.waits === null) this.#places.delete(id);
    // A withdrawal would take the place of the other's wish too: ours may be carried out, for the other.
    else if (this.#sharer(id, place)) place.phase = 'releasing';
    else this.#withdraw(id, place);
  }

  /** Asked for and perhaps not begun: it shall not be. Where it has been begun its attempt comes, and tells what to put back. */
  #withdraw(id: string, place: PlaceCell): void {
    place.phase = 'releasing';
    this.#intend(id, place, { resource: place.resource, desired: 'absent', requires: [], withdraw: true });
  }

  #putBack(id: string, place: PlaceCell): void {
    if (this.#others().some((other) => other.#takeOver(id, place))) {
      this.#places.delete(id);
      return;
    }
    place.phase = 'releasing';
    place.proved = false;
    const value = placeValue(place.resource);
    const { before, verified } = place;
    const back: Pick<EnsureWant, 'resource' | 'desired'> =
      before !== null && value !== undefined
        ? { resource: withValue(place.resource, before), desired: 'present' }
        : { resource: place.resource, desired: 'absent' };
    const ours = value === undefined ? {} : { replaces: verified ? [value] : [value, null] };
    this.#intend(id, place, { ...back, requires: [], ...ours });
  }

  /** In the order of their names: which one takes over must not hang on who was built first. */
  #others(): readonly Hold[] {
    const others = [...this.#host.holds].filter(([, hold]) => hold !== this);
    return others.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, hold]) => hold);
  }

  /** Another policy's hold of the same, there. */
  #sharer(id: string, { resource }: PlaceCell): Hold | undefined {
    return this.#others().find((other) => {
      const place = other.#places.get(id);
      return place !== undefined && place.holders.length > 0 && placeValue(place.resource) === placeValue(resource);
    });
  }

  /** Another policy lets go of a place that is held here too (H6). Returns whether it is. */
  #takeOver(id: string, { resource, before, verified }: PlaceCell): boolean {
    const place = this.#places.get(id);
    if (!place || place.holders.length === 0) return false;
    const value = placeValue(resource);
    const isSame = placeValue(place.resource) === value;
    // Applied over what the other one had: that is gone with it.
    const isOver = place.changed && place.before === value;
    if (!isSame && !isOver) return false;
    if (isOver || !place.changed) place.before = before;
    place.changed = true;
    if (isSame && place.phase === 'failed') place.phase = 'held';
    if (isSame && verified) place.verified = true;
    return true;
  }

  #released(id: string, place: PlaceCell, outcome: Outcome, isFine: boolean): void {
    const sharer = place.changed ? undefined : this.#sharer(id, place);
    if (isFine || sharer) {
      this.#places.delete(id);
      // Ours was to be done for the other too, and was not.
      if (sharer && !isFine) sharer.#again(id);
    } else if (outcome.kind === 'refused') {
      this.#tell(
        '',
        'hold-not-restored',
        `${placeText(place.resource)} is left as it is: ${outcome.reason ?? outcome.kind}`,
        place,
      );
      this.#places.delete(id);
    } else {
      if (place.failures === 0)
        this.#tell(
          '',
          'hold-not-released',
          `${placeText(place.resource)} is not let go of yet: ${outcome.reason ?? outcome.kind}`,
          place,
        );
      this.#retry(id, place);
    }
  }

  #notHeld(id: string, place: PlaceCell, { kind, reason = kind }: Outcome): void {
    place.phase = 'failed';
    if (kind === 'rejected') {
      place.proved = false;
      const next = place.holders[place.holders.indexOf(place.carries ?? '') + 1];
      if (next !== undefined) this.#apply(id, place, next);
      else if (place.changed) {
        // Nobody's claim holds, and something of ours may stand there.
        place.holders.length = 0;
        this.#putBack(id, place);
      }
      return;
    }
    if (place.failures === 0)
      this.#tell(place.holders[0] ?? '', `hold-${kind}`, `${placeText(place.resource)} is not held: ${reason}`, place);
    // A person must look, or another policy wants something else there: it is asked for again when something happens.
    if (kind !== 'refused' && kind !== 'superseded') this.#retry(id, place);
  }

  #retry(id: string, place: PlaceCell): void {
    const waitMs = Math.min(retryFirstMs * 2 ** place.failures, retryLastMs);
    place.failures += 1;
    this.#places.setAlarm(id, this.#host.scope.entryAt() + waitMs);
  }

  #again(id: string): void {
    const place = this.#places.get(id);
    if (!place || place.waits !== null) return;
    if (place.holders.length > 0) this.#apply(id, place);
    else this.#putBack(id, place);
  }

  /** Nobody has said that it is over. */
  #look(key: string): void {
    const cell = this.#holds.get(key);
    if (!cell) return;
    if (cell.overAt !== undefined) {
      this.end(key, 'it has lingered');
      return;
    }
    const now = this.#host.scope.entryAt();
    const isOverdue = now >= cell.atMostAt;
    const migration = cell.uuid === null ? undefined : this.#host.migration(cell.uuid);
    const whose = cell.uuid === null ? key : (this.#host.nameOf(cell.uuid) ?? key);
    const lasted = `${whose}: nobody has said that it is over after ${spanText(now - cell.since)}`;
    if (isOverdue && !migration) {
      this.#tell(key, 'hold-overdue', `${lasted}; it is released.`);
      this.end(key, 'it is overdue');
      return;
    }
    if (migration && (isOverdue || migration.phase === 'requested')) this.#ask(key, migration);
    if (isOverdue && !cell.overdueTold) {
      cell.overdueTold = true;
      this.#tell(key, 'hold-overdue', `${lasted}; its hosts are read, and until they show it the hold goes on.`);
    }
    this.#holds.setAlarm(key, isOverdue ? now + lookMs : Math.min(cell.atMostAt, now + lookMs));
  }

  /** How it stands on both hosts: what they show ends it, or it goes on. */
  #ask(key: string, { from, to }: Migration): void {
    for (const target of [from, to]) if (target !== '') this.#host.intend(key, { kind: 'read', target, query: 'domains' });
  }

  /** There are more keys than can be remembered. */
  #forgotten(key: string): void {
    for (const id of this.#places.keys()) this.#release(id, key);
  }

  #intend(id: string, place: PlaceCell, want: Omit<EnsureWant, 'kind' | 'validForMs'>): void {
    place.waits = this.#host.intend(place.holders[0] ?? '', { kind: 'ensure', validForMs, ...want });
    this.#places.clearAlarm(id);
  }

  #tell(key: string, code: string, text: string, place?: PlaceCell): void {
    this.#host.intend(key, { kind: 'notice', code, text, targets: place ? [place.resource.target] : [] });
  }

  #say(key: string, verdict: 'fired' | 'waiting', detail: () => string): void {
    this.#host.scope.say('hold', key, verdict, detail);
  }
}

function placeOf({ want }: Intent): string | undefined {
  return want.kind === 'ensure' ? placeKey(want.resource) : undefined;
}

function newPlace(resource: Resource, replace: boolean): PlaceCell {
  const nothingYet = { waits: null, carries: null, proved: false, changed: false, before: null, verified: false, failures: 0 };
  return { resource, holders: [], replace, phase: 'failed', ...nothingYet };
}
