// Owns: who keeps the memory. From half of the bound on a few calls of each policy are weighed between two collections: what is kept of
// one, times its calls so far, is what it keeps. From three quarters on the heaviest is named.
import { policyMemoryMax } from '../../model/limits.ts';

export interface ScalesOptions {
  readonly policies: number;
  /** Heap and buffers of this thread, bytes. */
  readonly used: () => number;
  /** A full collection. */
  readonly collect: () => void;
  /** Called once: the policy that keeps the most (-1: nobody can be named), and how much. */
  readonly heavy: (policy: number, keptBytes: number) => void;
}

/** Calls of one policy that are weighed: each takes two collections. */
const weighingsMax = 3;
/** Calls between two looks. */
const lookEvery = 16;
/** A policy that keeps less than this share of the bound is not what fills it. */
const blameShare = 1 / 8;

export class Scales {
  readonly #options: ScalesOptions;
  readonly #calls: number[];
  readonly #weighings: number[];
  readonly #kept: number[];
  #weighs = false;
  #before: number | undefined;
  #sinceLook = 0;
  #collectedAt = 0;
  #told = false;

  constructor(options: ScalesOptions) {
    this.#options = options;
    const zeros = (): number[] => new Array<number>(options.policies).fill(0);
    this.#calls = zeros();
    this.#weighings = zeros();
    this.#kept = zeros();
  }

  enter(policy: number): void {
    this.#calls[policy]! += 1;
    if (!this.#weighs || this.#weighings[policy]! >= weighingsMax) return;
    this.#options.collect();
    this.#before = this.#options.used();
  }

  leave(policy: number): void {
    this.#sinceLook += 1;
    if (this.#before !== undefined) {
      this.#options.collect();
      this.#kept[policy]! += Math.max(this.#options.used() - this.#before, 0);
      this.#weighings[policy]! += 1;
      this.#before = undefined;
    } else if (this.#sinceLook < lookEvery) return;
    this.#sinceLook = 0;
    this.#look();
  }

  #look(): void {
    const { used, collect } = this.#options;
    const step = policyMemoryMax / 16;
    if (this.#told || used() < policyMemoryMax / 2 || used() < this.#collectedAt + step) return;
    collect();
    this.#collectedAt = used();
    this.#weighs = this.#collectedAt >= policyMemoryMax / 2;
    if (this.#collectedAt >= (policyMemoryMax * 3) / 4) this.#name(this.#collectedAt);
  }

  #name(used: number): void {
    const estimates = this.#kept.map((kept, policy) => {
      const weighings = this.#weighings[policy]!;
      return weighings === 0 ? 0 : (kept / weighings) * this.#calls[policy]!;
    });
    const most = Math.max(0, ...estimates);
    const isClear = most >= policyMemoryMax * blameShare;
    if (!isClear && used < policyMemoryMax) return;
    this.#told = true;
    this.#options.heavy(isClear ? estimates.indexOf(most) : -1, isClear ? most : used);
  }
}
