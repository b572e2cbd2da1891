// Owns: one simulated world from its seed to the verdict: chaos, then calm, then the checkers.
import type { DeployedPolicy } from '../../src/core/policy.ts';
import type { Entry } from '../../src/model/entry.ts';
import { type Prng, prng } from '../../src/testing/prng.ts';
import { checkers } from './checkers/index.ts';
import { SimClock } from './clock.ts';
import { Device } from './device.ts';
import { Disk } from './disk.ts';
import { Migrations } from './migrations.ts';
import {
  policies as gatewayPolicies,
  hosts,
  inventory,
  migrationInventory,
  migrationPolicies,
  pair,
  places,
  switches,
} from './network.ts';
import { Nodes } from './nodes.ts';
import type { SimProcess } from './process.ts';
import { sessionsOf } from './sessions.ts';
import { fair, settings, type Weather, weatherOf } from './weather.ts';
import { Workload } from './workload.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Instead of the drawn weather, or parts of it. */
  readonly weather?: Partial<Weather>;
  readonly policies?: readonly DeployedPolicy[];
  readonly dropsFsync?: boolean;
  /** The canary: devices that take every line twice. */
  readonly stutters?: boolean;
  /** The canary of what is remembered: a disk on which no snapshot outlives its process. */
  readonly rots?: boolean;
  readonly onTrace?: (line: string) => void;
  /** Told of the world's clock: for a mutation that reads it as code would read the real one. */
  readonly onClock?: (clock: SimClock) => void;
}

/** A world that has come to its end, for the checkers. */
export interface Finished {
  readonly entries: readonly Entry[];
  readonly policies: readonly DeployedPolicy[];
  readonly disk: Disk;
  readonly devices: ReadonlyMap<string, Device>;
  /** Where guests migrate. */
  readonly migrations: Migrations | undefined;
  readonly nodes: Nodes;
  readonly workload: Workload;
}

export interface Verdict {
  readonly seed: number;
  /** What the checkers found, each with its checker's name. */
  readonly violations: readonly string[];
  readonly entries: number;
}

const chaosSecondsMin = 30;
const chaosSecondsMax = 100;
/** Datagrams under way and commands the devices have not taken yet are over after this. */
const settlesSeconds = 30;
/** A start of Offbox is over after this. */
const startsSeconds = 5;
/** The longest way back: a lost event is mended by the resync of 5 minutes, and what failed then is looked at again within one. */
const calmSeconds = 480;
/** Nothing is slow any more. */
const roundSeconds = 5;

export async function simulate(options: SimulationOptions): Promise<Verdict> {
  const chance = prng(options.seed);
  const drawn = { ...weatherOf(chance.fork('weather')), ...options.weather };
  const finished = await play(options, chance, drawn);
  const violations: string[] = [];
  for (const [name, check] of Object.entries(checkers)) {
    for (const found of await check(finished)) violations.push(`${name}: ${found}`);
  }
  return { seed: options.seed, violations, entries: finished.entries.length };
}

async function play(options: SimulationOptions, chance: Prng, drawn: Weather): Promise<Finished> {
  const clock = new SimClock();
  options.onClock?.(clock);
  let weather = drawn;
  const remembers = settings(drawn);
  const trace = (text: string): void => options.onTrace?.(`${(clock.time / 1000).toFixed(3).padStart(9)} ${text}`);
  trace(JSON.stringify(drawn));
  const crash = (process: SimProcess, where: string): void => nodes.crash(process, where);
  const devices = devicesOf(options, chance.fork('devices'));
  const { dropsFsync = false, rots = false } = options;
  const disk = new Disk({ clock, prng: chance.fork('disk'), weather: () => weather, trace, dropsFsync, rots, crash });
  const policies = options.policies ?? (drawn.migrations ? migrationPolicies : gatewayPolicies);
  const world = { clock, weather: () => weather, devices, trace };
  const migrations = drawn.migrations ? new Migrations({ ...world, prng: chance.fork('migrations') }) : undefined;
  const sessions = { ...world, prng: chance.fork('sessions'), crash, migrations };
  const nodes = new Nodes({
    clock,
    prng: chance.fork('nodes'),
    disk,
    policies,
    settings: remembers,
    two: drawn.nodes === 2,
    inventory: migrations ? migrationInventory : inventory,
    actuators: (process) => sessionsOf(process, sessions),
    source: migrations && ((process) => migrations.source(process)),
    trace,
    onEntry: (entry) => trace(textOf(entry)),
  });
  const workload = new Workload({ ...world, prng: chance.fork('workload'), nodes, disk, migrations });
  clock.drift(drawn.clockRate);
  nodes.start();
  for (let seconds = chance.fork('length').between(chaosSecondsMin, chaosSecondsMax); seconds > 0; seconds -= 1) {
    await workload.second();
  }
  weather = { ...fair, ...remembers };
  trace('the weather is fair');
  workload.mend();
  await clock.base.advance(settlesSeconds * 1_000);
  workload.mend();
  await clock.base.advance(startsSeconds * 1_000);
  workload.tellAll();
  await workload.moveAll();
  await clock.base.advance(calmSeconds * 1_000);
  // The round of a schedule may just be on, or be wanted and not yet recorded.
  for (let seconds = roundSeconds; seconds > 0 && nodes.holder; seconds -= 1) {
    const { host, engine } = nodes.holder.runtime;
    const { lastSeq } = host.stats();
    await clock.base.advance(1_000);
    if (engine.ledger.open().length === 0 && host.stats().lastSeq === lastSeq) break;
  }
  return { entries: disk.entries(), policies, disk, devices, migrations, nodes, workload };
}

function devicesOf({ stutters }: SimulationOptions, chance: Prng): ReadonlyMap<string, Device> {
  const devices = new Map<string, Device>();
  for (const name of pair) devices.set(name, new Device(name));
  for (const name of switches) devices.set(name, new Device(name, chance.chance(50) ? { [places.shaping(name)]: 'BASE' } : {}));
  for (const name of hosts) devices.set(name, new Device(name));
  for (const name of switches) devices.get(name)!.learn(0, places.violation(name), 'shutdown');
  devices.get('gw-a')!.role = 'active';
  for (const device of devices.values()) device.stutters = stutters === true;
  return devices;
}

function textOf(entry: Entry): string {
  const { seq, at: _, kind, ...rest } = entry;
  return `#${seq} ${kind} ${JSON.stringify(rest).slice(0, 400)}`;
}
