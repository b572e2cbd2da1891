// The real runtime over the scripted network of stories, in virtual time, for tests that need to look inside.
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import type { Config } from '../../src/model/config.ts';
import type { Entry, EntryOf } from '../../src/model/entry.ts';
import type { Event } from '../../src/model/event.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import { type Inventory, inventorySchema } from '../../src/model/target.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { Platform } from '../../src/ports/platform.ts';
import type { Reporter } from '../../src/ports/reporter.ts';
import type { Keeping } from '../../src/runtime/keeper.ts';
import type { Recovered } from '../../src/runtime/recovery.ts';
import { Runtime } from '../../src/runtime/runtime.ts';
import type { TakenSnapshot } from '../../src/runtime/snapshot-taker.ts';
import { storyPlatforms } from '../../src/testing/platform.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { World } from '../../src/testing/world.ts';

const access = { user: 'offbox', password: { env: 'RIG' }, hostKey: `SHA256:${'A'.repeat(43)}` };

export const inventory: Inventory = inventorySchema.parse({
  targets: {
    'gw-a': { platform: 'cisco-ios', address: '192.0.2.1', cli: access },
    'gw-b': { platform: 'cisco-iosxe', address: '192.0.2.2', cli: access },
  },
  gateways: {
    lan23: {
      protocol: 'hsrp',
      prefixes: ['23.0.0.0/8'],
      members: [
        { target: 'gw-a', interface: 'Vlan10', group: 10 },
        { target: 'gw-b', interface: 'Vlan10', group: 10 },
      ],
    },
  },
});

export interface Rig {
  readonly wall: VirtualWall;
  readonly world: World;
  readonly journal: Journal;
  readonly runtime: Runtime;
  readonly entries: Entry[];
  readonly failures: Error[];
  readonly divergences: string[];
  readonly warnings: string[];
  readonly taken: TakenSnapshot[];
  readonly recovered: Recovered;
  /** Everything due within `ms` happens. */
  pass(ms: number): Promise<void>;
  /** Waits for what another thread does, as compressing a snapshot; no time passes here. */
  until(isSo: () => boolean | Promise<boolean>): Promise<void>;
  hear(target: string, meaning: Meaning | null): Promise<void>;
  ofKind<K extends Entry['kind']>(kind: K): readonly EntryOf<K>[];
  outcomes(): readonly string[];
  /** The process dies: nothing of it happens any more. */
  die(): void;
}

export interface RigOptions {
  readonly policies: readonly DeployedPolicy[];
  readonly modes?: Config['modes'];
  readonly journal?: Journal;
  readonly wall?: VirtualWall;
  readonly world?: World;
  readonly epoch?: number;
  readonly reporters?: readonly Reporter[];
  readonly platforms?: Readonly<Record<string, Platform>>;
  readonly snapshots?: boolean;
  readonly keeping?: Keeping;
}

export function eventOf(target: string | undefined, meaning: Meaning | null): Event {
  const origin = { source: 'test', peer: 'local', transport: 'local', trust: 'claimed', raw: '' } as const;
  return { ...(target === undefined ? {} : { target }), meaning, origin };
}

/** A snapshot is unpacked in turns of its own. */
async function started(runtime: Runtime, wall: VirtualWall): Promise<void> {
  const starting = runtime.start();
  let isStarted = false;
  void starting.finally(() => {
    isStarted = true;
  });
  for (let turns = 0; !isStarted && turns < 1_000; turns += 1) await wall.advance(0);
  await starting;
}

async function come(isSo: () => boolean | Promise<boolean>, wall: VirtualWall): Promise<void> {
  for (const from = performance.now(); !(await isSo()); await wall.advance(0))
    if (performance.now() - from > 20_000) throw new Error('it does not come');
}

export async function rig(options: RigOptions): Promise<Rig> {
  const { policies, modes = { default: 'enforce', policies: {}, targets: {} }, epoch = 1 } = options;
  const wall = options.wall ?? new VirtualWall(1_767_225_600_000);
  const world = options.world ?? new World(inventory, wall);
  const journal = options.journal ?? memoryJournal();
  const entries: Entry[] = [];
  const failures: Error[] = [];
  const divergences: string[] = [];
  const warnings: string[] = [];
  const taken: TakenSnapshot[] = [];
  let recovered: Recovered | undefined;
  let alive = true;
  const mortal: Journal = {
    ...journal,
    append: (batch, expect) => (alive ? journal.append(batch, expect) : new Promise(() => undefined)),
  };
  const runtime = new Runtime({
    wall,
    journal: mortal,
    lease: { epoch, release: async () => undefined },
    inventory,
    policies,
    platforms: options.platforms ?? storyPlatforms,
    actuators: world.actuators,
    sources: [],
    ...(options.reporters ? { reporters: options.reporters } : {}),
    modes,
    ...(options.snapshots ? { snapshots: true } : {}),
    ...(options.keeping ? { keeping: options.keeping } : {}),
    watch: {
      onRecovered: (found) => {
        recovered = found;
      },
      onWarning: (text) => void warnings.push(text),
      onSnapshot: (one) => void taken.push(one),
      onEntry: (entry) => void entries.push(entry),
      onFailure: (fault) => void failures.push(fault),
      onDivergence: ({ policy }) => void divergences.push(policy),
    },
  });
  await started(runtime, wall);
  const ofKind = <K extends Entry['kind']>(kind: K) =>
    entries.filter((entry) => entry.kind === kind) as unknown as readonly EntryOf<K>[];
  return {
    wall,
    world,
    journal,
    runtime,
    entries,
    failures,
    divergences,
    warnings,
    taken,
    recovered: recovered!,
    pass: (ms) => wall.advance(ms),
    until: (isSo) => come(isSo, wall),
    async hear(target, meaning) {
      runtime.host.sink('test').offer([eventOf(target, meaning)]);
      await wall.advance(0);
    },
    ofKind,
    outcomes: () => ofKind('outcome').map(({ outcome }) => outcome.kind),
    die() {
      alive = false;
      wall.clear();
    },
  };
}

export const hsrpOf = (to: 'active' | 'standby'): Meaning => ({ kind: 'hsrp.state-changed', interface: 'Vlan10', group: 10, to });
