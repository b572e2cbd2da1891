// Owns: cells: what one operator of one policy remembers per key, its alarm included, as plain data (law E6).
// RxJS closures hold wiring only; whatever must survive a restart is in here and nowhere else.
//
// A table belongs to one operator at one place of one policy's pipeline. Below a perKey the same table serves every
// group: the group's key is the prefix of the cell's. Nothing here looks at a whole table for the sake of one key.
import { cellKeysMax } from '../model/limits.ts';
import type { Alarm, EventClock } from './clock.ts';
import { Sweep } from './sweep.ts';

export interface Cell<T> {
  data: T;
  /** When its alarm rings, and the order it was set in; absent without an alarm. */
  dueAt?: number;
  order?: number;
}

/** What a snapshot holds of a table, the oldest first. */
export type CellRecords = readonly (readonly [prefix: string, key: string, cell: Cell<unknown>])[];

/** A table as a snapshot has it. */
export interface SavedTable {
  readonly dropped: number;
  readonly droppedEvents: number;
  readonly cells: CellRecords;
}

interface Slot {
  readonly cell: Cell<unknown>;
  readonly group: Group;
  readonly key: string;
  alarm: Alarm | undefined;
}

/** The cells below one prefix, and whoever has them open. */
interface Group {
  readonly table: Table;
  readonly prefix: string;
  readonly slots: Map<string, Slot>;
  opener: Opener | undefined;
}

export interface Opener {
  /** The key's alarm is due. */
  readonly ring: (key: string) => void;
  /** The key was forgotten for want of room. */
  readonly dropped?: (key: string) => void;
}

interface Table {
  /** Every slot by prefix and key, the oldest first. */
  readonly slots: Map<string, Slot>;
  readonly groups: Map<string, Group>;
  dropped: number;
  droppedEvents: number;
  /** While a snapshot is being written. */
  sweep: Sweep<Slot> | undefined;
}

/** How much the operator at `place` remembers, and what it had no room for since the start. */
export interface Remembered {
  readonly place: string;
  readonly keys: number;
  readonly droppedKeys: number;
  readonly droppedEvents: number;
}

/** One operator's view of its cells, below one prefix. */
export interface Cells<T> {
  get(key: string): T | undefined;
  /** Remembers; the key's alarm stays as it is. Beyond cellKeysMax the oldest key is forgotten and counted. */
  set(key: string, data: T): void;
  delete(key: string): void;
  keys(): string[];
  /** Counts events that a key had no room for. */
  drop(events: number): void;
  /** Sets the key's one alarm, instead of any before. The key must be remembered. */
  setAlarm(key: string, dueAt: number): void;
  clearAlarm(key: string): void;
  hasAlarm(key: string): boolean;
  /** Forgets every key of this view: its operator is gone. */
  close(): void;
}

export class CellStore {
  readonly #clock: EventClock;
  readonly #tables = new Map<string, Table>();
  /** The same, by the kind of operator: `hold`. */
  readonly #byOperator = new Map<string, Set<Table>>();

  constructor(clock: EventClock) {
    this.#clock = clock;
  }

  /** Opens the cells of the operator at `path` below `prefix`, with the alarms they have, instead of who had them before. */
  open<T>(path: string, prefix: string, opener: Opener): Cells<T> {
    const table = this.#table(path);
    const group = groupOf(table, prefix);
    group.opener = opener;
    // Put back from a snapshot, and due while nobody had it open.
    for (const slot of group.slots.values()) if (slot.cell.dueAt !== undefined && !slot.alarm) this.#arm(slot);
    const slotOf = (key: string): Slot | undefined => group.slots.get(key);

    return {
      // Whoever gets it may change it in place.
      get: (key) => touched(slotOf(key))?.cell.data as T | undefined,
      set: (key, data) => {
        const slot = touched(slotOf(key));
        if (slot) slot.cell.data = data;
        else this.#add(table, group, key, { data });
      },
      delete: (key) => forget(table, slotOf(key)),
      keys: () => [...group.slots.keys()],
      drop: (events) => {
        table.droppedEvents += events;
      },
      setAlarm: (key, dueAt) => {
        const slot = slotOf(key);
        if (!slot) throw new RangeError(`an alarm for "${key}" needs its cell first`);
        disarm(slot);
        slot.cell.dueAt = dueAt;
        this.#arm(slot);
      },
      clearAlarm: (key) => disarm(slotOf(key)),
      hasAlarm: (key) => slotOf(key)?.cell.dueAt !== undefined,
      close: () => {
        for (const slot of group.slots.values()) forget(table, slot);
        if (table.groups.get(prefix) === group) table.groups.delete(prefix);
      },
    };
  }

  /** Forgets all that a policy's operators remember, alarms included, but for what is at the `kept` paths. */
  forget(policy: string, kept: readonly string[] = []): void {
    for (const [path, table] of this.#tables) {
      if (!path.startsWith(`${policy}/`) || kept.includes(path)) continue;
      for (const slot of table.slots.values()) disarm(slot);
      this.#tables.delete(path);
      this.#byOperator.get(operatorOf(path))?.delete(table);
    }
  }

  /** Keys dropped because an operator reached its bound, by path. */
  dropped(): Record<string, number> {
    return Object.fromEntries(
      [...this.#tables].filter(([, table]) => table.dropped > 0).map(([path, table]) => [path, table.dropped]),
    );
  }

  /** What a policy's operators remember, by place, those that remember nothing left out. */
  remembered(policy: string): readonly Remembered[] {
    return this.rememberedByPolicy().get(policy) ?? [];
  }

  rememberedByPolicy(): ReadonlyMap<string, readonly Remembered[]> {
    const found = new Map<string, Remembered[]>();
    for (const [place, table] of this.#tables) {
      if (isBlank(table)) continue;
      const { slots, dropped, droppedEvents } = table;
      const policy = place.slice(0, place.indexOf('/'));
      const own = found.get(policy) ?? [];
      own.push({ place, keys: slots.size, droppedKeys: dropped, droppedEvents });
      found.set(policy, own);
    }
    return found;
  }

  /** How many alarms of a policy's correlations are due by `at`. */
  overdue(policy: string, at: number): number {
    return this.#late(policy, at).length;
  }

  /** What is remembered by all operators of a kind, `hold` for instance. */
  *ofOperator(operator: string): Generator<unknown> {
    for (const { slots } of this.#byOperator.get(operator) ?? []) for (const { cell } of slots.values()) yield cell.data;
  }

  /** Forgets what a policy's correlations waited for until `at`, alarms and all. Rounds, holds and schedules go on. */
  dropOverdue(policy: string, at: number): void {
    for (const slot of this.#late(policy, at)) forget(slot.group.table, slot);
  }

  #late(policy: string, at: number): readonly Slot[] {
    const tables = [...this.#tables].filter(([path]) => path.startsWith(`${policy}/`) && isCorrelation(path));
    return tables.flatMap(([, { slots }]) =>
      [...slots.values()].filter(({ cell: { dueAt } }) => dueAt !== undefined && dueAt <= at),
    );
  }

  /** All as it is now, as JSON in pieces; they are written while they are taken, whatever changes meanwhile. */
  save(): Generator<string> {
    // Most operators of most policies remember nothing, and their places are opened by themselves.
    const told = [...this.#tables].filter(([, table]) => !isBlank(table));
    const tables = told.map(([path, table]) => {
      const { dropped, droppedEvents } = table;
      const sweep = new Sweep([...table.slots.values()], ({ group, key, cell }) => JSON.stringify([group.prefix, key, cell]));
      table.sweep = sweep;
      return { path, table, dropped, droppedEvents, sweep };
    });
    return (function* pieces() {
      let comma = '';
      yield '{';
      for (const { path, table, dropped, droppedEvents, sweep } of tables) {
        yield `${comma}${JSON.stringify(path)}:{"dropped":${dropped},"droppedEvents":${droppedEvents},"cells":[`;
        yield* sweep.pieces();
        yield ']}';
        comma = ',';
        if (table.sweep === sweep) table.sweep = undefined;
      }
      yield '}';
    })();
  }

  /** Puts back what was saved of some policies, whose data becomes ours. To be called before their operators open their cells. */
  load(saved: Readonly<Record<string, SavedTable>>, which: (policy: string) => boolean): void {
    for (const [path, { dropped, droppedEvents, cells }] of Object.entries(saved)) {
      if (!which(path.slice(0, path.indexOf('/')))) continue;
      const table = this.#table(path);
      table.dropped = dropped;
      table.droppedEvents = droppedEvents;
      for (const [prefix, key, cell] of cells) this.#add(table, groupOf(table, prefix), key, cell);
    }
  }

  /** Plain data of every cell, for a comparison. */
  snapshot(): Record<string, CellRecords> {
    return Object.fromEntries(
      [...this.#tables].map(([path, { slots }]) => [
        path,
        structuredClone([...slots.values()].map(({ group, key, cell }) => [group.prefix, key, cell] as const)),
      ]),
    );
  }

  /** Puts a snapshot back. To be called before the operators open their cells. */
  restore(snapshot: Readonly<Record<string, CellRecords>>): void {
    for (const [path, cells] of Object.entries(snapshot)) {
      const table = this.#table(path);
      for (const [prefix, key, cell] of structuredClone(cells)) this.#add(table, groupOf(table, prefix), key, cell);
    }
  }

  #add(table: Table, group: Group, key: string, cell: Cell<unknown>): void {
    if (table.slots.size >= cellKeysMax) {
      const oldest = table.slots.values().next().value!;
      forget(table, oldest);
      table.dropped += 1;
      oldest.group.opener?.dropped?.(oldest.key);
    }
    const slot: Slot = { cell, group, key, alarm: undefined };
    table.slots.set(group.prefix + key, slot);
    group.slots.set(key, slot);
    if (cell.dueAt !== undefined) this.#arm(slot);
  }

  /** With the order it had, if it had one: ties ring after a restart as they would have. */
  #arm(slot: Slot): void {
    slot.alarm = this.#clock.set(slot.cell.dueAt!, () => ring(slot), slot.cell.order);
    slot.cell.order = slot.alarm.order;
  }

  #table(path: string): Table {
    let table = this.#tables.get(path);
    if (!table) {
      table = { slots: new Map(), groups: new Map(), dropped: 0, droppedEvents: 0, sweep: undefined };
      this.#tables.set(path, table);
      const alike = this.#byOperator.get(operatorOf(path));
      if (alike) alike.add(table);
      else this.#byOperator.set(operatorOf(path), new Set([table]));
    }
    return table;
  }
}

/** It remembers nothing, and had room for all. */
function isBlank({ slots, dropped, droppedEvents }: Table): boolean {
  return slots.size + dropped + droppedEvents === 0;
}

function groupOf(table: Table, prefix: string): Group {
  let group = table.groups.get(prefix);
  if (!group) {
    group = { table, prefix, slots: new Map(), opener: undefined };
    table.groups.set(prefix, group);
  }
  return group;
}

function touched(slot: Slot | undefined): Slot | undefined {
  if (slot) slot.group.table.sweep?.before(slot);
  return slot;
}

/** What counts and waits by itself; the others are rounds, holds and schedules, which must not stand still. */
function isCorrelation(path: string): boolean {
  return !/\.(exclusive|hold|held|standing|resync)$/.test(path);
}

/** With nobody there to hear it, the cell keeps its due time: it rings when its operator opens it. */
function ring(slot: Slot): void {
  slot.alarm = undefined;
  const { opener } = slot.group;
  if (!opener) return;
  touched(slot);
  delete slot.cell.dueAt;
  delete slot.cell.order;
  opener.ring(slot.key);
}

function disarm(slot: Slot | undefined): void {
  if (!slot) return;
  touched(slot);
  slot.alarm?.cancel();
  slot.alarm = undefined;
  delete slot.cell.dueAt;
  delete slot.cell.order;
}

/** `policy/0.perKey/1.hold` → `hold`. */
const operatorOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

function forget(table: Table, slot: Slot | undefined): void {
  if (!slot) return;
  disarm(slot);
  table.slots.delete(slot.group.prefix + slot.key);
  slot.group.slots.delete(slot.key);
}
