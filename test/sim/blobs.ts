// Owns: the simulated disk's blobs: written slowly, lost or half there where a process died over them; and later found torn or
// gone, as long as another whole snapshot stands for what was forgotten.
import { createHash } from 'node:crypto';
import type { EntryOf } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { DiskOptions } from './disk.ts';
import type { SimProcess } from './process.ts';

type Named = EntryOf<'snapshot'>;

export class Blobs {
  readonly #options: DiskOptions;
  readonly #whole = new Map<string, Uint8Array>();
  readonly #torn = new Map<string, Uint8Array>();
  /** What entries have named, in their order. */
  #named: readonly Named[] = [];

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#whole.size + this.#torn.size;
  }

  get bytes(): number {
    return [...this.#whole.values(), ...this.#torn.values()].reduce((sum, { length }) => sum + length, 0);
  }

  async put(process: SimProcess, bytes: Uint8Array): Promise<string> {
    const { clock, prng, crash } = this.#options;
    const digest = createHash('sha256').update(bytes).digest('hex');
    await clock.base.sleep(prng.fraction() * 50);
    const crashes = prng.chance(this.#options.weather().crashAtBlob);
    if (crashes && prng.chance(50)) {
      if (!this.#whole.has(digest)) this.#torn.set(digest, bytes.slice(0, prng.below(bytes.length)));
      crash(process, 'in the middle of a blob');
      return digest;
    }
    this.#torn.delete(digest);
    this.#whole.set(digest, new Uint8Array(bytes));
    if (crashes) crash(process, 'after a blob was durable, before an entry names it');
    return digest;
  }

  /** Throws where it is torn: a journal tells by the digest. */
  get(digest: string): Uint8Array | undefined {
    if (this.#torn.has(digest))
      throw new RuntimeFault(`[disk] blob ${digest.slice(0, 8)} is torn`, { code: 'journal-damaged', remedy: 'Do without.' });
    return this.#whole.get(digest);
  }

  digests(): readonly string[] {
    return [...this.#whole.keys(), ...this.#torn.keys()];
  }

  async delete(process: SimProcess, digest: string): Promise<void> {
    const { clock, prng, crash } = this.#options;
    await clock.base.sleep(prng.fraction() * 5);
    this.#whole.delete(digest);
    this.#torn.delete(digest);
    if (prng.chance(this.#options.weather().crashAtTrim)) crash(process, 'after a blob was deleted');
  }

  /** An entry that names one is taken. */
  name(entry: Named): void {
    this.#named = [...this.#named, entry];
  }

  /** Entries after `through` are lost. */
  unname(through: number): void {
    this.#named = this.#named.filter(({ seq }) => seq <= through);
  }

  /** Whether a whole snapshot stands for what was before `beforeSeq`. */
  stands(beforeSeq: number): boolean {
    return this.#standing(beforeSeq).length > 0;
  }

  /** One of the snapshots is torn or gone: any, where entries from the first on are there; else not the newest that could stand in. */
  spoil(first: number): void {
    const { prng, trace } = this.#options;
    const spared = first > 1 ? this.#standing(first).findLast(({ unsettled }) => unsettled.length === 0)?.digest : undefined;
    const digest = [...this.#whole.keys()].filter((each) => each !== spared).at(-1 - prng.below(2));
    const bytes = digest === undefined ? undefined : this.#whole.get(digest);
    if (digest === undefined || !bytes) return;
    const isTorn = prng.chance(50);
    trace(`disk: blob ${digest.slice(0, 8)} is ${isTorn ? 'torn' : 'gone'}`);
    this.#whole.delete(digest);
    if (isTorn) this.#torn.set(digest, bytes.slice(0, prng.below(bytes.length)));
  }

  clear(): void {
    this.#whole.clear();
    this.#torn.clear();
  }

  #standing(beforeSeq: number): readonly Named[] {
    return this.#named.filter(({ through, digest }) => through >= beforeSeq - 1 && this.#whole.has(digest));
  }
}
