import { describe, expect, it } from 'vitest';
import { memoryText } from '../../src/cli/show.ts';

describe('offbox show policies', () => {
  it('tells how much is remembered', () => {
    const one = { place: 'p/0.settle', keys: 3, droppedKeys: 0, droppedEvents: 0 };
    expect(memoryText([])).toBe('0 keys');
    expect(memoryText([one, { ...one, keys: 4 }])).toBe('7 keys');
  });

  it('tells what there was no room for, where, and how much room there is', () => {
    const pair = { place: 'p/3.pair', keys: 100_000, droppedKeys: 2, droppedEvents: 0 };
    const within = { place: 'p/4.perKey/0.within', keys: 1, droppedKeys: 1, droppedEvents: 5 };
    expect(memoryText([pair, within])).toBe(
      '100001 keys; 3.pair dropped 2 of more than 100000 keys; 4.perKey/0.within dropped 1 of more than 100000 keys and 5 events of keys with more than 1000',
    );
  });
});
