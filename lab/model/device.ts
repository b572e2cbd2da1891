// Owns: one router: power, configuration, interfaces, HSRP groups, and what it says about them. No sockets.
//
// D1 Every line that reaches the running configuration is in the log BEFORE it is in the configuration.
// D2 A device without power says nothing, hears nothing and changes nothing.
import type { HsrpState } from '../../src/model/meaning.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { DeviceName } from './addresses.ts';
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

export interface Device {
  readonly name: DeviceName;
  readonly platform: Platform;
  readonly powered: boolean;
  readonly running: Config;
  readonly startup: Config;
  /** Milliseconds since boot. */
  uptimeMs(): number;
  hostname(): string;
  interfaces(): readonly (InterfaceFacts & { readonly ifIndex: number; readonly up: boolean })[];
  groups(): readonly HsrpGroup[];
  configure(change: ConfigChange, line: string, operator: Operator): void;
  writeMemory(operator: Operator): void;
  /** Another startup configuration, put there by the lab's hand. */
  setStartup(config: Config): void;
  syslog(mnemonic: string, text: string): void;
  powerOff(): void;
  /** From the startup configuration. */
  boot(): void;
  /** The cable of an interface. */
  setLink(name: string, to: 'up' | 'down'): void;
  /** HSRP as it is after a long quiet time, without a word about it. */
  seedHsrp(state: HsrpState, at: HsrpGroup, peer: HsrpGroup | undefined): void;
}

export interface DeviceOptions {
  readonly name: DeviceName;
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

export const hsrpKey = (name: string, group: number) => `${name} ${group}`;

export function createDevice(options: DeviceOptions): Device {
  const { name, platform, wall, segments, emit, log } = options;
  const groups = new Map<string, HsrpGroup>();
  const timers = new Map<string, () => void>();
  const cut = new Set<string>();
  const upBefore = new Map<string, boolean>();
  let running = options.startup;
  let startup = options.startup;
  let powered = true;
  // An hour: the network was there before the lab's user was.
  let bootedAt = wall.monotonic() - 3_600_000;
  let messages = 41;

  const interfaces = () =>
    interfacesOf(running).map((facts, i) => ({
      ...facts,
      ifIndex: i + 1,
      up: powered && !facts.shutdown && !cut.has(facts.name),
    }));
  const isUp = (which: string) => interfaces().some((each) => each.name === which && each.up);
  const ifIndexOf = (which: string) => interfaces().find((each) => each.name === which)?.ifIndex ?? 0;

  /** Whether a line of the configuration begins so. */
  const has = (start: string) => running.some(({ line }) => line.startsWith(start));

  const syslog = (mnemonic: string, text: string) => {
    if (!powered) return;
    messages += 1;
    if (!has('logging host ')) return;
    const sequenceNumbers = has('service sequence-numbers') ? 'on' : 'off';
    const line = syslogLine({ mnemonic, text, host: hostnameOf(running), count: messages, sequenceNumbers, at: wall.now() });
    emit({ kind: 'syslog', line });
  };
  const trap = (notification: { readonly oid: string; readonly varbinds: readonly TrapVarbind[] }) => {
    if (powered && has('snmp-server host '))
      emit({ kind: 'trap', ...notification, uptimeHundredths: Math.floor((wall.monotonic() - bootedAt) / 10) });
  };

  const stepGroup = (key: string, input: HsrpInput) => {
    const group = groups.get(key);
    if (!group) return;
    const { sends, changes } = stepHsrp(group, input, wall.monotonic());
    const { interface: where, group: number } = group.facts;
    for (const { from, to } of changes) {
      if (!isTold(from, to)) continue;
      syslog('HSRP-5-STATECHANGE', `${where} Grp ${number} state ${hsrpStateWord(from)} -> ${hsrpStateWord(to)}`);
      trap(hsrpTrap(ifIndexOf(where), number, to));
    }
    timers.get(key)?.();
    timers.delete(key);
    const due = hsrpNextDue(group);
    if (due !== undefined)
      timers.set(
        key,
        wall.after(Math.max(1, Math.ceil(due - wall.monotonic())), () => stepGroup(key, { kind: 'timer' })),
      );
    // A resign leaves before the interface goes down, but over a cut cable nothing leaves.
    if (powered && !cut.has(where)) for (const packet of sends) segments.get(where)?.send(name, packet);
    if (changes.length > 0) options.changed();
  };

  const reconcileGroups = () => {
    const wanted = new Map(hsrpGroupsOf(running).map((facts) => [hsrpKey(facts.interface, facts.group), facts]));
    for (const key of [...groups.keys()]) {
      if (wanted.has(key)) continue;
      stepGroup(key, { kind: 'down' });
      groups.delete(key);
    }
    for (const [key, facts] of wanted) {
      const group = groups.get(key);
      if (group) group.facts = facts;
      else groups.set(key, createHsrpGroup(facts, wall.monotonic()));
      stepGroup(key, { kind: isUp(facts.interface) ? 'up' : 'down' });
    }
  };

  const tellLinks = () => {
    for (const { name: which, up, ifIndex, shutdown } of interfaces()) {
      const before = upBefore.get(which);
      upBefore.set(which, up);
      if (before === up || which.startsWith('Loopback') || (before === undefined && !up)) continue;
      const state = up ? 'up' : 'down';
      if (shutdown) syslog('LINK-5-CHANGED', `Interface ${which}, changed state to administratively down`);
      else if (!which.startsWith('Vlan')) syslog('LINK-3-UPDOWN', `Interface ${which}, changed state to ${state}`);
      syslog('LINEPROTO-5-UPDOWN', `Line protocol on Interface ${which}, changed state to ${state}`);
      trap(linkTrap(ifIndex, state, shutdown ? 'down' : 'up'));
    }
  };

  const reconcile = () => {
    if (powered) {
      tellLinks();
      reconcileGroups();
    }
    options.changed();
  };

  const record = (path: readonly string[], line: string, operator: Operator, changed: boolean) =>
    log({ at: new Date(wall.now()).toISOString(), device: name, ...operator, path, line, changed });

  for (const { name: which, up } of interfaces()) upBefore.set(which, up);
  for (const facts of hsrpGroupsOf(running))
    groups.set(hsrpKey(facts.interface, facts.group), createHsrpGroup(facts, wall.monotonic()));
  for (const [which, segment] of segments)
    segment.attach(name, (packet) => {
      if (isUp(which)) stepGroup(hsrpKey(which, packet.group), { kind: 'packet', packet });
    });

  return {
    name,
    platform,
    get powered() {
      return powered;
    },
    get running() {
      return running;
    },
    get startup() {
      return startup;
    },
    uptimeMs: () => wall.monotonic() - bootedAt,
    hostname: () => hostnameOf(running),
    interfaces,
    groups: () => [...groups.values()],
    configure(change, line, operator) {
      if (!powered) return;
      const next = applyChange(running, change);
      const changed = !sameConfig(next, running);
      record(change.path, line, operator, changed);
      if (!changed) return;
      running = next;
      reconcile();
    },
    writeMemory(operator) {
      record([], 'write memory', operator, !sameConfig(startup, running));
      startup = running;
    },
    setStartup(config) {
      startup = config;
    },
    syslog,
    powerOff() {
      powered = false;
      for (const cancel of timers.values()) cancel();
      timers.clear();
      groups.clear();
      upBefore.clear();
      options.changed();
    },
    boot() {
      if (powered) return;
      powered = true;
      running = startup;
      bootedAt = wall.monotonic();
      messages = 0;
      syslog('SYS-5-RESTART', `System restarted --\n${restartText[platform]}`);
      trap(coldStartTrap);
      reconcile();
    },
    setLink(which, to) {
      if (to === 'down') cut.add(which);
      else cut.delete(which);
      reconcile();
    },
    seedHsrp(state, group, peer) {
      const now = wall.monotonic();
      const other = peer && { address: peer.facts.address, priority: peer.facts.priority };
      group.state = state;
      group.active = state === 'active' ? undefined : other;
      group.standby = state === 'active' ? other : undefined;
      group.activeDue = state === 'active' ? undefined : now + group.facts.holdMs;
      group.standbyDue = state === 'active' ? now + group.facts.holdMs : undefined;
      group.helloDue = now;
      stepGroup(hsrpKey(group.facts.interface, group.facts.group), { kind: 'timer' });
    },
  };
}

const restartText: Readonly<Record<Platform, string>> = {
  'cisco-ios': 'Cisco IOS Software (simulated), Version 15.9(3)M',
  'cisco-iosxe': 'Cisco IOS XE Software (simulated), Version 17.09.04',
};
