// Owns: one router: its HSRP groups, on top of what every device has (chassis.ts). No sockets.
import { Chassis, type ChassisOptions } from './chassis.ts';
import { hsrpGroupsOf } from './config-facts.ts';
import { hsrpStateWord, hsrpTrap, isTold } from './device-events.ts';
import { createHsrpGroup, type HsrpGroup, type HsrpInput, type HsrpPacket, hsrpNextDue, stepHsrp } from './hsrp.ts';
import type { Segment } from './segment.ts';

export interface DeviceOptions extends ChassisOptions {
  /** By interface name. */
  readonly segments: ReadonlyMap<string, Segment<HsrpPacket>>;
}

const hsrpKey = (name: string, group: number) => `${name} ${group}`;

export class Device extends Chassis {
  readonly #segments: DeviceOptions['segments'];
  readonly #groups = new Map<string, HsrpGroup>();
  /** By group: what cancels its timer. */
  readonly #timers = new Map<string, () => void>();

  constructor(options: DeviceOptions) {
    super(options);
    this.#segments = options.segments;
    for (const facts of hsrpGroupsOf(this.running))
      this.#groups.set(hsrpKey(facts.interface, facts.group), createHsrpGroup(facts, this.wall.monotonic()));
    for (const [where, segment] of options.segments)
      segment.attach(this.name, (packet) => {
        if (this.isUp(where)) this.#step(hsrpKey(where, packet.group), { kind: 'packet', packet });
      });
  }

  groups(): readonly HsrpGroup[] {
    return [...this.#groups.values()];
  }

  /** HSRP as it is after a long quiet time, without a word about it. */
  seedHsrp(state: 'active' | 'standby', group: HsrpGroup, peer: HsrpGroup | undefined): void {
    const heardUntil = this.wall.monotonic() + group.facts.holdMs;
    const other = peer && { address: peer.facts.address, priority: peer.facts.priority };
    const [mine, theirs] = state === 'active' ? (['active', 'standby'] as const) : (['standby', 'active'] as const);
    group.state = state;
    group[mine] = undefined;
    group[theirs] = other;
    group.activeDue = state === 'active' ? undefined : heardUntil;
    group.standbyDue = state === 'active' ? heardUntil : undefined;
    group.helloDue = this.wall.monotonic();
    this.#step(hsrpKey(group.facts.interface, group.facts.group), { kind: 'timer' });
  }

  protected override stopFunctions(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#groups.clear();
  }

  protected override reconcileFunctions(): void {
    const wanted = new Map(hsrpGroupsOf(this.running).map((facts) => [hsrpKey(facts.interface, facts.group), facts]));
    for (const key of [...this.#groups.keys()]) {
      if (wanted.has(key)) continue;
      this.#step(key, { kind: 'down' });
      this.#groups.delete(key);
    }
    for (const [key, facts] of wanted) {
      const group = this.#groups.get(key);
      if (group) group.facts = facts;
      else this.#groups.set(key, createHsrpGroup(facts, this.wall.monotonic()));
      this.#step(key, { kind: this.isUp(facts.interface) ? 'up' : 'down' });
    }
  }

  #step(key: string, input: HsrpInput): void {
    const group = this.#groups.get(key);
    if (!group) return;
    const { sends, changes } = stepHsrp(group, input, this.wall.monotonic());
    const { interface: where, group: number } = group.facts;
    for (const { from, to } of changes) {
      if (!isTold(from, to)) continue;
      this.syslog('HSRP-5-STATECHANGE', `${where} Grp ${number} state ${hsrpStateWord(from)} -> ${hsrpStateWord(to)}`);
      this.trap(hsrpTrap(this.ifIndex(where), number, to));
    }
    this.#setTimer(key, group);
    // A resign leaves before the interface goes down, but over a cut cable nothing leaves.
    if (!this.cutCables.has(where)) for (const packet of sends) this.#segments.get(where)?.send(this.name, packet);
    if (changes.length > 0) this.changed();
  }

  #setTimer(key: string, group: HsrpGroup): void {
    this.#timers.get(key)?.();
    this.#timers.delete(key);
    const due = hsrpNextDue(group);
    if (due === undefined) return;
    const waitMs = Math.max(1, Math.ceil(due - this.wall.monotonic()));
    this.#timers.set(
      key,
      this.wall.after(waitMs, () => this.#step(key, { kind: 'timer' })),
    );
  }
}
