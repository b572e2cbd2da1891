// Owns: facts: plain data folded from entries, and the view of the inventory that policies get. Facts change only on an
// entry (law E9): what an event claims and what a reading showed, each with when and how it is known.
import { type Entry, rowsOf } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import { interfaceName } from '../model/interface-name.ts';
import { type Family, type Meaning, type MeaningKind, type Role, roleOfHsrp, roleOfVrrp } from '../model/meaning.ts';
import type { FhrpRow } from '../model/query.ts';
import type { Attachment, Gateway, Inventory, Member, Path, Target } from '../model/target.ts';
import { arrayPieces } from './sweep.ts';
import type { VmFact } from './vm-migration.ts';
import { Vms } from './vms.ts';

/** A member of a gateway, with what its gateway says of it. */
export interface GatewayMember extends Member {
  readonly gateway: string;
  readonly protocol: Gateway['protocol'];
  readonly vrf: string;
}

/** Who is what in a gateway, as far as we know. */
export interface FhrpFact {
  readonly gateway: string;
  readonly target: string;
  readonly role: Role;
  /** The protocol's own word. */
  readonly state: string;
  readonly at: number;
  readonly seq: number;
  /** Read on the device, or claimed by an event. */
  readonly by: 'read' | 'claimed';
}

export interface TargetFact {
  readonly target: string;
  readonly reachable: boolean;
  readonly at: number;
  readonly reason?: string;
}

/** What policies see of the inventory. */
export interface InventoryView {
  target(name: string): Target | undefined;
  gateway(name: string): Gateway | undefined;
  membersOf(gateway: string): readonly GatewayMember[];
  portsOf(hypervisor: string, vlans?: readonly number[]): readonly Port[];
  /** The ports that it is plugged into, whatever their VLANs. */
  switchPortsOf(hypervisor: string): readonly EgressPort[];
  attachmentsOf(hypervisor: string): readonly Attachment[];
  path(from: string, to: string): Path | undefined;
  pathBetween(from: string, to: string): readonly EgressPort[];
  vm(named: string): VmFact | undefined;
}

/** A switch port, as one VLAN on it. `interface` is canonical. */
export interface Port {
  readonly target: string;
  readonly interface: string;
  readonly vlan: number;
}

/** A port that traffic leaves by. `interface` is canonical. */
export interface EgressPort {
  readonly target: string;
  readonly interface: string;
}

/** What a state change says of one row, whatever the protocol. */
export interface RowClaim {
  readonly interface?: string | undefined;
  readonly group?: number | undefined;
  readonly instance?: string | undefined;
  readonly family?: Family | undefined;
}

/** Facts as a snapshot has them. */
export interface SavedFacts {
  readonly inventory: Inventory;
  readonly fhrp: readonly FhrpFact[];
  readonly targets: readonly TargetFact[];
  readonly vms: readonly VmFact[];
}

const emptyInventory: Inventory = { targets: {}, gateways: {} };

export class Facts implements InventoryView {
  #inventory: Inventory = emptyInventory;
  #members = new Map<string, GatewayMember[]>();
  readonly vms = new Vms();
  readonly #fhrp = new Map<string, FhrpFact>();
  readonly #targets = new Map<string, TargetFact>();

  get inventory(): Inventory {
    return this.#inventory;
  }

  target(name: string): Target | undefined {
    return own(this.#inventory.targets, name);
  }

  gateway(name: string): Gateway | undefined {
    return own(this.#inventory.gateways, name);
  }

  membersOf(gateway: string): readonly GatewayMember[] {
    const found = this.gateway(gateway);
    return found ? found.members.map((member) => ({ ...member, gateway, protocol: found.protocol, vrf: found.vrf })) : [];
  }

  /** The memberships of one target, over all gateways. */
  membersOn(target: string): readonly GatewayMember[] {
    return this.#members.get(target) ?? [];
  }

  /** The member that a state change on a target speaks of. Vlan20 with the same group is not Vlan10. */
  memberOf(target: string, protocol: Gateway['protocol'], claim: RowClaim): GatewayMember | undefined {
    const candidates = this.membersLike(target, protocol, claim);
    return candidates.length === 1 ? candidates[0] : undefined;
  }

  /** All that it can speak of. */
  membersLike(target: string, protocol: Gateway['protocol'], claim: RowClaim): readonly GatewayMember[] {
    return this.membersOn(target).filter((member) => member.protocol === protocol && couldBe(member, claim));
  }

  fhrp(gateway: string, target: string): FhrpFact | undefined {
    return this.#fhrp.get(factKey({ gateway, target }));
  }

  allFhrp(): readonly FhrpFact[] {
    return [...this.#fhrp.values()];
  }

  allTargets(): readonly TargetFact[] {
    return [...this.#targets.values()];
  }

  /** All as they are now, as JSON in pieces. */
  save(): Generator<string> {
    const inventory = this.#inventory;
    const fhrp = arrayPieces([...this.#fhrp.values()]);
    const targets = arrayPieces([...this.#targets.values()]);
    const vms = this.vms.save();
    return (function* pieces() {
      yield `{"inventory":${JSON.stringify(inventory)},"fhrp":`;
      yield* fhrp;
      yield ',"targets":';
      yield* targets;
      yield ',"vms":';
      yield* vms;
      yield '}';
    })();
  }

  /** What was saved becomes ours. Only before the first entry. */
  restore({ inventory, fhrp, targets, vms }: SavedFacts): void {
    this.#setInventory(inventory);
    for (const fact of fhrp) this.#fhrp.set(factKey(fact), fact);
    for (const fact of targets) this.#targets.set(fact.target, fact);
    this.vms.restore(vms);
  }

  /** Takes an entry in; returns what it means for migrations. */
  fold(entry: Entry): readonly Meaning[] {
    if (entry.kind === 'inventory') this.#setInventory(entry.inventory);
    else if (entry.kind === 'event' && entry.event.meaning?.kind === 'source.gap') this.#foldGap(entry, entry.event);
    else if (entry.kind === 'event' && entry.event.target && entry.event.meaning)
      this.#foldClaim(entry, entry.event.target, entry.event.meaning);
    else if (entry.kind === 'reading') this.#foldReading(entry);
    return this.vms.fold(entry);
  }

  /** Where a hypervisor's guests of these VLANs are plugged in, a port for each VLAN; of all its VLANs where none are named. */
  portsOf(hypervisor: string, vlans: readonly number[] = []): readonly Port[] {
    return (this.#inventory.attachments ?? [])
      .filter((attachment) => attachment.hypervisor === hypervisor)
      .flatMap(({ target, interface: name, vlans: there }) =>
        there
          .filter((vlan) => vlans.length === 0 || vlans.includes(vlan))
          .map((vlan) => ({ target, interface: interfaceName(name), vlan })),
      );
  }

  switchPortsOf(hypervisor: string): readonly EgressPort[] {
    return this.attachmentsOf(hypervisor).map(({ target, interface: name }) => ({ target, interface: interfaceName(name) }));
  }

  attachmentsOf(hypervisor: string): readonly Attachment[] {
    return (this.#inventory.attachments ?? []).filter((attachment) => attachment.hypervisor === hypervisor);
  }

  path(from: string, to: string): Path | undefined {
    return (this.#inventory.paths ?? []).find((path) => path.from === from && path.to === to);
  }

  /** The ports that a migration's traffic leaves by; none where the path is not described. */
  pathBetween(from: string, to: string): readonly EgressPort[] {
    return (this.path(from, to)?.egress ?? []).map(({ target, interface: name }) => ({ target, interface: interfaceName(name) }));
  }

  /** A VM by its UUID or its name. */
  vm(named: string): VmFact | undefined {
    return this.vms.get(named) ?? this.vms.byName(named);
  }

  #setInventory(inventory: Inventory): void {
    this.#inventory = inventory;
    this.#members = new Map();
    for (const name of Object.keys(inventory.gateways)) {
      for (const member of this.membersOf(name)) {
        const list = this.#members.get(member.target);
        if (list) list.push(member);
        else this.#members.set(member.target, [member]);
      }
    }
  }

  #foldClaim(entry: Entry, target: string, meaning: Meaning): void {
    const claimed = claimOf(meaning);
    const member = claimed && this.memberOf(target, claimed.protocol, claimed.claim);
    if (member) this.#setFhrp(member, claimed.role, claimed.state, entry, 'claimed');
  }

  /** A session is there again: what was read before of its target being away is over, and maybe nobody reads there. */
  #foldGap({ at }: Entry, { origin, meaning }: Event): void {
    if (origin.source !== 'session' || meaning?.kind !== 'source.gap') return;
    for (const target of meaning.targets ?? []) {
      if (this.#targets.get(target)?.reachable === false) this.#targets.set(target, { target, reachable: true, at });
    }
  }

  #foldReading(entry: Entry & { readonly kind: 'reading' }): void {
    const { target, result } = entry.reading;
    this.#targets.set(target, {
      target,
      reachable: result.kind !== 'unreachable',
      at: entry.at,
      ...(result.kind === 'rows' ? {} : { reason: result.reason }),
    });
    const rows = rowsOf(entry.reading, 'fhrp');
    if (!rows) return;
    for (const member of this.membersOn(target)) {
      const row = rowOf(member, rows);
      if (row) this.#setFhrp(member, row.role, row.state, entry, 'read');
    }
  }

  #setFhrp(member: GatewayMember, role: Role, state: string, entry: Entry, by: FhrpFact['by']): void {
    const { gateway, target } = member;
    this.#fhrp.set(factKey(member), { gateway, target, role, state, at: entry.at, seq: entry.seq, by });
  }
}

function factKey({ gateway, target }: Pick<FhrpFact, 'gateway' | 'target'>): string {
  return `${gateway}\u0000${target}`;
}

/** A policy or an event may ask for a gateway of any name, `constructor` among them. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The one row of a reading that is this member's; undefined where none is, or more than one could be. */
export function rowOf(member: Member | RowClaim, rows: readonly FhrpRow[]): FhrpRow | undefined {
  const found = rows.filter((row) => couldBe({ ...member, family: member.family ?? 'ipv4' }, row));
  return found.length === 1 ? found[0] : undefined;
}

/**
 * Whether a claim can be this member's: what both say must agree, and they must share something that names it. An
 * inventory says Vl20 or eth0, a device Vlan20 and a message Ethernet0: it is the interface that must be the same.
 */
function couldBe(member: RowClaim, claim: RowClaim): boolean {
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [canonical(member.interface), canonical(claim.interface)],
    [member.group, claim.group],
    [member.instance, claim.instance],
  ];
  if (member.family !== undefined && claim.family !== undefined && member.family !== claim.family) return false;
  let shared = 0;
  for (const [ours, theirs] of pairs) {
    if (ours === undefined || theirs === undefined) continue;
    if (ours !== theirs) return false;
    shared += 1;
  }
  return shared > 0;
}

function canonical(name: string | undefined): string | undefined {
  return name === undefined ? undefined : interfaceName(name);
}

/** Whether facts, or what is derived for gateways, are made of meanings of this kind. */
export function isFolded(kind: MeaningKind): boolean {
  return kind === 'hsrp.state-changed' || kind === 'vrrp.state-changed' || kind === 'source.gap' || kind.startsWith('vm.');
}

/** Role, state and row of an HSRP or VRRP state change; undefined for any other meaning. */
export function claimOf(meaning: Meaning):
  | {
      readonly protocol: Gateway['protocol'];
      readonly role: Role;
      readonly from?: Role;
      readonly state: string;
      readonly claim: RowClaim;
    }
  | undefined {
  if (meaning.kind === 'hsrp.state-changed') {
    return {
      protocol: 'hsrp',
      role: roleOfHsrp(meaning.to),
      ...(meaning.from ? { from: roleOfHsrp(meaning.from) } : {}),
      state: meaning.to,
      claim: meaning,
    };
  }
  if (meaning.kind === 'vrrp.state-changed') {
    return {
      protocol: 'vrrp',
      role: roleOfVrrp(meaning.to),
      ...(meaning.from ? { from: roleOfVrrp(meaning.from) } : {}),
      state: meaning.to,
      claim: meaning,
    };
  }
  return undefined;
}
