// Owns: chance with a seed: the same seed gives the same numbers in the same order, on every machine. For simulations; what is
// drawn in one fork leaves the draws of another as they are.

export interface Prng {
  /** A fraction from 0 up to, not including, 1. */
  fraction(): number;
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** True `percent` times of a hundred. */
  chance(percent: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** Another generator, that depends on the seed and the name alone. */
  fork(name: string): Prng;
}

/** Spreads the bits of a whole number (the finalizer of MurmurHash3). */
function mix(number: number): number {
  let mixed = number >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A Weyl sequence, mixed: 32 bits of state, no short cycle whatever the seed. */
export function prng(seed: number): Prng {
  let state = mix(seed ^ 0x5bd1e995);
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state);
  };
  const self: Prng = {
    fraction: () => next() / 2 ** 32,
    below: (limit) => Math.floor(self.fraction() * limit),
    between: (least, most) => least + self.below(most - least + 1),
    chance: (percent) => self.fraction() * 100 < percent,
    pick: (list) => list[self.below(list.length)]!,
    fork: (name) => prng([...name].reduce((hash, letter) => mix(hash * 31 + letter.charCodeAt(0)), mix(seed))),
  };
  return self;
}
