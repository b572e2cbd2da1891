import { expect, test } from 'vitest';
import { prng } from '../../src/testing/prng.ts';

const numbers = (seed: number) => {
  const chance = prng(seed);
  return Array.from({ length: 1_000 }, () => chance.between(1, 6));
};

test('the same seed throws the same dice, another seed others', () => {
  expect(numbers(7)).toEqual(numbers(7));
  expect(numbers(7)).not.toEqual(numbers(8));
});

test('every face of a die comes up about as often, whatever the seed', () => {
  for (const seed of [0, 1, 2, 2 ** 31, -1]) {
    const thrown = numbers(seed);
    for (let face = 1; face <= 6; face += 1) {
      const times = thrown.filter((each) => each === face).length;
      expect(times).toBeGreaterThan(110);
      expect(times).toBeLessThan(225);
    }
  }
});

test('what one fork draws leaves another as it is', () => {
  const [one, other] = [prng(3), prng(3)];
  for (let draws = 0; draws < 10; draws += 1) one.fork('a').fraction();
  one.fraction();
  expect(one.fork('b').fraction()).toBe(other.fork('b').fraction());
  expect(other.fork('a').fraction()).not.toBe(other.fork('b').fraction());
});
