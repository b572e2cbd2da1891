// Owns: an executor over a switch of two tables, in virtual time: places with a value, and rows that come back.

import { Ledger } from '../../src/core/ledger.ts';
import type { Mode } from '../../src/model/config.ts';
import type { EntryBody } from '../../src/model/entry.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { EnsureWant, Resource } from '../../src/model/intent.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { inventorySchema } from '../../src/model/target.ts';
import type { Actuator, Command } from '../../src/ports/actuator.ts';
import type { Dialogue, Looked, Platform, ResourceDriver } from '../../src/ports/platform.ts';
import { Executor } from '../../src/runtime/executor.ts';
import { modesFrom } from '../../src/runtime/modes.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const access = { user: 'offbox', password: { env: 'RIG' }, hostKey: `SHA256:${'A'.repeat(43)}` };
const inventory = inventorySchema.parse({
  targets: {
    sw1: { platform: 'cisco-ios', address: '192.0.2.1', cli: access },
    sw2: { platform: 'cisco-ios', address: '192.0.2.2', cli: access },
  },
  gateways: {},
});

/** A command takes this, milliseconds. */
const commandMs = 10;

/** What a switch has: a value by port, rows, and what happens when a row is cleared. */
export class Switch implements Actuator {
  readonly transport = 'cli';
  readonly values = new Map<string, string>();
  readonly rows = new Set<string>();
  readonly writes: string[] = [];
  /** All it was told, in order. */
  readonly heard: string[] = [];
  /** How often a row comes back, and how long after it was cleared. */
  comesBack = { times: 0, afterMs: 600 };
  /** A row says that it can never be, whatever one waits. */
  readonly doomed = new Set<string>();
  state: 'up' | 'down' | 'garbled' = 'up';
  readonly #wall: VirtualWall;
  readonly #hangUps = new Set<() => void>();

  constructor(wall: VirtualWall) {
    this.#wall = wall;
  }

  set(state: Switch['state']): void {
    this.state = state;
    if (state === 'down') for (const hangUp of this.#hangUps) hangUp();
  }

  async open(_name: string, _target: unknown, signal: AbortSignal) {
    await this.#wall.sleep(commandMs, signal);
    if (this.state === 'down') throw silent();
    const closed = Promise.withResolvers<void>();
    const hangUp = (): void => {
      this.#hangUps.delete(hangUp);
      closed.resolve();
    };
    this.#hangUps.add(hangUp);
    return {
      closed: closed.promise,
      close: async () => hangUp(),
      run: async (command: Command, commandSignal: AbortSignal) => {
        await this.#wall.sleep(commandMs, commandSignal);
        if (!this.#hangUps.has(hangUp)) throw silent();
        return { text: this.#answer(command) };
      },
    };
  }

  #answer(command: Command): string {
    if (command.kind === 'configure') for (const line of command.lines) this.#change(line);
    if (command.kind !== 'cli') return '';
    this.heard.push(command.line);
    if (this.state === 'garbled') throw new TargetError('garbled', { code: 'unreadable', retry: false, remedy: 'Look.' });
    const [what, which = ''] = command.line.split(' ');
    if (what === 'value' || what === 'proof') return this.values.get(which) ?? '';
    return this.rows.has(which) ? 'there' : '';
  }

  #change(line: string): void {
    this.writes.push(line);
    this.heard.push(line);
    const [verb, which = '', value = ''] = line.split(' ');
    if (verb === 'set') this.values.set(which, value);
    else if (verb === 'unset') this.values.delete(which);
    else if (verb === 'add') this.#wall.after(value === '' ? 0 : Number(value), () => this.rows.add(which));
    else this.#clear(which);
  }

  #clear(which: string): void {
    this.rows.delete(which);
    if (this.comesBack.times === 0) return;
    this.comesBack.times -= 1;
    this.#wall.after(this.comesBack.afterMs, () => this.rows.add(which));
  }
}

function silent(): TargetError {
  return new TargetError('it does not answer', { code: 'unreachable', retry: true, remedy: 'It is down.' });
}

type Port = Resource & { readonly interface: string };

interface Attached {
  readonly attached: string | null;
  /** Whether it works; not asked for by whoever only looks. */
  readonly works?: boolean;
}

function* lookAt({ interface: name }: Port): Dialogue<Looked<Attached>> {
  const attached = (yield { kind: 'cli', line: `value ${name}` }).text || null;
  return {
    state: { attached },
    *rest() {
      return { attached, works: (yield { kind: 'cli', line: `proof ${name}` }).text === (attached ?? '') };
    },
  };
}

const valueDriver: ResourceDriver<Port & { readonly policy: string }, Attached> = {
  *read(port) {
    return yield* (yield* lookAt(port)).rest();
  },
  look: lookAt,
  plan({ attached }, { interface: name, policy }, desired) {
    if ((attached === policy) === (desired === 'present')) return [];
    return [{ kind: 'configure', lines: [desired === 'present' ? `set ${name} ${policy}` : `unset ${name}`] }];
  },
  verify: ({ attached, works }, { policy }, desired) =>
    works && (attached === policy) === (desired === 'present')
      ? { effective: true }
      : { effective: false, missing: `${attached} is.` },
  describe: ({ attached }) => attached ?? 'nothing',
  value: ({ attached }) => attached,
};

const rowDriver: ResourceDriver<Port & { readonly mac: string }, { readonly isThere: boolean }> = {
  *read({ mac }) {
    return { isThere: (yield { kind: 'cli', line: `row ${mac}` }).text !== '' };
  },
  plan({ isThere }, { mac }, desired) {
    if (isThere === (desired === 'present')) return [];
    return [{ kind: 'configure', lines: [desired === 'present' ? `add ${mac}` : `clear ${mac}`] }];
  },
  verify: ({ isThere }, _, desired) =>
    isThere === (desired === 'present') ? { effective: true } : { effective: false, missing: 'The row is otherwise.' },
  describe: ({ isThere }) => (isThere ? 'there' : 'not there'),
};

/** Like a migration: a minute until it is effective, or a final no. */
const slowDriver = (on: Switch): ResourceDriver<Port & { readonly uuid: string }, { readonly isThere: boolean }> => ({
  *read({ uuid }) {
    return { isThere: (yield { kind: 'cli', line: `row ${uuid}` }).text !== '' };
  },
  plan: ({ isThere }, { uuid }) => (isThere ? [] : [{ kind: 'configure', lines: [`add ${uuid} 60000`] }]),
  verify({ isThere }, { uuid }) {
    if (isThere) return { effective: true };
    return { effective: false, missing: 'On its way.', ...(on.doomed.has(uuid) ? { final: true as const } : {}) };
  },
  describe: ({ isThere }) => (isThere ? 'there' : 'not there'),
  applyDeadlineMs: 120_000,
  verifyDeadlineMs: 300_000,
});

export const value = (policy: string, on = 'Gi1'): Resource => ({
  kind: 'service-policy',
  target: 'sw1',
  interface: on,
  direction: 'output',
  policy,
});
export const sticky = (mac = 'aa'): Resource => ({ kind: 'sticky-mac', target: 'sw1', interface: 'Gi1', mac, vlan: 20 });
export const seen = (mac = 'bb'): Resource => ({ kind: 'mac-table-entry', target: 'sw2', interface: 'Gi1', mac, vlan: 20 });
export const placement = (uuid = 'u1'): Resource => ({ kind: 'vm-placement', target: 'sw1', uuid, vm: uuid, to: 'sw2', uri: '' });

type Entry = EntryBody & { readonly at: number };

export class Bench {
  readonly wall = new VirtualWall(1_767_225_600_000);
  readonly sw1 = new Switch(this.wall);
  readonly sw2 = new Switch(this.wall);
  readonly entries: Entry[] = [];
  #epoch = 0;
  #count = 0;
  /** In force from the next boot on. */
  mode: Mode = 'enforce';
  executor = this.#boot();

  /** Everything due within `ms` happens. */
  pass = (ms: number) => this.wall.advance(ms);

  submit(want: Partial<EnsureWant> & Pick<EnsureWant, 'resource'>): string {
    const id = `p@v1/${++this.#count}/0`;
    const whole: EnsureWant = { kind: 'ensure', desired: 'present', requires: [], validForMs: 60_000, ...want };
    const intent = { id, policy: 'p', version: 'v1', cause: 1, key: '', want: whole };
    this.entries.push({ kind: 'intent', intent, at: this.wall.now() });
    this.executor.submit(intent, this.wall.now());
    return id;
  }

  /** The process dies, and another takes up what is open. */
  crash(): void {
    this.#epoch += 1;
    this.wall.clear();
    this.executor = this.#boot();
    const ledger = new Ledger();
    for (const [index, entry] of this.entries.entries()) ledger.fold({ ...entry, seq: index + 1 });
    this.executor.resume(ledger.open(), ledger.doubts());
  }

  /** Until the first attempt is durable. */
  async untilAttempted(): Promise<void> {
    for (let ms = 0; this.attempts().length === 0; ms += 1) {
      if (ms > 10_000) throw new Error('nothing was attempted');
      await this.pass(1);
    }
  }

  outcomes(): readonly string[] {
    return this.entries.flatMap((entry) => (entry.kind === 'outcome' ? [entry.outcome.kind] : []));
  }

  outcome(id: string): Outcome | undefined {
    return this.entries.flatMap((entry) => (entry.kind === 'outcome' && entry.intent === id ? [entry.outcome] : [])).at(-1);
  }

  /** When it ended, milliseconds after the bench was made. */
  endedAt(id: string): number | undefined {
    const entry = this.entries.findLast((each) => each.kind === 'outcome' && each.intent === id);
    return entry && entry.at - 1_767_225_600_000;
  }

  attempts() {
    return this.entries.flatMap((entry) => (entry.kind === 'attempt' ? [entry] : []));
  }

  #boot(): Executor {
    const epoch = this.#epoch;
    const resources: Record<string, unknown> = {
      'service-policy': valueDriver,
      'sticky-mac': rowDriver,
      'mac-table-entry': rowDriver,
      'vm-placement': slowDriver(this.sw1),
    };
    const platform = { name: 'cisco-ios', queries: {}, resources } as unknown as Platform;
    const executor = new Executor({
      wall: this.wall,
      inventory,
      actuators: [
        {
          transport: 'cli',
          open: (name, target, signal) => (name === 'sw1' ? this.sw1 : this.sw2).open(name, target, signal),
        },
      ],
      platforms: { 'cisco-ios': platform },
      modes: modesFrom({ default: this.mode, policies: {}, targets: {} }),
      journal: async (body) => {
        if (epoch === this.#epoch) this.entries.push({ ...body, at: this.wall.now() });
      },
      onBack: () => undefined,
      report: async () => undefined,
    });
    executor.start();
    return executor;
  }
}
