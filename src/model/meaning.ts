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

export const meaningSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hsrp.state-changed'),
    /** Absent where a trap's ifIndex could not be resolved. */
    interface: z.string().optional(),
    /** IF-MIB ifIndex, only where the interface is not known. */
    ifIndex: z.number().int().optional(),
    group: z.number().int(),
    from: hsrpStateSchema.optional(),
    to: hsrpStateSchema,
  }),
  z.object({
    kind: z.literal('vrrp.state-changed'),
    /** FRR and keepalived do not say the interface. */
    interface: z.string().optional(),
    ifIndex: z.number().int().optional(),
    /** The virtual router id; keepalived's syslog gives only its instance name. */
    group: z.number().int().optional(),
    /** keepalived's vrrp_instance. */
    instance: z.string().optional(),
    family: familySchema.optional(),
    from: vrrpStateSchema.optional(),
    to: vrrpStateSchema,
  }),
  z.object({
    kind: z.literal('fhrp.changed'),
    /** A gateway's name in the inventory. */
    gateway: z.string(),
    /** The member's target. */
    member: z.string(),
    role: roleSchema,
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
    reason: z.string().optional(),
  }),
  z.object({
    kind: z.literal('bgp.neighbor-changed'),
    neighbor: z.string(),
    to: linkStateSchema,
    vrf: z.string().optional(),
    as: z.number().int().optional(),
    reason: z.string().optional(),
  }),
  z.object({
    kind: z.literal('port-security.violation'),
    interface: z.string().optional(),
    ifIndex: z.number().int().optional(),
    /** Lower case, colons: `00:60:9f:a4:d3:9a`. */
    mac: z.string(),
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
    /** The user, where the device says. */
    by: z.string().optional(),
    /** `console`, `vty`, `commit`, … as the device says. */
    from: z.string().optional(),
  }),
  z.object({
    kind: z.literal('source.gap'),
    /** The source that may have missed something; `offbox` for our own stop and start. */
    source: z.string(),
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
  'source.gap': ['source'],
} as const satisfies Record<MeaningKind, readonly string[]>;

export function roleOfHsrp(state: HsrpState): Role {
  return state === 'active' || state === 'standby' ? state : 'other';
}

export function roleOfVrrp(state: VrrpState): Role {
  return state === 'master' ? 'active' : state === 'backup' ? 'standby' : 'other';
}
