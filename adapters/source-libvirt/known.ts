// Owns: of which domains of a hypervisor the XML has been read and told, and until when that is believed: what is known need not be
// read again. Domains that were listed together do not all become unknown at the same moment.
import { libvirtDomainsMax, libvirtXmlFreshMs } from '../../src/model/limits.ts';

export class Known {
  readonly #random: () => number;
  /** By UUID. */
  readonly #until = new Map<string, number>();

  /** `random`: from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** `now`: milliseconds from any fixed point, rising. */
  has(uuid: string, now: number): boolean {
    const until = this.#until.get(uuid);
    return until !== undefined && now <= until;
  }

  add(uuid: string, now: number): void {
    if (!this.#until.has(uuid) && this.#until.size >= libvirtDomainsMax) return;
    this.#until.set(uuid, now + libvirtXmlFreshMs * (0.5 + this.#random() / 2));
  }

  delete(uuid: string): void {
    this.#until.delete(uuid);
  }

  clear(): void {
    this.#until.clear();
  }
}
