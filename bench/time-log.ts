// Owns: when what happened to which hypervisor, kept in fixed memory until it is fetched; and what two such logs say together.

/** Events between two fetches: what comes in five seconds. */
const entriesMax = 131_072;

/** In the order things happened: hypervisor by hypervisor the order of its events. */
export interface Times {
  readonly hosts: Uint16Array;
  readonly at: Float64Array;
  /** Not 0: that event's own, as whether it reached a policy. */
  readonly marks: Uint8Array;
}

export class TimeLog {
  readonly #hosts = new Uint16Array(entriesMax);
  readonly #at = new Float64Array(entriesMax);
  readonly #marks = new Uint8Array(entriesMax);
  #length = 0;

  add(host: number, at: number, mark: number): void {
    if (this.#length === entriesMax) throw new Error(`${entriesMax} times, and nobody fetches them`);
    this.#hosts[this.#length] = host;
    this.#at[this.#length] = at;
    this.#marks[this.#length++] = mark;
  }

  /** What was added since the last call. */
  drain(): Times {
    const end = this.#length;
    this.#length = 0;
    return { hosts: this.#hosts.slice(0, end), at: this.#at.slice(0, end), marks: this.#marks.slice(0, end) };
  }
}

/** Milliseconds counted in steps of a hundredth, to a minute. */
export class Histogram {
  readonly #counts = new Uint32Array(6_000_001);
  #total = 0;

  add(ms: number): void {
    const step = Math.min(Math.max(Math.round(ms * 100), 0), this.#counts.length - 1);
    this.#counts[step]! += 1;
    this.#total += 1;
  }

  get total(): number {
    return this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** The time that `percent` of them do not exceed. */
  percentile(percent: number): number {
    let left = Math.ceil((this.#total * percent) / 100);
    for (const [step, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0 && this.#total > 0) return step / 100;
    }
    return Number.NaN;
  }
}

/** Milliseconds. */
export interface Pauses {
  readonly total: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
}

export function pausesOf(of: Histogram): Pauses {
  const [p50, p90, p99, most] = [50, 90, 99, 100].map((percent) => of.percentile(percent)) as [number, number, number, number];
  return { total: of.total, p50, p90, p99, most };
}

/** Pairs each hypervisor's nth event sent with its nth event that arrived. */
export class Delays {
  readonly all = new Histogram();
  /** Of the events that bear a mark. */
  readonly marked = new Histogram();
  readonly #sent = new Map<number, number[]>();
  #sentTotal = 0;

  sent({ hosts, at }: Times): void {
    this.#sentTotal += hosts.length;
    for (const [index, host] of hosts.entries()) {
      const queue = this.#sent.get(host);
      if (queue) queue.push(at[index]!);
      else this.#sent.set(host, [at[index]!]);
    }
  }

  /** Of these what was sent must be known already. */
  arrived({ hosts, at, marks }: Times): void {
    for (const [index, host] of hosts.entries()) {
      const from = this.#sent.get(host)?.shift();
      if (from === undefined) throw new Error(`hypervisor ${host}: more events came than were sent`);
      this.all.add(at[index]! - from);
      if (marks[index]) this.marked.add(at[index]! - from);
    }
  }

  get sentTotal(): number {
    return this.#sentTotal;
  }
}
