// Owns: what can be read of a target without changing it, and the rows each question is answered with, vendor-neutral.
import { z } from 'zod';
import { familySchema, nicSchema, roleSchema, vmReasonSchema, vmStateSchema } from './meaning.ts';

/** A first-hop redundancy row as read on a target. */
export const fhrpRowSchema = z.object({
  interface: z.string().optional(),
  /** HSRP group or VRRP virtual router id. */
  group: z.number().int().optional(),
  /** keepalived's vrrp_instance. */
  instance: z.string().optional(),
  family: familySchema,
  role: roleSchema,
  /** The protocol's own word: `active`, `listen`, `backup`. */
  state: z.string(),
});

/** A domain (VM) as a hypervisor tells of it. */
export const domainRowSchema = z.object({
  uuid: z.string(),
  vm: z.string(),
  state: vmStateSchema,
  reason: vmReasonSchema,
  nics: z.array(nicSchema),
  /** The job that is on: `migration-out`, `migration-in`, `save`, …; absent where there is none. */
  job: z.string().optional(),
  /** Of a migration: bytes sent, and in all. */
  progress: z.object({ processed: z.number(), total: z.number() }).optional(),
  /** Why the last migration that we started from here ended, where it failed. */
  failure: z.string().optional(),
});

/** A hypervisor itself. One row. */
export const hypervisorRowSchema = z.object({
  hostname: z.string(),
  /** From the host's <capabilities>: `x86_64`, the CPU model and what it adds to that model. */
  arch: z.string(),
  cpuModel: z.string(),
  cpuFeatures: z.array(z.string()),
  /** Active libvirt networks, and host bridges that a guest could be plugged into where they can be told. */
  networks: z.array(z.string()),
  pools: z.array(z.object({ name: z.string(), path: z.string(), active: z.boolean(), availableBytes: z.number() })),
});

/** What a VM needs of the host it goes to; asked of the host it runs on. `about` is its UUID or name. One row. */
export const vmNeedsRowSchema = z.object({
  uuid: z.string(),
  vm: z.string(),
  /** Memory in bytes. */
  memoryBytes: z.number(),
  /** `host-model`, `host-passthrough`, a model's name, or empty where the XML says none. */
  cpu: z.string(),
  nics: z.array(nicSchema),
  /** File and volume disks that are not read-only, with the pool that holds them where one does. */
  disks: z.array(z.object({ source: z.string(), pool: z.string().optional(), bytes: z.number() })),
});

/** One interface's port security. `about` is the interface. */
export const portSecurityRowSchema = z.object({
  interface: z.string(),
  enabled: z.boolean(),
  sticky: z.boolean(),
  violation: z.enum(['shutdown', 'restrict', 'protect']),
  /** `secure-up`, `secure-down`, `secure-shutdown` (err-disabled). */
  status: z.string(),
});

/** One interface as a switch port. `about` is the interface. */
export const switchportRowSchema = z.object({
  interface: z.string(),
  mode: z.enum(['access', 'trunk', 'other']),
  access: z.number().int().optional(),
  native: z.number().int().optional(),
  /** VLANs allowed on a trunk. */
  allowed: z.array(z.number().int()).optional(),
});

/** A VLAN stretched over VXLAN: which VNI it is at this VTEP. */
export const vniRowSchema = z.object({ vlan: z.number().int(), vni: z.number().int() });

/** A policy-map, and by class what DSCP it takes. */
export const policyMapRowSchema = z.object({
  policy: z.string(),
  classes: z.array(z.object({ class: z.string(), dscp: z.array(z.string()) })),
});

/** The route to an address. `about` is the address. */
export const routeRowSchema = z.object({ prefix: z.string(), nextHop: z.string().optional(), interface: z.string().optional() });

/** Where a MAC address was last seen. `about` is the address. */
export const macRowSchema = z.object({
  mac: z.string(),
  vlan: z.number().int(),
  interface: z.string(),
  /** `dynamic`, `static`, … as the switch says. */
  type: z.string(),
});

export const queryRowSchemas = {
  fhrp: fhrpRowSchema,
  domains: domainRowSchema,
  hypervisor: hypervisorRowSchema,
  'vm-needs': vmNeedsRowSchema,
  'port-security': portSecurityRowSchema,
  switchport: switchportRowSchema,
  vnis: vniRowSchema,
  'policy-maps': policyMapRowSchema,
  routes: routeRowSchema,
  macs: macRowSchema,
} as const;

export const queryKindSchema = z.enum(Object.keys(queryRowSchemas) as [QueryKind, ...QueryKind[]]);

export type QueryKind = keyof typeof queryRowSchemas;
export type QueryRow<Q extends QueryKind> = z.infer<(typeof queryRowSchemas)[Q]>;
export type FhrpRow = QueryRow<'fhrp'>;
export type DomainRow = QueryRow<'domains'>;
