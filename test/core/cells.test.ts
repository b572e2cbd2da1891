import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CellStore } from '../../src/core/cells.ts';
import { EventClock } from '../../src/core/clock.ts';
import { cellKeysMax } from '../../src/model/limits.ts';

describe('cells', () => {
  test('remember per key and forget', () => {
    const { cells } = storeWith();
    cells.set('a', 1);
    cells.set('b', 2);
    cells.set('a', 3);
    expect([cells.get('a'), cells.get('b'), cells.get('c')]).toEqual([3, 2, undefined]);
    expect(cells.keys()).toEqual(['a', 'b']);
    cells.delete('a');
    cells.delete('never there');
    expect(cells.keys()).toEqual(['b']);
  });

  test('ring the key whose alarm is due, once', () => {
    const { clock, cells, rung } = storeWith();
    cells.set('a', 1);
    cells.setAlarm('a', 10);
    expect(cells.hasAlarm('a')).toBe(true);
    clock.advanceTo(10);
    clock.advanceTo(99);
    expect(rung).toEqual(['a@10']);
    expect(cells.hasAlarm('a')).toBe(false);
  });

  test('have one alarm a key: a new one takes the place of the old', () => {
    const { clock, cells, rung } = storeWith();
    cells.set('a', 1);
    cells.setAlarm('a', 10);
    cells.setAlarm('a', 30);
    cells.setAlarm('a', 20);
    clock.advanceTo(99);
    expect(rung).toEqual(['a@20']);
  });

  test('keep the alarm when the data change, and drop it with the key', () => {
    const { clock, cells, rung } = storeWith();
    for (const key of ['a', 'b', 'c']) {
      cells.set(key, 1);
      cells.setAlarm(key, 10);
    }
    cells.set('a', 2);
    cells.delete('b');
    cells.clearAlarm('c');
    clock.advanceTo(99);
    expect(rung).toEqual(['a@10']);
    expect(cells.get('c')).toBe(1);
  });

  test('give no alarm to a key that is not there', () => {
    const { cells } = storeWith();
    expect(() => cells.setAlarm('a', 10)).toThrow('needs its cell first');
    cells.clearAlarm('a');
    expect(cells.hasAlarm('a')).toBe(false);
  });

  test('let an alarm set the next', () => {
    const clock = new EventClock();
    const rung: number[] = [];
    const cells = new CellStore(clock).open<number>('p/0.op', '', {
      ring: (key) => {
        rung.push(clock.now());
        if (rung.length < 3) cells.setAlarm(key, clock.now() + 5);
      },
    });
    cells.set('', 0);
    cells.setAlarm('', 5);
    clock.advanceTo(100);
    expect(rung).toEqual([5, 10, 15]);
  });

  test('are apart by place and by prefix', () => {
    const { store, cells } = storeWith();
    const other = store.open<number>('p/1.other', '', { ring: () => undefined });
    const below = store.open<number>('p/0.op', 'group\u0000', { ring: () => undefined });
    cells.set('a', 1);
    other.set('a', 2);
    below.set('a', 3);
    expect([cells.get('a'), other.get('a'), below.get('a')]).toEqual([1, 2, 3]);
    expect([cells.keys(), below.keys()]).toEqual([['a'], ['a']]);
    below.close();
    expect([cells.get('a'), below.get('a')]).toEqual([1, undefined]);
  });

  test('beyond the bound drop the oldest key, whichever group it is in, and count it', () => {
    const { clock, store, rung } = storeWith();
    const dropped: string[] = [];
    const hear = (group: string) => ({ ring: () => rung.push(group), dropped: (key: string) => dropped.push(`${group} ${key}`) });
    const first = store.open<number>('q/0.op', 'first\u0000', hear('first'));
    const second = store.open<number>('q/0.op', 'second\u0000', hear('second'));
    first.set('old', 1);
    first.setAlarm('old', 10);
    for (let index = 1; index < cellKeysMax; index += 1) second.set(String(index), index);
    expect(store.dropped()).toEqual({});
    first.set('old', 2);
    second.set('one more', 1);
    expect(store.dropped()).toEqual({ 'q/0.op': 1 });
    expect(dropped).toEqual(['first old']);
    expect([first.get('old'), second.get('1'), second.get('one more')]).toEqual([undefined, 1, 1]);
    clock.advanceTo(99);
    expect(rung).toEqual([]);
  });

  test('of a policy are forgotten with their alarms, those of others not', () => {
    const { clock, store, cells, rung } = storeWith();
    const other = store.open<number>('p-2/0.op', '', { ring: (key) => rung.push(`p-2 ${key}`) });
    for (const each of [cells, other]) {
      each.set('a', 1);
      each.setAlarm('a', 10);
    }
    store.forget('p');
    clock.advanceTo(99);
    expect(rung).toEqual(['p-2 a']);
    expect(Object.keys(store.snapshot())).toEqual(['p-2/0.op']);
  });

  test('opened again belong to whoever opened them last, alarms included', () => {
    const { clock, store, cells, rung } = storeWith();
    cells.set('a', 1);
    cells.setAlarm('a', 10);
    const again = store.open<number>('p/0.op', '', { ring: (key) => rung.push(`again ${key}`) });
    again.setAlarm('a', 20);
    clock.advanceTo(99);
    expect(rung).toEqual(['again a']);
  });

  test('cost no more with many groups than with few', () => {
    // 100,000 groups, put back and opened one by one: looking at the whole table for each would take minutes.
    const { store } = storeWith();
    for (let index = 0; index < cellKeysMax; index += 1) {
      const group = store.open<number>('q/0.op', `${index}\u0000`, { ring: () => undefined });
      group.set('', index);
      group.setAlarm('', 1_000);
    }
    const { store: back } = storeWith();
    back.restore(store.snapshot());
    let found = 0;
    for (let index = 0; index < cellKeysMax; index += 1)
      found += back.open<number>('q/0.op', `${index}\u0000`, { ring: () => undefined }).keys().length;
    expect(found).toBe(cellKeysMax);
  });
});

describe('a snapshot of cells', () => {
  test('is plain data of its own', () => {
    const { store } = storeWith();
    const cells = store.open<{ times: number[] }>('q/0.op', '', { ring: () => undefined });
    cells.set('a', { times: [1] });
    const snapshot = store.snapshot();
    cells.get('a')!.times.push(2);
    expect(snapshot['q/0.op']).toEqual([['', 'a', { data: { times: [1] } }]]);
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
  });

  test('put back rings at the same times in the same order, however the operators are opened', () => {
    const { store, clock } = storeWith();
    const one = store.open<number>('p/0.one', '', { ring: () => undefined });
    const two = store.open<number>('p/1.two', '', { ring: () => undefined });
    for (const [cells, key] of [
      [two, 'first'],
      [one, 'second'],
      [two, 'third'],
    ] as const) {
      cells.set(key, 0);
      cells.setAlarm(key, 50);
    }
    clock.advanceTo(20);
    const back = new EventClock();
    back.advanceTo(20);
    const rung: string[] = [];
    const restored = new CellStore(back);
    restored.restore(store.snapshot());
    for (const path of ['p/0.one', 'p/1.two']) restored.open(path, '', { ring: (key) => rung.push(`${key}@${back.now()}`) });
    back.advanceTo(99);
    expect(rung).toEqual(['first@50', 'second@50', 'third@50']);
  });

  test('put back before its operator opens it waits for it, and rings when it does', () => {
    const { store, cells } = storeWith();
    cells.set('a', 1);
    cells.setAlarm('a', 10);
    const { store: back, clock, rung } = storeWith({ opened: false });
    back.restore(store.snapshot());
    clock.advanceTo(30);
    expect(rung).toEqual([]);
    back.open('p/0.op', '', { ring: (key) => rung.push(`${key}@${clock.now()}`) });
    clock.advanceTo(31);
    expect(rung).toEqual(['a@30']);
  });

  test('put back is what was taken, whatever the keys', () => {
    const record = fc.tuple(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.option(fc.integer({ min: 1, max: 99 })),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        const { store } = storeWith();
        for (const [group, key, dueAt] of records) {
          const cells = store.open<number>('q/0.op', `${group.replaceAll('\u0000', '')}\u0000`, { ring: () => undefined });
          cells.set(key, key.length);
          if (dueAt !== null) cells.setAlarm(key, dueAt);
        }
        const { store: back } = storeWith();
        back.restore(store.snapshot());
        expect(back.snapshot()).toEqual(store.snapshot());
      }),
    );
  });
});

function storeWith({ opened = true } = {}) {
  const clock = new EventClock();
  const store = new CellStore(clock);
  const rung: string[] = [];
  const opener = { ring: (key: string) => void rung.push(`${key}@${clock.now()}`) };
  return { clock, store, rung, cells: store.open<number>(opened ? 'p/0.op' : 'other/0.op', '', opener) };
}
