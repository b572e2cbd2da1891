// Owns: a switch's MAC address table as learning fills it: a row per VLAN and MAC, moved by the next frame from another port,
// gone when it was silent for the ageing time. What port security pins is not in here (port-security.ts).

export interface MacRow {
  readonly vlan: number;
  readonly mac: string;
  /** `GigabitEthernet1/0/1`, or `nve1.VNI10010` for one behind another VTEP. */
  readonly port: string;
}

export interface MacFilter {
  readonly vlan?: number;
  readonly mac?: string;
  readonly port?: string;
}

/** As a Catalyst 9300 holds. A frame of a MAC that finds the table full is forwarded and not learned. */
const rowsMax = 32_768;

export class MacTable {
  readonly #rows = new Map<string, { readonly row: MacRow; readonly seenAt: number }>();
  readonly #ageingMs: number;

  /** `ageingMs` 300,000 on every Catalyst where nothing is said. */
  constructor(ageingMs: number) {
    this.#ageingMs = ageingMs;
  }

  /** Returns the port it was at before, where that is another. `now` in monotonic milliseconds. */
  learn(row: MacRow, now: number): string | undefined {
    const key = `${row.vlan} ${row.mac}`;
    const held = this.#rows.get(key);
    const from = held && now - held.seenAt < this.#ageingMs ? held.row.port : undefined;
    if (!held && this.#rows.size >= rowsMax) this.#age(now);
    if (!held && this.#rows.size >= rowsMax) return undefined;
    this.#rows.set(key, { row, seenAt: now });
    return from === row.port ? undefined : from;
  }

  /** In the order they were first learned. */
  rows(now: number, filter: MacFilter = {}): readonly MacRow[] {
    this.#age(now);
    return [...this.#rows.values()].map(({ row }) => row).filter((row) => matches(row, filter));
  }

  /** How many went. */
  clear(now: number, filter: MacFilter = {}): number {
    const gone = this.rows(now, filter);
    for (const { vlan, mac } of gone) this.#rows.delete(`${vlan} ${mac}`);
    return gone.length;
  }

  #age(now: number): void {
    for (const [key, { seenAt }] of this.#rows) if (now - seenAt >= this.#ageingMs) this.#rows.delete(key);
  }
}

export function matches(row: MacRow, { vlan, mac, port }: MacFilter): boolean {
  return (vlan ?? row.vlan) === row.vlan && (mac ?? row.mac) === row.mac && (port ?? row.port) === row.port;
}
