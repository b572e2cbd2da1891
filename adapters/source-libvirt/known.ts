// Owns: of which domains of a hypervisor the XML has been read and told, and how long ago: what is known need not be read again.
import { libvirtDomainsMax, libvirtXmlFreshMs } from '../../src/model/limits.ts';

export class Known {
  /** By UUID, `now` of the reading. */
  readonly #readAt = new Map<string, number>();

  /** `now`: milliseconds from any fixed point, rising. */
  has(uuid: string, now: number): boolean {
    const readAt = this.#readAt.get(uuid);
    return readAt !== undefined && now - readAt <= libvirtXmlFreshMs;
  }

  add(uuid: string, now: number): void {
    if (this.#readAt.has(uuid) || this.#readAt.size < libvirtDomainsMax) this.#readAt.set(uuid, now);
  }

  delete(uuid: string): void {
    this.#readAt.delete(uuid);
  }

  clear(): void {
    this.#readAt.clear();
  }
}
