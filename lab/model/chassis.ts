// Owns: what a router and a switch have in common: power, configuration, interfaces, a log of what reaches them, and what
// they say of themselves. No sockets.
//
// D1 Every line that reaches the running configuration is in the log BEFORE it is in the configuration.
// D2 A device without power says nothing, hears nothing and changes nothing.
import type { Wall } from '../../src/ports/wall.ts';
import type { DeviceName } from './addresses.ts';
import { applyChange, type Config, type ConfigChange, sameConfig } from './config.ts';
import { hostnameOf, type InterfaceFacts, interfacesOf } from './config-facts.ts';
import { coldStartTrap, type DeviceEvent, linkTrap, syslogLine, type TrapVarbind } from './device-events.ts';

/** Who changes a configuration. */
export interface Operator {
  readonly user: string;
  /** `127.23.0.1:40112`. */
  readonly peer: string;
  /** `device`: the device itself, as when port security learns an address. */
  readonly transport: 'cli' | 'netconf' | 'snmp' | 'lab' | 'device';
}

/** One line of the device's log. */
export interface ConfigWrite {
  /** ISO 8601. */
  readonly at: string;
  readonly device: string;
  readonly transport: Operator['transport'];
  readonly peer: string;
  readonly user: string;
  /** Parent lines; empty for the global mode. */
  readonly path: readonly string[];
  /** As the device took it, in full: `network 23.0.0.0`, `no network 23.0.0.0`, `write memory`. */
  readonly line: string;
  /** Whether the configuration is another one for it, or the table that a `clear` is about. */
  readonly changed: boolean;
}

export type Platform = 'cisco-ios' | 'cisco-iosxe';

export interface InterfaceState extends InterfaceFacts {
  readonly ifIndex: number;
  readonly up: boolean;
  /** Taken down by the device itself, until somebody brings it back. */
  readonly errDisabled: boolean;
}

export interface Notification {
  readonly oid: string;
  readonly varbinds: readonly TrapVarbind[];
}

export interface ChassisOptions {
  readonly name: DeviceName;
  readonly platform: Platform;
  readonly startup: Config;
  readonly wall: Wall;
  readonly emit: (event: DeviceEvent) => void;
  readonly log: (write: ConfigWrite) => void;
  /** After power, interfaces, configuration or a state changed. */
  readonly changed: () => void;
}

export abstract class Chassis {
  readonly name: DeviceName;
  readonly platform: Platform;
  protected readonly wall: Wall;
  protected readonly cutCables = new Set<string>();
  protected readonly errDisabled = new Set<string>();
  readonly #chassis: ChassisOptions;
  /** By interface: what was last told of it. */
  readonly #toldUp = new Map<string, boolean>();
  #running: Config;
  #startup: Config;
  #powered = true;
  #bootedAt: number;
  #messages = 41;

  constructor(options: ChassisOptions) {
    this.name = options.name;
    this.platform = options.platform;
    this.wall = options.wall;
    this.#chassis = options;
    this.#running = options.startup;
    this.#startup = options.startup;
    // An hour: the network was there before the lab's user was.
    this.#bootedAt = this.wall.monotonic() - 3_600_000;
    for (const { name, up } of this.interfaces()) this.#toldUp.set(name, up);
  }

  /** After configuration or links changed, with power. */
  protected abstract reconcileFunctions(): void;
  /** Power is gone, and with it everything that is not configuration. */
  protected abstract stopFunctions(): void;

  get powered(): boolean {
    return this.#powered;
  }

  get running(): Config {
    return this.#running;
  }

  get startup(): Config {
    return this.#startup;
  }

  /** Milliseconds since boot. */
  uptimeMs(): number {
    return this.wall.monotonic() - this.#bootedAt;
  }

  hostname(): string {
    return hostnameOf(this.#running);
  }

  /** In the order of the configuration, which is that of ifIndex. */
  interfaces(): readonly InterfaceState[] {
    return interfacesOf(this.#running).map((facts, i) => {
      const errDisabled = this.errDisabled.has(facts.name);
      const up = this.#powered && !facts.shutdown && !errDisabled && !this.cutCables.has(facts.name);
      return { ...facts, ifIndex: i + 1, up, errDisabled };
    });
  }

  configure(change: ConfigChange, line: string, operator: Operator): void {
    if (!this.#powered) return;
    const next = applyChange(this.#running, change);
    const changed = !sameConfig(next, this.#running);
    this.record(change.path, line, operator, changed);
    if (!changed) return;
    this.#running = next;
    this.reconcile();
  }

  writeMemory(operator: Operator): void {
    this.record([], 'write memory', operator, !sameConfig(this.#startup, this.#running));
    this.#startup = this.#running;
  }

  /** Another startup configuration, put there by the lab's hand. */
  setStartup(config: Config): void {
    this.#startup = config;
  }

  syslog(mnemonic: string, text: string): void {
    if (!this.#powered) return;
    this.#messages += 1;
    if (!this.has('logging host ')) return;
    const sequenceNumbers = this.has('service sequence-numbers') ? 'on' : 'off';
    const at = this.wall.now();
    const line = syslogLine({ mnemonic, text, host: this.hostname(), count: this.#messages, sequenceNumbers, at });
    this.#chassis.emit({ kind: 'syslog', line });
  }

  powerOff(): void {
    this.#powered = false;
    this.stopFunctions();
    this.errDisabled.clear();
    this.#toldUp.clear();
    this.changed();
  }

  /** From the startup configuration. */
  boot(): void {
    if (this.#powered) return;
    this.#powered = true;
    this.#running = this.#startup;
    this.#bootedAt = this.wall.monotonic();
    this.#messages = 0;
    this.syslog('SYS-5-RESTART', `System restarted --\n${restartText[this.platform]}`);
    this.trap(coldStartTrap);
    this.reconcile();
  }

  /** The cable of an interface. */
  setLink(name: string, to: 'up' | 'down'): void {
    if (to === 'down') this.cutCables.add(name);
    else this.cutCables.delete(name);
    this.reconcile();
  }

  isUp(name: string): boolean {
    return this.interfaces().some((each) => each.name === name && each.up);
  }

  /** Whether a line of the configuration begins so. */
  protected has(start: string): boolean {
    return this.#running.some(({ line }) => line.startsWith(start));
  }

  protected ifIndex(name: string): number {
    return this.interfaces().find((each) => each.name === name)?.ifIndex ?? 0;
  }

  protected trap(notification: Notification): void {
    if (!this.#powered || !this.has('snmp-server host ')) return;
    this.#chassis.emit({ kind: 'trap', ...notification, uptimeHundredths: Math.floor(this.uptimeMs() / 10) });
  }

  protected record(path: readonly string[], line: string, operator: Operator, changed: boolean): void {
    const at = new Date(this.wall.now()).toISOString();
    this.#chassis.log({ at, device: this.name, ...operator, path, line, changed });
  }

  /** A command that is no line of the configuration; `act` may `rewrite`. */
  protected command(line: string, operator: Operator, { changed, act }: { changed: boolean; act: () => void }): void {
    if (!this.#powered) return;
    this.record([], line, operator, changed);
    act();
    this.reconcile();
  }

  /** As a consequence of a command that is in the log. */
  protected rewrite(change: ConfigChange): void {
    this.#running = applyChange(this.#running, change);
  }

  protected reconcile(): void {
    if (this.#powered) {
      this.#tellLinks();
      this.reconcileFunctions();
    }
    this.changed();
  }

  protected changed(): void {
    this.#chassis.changed();
  }

  #tellLinks(): void {
    for (const state of this.interfaces()) {
      const before = this.#toldUp.get(state.name);
      this.#toldUp.set(state.name, state.up);
      const news = before !== state.up && !(before === undefined && !state.up);
      if (news && !state.name.startsWith('Loopback')) this.#tellLink(state);
    }
  }

  #tellLink({ name, up, ifIndex, shutdown }: InterfaceState): void {
    const to = up ? 'up' : 'down';
    if (shutdown) this.syslog('LINK-5-CHANGED', `Interface ${name}, changed state to administratively down`);
    else if (!name.startsWith('Vlan')) this.syslog('LINK-3-UPDOWN', `Interface ${name}, changed state to ${to}`);
    this.syslog('LINEPROTO-5-UPDOWN', `Line protocol on Interface ${name}, changed state to ${to}`);
    this.trap(linkTrap(ifIndex, to, shutdown ? 'down' : 'up'));
  }
}

const restartText: Readonly<Record<Platform, string>> = {
  'cisco-ios': 'Cisco IOS Software (simulated), Version 15.9(3)M',
  'cisco-iosxe': 'Cisco IOS XE Software (simulated), Version 17.09.04',
};
