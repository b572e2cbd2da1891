// Owns: the hypervisors of a simulated world: guests that migrate between two switches, what both hosts say of it over streams
// that are cut and listed anew, and what the switches learn of the guests' frames.
import { dscpWord } from '../../src/model/dscp.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { Command } from '../../src/ports/actuator.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import { commandLines } from '../../src/runtime/evidence.ts';
import { Hypervisors } from '../../src/testing/hypervisors.ts';
import type { BreakName, MigrationPlan, ScriptName } from '../../src/testing/migration-scripts.ts';
import type { Prng } from '../../src/testing/prng.ts';
import type { SimClock } from './clock.ts';
import type { Device } from './device.ts';
import { guests, hosts, migrationPorts, places, switchOf } from './network.ts';
import type { SimProcess } from './process.ts';
import type { Weather } from './weather.ts';

export interface MigrationsOptions {
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly weather: () => Weather;
  readonly devices: ReadonlyMap<string, Device>;
  readonly trace: (text: string) => void;
}

/** One process's stream from one host. */
interface Stream {
  readonly host: string;
  readonly process: SimProcess;
  readonly sink: Sink;
  up: boolean;
  /** True time before which nothing more comes: a host's words stay in order. */
  free: number;
  /** Each connection has its number: what an older one had under way is lost. */
  connection: number;
}

/** From the end of the copy, or from where it breaks off, to the last word. */
const endMsMax = 3_000;
const breakMsMax = 35_000;

type Host = (typeof hosts)[number];

export class Migrations {
  readonly #options: MigrationsOptions;
  readonly #streams = new Set<Stream>();
  /** Guest → true time at which its migration is over, however it ends. */
  readonly #overAt = new Map<string, number>();
  readonly hypervisors: Hypervisors;

  constructor(options: MigrationsOptions) {
    this.#options = options;
    this.hypervisors = new Hypervisors(hosts, options.clock.base.network, {
      says: (host, meaning, raw) => this.#says(host, meaning, raw),
      frame: (host, mac) => this.#frame(host as Host, mac),
      away: (host) => this.away(host),
      back: (host) => this.back(host),
      changed: () => this.#stand(),
    });
    for (const { vm, mac } of guests)
      this.hypervisors.add(options.prng.pick(hosts), vm, [{ mac, source: 'br0', vlan: 20 }], 'running');
  }

  /** What a process hears of them. */
  source(process: SimProcess): Source {
    let mine: readonly Stream[] = [];
    const leave = (): void => {
      for (const stream of mine) this.#streams.delete(stream);
    };
    process.onDeath(leave);
    return {
      name: 'libvirt',
      start: async (sink) => {
        mine = hosts.map((host) => ({ host, process, sink, up: false, free: 0, connection: 0 }));
        for (const stream of mine) {
          this.#streams.add(stream);
          this.#connect(stream);
        }
      },
      stop: async () => leave(),
      stats: () => ({ listening: [], received: 0, dropped: {} }),
    };
  }

  /** libvirtd is gone, or its network is. */
  away(host: string): void {
    const device = this.#options.devices.get(host)!;
    device.reachable = false;
    for (const hangUp of device.hangUps) hangUp();
    for (const stream of this.#streams) if (stream.host === host) this.#lose(stream);
  }

  back(host: string): void {
    this.#options.devices.get(host)!.reachable = true;
    for (const stream of this.#streams) if (stream.host === host && !stream.up) this.#connect(stream);
  }

  /** The connections to one host break, and are made anew some time after. */
  cut(host: string): void {
    for (const stream of this.#streams) {
      if (stream.host !== host) continue;
      this.#lose(stream);
      this.#connectLater(stream);
    }
  }

  /** Where a guest runs, and nothing is under way; undefined otherwise. */
  whereIs(vm: string): Host | undefined {
    if (this.#isMoving(vm)) return undefined;
    const { uuid } = this.hypervisors.guest(vm);
    const rows = hosts.flatMap((host) => {
      const row = this.hypervisors.host(host).domains.get(uuid);
      return row ? [{ host, row }] : [];
    });
    const [only] = rows;
    return rows.length === 1 && only!.row.state === 'running' && only!.row.job === undefined ? only!.host : undefined;
  }

  /** Somebody else's tool begins it, where it can. */
  migrate(vm: string, to: string, plan: MigrationPlan): void {
    const from = this.whereIs(vm);
    if (from === undefined || from === to || !this.#options.devices.get(from)!.reachable) return;
    this.#options.trace(`${vm} migrates from ${from} to ${to}: ${JSON.stringify(plan)}`);
    this.#moves(vm, plan);
    this.hypervisors.migrate(vm, to, plan);
  }

  /** How a migration goes, by the weather. */
  plan(): MigrationPlan {
    const { prng } = this.#options;
    const script = prng.pick<ScriptName>(['peer-to-peer', 'peer-to-peer', 'managed', 'tunnelled', 'post-copy']);
    const takingMs = prng.between(1_000, 20_000);
    if (!prng.chance(this.#options.weather().brokenMigration)) return { script, takingMs };
    const how = prng.pick<BreakName>([
      'is aborted',
      'its destination dies',
      'its network is cut',
      'the source libvirtd is killed',
    ]);
    return { script, takingMs, breaks: { how, afterMs: prng.between(1, takingMs) } };
  }

  /** What a target of this world answers, as text; undefined where it is a place of a switch. */
  answer(name: string, command: Command): string | undefined {
    if (command.kind === 'libvirt') return this.hypervisors.answer(name, command);
    const [, word = '', about = ''] = /^query (\S+) ?(.*)$/.exec(commandLines(command)[0] ?? '') ?? [];
    if (word === '') return undefined;
    const violation = this.#options.devices.get(name)!.value(places.violation(name));
    const rows: Readonly<Record<string, unknown>> = {
      'port-security': { interface: about, enabled: true, sticky: true, violation, status: 'secure-up' },
      switchport: { interface: about, mode: 'trunk', allowed: [20] },
      vnis: { vlan: 20, vni: 10_020 },
      'policy-maps': { policy: 'LIVE-MIGRATION', classes: [{ class: 'MIGRATION', dscp: [dscpWord('cs4')] }] },
      routes: { prefix: `${about}/32`, interface: migrationPorts.link },
    };
    return JSON.stringify([rows[word]]);
  }

  /** libvirtd begins or aborts a migration. Throws TargetError for what it refuses. */
  obey(name: string, command: Command): void {
    const { prng } = this.#options;
    if (command.kind === 'migrate') {
      const vm = guests.find(({ vm: each }) => this.hypervisors.guest(each).uuid === command.uuid)!.vm;
      if (this.#isMoving(vm)) {
        const remedy = 'Wait until it is over.';
        throw new TargetError(`${name} refuses: another job is on for ${vm}`, { code: 'refused', retry: false, remedy });
      }
      const plan = { ...this.plan(), script: prng.pick<ScriptName>(['peer-to-peer', 'post-copy']) };
      this.hypervisors.guest(vm).whenAsked = plan;
      this.#moves(vm, plan);
    }
    try {
      this.hypervisors.answer(name, command);
    } catch (thrown) {
      // None is on any more.
      if (!(thrown instanceof RangeError)) throw thrown;
    }
  }

  /** A switch has forgotten an address: whoever has it is heard at its next word. */
  forgot(place: string): void {
    const mac = /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/.exec(place)?.[0];
    if (mac !== undefined) this.hypervisors.awaitWord(mac);
  }

  #isMoving(vm: string): boolean {
    return this.#options.clock.time < (this.#overAt.get(vm) ?? 0);
  }

  #moves(vm: string, { takingMs = 0, breaks }: MigrationPlan): void {
    this.#overAt.set(vm, this.#options.clock.time + takingMs + (breaks ? breakMsMax : endMsMax));
  }

  /** For the checkers: of which hosts a guest is gone. */
  #stand(): void {
    const { clock, devices } = this.#options;
    for (const vm of this.hypervisors.vms()) {
      const { uuid } = this.hypervisors.guest(vm);
      for (const host of hosts) {
        const isThere = this.hypervisors.host(host).domains.has(uuid);
        devices.get(host)!.learn(clock.time, places.gone(host, vm, uuid), isThere ? null : 'yes');
      }
    }
  }

  #frame(host: Host, mac: string): void {
    const { clock, devices } = this.#options;
    for (const [each, name] of Object.entries(switchOf)) {
      const device = devices.get(name)!;
      if (each === host) device.learn(clock.time, places.sticky(name, mac), 'yes');
      device.learn(clock.time, places.row(name, mac), each === host ? 'yes' : null);
    }
  }

  #says(host: string, meaning: Meaning | null, raw: string): void {
    this.#options.trace(`${host}: ${raw}`);
    for (const stream of this.#streams) if (stream.host === host && stream.up) this.#deliver(stream, meaning, raw);
  }

  #deliver(stream: Stream, meaning: Meaning | null, raw: string): void {
    const { clock, prng } = this.#options;
    const { host, process, sink, connection } = stream;
    const origin = { source: 'libvirt', peer: host, transport: 'unix', trust: 'authenticated', raw } as const;
    stream.free = Math.max(stream.free, clock.time + prng.between(1, 50));
    clock.base.after(stream.free - clock.time, () =>
      process.enter(() => {
        if (stream.connection !== connection) return;
        const isTaken = sink.offer([{ target: host, meaning, origin }], (error) => {
          if (error && process.alive) this.#refused(stream, connection);
        });
        if (!isTaken) this.#refused(stream, connection);
      }),
    );
  }

  /** No room: the connection is given up, and everything listed anew. */
  #refused(stream: Stream, connection: number): void {
    if (stream.connection !== connection) return;
    this.#lose(stream);
    this.#connectLater(stream);
  }

  #lose(stream: Stream): void {
    stream.up = false;
    stream.connection += 1;
    const { host, process, sink } = stream;
    process.enter(() => sink.gap(`${host} is out of sight`, [host]));
  }

  #connectLater(stream: Stream): void {
    const { clock, prng } = this.#options;
    const { connection } = stream;
    clock.base.after(prng.between(500, 10_000), () => {
      if (this.#streams.has(stream) && stream.connection === connection && !stream.up) this.#connect(stream);
    });
  }

  #connect(stream: Stream): void {
    const { host, process, sink } = stream;
    if (!this.#options.devices.get(host)!.reachable) {
      this.#connectLater(stream);
      return;
    }
    if (stream.connection > 0) process.enter(() => sink.gap(`${host} was away`, [host]));
    stream.up = true;
    for (const { meaning, raw } of this.hypervisors.listing(host)) this.#deliver(stream, meaning, raw);
  }
}
