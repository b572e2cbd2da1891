// Owns: a simulated device: its places, each with a value, its first-hop role, and its own log of every line it took, by
// whomever.

export type Hand = 'offbox' | 'person' | 'network';

/** One line a device took. */
export interface Write {
  readonly time: number;
  /** When it was sent: what a device takes late was sent before. */
  readonly sent: number;
  readonly by: Hand;
  /** Of the process that sent it; 0 for anybody else. */
  readonly epoch: number;
  readonly line: string;
  readonly place: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface Shown {
  readonly time: number;
  readonly value: string | null;
}

export class Device {
  readonly name: string;
  readonly places = new Map<string, string>();
  readonly log: Write[] = [];
  /** Place → everything it ever was, with when. */
  readonly history = new Map<string, Shown[]>();
  /** When it told of a place what was not so. */
  readonly lies: { readonly time: number; readonly place: string }[] = [];
  role: 'active' | 'standby' = 'standby';
  uplink: 'up' | 'down' = 'up';
  reachable = true;
  /** Takes every line twice: for the canary. */
  stutters = false;
  readonly hangUps = new Set<() => void>();

  constructor(name: string, places: Readonly<Record<string, string>> = {}) {
    this.name = name;
    for (const [place, value] of Object.entries(places)) this.#put(0, place, value);
  }

  value(place: string): string | null {
    return this.places.get(place) ?? null;
  }

  /** `set PLACE = VALUE` or `unset PLACE`. */
  take(time: number, by: Hand, epoch: number, line: string, sent = time): void {
    for (let times = this.stutters && by === 'offbox' ? 2 : 1; times > 0; times -= 1) this.#take(time, by, epoch, line, sent);
  }

  /** By what it hears on the wire. */
  learn(time: number, place: string, value: string | null): void {
    if (this.value(place) === value) return;
    this.#take(time, 'network', 0, value === null ? `unset ${place}` : `set ${place} = ${value}`);
  }

  /** A line that changes no place of its own. */
  note(time: number, by: Hand, epoch: number, line: string, sent = time): void {
    this.log.push({ time, sent, by, epoch, line, place: line, before: null, after: line });
  }

  #take(time: number, by: Hand, epoch: number, line: string, sent = time): void {
    const [, place, value] = /^(?:set|unset) (.+?)(?: = (.+))?$/.exec(line) as unknown as [string, string, string | undefined];
    const before = this.value(place);
    const after = value ?? null;
    this.log.push({ time, sent, by, epoch, line, place, before, after });
    this.#put(time, place, after);
  }

  #put(time: number, place: string, value: string | null): void {
    if (value === null) this.places.delete(place);
    else this.places.set(place, value);
    const history = this.history.get(place) ?? [];
    history.push({ time, value });
    this.history.set(place, history);
  }
}
