// Owns: what happens in a simulated network while Offbox runs beside it: the active role flips, uplinks fail, people configure,
// devices tell of it in datagrams that get lost, doubled, late and forged; and what happens to Offbox itself.
import type { Event } from '../../src/model/event.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { Prng } from '../../src/testing/prng.ts';
import type { SimClock } from './clock.ts';
import type { Device } from './device.ts';
import type { Disk } from './disk.ts';
import type { Migrations } from './migrations.ts';
import { guests, hosts, pair, places, switches } from './network.ts';
import type { Nodes } from './nodes.ts';
import type { Weather } from './weather.ts';

export interface WorkloadOptions {
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly weather: () => Weather;
  readonly devices: ReadonlyMap<string, Device>;
  readonly nodes: Nodes;
  readonly disk: Disk;
  readonly migrations: Migrations | undefined;
  readonly trace: (text: string) => void;
}

/** An event whose sender was told that it is durable. */
export interface Informed {
  readonly seq: number;
  readonly raw: string;
}

/** Whoever asks waits so long for an answer, and asks so often again. */
const askAgainMs = 2_000;
const asksMax = 5;
/** Whatever was on is over long before this time of the world. */
const movesUntilMs = 400_000;
const movesWithinMs = 10_000;

export class Workload {
  readonly #options: WorkloadOptions;
  #sent = 0;
  #requests = 0;
  readonly informed: Informed[] = [];

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  /** One second of the world. */
  async second(): Promise<void> {
    const { clock, prng } = this.#options;
    const deeds = this.#deeds().filter(([percent]) => prng.chance(percent));
    for (const [, deed] of deeds) clock.base.after(prng.below(1_000), () => void deed());
    await clock.base.advance(1_000);
  }

  /** From now on everything is as it should be, and everybody says so. */
  mend(): void {
    const { devices, disk, nodes, migrations } = this.#options;
    disk.full = false;
    nodes.mend();
    for (const device of devices.values()) device.reachable = true;
    for (const host of hosts) migrations?.back(host);
    for (const name of switches) this.#device(name).uplink = 'up';
    if (pair.filter((name) => this.#device(name).role === 'active').length !== 1) this.#flip();
  }

  /** Tells how everything is, as after a person configured it. */
  tellAll(): void {
    for (const name of pair) this.#tell(name, hsrp(this.#device(name).role));
    for (const name of switches) {
      this.#tell(name, link(this.#device(name).uplink));
      this.#tell(name, { kind: 'config.changed' });
    }
  }

  #deeds(): readonly (readonly [percent: number, deed: () => unknown])[] {
    const { prng, nodes, disk, clock, migrations } = this.#options;
    const weather = this.#options.weather();
    return [
      [8, () => this.#flip()],
      [2, () => this.#split()],
      [8, () => this.#uplink(prng.pick(switches))],
      [6, () => this.#configure(prng.pick(switches))],
      [weather.forgedDatagram, () => this.#forge()],
      [weather.hand, () => this.#hand()],
      [weather.unreachable, () => this.#lose(prng.pick([...pair, ...switches] as unknown as readonly [string, ...string[]]))],
      [weather.clockJump, () => clock.jump(prng.chance(80) ? prng.between(1, 20_000) : -prng.between(1, 90_000))],
      [weather.crash, () => (prng.chance(50) ? nodes.powerCut() : this.#kill())],
      [weather.crash / 3, () => nodes.stop()],
      [weather.freeze, () => nodes.freeze(prng.chance(50) ? prng.between(50, 5_000) : prng.between(5_000, 40_000))],
      [weather.diskFull, () => this.#fill(disk)],
      [weather.reload, () => nodes.edit()],
      ...(migrations ? this.#migrating(migrations) : []),
    ];
  }

  #migrating(migrations: Migrations): readonly (readonly [percent: number, deed: () => unknown])[] {
    const { prng } = this.#options;
    const { cutStream, unreachable } = this.#options.weather();
    return [
      [5, () => migrations.migrate(prng.pick(guests).vm, prng.pick(hosts), migrations.plan())],
      [5, () => this.#request(migrations)],
      [cutStream, () => migrations.cut(prng.pick(hosts))],
      [unreachable / 3, () => this.#loseHost(migrations, prng.pick(hosts))],
    ];
  }

  #loseHost(migrations: Migrations, host: string): void {
    const { clock, prng, trace } = this.#options;
    trace(`${host} is unreachable`);
    migrations.away(host);
    clock.base.after(prng.between(200, 15_000), () => migrations.back(host));
  }

  /** An orchestrator asks until it is answered; what Offbox shall not perform it performs itself. */
  #request(migrations: Migrations): void {
    const { clock, prng, trace } = this.#options;
    const { vm } = prng.pick(guests);
    const from = migrations.whereIs(vm);
    const to = hosts.find((host) => host !== from);
    if (from === undefined || to === undefined) return;
    const perform = prng.chance(60);
    this.#requests += 1;
    const request = `r-${this.#requests}`;
    trace(`${request}: ${vm} from ${from} to ${to}, ${perform ? 'by Offbox' : 'by somebody else'}`);
    this.#ask(JSON.stringify({ kind: 'migration-requested', request, vm, from, to, perform, allow: ['relax'] }), 0);
    if (!perform) clock.base.after(prng.between(1_000, 8_000), () => migrations.migrate(vm, to, migrations.plan()));
  }

  #ask(raw: string, times: number): void {
    const { clock, nodes, trace } = this.#options;
    let isOver = false;
    nodes.ask(raw, (answer) => {
      trace(`${raw} is ${answer.kind}`);
      isOver = answer.kind === 'taken' || answer.kind === 'refused';
      if (answer.kind === 'taken') this.informed.push({ seq: answer.seq, raw });
    });
    clock.base.after(askAgainMs, () => {
      if (!isOver && times < asksMax) this.#ask(raw, times + 1);
    });
  }

  /** Each guest once more, and nothing goes wrong: whatever was missed of earlier times, this is seen. */
  async moveAll(): Promise<void> {
    const { clock, migrations } = this.#options;
    if (!migrations) return;
    for (const { vm } of guests) {
      while (migrations.whereIs(vm) === undefined && clock.time < movesUntilMs) await clock.base.advance(1_000);
      const to = hosts.find((host) => host !== migrations.whereIs(vm))!;
      migrations.migrate(vm, to, { script: 'peer-to-peer', takingMs: 2_000 });
    }
    await clock.base.advance(movesWithinMs);
  }

  #kill(): void {
    const { holder } = this.#options.nodes;
    if (holder) this.#options.nodes.crash(holder.process, 'kill -9');
  }

  #fill(disk: Disk): void {
    disk.full = true;
    this.#options.clock.base.after(this.#options.prng.between(500, 15_000), () => {
      disk.full = false;
    });
  }

  #flip(): void {
    const [one, other] = this.#device('gw-a').role === 'active' ? (['gw-b', 'gw-a'] as const) : (['gw-a', 'gw-b'] as const);
    this.#device(one).role = 'active';
    this.#device(other).role = 'standby';
    this.#options.trace(`${one} is active`);
    for (const name of pair) this.#tell(name, hsrp(this.#device(name).role));
  }

  /** Both active, or nobody. */
  #split(): void {
    const role = this.#options.prng.pick<'active' | 'standby'>(['active', 'standby']);
    for (const name of pair) {
      this.#device(name).role = role;
      this.#tell(name, hsrp(role));
    }
  }

  #uplink(name: string): void {
    const device = this.#device(name);
    device.uplink = device.uplink === 'up' ? 'down' : 'up';
    this.#tell(name, link(device.uplink));
  }

  #configure(name: string): void {
    const { clock, prng } = this.#options;
    this.#device(name).take(clock.time, 'person', 0, `set ${places.mode(name)} = ${prng.pick(['shutdown', 'protect'])}`);
    this.#tell(name, { kind: 'config.changed' });
  }

  /** A person changes what a policy looks after, and nothing tells. */
  #hand(): void {
    const { clock, prng, trace } = this.#options;
    const name = prng.pick([...pair, ...switches] as unknown as readonly [string, ...string[]]);
    const onSwitch = name.startsWith('sw');
    const place = onSwitch ? places.shaping(name) : places.network(name);
    const line = prng.chance(50) ? `unset ${place}` : `set ${place} = ${onSwitch ? 'HAND' : 'yes'}`;
    trace(`a person on ${name}: ${line}`);
    this.#device(name).take(clock.time, 'person', 0, line);
  }

  #lose(name: string): void {
    const { clock, prng, trace } = this.#options;
    const device = this.#device(name);
    trace(`${name} is unreachable`);
    device.reachable = false;
    for (const hangUp of device.hangUps) hangUp();
    clock.base.after(prng.between(200, 25_000), () => {
      device.reachable = true;
    });
  }

  #forge(): void {
    const { prng } = this.#options;
    const name = prng.pick(pair);
    this.#tell(name, hsrp(this.#device(name).role === 'active' ? 'standby' : 'active'));
  }

  #tell(target: string, meaning: Meaning): void {
    const { clock, prng } = this.#options;
    const weather = this.#options.weather();
    if (prng.chance(weather.lostDatagram)) return;
    for (let times = prng.chance(weather.doubledDatagram) ? 2 : 1; times > 0; times -= 1) {
      const delay = prng.chance(weather.lateDatagram) ? prng.between(10, 15_000) : prng.between(1, 5);
      clock.base.after(delay, () => this.#send(target, meaning));
    }
  }

  #send(target: string, meaning: Meaning): void {
    this.#sent += 1;
    const raw = `sent ${this.#sent}`;
    const origin = { source: 'sim', peer: '192.0.2.9', transport: 'udp', trust: 'claimed', raw } as const;
    const event: Event = { target, meaning, origin };
    this.#options.nodes.offer(event, (error, seq) => {
      if (!error && seq !== undefined) this.informed.push({ seq, raw });
    });
  }

  #device(name: string): Device {
    return this.#options.devices.get(name)!;
  }
}

const hsrp = (to: 'active' | 'standby'): Meaning => ({ kind: 'hsrp.state-changed', interface: 'Vlan10', group: 10, to });
const link = (to: 'up' | 'down'): Meaning => ({
  kind: 'interface.state-changed',
  interface: 'GigabitEthernet1/0/48',
  layer: 'link',
  to,
});
