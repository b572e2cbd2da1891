// Owns: cells: what one operator of one policy remembers per key, its alarm included, as plain data (law E6).
// RxJS closures hold wiring only; whatever must survive a restart is in here and nowhere else.
//
// A table belongs to one operator at one place of one policy's pipeline. Below a perKey the same table serves every
// group: the group's key is the prefix of the cell's.
import { cellKeysMax } from '../model/limits.ts';
import type { EventClock } from './clock.ts';

export interface Cell<T> {
  data: T;
  /** When its alarm rings, and the order it was set in; absent without an alarm. */
  dueAt?: number;
  order?: number;
}

/** What a snapshot holds of a table. */
export type CellRecords = readonly (readonly [key: string, cell: Cell<unknown>])[];

interface Table {
  readonly cells: Map<string, Cell<unknown>>;
  /** Put back from a snapshot with an alarm that no operator has taken over yet. */
  readonly unarmed: Set<string>;
  dropped: number;
}

/** One operator's view of its cells, below one prefix. */
export interface Cells<T> {
  get(key: string): T | undefined;
  /** Remembers; the key's alarm stays as it is. Beyond cellKeysMax the oldest key is forgotten and counted. */
  set(key: string, data: T): void;
  delete(key: string): void;
  keys(): string[];
  /** Sets the key's one alarm, instead of any before. The key must be remembered. */
  setAlarm(key: string, dueAt: number): void;
  clearAlarm(key: string): void;
  hasAlarm(key: string): boolean;
}

export class CellStore {
  readonly #clock: EventClock;
  readonly #tables = new Map<string, Table>();

  constructor(clock: EventClock) {
    this.#clock = clock;
  }

  /** Opens the cells of the operator at `path` below `prefix`; `ring` is called with a key when its alarm is due. */
  open<T>(path: string, prefix: string, ring: (key: string) => void): Cells<T> {
    const table = this.#table(path);
    const clock = this.#clock;
    const alarms = new Map<string, () => void>();

    const arm = (full: string, cell: Cell<unknown>): void => {
      const alarm = clock.set(cell.dueAt!, () => rung(full), cell.order);
      cell.order = alarm.order;
      alarms.set(full, alarm.cancel);
    };
    const rung = (full: string): void => {
      alarms.delete(full);
      const cell = table.cells.get(full);
      if (!cell) return;
      delete cell.dueAt;
      delete cell.order;
      ring(full.slice(prefix.length));
    };
    const disarm = (full: string): void => {
      alarms.get(full)?.();
      alarms.delete(full);
      const cell = table.cells.get(full);
      delete cell?.dueAt;
      delete cell?.order;
    };
    const forget = (full: string): void => {
      disarm(full);
      table.cells.delete(full);
    };

    for (const full of table.unarmed) {
      if (!full.startsWith(prefix)) continue;
      table.unarmed.delete(full);
      arm(full, table.cells.get(full)!);
    }

    return {
      get: (key) => table.cells.get(prefix + key)?.data as T | undefined,
      set(key, data) {
        const cell = table.cells.get(prefix + key);
        if (cell) {
          cell.data = data;
          return;
        }
        if (table.cells.size >= cellKeysMax) {
          forget(table.cells.keys().next().value!);
          table.dropped += 1;
        }
        table.cells.set(prefix + key, { data });
      },
      delete: (key) => forget(prefix + key),
      keys: () => [...table.cells.keys()].filter((full) => full.startsWith(prefix)).map((full) => full.slice(prefix.length)),
      setAlarm(key, dueAt) {
        const full = prefix + key;
        const cell = table.cells.get(full);
        if (!cell) throw new RangeError(`an alarm for "${key}" needs its cell first`);
        disarm(full);
        cell.dueAt = dueAt;
        arm(full, cell);
      },
      clearAlarm: (key) => disarm(prefix + key),
      hasAlarm: (key) => table.cells.get(prefix + key)?.dueAt !== undefined,
    };
  }

  /** Keys dropped because an operator reached its bound, by path. */
  dropped(): Record<string, number> {
    return Object.fromEntries(
      [...this.#tables].filter(([, table]) => table.dropped > 0).map(([path, table]) => [path, table.dropped]),
    );
  }

  /** Plain data of every cell, for a snapshot or a comparison. */
  snapshot(): Record<string, CellRecords> {
    return Object.fromEntries([...this.#tables].map(([path, table]) => [path, structuredClone([...table.cells])]));
  }

  /** Puts a snapshot back. To be called before the operators open their cells. */
  restore(snapshot: Readonly<Record<string, CellRecords>>): void {
    for (const [path, cells] of Object.entries(snapshot)) {
      const table = this.#table(path);
      for (const [key, cell] of structuredClone(cells)) {
        table.cells.set(key, cell);
        if (cell.dueAt !== undefined) table.unarmed.add(key);
      }
    }
  }

  #table(path: string): Table {
    let table = this.#tables.get(path);
    if (!table) {
      table = { cells: new Map(), unarmed: new Set(), dropped: 0 };
      this.#tables.set(path, table);
    }
    return table;
  }
}
