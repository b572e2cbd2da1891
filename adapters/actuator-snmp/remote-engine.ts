// Owns: an agent's SNMP engine as we know it: its id, how often it has started, and its time, counted on from when it was last
// heard (RFC 3414 sections 2.3 and 3.2 step 7).
import type { CodecMessage, SecurityParameters } from '../snmp/net-snmp.ts';

interface Known {
  readonly id: Buffer;
  readonly boots: number;
  readonly time: number;
  readonly heardMs: number;
  /** Said in a message of the user; what a first Report says may be anybody's. */
  readonly authentic: boolean;
}

/** Seconds that a message may be late. */
const windowSeconds = 150;

export class RemoteEngine {
  readonly #nowMs: () => number;
  #known: Known | undefined;

  /** `nowMs` is monotonic. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get known(): Known | undefined {
    return this.#known;
  }

  learn({ msgSecurityParameters: security }: CodecMessage, authentic: boolean): void {
    this.#known = {
      id: Buffer.from(security.msgAuthoritativeEngineID),
      boots: security.msgAuthoritativeEngineBoots,
      time: security.msgAuthoritativeEngineTime,
      heardMs: this.#nowMs(),
      authentic,
    };
  }

  /** Neither from before its last start nor from long ago. */
  inWindow({ msgSecurityParameters: security }: CodecMessage): boolean {
    if (!this.#known?.authentic) return true;
    const { msgAuthoritativeEngineBoots: boots, msgAuthoritativeEngineTime: time } = security;
    return boots > this.#known.boots || (boots === this.#known.boots && time >= this.#time(this.#known) - windowSeconds);
  }

  /** What a message to it says of it; as nobody knows it where it has not been heard. */
  stamp(): Omit<SecurityParameters, 'msgUserName'> {
    const known = this.#known;
    return {
      msgAuthoritativeEngineID: known?.id ?? Buffer.alloc(0),
      msgAuthoritativeEngineBoots: known?.boots ?? 0,
      msgAuthoritativeEngineTime: known ? this.#time(known) : 0,
    };
  }

  #time({ time, heardMs }: Known): number {
    return time + Math.floor((this.#nowMs() - heardMs) / 1000);
  }
}
