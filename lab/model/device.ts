// Owns: one router: power, configuration, interfaces, HSRP groups, and what it says about them. No sockets.
//
// D1 Every line that reaches the running configuration is in the log BEFORE it is in the configuration.
// D2 A device without power says nothing, hears nothing and changes nothing.
import type { Wall } from '../../src/ports/wall.ts';
import type { RouterName } from './addresses.ts';
import { applyChange, type Config, type ConfigChange, sameConfig } from './config.ts';
import { hostnameOf, hsrpGroupsOf, type InterfaceFacts, interfacesOf } from './config-facts.ts';
import {
  coldStartTrap,
  type DeviceEvent,
  hsrpStateWord,
  hsrpTrap,
  isTold,
  linkTrap,
  syslogLine,
  type TrapVarbind,
} from './device-events.ts';
import { createHsrpGroup, type HsrpGroup, type HsrpInput, type HsrpPacket, hsrpNextDue, stepHsrp } from './hsrp.ts';
import type { Segment } from './segment.ts';

/** Who changes a configuration. */
export interface Operator {
  readonly user: string;
  /** `127.23.0.1:40112`. */
  readonly peer: string;
  readonly transport: 'cli' | 'netconf' | 'lab';
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
  /** Whether the configuration is another one for it. */
  readonly changed: boolean;
}

export type Platform = 'cisco-ios' | 'cisco-iosxe';

export interface InterfaceState extends InterfaceFacts {
  readonly ifIndex: number;
  readonly up: boolean;
}

export interface DeviceOptions {
  readonly name: RouterName;
  readonly platform: Platform;
  readonly startup: Config;
  readonly wall: Wall;
  /** By interface name. */
  readonly segments: ReadonlyMap<string, Segment<HsrpPacket>>;
  readonly emit: (event: DeviceEvent) => void;
  readonly log: (write: ConfigWrite) => void;
  /** After power, interfaces, configuration or an HSRP state changed. */
  readonly changed: () => void;
}

const hsrpKey = (name: string, group: number) => `${name} ${group}`;

interface Notification {
  readonly oid: string;
  readonly varbinds: readonly TrapVarbind[];
}

export class Device {
  readonly name: RouterName;
  readonly platform: Platform;
  readonly #options: DeviceOptions;
  readonly #wall: Wall;
  readonly #groups = new Map<string, HsrpGroup>();
  /** By group: what cancels its timer. */
  readonly #timers = new Map<string, () => void>();
  readonly #cutCables = new Set<string>();
  /** By interface: what was last told of it. */
  readonly #toldUp = new Map<string, boolean>();
  #running: Config;
  #startup: Config;
  #powered = true;
  #bootedAt: number;
  #messages = 41;

  constructor(options: DeviceOptions) {
    this.name = options.name;
    this.platform = options.platform;
    this.#options = options;
    this.#wall = options.wall;
    this.#running = options.startup;
    this.#startup = options.startup;
    // An hour: the network was there before the lab's user was.
    this.#bootedAt = this.#wall.monotonic() - 3_600_000;
    for (const { name, up } of this.interfaces()) this.#toldUp.set(name, up);
    for (const facts of hsrpGroupsOf(this.#running))
      this.#groups.set(hsrpKey(facts.interface, facts.group), createHsrpGroup(facts, this.#wall.monotonic()));
    for (const [where, segment] of options.segments)
      segment.attach(this.name, (packet) => {
        if (this.#isUp(where)) this.#step(hsrpKey(where, packet.group), { kind: 'packet', packet });
      });
  }

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
    return this.#wall.monotonic() - this.#bootedAt;
  }

  hostname(): string {
    return hostnameOf(this.#running);
  }

  /** In the order of the configuration, which is that of ifIndex. */
  interfaces(): readonly InterfaceState[] {
    return interfacesOf(this.#running).map((facts, i) => {
      const up = this.#powered && !facts.shutdown && !this.#cutCables.has(facts.name);
      return { ...facts, ifIndex: i + 1, up };
    });
  }

  groups(): readonly HsrpGroup[] {
    return [...this.#groups.values()];
  }

  configure(change: ConfigChange, line: string, operator: Operator): void {
    if (!this.#powered) return;
    const next = applyChange(this.#running, change);
    const changed = !sameConfig(next, this.#running);
    this.#record(change.path, line, operator, changed);
    if (!changed) return;
    this.#running = next;
    this.#reconcile();
  }

  writeMemory(operator: Operator): void {
    this.#record([], 'write memory', operator, !sameConfig(this.#startup, this.#running));
    this.#startup = this.#running;
  }

  /** Another startup configuration, put there by the lab's hand. */
  setStartup(config: Config): void {
    this.#startup = config;
  }

  syslog(mnemonic: string, text: string): void {
    if (!this.#powered) return;
    this.#messages += 1;
    if (!this.#has('logging host ')) return;
    const sequenceNumbers = this.#has('service sequence-numbers') ? 'on' : 'off';
    const at = this.#wall.now();
    const line = syslogLine({ mnemonic, text, host: this.hostname(), count: this.#messages, sequenceNumbers, at });
    this.#options.emit({ kind: 'syslog', line });
  }

  powerOff(): void {
    this.#powered = false;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#groups.clear();
    this.#toldUp.clear();
    this.#options.changed();
  }

  /** From the startup configuration. */
  boot(): void {
    if (this.#powered) return;
    this.#powered = true;
    this.#running = this.#startup;
    this.#bootedAt = this.#wall.monotonic();
    this.#messages = 0;
    this.syslog('SYS-5-RESTART', `System restarted --\n${restartText[this.platform]}`);
    this.#trap(coldStartTrap);
    this.#reconcile();
  }

  /** The cable of an interface. */
  setLink(name: string, to: 'up' | 'down'): void {
    if (to === 'down') this.#cutCables.add(name);
    else this.#cutCables.delete(name);
    this.#reconcile();
  }

  /** HSRP as it is after a long quiet time, without a word about it. */
  seedHsrp(state: 'active' | 'standby', group: HsrpGroup, peer: HsrpGroup | undefined): void {
    const heardUntil = this.#wall.monotonic() + group.facts.holdMs;
    const other = peer && { address: peer.facts.address, priority: peer.facts.priority };
    const [mine, theirs] = state === 'active' ? (['active', 'standby'] as const) : (['standby', 'active'] as const);
    group.state = state;
    group[mine] = undefined;
    group[theirs] = other;
    group.activeDue = state === 'active' ? undefined : heardUntil;
    group.standbyDue = state === 'active' ? heardUntil : undefined;
    group.helloDue = this.#wall.monotonic();
    this.#step(hsrpKey(group.facts.interface, group.facts.group), { kind: 'timer' });
  }

  /** Whether a line of the configuration begins so. */
  #has(start: string): boolean {
    return this.#running.some(({ line }) => line.startsWith(start));
  }

  #isUp(name: string): boolean {
    return this.interfaces().some((each) => each.name === name && each.up);
  }

  #ifIndex(name: string): number {
    return this.interfaces().find((each) => each.name === name)?.ifIndex ?? 0;
  }

  #trap(notification: Notification): void {
    if (!this.#powered || !this.#has('snmp-server host ')) return;
    this.#options.emit({ kind: 'trap', ...notification, uptimeHundredths: Math.floor(this.uptimeMs() / 10) });
  }

  #record(path: readonly string[], line: string, operator: Operator, changed: boolean): void {
    const at = new Date(this.#wall.now()).toISOString();
    this.#options.log({ at, device: this.name, ...operator, path, line, changed });
  }

  #reconcile(): void {
    if (this.#powered) {
      this.#tellLinks();
      this.#reconcileGroups();
    }
    this.#options.changed();
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
    this.#trap(linkTrap(ifIndex, to, shutdown ? 'down' : 'up'));
  }

  #reconcileGroups(): void {
    const wanted = new Map(hsrpGroupsOf(this.#running).map((facts) => [hsrpKey(facts.interface, facts.group), facts]));
    for (const key of [...this.#groups.keys()]) {
      if (wanted.has(key)) continue;
      this.#step(key, { kind: 'down' });
      this.#groups.delete(key);
    }
    for (const [key, facts] of wanted) {
      const group = this.#groups.get(key);
      if (group) group.facts = facts;
      else this.#groups.set(key, createHsrpGroup(facts, this.#wall.monotonic()));
      this.#step(key, { kind: this.#isUp(facts.interface) ? 'up' : 'down' });
    }
  }

  #step(key: string, input: HsrpInput): void {
    const group = this.#groups.get(key);
    if (!group) return;
    const { sends, changes } = stepHsrp(group, input, this.#wall.monotonic());
    const { interface: where, group: number } = group.facts;
    for (const { from, to } of changes) {
      if (!isTold(from, to)) continue;
      this.syslog('HSRP-5-STATECHANGE', `${where} Grp ${number} state ${hsrpStateWord(from)} -> ${hsrpStateWord(to)}`);
      this.#trap(hsrpTrap(this.#ifIndex(where), number, to));
    }
    this.#setTimer(key, group);
    // A resign leaves before the interface goes down, but over a cut cable nothing leaves.
    if (!this.#cutCables.has(where)) for (const packet of sends) this.#options.segments.get(where)?.send(this.name, packet);
    if (changes.length > 0) this.#options.changed();
  }

  #setTimer(key: string, group: HsrpGroup): void {
    this.#timers.get(key)?.();
    this.#timers.delete(key);
    const due = hsrpNextDue(group);
    if (due === undefined) return;
    const waitMs = Math.max(1, Math.ceil(due - this.#wall.monotonic()));
    this.#timers.set(
      key,
      this.#wall.after(waitMs, () => this.#step(key, { kind: 'timer' })),
    );
  }
}

const restartText: Readonly<Record<Platform, string>> = {
  'cisco-ios': 'Cisco IOS Software (simulated), Version 15.9(3)M',
  'cisco-iosxe': 'Cisco IOS XE Software (simulated), Version 17.09.04',
};
