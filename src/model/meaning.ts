// Owns: the meanings: vendor-neutral, typed readings of what happened. A source gives an event one where it knows it;
// core/derive makes some from others. Field names are the field's own words; interfaces are canonical (interface-name.ts).
import { z } from 'zod';

/** HSRP states (RFC 2281 section 5.3; CISCO-HSRP-MIB cHsrpGrpStandbyState says initial for init). */
export const hsrpStateSchema = z.enum(['disabled', 'init', 'learn', 'listen', 'speak', 'standby', 'active']);
/** VRRP states (RFC 5798 section 6.3); RFC 9568 calls master active. EOS's Stopped is initialize. */
export const vrrpStateSchema = z.enum(['initialize', 'backup', 'master', 'fault']);
/** A gateway member's role, whatever the protocol: VRRP master = active, backup = standby; all else is other. */
export const roleSchema = z.enum(['active', 'standby', 'other']);
export const familySchema = z.enum(['ipv4', 'ipv6']);

const linkStateSchema = z.enum(['up', 'down']);

/** virDomainState: nostate, running, blocked, paused, shutdown (going down), shutoff, crashed, pmsuspended. */
export const vmStateSchema = z.enum(['nostate', 'running', 'blocked', 'paused', 'shutdown', 'shutoff', 'crashed', 'pmsuspended']);
/** The reason libvirt gives with a state, in its own word: `booted`, `migrated`, `migration`, `postcopy`, `unpaused`, `failed`, … */
export const vmReasonSchema = z.string();
/** virDomainEventType. */
export const vmLifecycleSchema = z.enum([
  'defined',
  'undefined',
  'started',
  'suspended',
  'resumed',
  'stopped',
  'shutdown',
  'pmsuspended',
  'crashed',
]);
/** An interface of a VM, from its XML. */
export const nicSchema = z.object({
  /** Lower case, colons. */
  mac: z.string(),
  /** The bridge or libvirt network it is plugged into. */
  source: z.string().optional(),
  /** Its VLAN tag, where the XML has one (`<vlan><tag id='10'/></vlan>`). */
  vlan: z.number().int().optional(),
});

/** What the vm.* meanings of a migration share: which VM, from where to where (targets of the inventory). */
const migrationShape = {
  /** The domain's name; its UUID is what it is known by. */
  vm: z.string(),
  /** As libvirt writes it, in every meaning of this VM. */
  uuid: z.string(),
  /** The hypervisor it leaves. */
  from: z.string(),
  /** The hypervisor it goes to. */
  to: z.string(),
};

export const meaningSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hsrp.state-changed'),
    /** Absent where a trap's ifIndex could not be resolved. */
    interface: z.string().optional(),
    /** IF-MIB ifIndex, only where the interface is not known. */
    ifIndex: z.number().int().optional(),
    /** The group's number. */
    group: z.number().int(),
    /** Absent where only the new state is said. */
    from: hsrpStateSchema.optional(),
    to: hsrpStateSchema,
  }),
  z.object({
    kind: z.literal('vrrp.state-changed'),
    /** FRR and keepalived do not say the interface. */
    interface: z.string().optional(),
    /** IF-MIB ifIndex, only where the interface is not known. */
    ifIndex: z.number().int().optional(),
    /** The virtual router id; keepalived's syslog gives only its instance name. */
    group: z.number().int().optional(),
    /** keepalived's vrrp_instance. */
    instance: z.string().optional(),
    /** Absent where the message does not say it. */
    family: familySchema.optional(),
    /** Absent where only the new state is said. */
    from: vrrpStateSchema.optional(),
    to: vrrpStateSchema,
  }),
  z.object({
    kind: z.literal('fhrp.changed'),
    /** A gateway's name in the inventory. */
    gateway: z.string(),
    /** The member's target. */
    member: z.string(),
    /** Its role now; VRRP's master is active. */
    role: roleSchema,
    /** Its role before, where that is known. */
    from: roleSchema.optional(),
  }),
  z.object({
    kind: z.literal('interface.state-changed'),
    interface: z.string().optional(),
    ifIndex: z.number().int().optional(),
    /** The physical link, or the line protocol above it. */
    layer: z.enum(['link', 'protocol']),
    to: linkStateSchema,
    /** Taken down by configuration. */
    admin: z.boolean().optional(),
    /** Why, as the device says. */
    reason: z.string().optional(),
  }),
  z.object({
    kind: z.literal('bgp.neighbor-changed'),
    /** Its address. */
    neighbor: z.string(),
    /** Whether the session is established. */
    to: linkStateSchema,
    /** Absent for the global table. */
    vrf: z.string().optional(),
    /** The neighbour's AS, where the device says. */
    as: z.number().int().optional(),
    /** Why, as the device says. */
    reason: z.string().optional(),
  }),
  z.object({
    kind: z.literal('port-security.violation'),
    interface: z.string().optional(),
    ifIndex: z.number().int().optional(),
    /** Lower case, colons: `00:60:9f:a4:d3:9a`. */
    mac: z.string(),
    /** Where the trap names it. */
    vlan: z.number().int().optional(),
  }),
  z.object({
    kind: z.literal('interface.err-disabled'),
    interface: z.string().optional(),
    ifIndex: z.number().int().optional(),
    /** As IOS names it: `psecure-violation`, `bpduguard`. */
    cause: z.string(),
  }),
  z.object({
    kind: z.literal('config.changed'),
    /** The user, where the device says; one that knows no users says the line. */
    by: z.string().optional(),
    /** By which way: `console`, `vty`, `commit`, … as the device says. IOS says `console` of every terminal. */
    from: z.string().optional(),
    /** The line the user was on, where the device says: `vty0`, `console`, `pts/0`. */
    line: z.string().optional(),
    /** Where the user came from, where the device says: `10.31.0.24`. */
    address: z.string().optional(),
  }),
  /** What one hypervisor said of one domain; the migration meanings below are made of these, of both hosts'. */
  z.object({
    kind: z.literal('vm.lifecycle'),
    vm: z.string(),
    uuid: z.string(),
    /** virDomainEventType. */
    event: vmLifecycleSchema,
    /** virDomainEvent…DetailType in libvirt's word: `migrated`, `booted`, `unpaused`, `failed`, `destroyed`, `post-copy`, … */
    detail: z.string(),
    /** Read at the event, where the XML was there to be read: at stopped-migrated it is gone. */
    nics: z.array(nicSchema).optional(),
  }),
  /** A domain as listed: after connecting, and when its devices changed. */
  z.object({
    kind: z.literal('vm.observed'),
    vm: z.string(),
    uuid: z.string(),
    state: vmStateSchema,
    reason: vmReasonSchema,
    nics: z.array(nicSchema),
  }),
  /** A whole listing of a hypervisor was told: it has these domains, and no others. */
  z.object({ kind: z.literal('vm.listed'), uuids: z.array(z.string()) }),
  z.object({ kind: z.literal('vm.migration-iteration'), vm: z.string(), uuid: z.string(), iteration: z.number().int() }),
  z.object({
    kind: z.literal('vm.job-completed'),
    vm: z.string(),
    uuid: z.string(),
    /** virDomainJobOperation: `migration-out`, `save`, `dump`, `snapshot`, `backup`, … */
    operation: z.string(),
    elapsedMs: z.number().optional(),
    downtimeMs: z.number().optional(),
  }),
  /** `request` where it is the mark of a migration asked for: element `<migration to='kvm2'/>` of namespace urn:offbox:migration. */
  z.object({
    kind: z.literal('vm.metadata-changed'),
    vm: z.string(),
    uuid: z.string(),
    type: z.enum(['description', 'title', 'element']),
    uri: z.string().optional(),
    request: z.object({ to: z.string() }).optional(),
  }),
  /** An orchestrator's word, or a metadata mark. */
  z.object({
    kind: z.literal('vm.migration-requested'),
    ...migrationShape,
    /** The request's id: its outcomes are published under it. */
    request: z.string(),
    /** Offbox performs it; otherwise the orchestrator does. */
    perform: z.boolean(),
    /** What may be done where it does not go as it stands. */
    allow: z.array(z.enum(['relax', 'post-copy'])).optional(),
    /** No faster than this. */
    bandwidthMiBs: z.number().int().optional(),
  }),
  z.object({ kind: z.literal('vm.migration-started'), ...migrationShape, macs: z.array(z.string()) }),
  /** It runs at `to` (or is there paused): the old port shall forget its addresses. `vlans` empty where nothing says them. */
  z.object({
    kind: z.literal('vm.migrated'),
    ...migrationShape,
    macs: z.array(z.string()),
    vlans: z.array(z.number().int()),
    /** Each address with its VLAN, where the hypervisor says it. */
    nics: z.array(nicSchema),
    /** Only its definition moved; it was not running. */
    offline: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('vm.migration-failed'), ...migrationShape, reason: z.string() }),
  /** However it ended. */
  z.object({
    kind: z.literal('vm.migration-ended'),
    ...migrationShape,
    /** `cancelled` where it was called off before it began. */
    how: z.enum(['migrated', 'failed', 'cancelled']),
    /** The id of the request that is meant, where one is known: a migration asked for under another id goes on. */
    request: z.string().optional(),
    reason: z.string().optional(),
  }),
  z.object({
    kind: z.literal('source.gap'),
    /** The source that may have missed something; `offbox` for our own stop and start. */
    source: z.string(),
    /** In words. */
    reason: z.string(),
    /** The targets concerned; absent means all. */
    targets: z.array(z.string()).optional(),
  }),
]);

export type Meaning = z.infer<typeof meaningSchema>;
export type MeaningKind = Meaning['kind'];
export type MeaningOf<K extends MeaningKind> = Extract<Meaning, { kind: K }>;
export type HsrpState = z.infer<typeof hsrpStateSchema>;
export type VrrpState = z.infer<typeof vrrpStateSchema>;
export type Role = z.infer<typeof roleSchema>;
export type Nic = z.infer<typeof nicSchema>;
export type Family = z.infer<typeof familySchema>;

/** The fields that name what a meaning is about: the default `key` of a policy. `target` is the event's own. */
export const meaningSubjects = {
  'hsrp.state-changed': ['target', 'interface', 'group'],
  'vrrp.state-changed': ['target', 'interface', 'group', 'instance', 'family'],
  'fhrp.changed': ['gateway'],
  'interface.state-changed': ['target', 'interface'],
  'bgp.neighbor-changed': ['target', 'neighbor', 'vrf'],
  'port-security.violation': ['target', 'interface'],
  'interface.err-disabled': ['target', 'interface'],
  'config.changed': ['target'],
  'vm.lifecycle': ['target', 'uuid'],
  'vm.observed': ['target', 'uuid'],
  'vm.listed': ['target'],
  'vm.migration-iteration': ['target', 'uuid'],
  'vm.job-completed': ['target', 'uuid'],
  'vm.metadata-changed': ['target', 'uuid'],
  'vm.migration-requested': ['uuid'],
  'vm.migration-started': ['uuid'],
  'vm.migrated': ['uuid'],
  'vm.migration-failed': ['uuid'],
  'vm.migration-ended': ['uuid'],
  'source.gap': ['source'],
} as const satisfies Record<MeaningKind, readonly string[]>;

export function roleOfHsrp(state: HsrpState): Role {
  return state === 'active' || state === 'standby' ? state : 'other';
}

export function roleOfVrrp(state: VrrpState): Role {
  return state === 'master' ? 'active' : state === 'backup' ? 'standby' : 'other';
}
