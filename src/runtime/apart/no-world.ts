// Owns: taking the world away from policies: no clock, no chance, no process, no promises. In the thread that runs them each of these
// throws while a policy is running, with what to use instead; our own code around them has it as always.
import { OperatorError } from '../../model/errors.ts';

const eventTime =
  'Time is `event.at`, and settle, within, absent, `resync` and `lingers` wait: they are replayed, a timer is not.';
const chance = 'A replay must decide the same: take what differs from the event (its seq, its fields).';
const answers = 'Use read, act and prove in a pipe: their answers come as entries, and are there again in a replay.';
const world = 'A policy only decides; what is to be done it returns, and what it must know it listens to or reads.';

const remedies: Readonly<Record<string, string>> = {
  setTimeout: eventTime,
  setInterval: eventTime,
  setImmediate: eventTime,
  queueMicrotask: answers,
  performance: eventTime,
  Temporal: eventTime,
  scheduler: eventTime,
  crypto: chance,
  fetch: answers,
  WebSocket: answers,
  EventSource: answers,
  process: world,
  Worker: world,
  MessageChannel: world,
  BroadcastChannel: world,
  SharedArrayBuffer: world,
  Atomics: world,
  WebAssembly: world,
  navigator: world,
  localStorage: world,
  sessionStorage: world,
  console: 'Return a notice: it is told, journaled and shown by `offbox show intents`.',
};

/** RxJS's own timers end in a `setTimeout` of theirs: this is what an author then reads. */
function refuse(name: string, remedy: string): never {
  throw new OperatorError(`it uses ${name}, which policies do not have`, { code: 'policy-not-pure', remedy });
}

/** For good. `inside`: whether a policy is running. */
export function takeWorldAway(inside: () => boolean): void {
  const only = (name: string, remedy: string): void => {
    if (inside()) refuse(name, remedy);
  };
  for (const [name, remedy] of Object.entries(remedies)) {
    const found = Object.getOwnPropertyDescriptor(globalThis, name);
    if (!found?.configurable) continue;
    const value = (): unknown => (found.get ? found.get.call(globalThis) : found.value);
    Object.defineProperty(globalThis, name, {
      configurable: false,
      get() {
        only(name, remedy);
        return value();
      },
    });
  }
  const { random } = Math;
  Object.defineProperty(Math, 'random', {
    value() {
      only('Math.random', chance);
      return random();
    },
  });
  put('Promise', constructorWithout(Promise, only, { calls: 'Promise', members: everything, remedy: answers }));
  put('Date', constructorWithout(Date, only, { calls: 'Date()', members: new Set(['now']), remedy: eventTime }));
}

interface Without {
  /** What it is named when it is called without an argument, or at all. */
  readonly calls: string;
  readonly members: ReadonlySet<PropertyKey> | typeof everything;
  readonly remedy: string;
}

const everything = 'everything';

/** A constructor that `instanceof` still knows. A date that is made from a number has nothing of the clock. */
function constructorWithout(whole: object, only: (name: string, remedy: string) => void, without: Without): object {
  const { calls, members, remedy } = without;
  const stays: ReadonlySet<PropertyKey> = new Set(['prototype', 'name', 'length', Symbol.hasInstance, Symbol.species]);
  return new Proxy(whole, {
    apply(target, self, given) {
      only(calls, remedy);
      return Reflect.apply(target as () => unknown, self, given);
    },
    construct(target, given, made) {
      if (members === everything || given.length === 0) only(calls, remedy);
      return Reflect.construct(target as new () => object, given, made);
    },
    get(target, member) {
      if (members === everything ? !stays.has(member) : members.has(member))
        only(`${calls.replace('()', '')}.${String(member)}`, remedy);
      return Reflect.get(target, member);
    },
  });
}

function put(name: 'Promise' | 'Date', value: object): void {
  Object.defineProperty(globalThis, name, { value, writable: false, configurable: false });
  // Another way to the same: `new Date(0).constructor`.
  Object.defineProperty((value as { readonly prototype: object }).prototype, 'constructor', { value });
}
