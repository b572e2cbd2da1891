import { describe, expect, test } from 'vitest';
import { threshold } from '../../../src/core/operators/threshold.ts';
import { cellEventsMax } from '../../../src/model/limits.ts';
import { piped, play, playBroken } from '../marbles.ts';

const counting = (count: number) => piped((letters) => letters.pipe(threshold(count, '500ms')));

describe('threshold', () => {
  test.each([
    ['lets the count-th through', 3, 'a-b-c---', '----c---'],
    ['counts afresh after it', 3, 'abcdefg-', '--c--f--'],
    ['slides its window: the oldest leaves when its time is over', 3, 'a--bc-d-', '----c---'],
    ['does not count what left the window', 3, 'a---b--c----', '------------'],
    ['counts one that comes just before the window ends', 2, 'a---b-----', '----b-----'],
    ['does not count one that comes as the window ends', 2, 'a----b----', '----------'],
    ['counts several of one instant', 3, '(abcd)---', 'c---'],
    ['lets everything through at one', 1, 'ab--c', 'ab--c'],
    ['finds a burst that begins in an older window', 3, 'a---bcd---', '------d---'],
  ] as const)('%s', (_, count, input, output) => {
    expect(play(counting(count), input)).toBe(output);
    expect([...playBroken(counting(count), input)]).toEqual([output]);
  });

  test('forgets what has left its window: quiet costs no memory', () => {
    expect(play(counting(2), 'a-----b----c')).toBe('------------');
  });

  test.each([
    [() => threshold(0, '1s'), `Use a whole number from 1 to ${cellEventsMax}.`],
    [() => threshold(1.5, '1s'), 'cannot count'],
    [() => threshold(cellEventsMax + 1, '1s'), 'cannot count'],
    [() => threshold(Number.NaN, '1s'), 'cannot count'],
    [() => threshold(5, '0s'), 'Use at least 1ms'],
    [() => threshold(5, 'soon' as '1s'), 'Write a number and a unit'],
  ])('refuses what it cannot count %#', (make, text) => {
    expect(make).toThrow(text);
  });
});
