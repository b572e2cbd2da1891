// Owns: event time. A heap of alarms that steps to each one's own due time; ties ring in the order they were set.
// It is also an RxJS scheduler, so that a timed RxJS operator can run on event time. Nobody but the engine moves it.
//
// C1. now() never falls, and only advanceTo moves it.
// C2. Inside an alarm now() is the alarm's due time, so an alarm set in passing and due by then rings in the same pass.
import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

export interface Alarm {
  readonly dueAt: number;
  /** The order it was set in: kept with what is remembered, so that ties ring alike after a restart. */
  readonly order: number;
  cancel(): void;
}

interface Slot extends Alarm {
  ring: (() => void) | null;
}

/** Below this many alarms the cancelled ones are not worth clearing out. */
const compactFrom = 64;

export class EventClock implements SchedulerLike {
  #now = 0;
  #order = 0;
  #heap: Slot[] = [];
  /** Cancelled alarms still in the heap. */
  #cancelled = 0;

  now(): number {
    return this.#now;
  }

  /** Sets an alarm; one due in the past rings in the next advance. `order` only when putting back what was remembered. */
  set(dueAt: number, ring: () => void, order: number = this.#order++): Alarm {
    if (!Number.isFinite(dueAt)) throw new RangeError(`an alarm at ${dueAt} would never ring; give it a finite time`);
    this.#order = Math.max(this.#order, order + 1);
    const slot: Slot = { dueAt, order, ring, cancel: () => this.#cancel(slot) };
    this.#push(slot);
    return slot;
  }

  /** The order that the next alarm gets. */
  get order(): number {
    return this.#order;
  }

  /** Stands where another clock stood; nothing rings. Only before it has moved. */
  restore(now: number, order: number): void {
    this.#now = now;
    this.#order = Math.max(this.#order, order);
  }

  /** Alarms in the heap, the cancelled ones among them: never more than twice those set, and `compactFrom`. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest due time of an alarm still set. */
  nextDue(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.dueAt;
  }

  /** Rings every alarm due by `at`, each at its own due time, then stands at `at`. */
  advanceTo(at: number): void {
    for (;;) {
      this.#dropCancelled();
      const next = this.#heap[0];
      if (!next || next.dueAt > at) break;
      this.#pop();
      this.#now = Math.max(this.#now, next.dueAt);
      const ring = next.ring!;
      next.ring = null;
      ring();
    }
    this.#now = Math.max(this.#now, at);
  }

  /** RxJS's way in: `debounceTime(2000, clock)` and the like. */
  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    return new ClockAction(this, work).schedule(state, delay);
  }

  #dropCancelled(): void {
    for (; this.#heap.length > 0 && this.#heap[0]!.ring === null; this.#cancelled -= 1) this.#pop();
  }

  /** A debounce cancels an alarm an event: left to surface by themselves they would pile up for as long as it waits. */
  #cancel(slot: Slot): void {
    if (slot.ring === null) return;
    slot.ring = null;
    this.#cancelled += 1;
    if (this.#heap.length < compactFrom || this.#cancelled * 2 < this.#heap.length) return;
    // A sorted array is a heap.
    this.#heap = this.#heap.filter(({ ring }) => ring !== null).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  #push(slot: Slot): void {
    const heap = this.#heap;
    let index = heap.push(slot) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(slot, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = slot;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function before(a: Slot, b: Slot): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}

class ClockAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #clock: EventClock;
  readonly #work: (this: SchedulerAction<T>, state?: T) => void;
  #alarm: Alarm | undefined;

  constructor(clock: EventClock, work: (this: SchedulerAction<T>, state?: T) => void) {
    super(() => this.#alarm?.cancel());
    this.#clock = clock;
    this.#work = work;
  }

  schedule(state?: T, delay = 0): Subscription {
    this.#alarm?.cancel();
    if (!this.closed) this.#alarm = this.#clock.set(this.#clock.now() + delay, () => this.#work.call(this, state));
    return this;
  }
}
