// Owns: hold: something is there from one event until another, and what stood before is put back, however it ends.
//
// H1. Holds are counted per place: what two keys hold is applied once and goes with the last of them.
// H2. What stood before is what was read before the first changing byte; the attempt's entry has it. Nothing is put back where
//     nothing was changed, or where somebody has changed it since: then it is told.
// H3. Nobody may say when it ends: at `atMost` the hosts of a migration are read; while it is on the hold goes on, and that is
//     told. What is no migration ends there, told.
import type { EntryOf } from '../../model/entry.ts';
import type { EnsureWant, Requirement, Resource, Want } from '../../model/intent.ts';
import { migrationStartWithinMs } from '../../model/limits.ts';
import type { Outcome } from '../../model/outcome.ts';
import { secondsText } from '../../model/time.ts';
import { placeKey, placeValue, withValue } from '../../resources/place.ts';
import type { Cells } from '../cells.ts';
import type { ResourceDesire } from '../desire.ts';
import type { Scope } from '../scope.ts';
import type { Migration } from '../vm-migration.ts';

/** How long an application may wait in the queue before it is stale; a target that is down longer is asked again after it. */
const validForMs = 600_000;
/** What failed is tried again after this. */
const retryMs = 10_000;
/** After `atMost` it looks again this often. */
const lookMs = 60_000;

interface HoldCell {
  readonly key: string;
  readonly places: string[];
  readonly since: number;
  /** Of a migration: which one. */
  readonly uuid: string | null;
  readonly atMostAt: number;
  overdueTold: boolean;
}

interface PlaceCell {
  readonly resource: Resource;
  readonly holders: string[];
  /** `applying`, `held`, `releasing`, and `failed`: tried again while somebody holds it. */
  phase: 'applying' | 'held' | 'releasing' | 'failed';
  /** The intent under way, and the last one that applied: its attempt tells what stood there. */
  waits: string | null;
  applies: string | null;
  /** null: nothing stood there. Undefined: nothing has been changed. */
  before?: string | null;
  readonly replace: boolean;
}

export interface HoldHost {
  readonly scope: Scope;
  /** Makes an intent and returns its id without the version. */
  intend(key: string, want: Want): string;
  /** The migration of this VM that is on, as far as is known. */
  migration(uuid: string): Migration | undefined;
  readonly atMostMs: number;
  readonly replace: boolean;
}

export class Hold {
  readonly #host: HoldHost;
  readonly #holds: Cells<HoldCell>;
  readonly #places: Cells<PlaceCell>;
  /** Intent → place. Rebuilt from the cells. */
  readonly #waiting = new Map<string, string>();

  constructor(host: HoldHost) {
    this.#host = host;
    const { scope } = host;
    this.#holds = scope.cells(scope.place('hold'), (key) => this.#look(key));
    this.#places = scope.cells(scope.place('held'), (id) => this.#again(id));
    for (const id of this.#places.keys()) {
      const { waits } = this.#places.get(id)!;
      if (waits) this.#waiting.set(waits, id);
    }
  }

  /** From now on these are held for `key`. Begun again (a request, then its start) it adds what is new. */
  begin(key: string, desires: readonly ResourceDesire[], requires: readonly Requirement[], uuid: string | null): void {
    const now = this.#host.scope.entryAt();
    const known = this.#holds.get(key);
    const cell = known ?? { key, places: [], since: now, uuid, atMostAt: now + this.#host.atMostMs, overdueTold: false };
    this.#holds.set(key, cell);
    for (const { resource } of desires) {
      const id = placeKey(resource);
      if (!cell.places.includes(id)) cell.places.push(id);
      this.#hold(id, key, resource, requires);
    }
    this.#say(key, known ? 'waiting' : 'fired', () => `${cell.places.length} held`);
    if (!known) this.#holds.setAlarm(key, uuid === null ? cell.atMostAt : Math.min(now + migrationStartWithinMs, cell.atMostAt));
  }

  /** It is over. */
  end(key: string, why: string): void {
    const cell = this.#holds.get(key);
    if (!cell) return;
    this.#say(key, 'fired', () => `${why}: ${cell.places.length} released`);
    this.#holds.delete(key);
    for (const id of cell.places) this.#release(id, key);
  }

  /** The policy goes: what it holds is released. */
  endAll(why: string): void {
    for (const key of this.#holds.keys()) this.end(key, why);
  }

  /** Proves again what is held: after a gap. */
  resync(targets: readonly string[] | undefined): void {
    for (const id of this.#places.keys()) {
      const place = this.#places.get(id)!;
      const idle = place.waits === null && place.holders.length > 0;
      if (idle && (!targets || targets.includes(place.resource.target))) this.#apply(id, place);
    }
  }

  onAttempt(serial: string, { before }: EntryOf<'attempt'>): void {
    const id = this.#waiting.get(serial);
    const place = id === undefined ? undefined : this.#places.get(id);
    if (id === undefined || !place || place.applies !== serial || before === undefined || place.before !== undefined) return;
    place.before = before;
    // It was let go of before it was applied: now it is known what to put back.
    if (place.phase === 'releasing') this.#putBack(id, place);
  }

  onOutcome(serial: string, outcome: Outcome): void {
    const id = this.#waiting.get(serial);
    const place = id === undefined ? undefined : this.#places.get(id);
    if (id === undefined || !place || outcome.kind === 'held') return;
    this.#waiting.delete(serial);
    if (place.waits !== serial) return;
    place.waits = null;
    const fine = outcome.kind === 'already' || outcome.kind === 'done';
    if (place.phase === 'releasing') this.#released(id, place, outcome, fine);
    else if (fine) place.phase = 'held';
    else this.#notHeld(id, place, outcome);
  }

  #hold(id: string, key: string, resource: Resource, requires: readonly Requirement[]): void {
    let place = this.#places.get(id);
    if (!place) {
      place = { resource, holders: [], phase: 'applying', waits: null, applies: null, replace: this.#host.replace };
      this.#places.set(id, place);
    }
    if (placeValue(place.resource) !== placeValue(resource)) {
      this.#tell(
        key,
        'hold-conflict',
        `${id} is held as ${placeValue(place.resource)}; ${placeValue(resource)} is not applied.`,
        place,
      );
      return;
    }
    if (!place.holders.includes(key)) place.holders.push(key);
    if (place.holders.length === 1 && place.phase !== 'held' && (place.waits === null || place.phase === 'releasing')) {
      this.#apply(id, place, requires);
    }
  }

  /** `requires` where it is begun: later it is on because it was. */
  #apply(id: string, place: PlaceCell, requires: readonly Requirement[] = []): void {
    place.phase = 'applying';
    const value = placeValue(place.resource);
    // What may stand there: nothing, ourselves, and what stood there when we came (a release that had begun put it back).
    const mayStand =
      value === undefined || place.replace ? {} : { replaces: [null, value, ...(place.before ? [place.before] : [])] };
    this.#intend(id, place, {
      kind: 'ensure',
      resource: place.resource,
      desired: 'present',
      requires: [...requires],
      validForMs,
      ...mayStand,
    });
    place.applies = place.waits;
  }

  #release(id: string, key: string): void {
    const place = this.#places.get(id);
    if (!place) return;
    const index = place.holders.indexOf(key);
    if (index >= 0) place.holders.splice(index, 1);
    if (place.holders.length > 0) return;
    // Found as it shall be, or refused: nothing of ours is there (H2). One under way may still change it: it is superseded.
    if (place.before === undefined && place.waits === null) this.#places.delete(id);
    else this.#putBack(id, place);
  }

  #putBack(id: string, place: PlaceCell): void {
    place.phase = 'releasing';
    const value = placeValue(place.resource);
    const { before } = place;
    const back: Pick<EnsureWant, 'resource' | 'desired'> =
      typeof before === 'string' && value !== undefined
        ? { resource: withValue(place.resource, before), desired: 'present' }
        : { resource: place.resource, desired: 'absent' };
    const ours = value === undefined ? {} : { replaces: [value, ...(before === undefined ? [null] : [])] };
    this.#intend(id, place, { kind: 'ensure', ...back, requires: [], validForMs, ...ours });
  }

  #released(id: string, place: PlaceCell, outcome: Outcome, fine: boolean): void {
    if (place.holders.length > 0) {
      if (fine) delete place.before;
      this.#apply(id, place);
    } else if (fine) this.#places.delete(id);
    else if (outcome.kind === 'refused') {
      this.#tell('', 'hold-not-restored', `${id} is left as it is: ${outcome.reason ?? outcome.kind}`, place);
      this.#places.delete(id);
    } else this.#places.setAlarm(id, this.#host.scope.entryAt() + retryMs);
  }

  #notHeld(id: string, place: PlaceCell, outcome: Outcome): void {
    place.phase = 'failed';
    const why = outcome.reason ?? outcome.kind;
    // Superseded by its release, or over before it could begin.
    if (outcome.kind === 'superseded' || outcome.kind === 'rejected') return;
    this.#tell(place.holders[0] ?? '', `hold-${outcome.kind}`, `${id} is not held: ${why}`, place);
    if (outcome.kind !== 'refused') this.#places.setAlarm(id, this.#host.scope.entryAt() + retryMs);
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
    const { scope } = this.#host;
    const overdue = scope.entryAt() >= cell.atMostAt;
    const migration = cell.uuid === null ? undefined : this.#host.migration(cell.uuid);
    if (cell.uuid === null || (overdue && !migration)) {
      this.#tell(
        key,
        'hold-overdue',
        `${key}: nobody said that it is over after ${secondsText(scope.entryAt() - cell.since)}; released.`,
      );
      this.end(key, 'it is overdue');
      return;
    }
    if (migration && (overdue || migration.phase === 'requested')) this.#ask(key, migration);
    if (overdue && !cell.overdueTold) {
      cell.overdueTold = true;
      this.#tell(
        key,
        'hold-overdue',
        `${key}: the migration is on after ${secondsText(scope.entryAt() - cell.since)}; the hold goes on.`,
      );
    }
    this.#holds.setAlarm(key, overdue ? scope.entryAt() + lookMs : Math.min(cell.atMostAt, scope.entryAt() + lookMs));
  }

  /** How it stands on both hosts: what they show ends it, or it goes on (law V2). */
  #ask(key: string, { from, to }: Migration): void {
    for (const target of [from, to]) if (target !== '') this.#host.intend(key, { kind: 'read', target, query: 'domains' });
  }

  #intend(id: string, place: PlaceCell, want: Want): void {
    place.waits = this.#host.intend(place.holders[0] ?? '', want);
    this.#waiting.set(place.waits, id);
    this.#places.clearAlarm(id);
  }

  #tell(key: string, code: string, text: string, place?: PlaceCell): void {
    this.#host.intend(key, { kind: 'notice', code, text, targets: place ? [place.resource.target] : [] });
  }

  #say(key: string, verdict: 'fired' | 'waiting', detail: () => string): void {
    this.#host.scope.say('hold', key, verdict, detail);
  }
}
