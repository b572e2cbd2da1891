import fc from 'fast-check';
import { debounceTime, delay, interval, map, Subject, take, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type Alarm, EventClock } from '../../src/core/clock.ts';

describe('EventClock', () => {
  test('rings what is due in the order of its time, each at its own', () => {
    const { clock, rung, set } = clockWith();
    for (const dueAt of [30, 10, 20, 99]) set(dueAt);
    clock.advanceTo(50);
    expect(rung).toEqual(['10@10', '20@20', '30@30']);
    expect(clock.now()).toBe(50);
    expect(clock.nextDue()).toBe(99);
  });

  test('rings ties in the order they were set', () => {
    const { clock, rung, set } = clockWith();
    for (const name of ['a', 'b', 'c', 'd']) set(7, name);
    clock.advanceTo(7);
    expect(rung).toEqual(['a@7', 'b@7', 'c@7', 'd@7']);
  });

  test('rings ties in the order they had, whatever order they are put back in', () => {
    const { clock, rung, set } = clockWith();
    set(7, 'third', 12);
    set(7, 'first', 3);
    set(7, 'second', 5);
    set(7, 'last');
    clock.advanceTo(7);
    expect(rung).toEqual(['first@7', 'second@7', 'third@7', 'last@7']);
  });

  test('does not ring what was cancelled, and forgets its time', () => {
    const { clock, rung, set } = clockWith();
    const early = set(5);
    set(8);
    early.cancel();
    expect(clock.nextDue()).toBe(8);
    clock.advanceTo(9);
    expect(rung).toEqual(['8@8']);
    expect(clock.nextDue()).toBeUndefined();
  });

  test('may be told to cancel twice, after the ring, and from another ring', () => {
    const { clock, rung, set } = clockWith();
    const late = set(3, 'late');
    clock.set(2, () => late.cancel());
    const early = set(1, 'early');
    clock.advanceTo(10);
    early.cancel();
    late.cancel();
    expect(rung).toEqual(['early@1']);
  });

  test('rings in the same pass what an alarm sets in passing, due by then', () => {
    const { clock, rung, set } = clockWith();
    clock.set(10, () => {
      set(clock.now(), 'at once');
      set(15, 'soon');
      set(21, 'later');
    });
    set(12, 'between');
    clock.advanceTo(20);
    expect(rung).toEqual(['at once@10', 'between@12', 'soon@15']);
  });

  test('rings what was due in the past at the present, never turning back', () => {
    const { clock, rung, set } = clockWith();
    clock.advanceTo(100);
    set(40);
    clock.advanceTo(60);
    expect(rung).toEqual(['40@100']);
    expect(clock.now()).toBe(100);
  });

  test('refuses an alarm that would never ring', () => {
    const { set } = clockWith();
    expect(() => set(Number.NaN)).toThrow('would never ring');
    expect(() => set(Number.POSITIVE_INFINITY)).toThrow('would never ring');
  });

  test('goes on after an alarm that throws', () => {
    const { clock, rung, set } = clockWith();
    clock.set(1, () => {
      throw new Error('no');
    });
    set(2);
    expect(() => clock.advanceTo(5)).toThrow('no');
    clock.advanceTo(5);
    expect(rung).toEqual(['2@2']);
  });

  test('keeps no heap of alarms that were cancelled: a debounce sets one an event', () => {
    const { clock } = clockWith();
    let alarm: Alarm | undefined;
    for (let index = 0; index < 10_000; index += 1) {
      alarm?.cancel();
      alarm = clock.set(1_000_000 + index, () => undefined);
    }
    expect(clock.size).toBeLessThan(200);
  });

  test('is a sorted list, whatever is set, cancelled and let pass', () => {
    const act = fc.oneof(
      { weight: 5, arbitrary: fc.record({ act: fc.constant('set' as const), number: fc.nat(50) }) },
      { weight: 4, arbitrary: fc.record({ act: fc.constant('cancel' as const), number: fc.nat(200) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('pass' as const), number: fc.nat(20) }) },
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 400, size: 'max' }), (acts) => {
        const clock = new EventClock();
        const rung: number[] = [];
        const naive: number[] = [];
        let waiting: { readonly dueAt: number; readonly name: number }[] = [];
        const alarms: Alarm[] = [];
        for (const { act, number } of acts) {
          if (act === 'set') {
            const name = alarms.length;
            const dueAt = clock.now() + number;
            waiting.push({ dueAt, name });
            alarms.push(clock.set(dueAt, () => rung.push(name)));
          } else if (act === 'cancel' && alarms.length > 0) {
            alarms[number % alarms.length]!.cancel();
            waiting = waiting.filter(({ name }) => name !== number % alarms.length);
          } else if (act === 'pass') {
            const until = clock.now() + number;
            // Array.prototype.sort is stable: ties stay in the order they were set.
            const due = waiting.filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt);
            naive.push(...due.map(({ name }) => name));
            waiting = waiting.filter(({ dueAt }) => dueAt > until);
            clock.advanceTo(until);
          }
          expect(clock.nextDue()).toBe(waiting.length > 0 ? Math.min(...waiting.map(({ dueAt }) => dueAt)) : undefined);
        }
        expect(rung).toEqual(naive);
      }),
    );
  });
});

describe('EventClock as an RxJS scheduler', () => {
  test('times an interval', () => {
    const { clock, rung, hear } = clockWith();
    interval(100, clock).pipe(take(3)).subscribe(hear);
    clock.advanceTo(1_000);
    expect(rung).toEqual(['0@100', '1@200', '2@300']);
    expect(clock.nextDue()).toBeUndefined();
  });

  test('times a debounce', () => {
    const { clock, rung, hear } = clockWith();
    const values = new Subject<string>();
    values.pipe(debounceTime(50, clock)).subscribe(hear);
    for (const [at, value] of [
      [0, 'a'],
      [30, 'b'],
      [90, 'c'],
    ] as const) {
      clock.advanceTo(at);
      values.next(value);
    }
    clock.advanceTo(500);
    expect(rung).toEqual(['b@80', 'c@140']);
  });

  test('times a delay, and keeps the order of what comes at one time', () => {
    const { clock, rung, hear } = clockWith();
    const values = new Subject<string>();
    values.pipe(delay(20, clock)).subscribe(hear);
    values.next('a');
    values.next('b');
    clock.advanceTo(19);
    expect(rung).toEqual([]);
    clock.advanceTo(20);
    expect(rung).toEqual(['a@20', 'b@20']);
  });

  test('rings no more once unsubscribed from', () => {
    const { clock, rung, hear } = clockWith();
    const subscription = interval(100, clock).subscribe(hear);
    clock.advanceTo(250);
    subscription.unsubscribe();
    clock.advanceTo(1_000);
    expect(rung).toEqual(['0@100', '1@200']);
    expect(clock.nextDue()).toBeUndefined();
  });

  test('does not let two timers that meet change places', () => {
    const { clock, rung, hear } = clockWith();
    timer(200, clock)
      .pipe(map(() => 'first set'))
      .subscribe(hear);
    clock.advanceTo(100);
    timer(100, clock)
      .pipe(map(() => 'then set'))
      .subscribe(hear);
    clock.advanceTo(200);
    expect(rung).toEqual(['first set@200', 'then set@200']);
  });
});

function clockWith() {
  const clock = new EventClock();
  const rung: string[] = [];
  const hear = (what: unknown): void => void rung.push(`${what}@${clock.now()}`);
  const set = (dueAt: number, name: unknown = dueAt, order?: number): Alarm => clock.set(dueAt, () => hear(name), order);
  return { clock, rung, hear, set };
}
