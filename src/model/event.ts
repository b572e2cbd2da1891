// Owns: the event: something that happened outside, as one source said it. Plain data, journaled as it is.
import { z } from 'zod';
import { meaningSchema } from './meaning.ts';

/** Where an event came from and how far it may be believed. */
export const originSchema = z.object({
  /** The source adapter's name: `syslog`, `snmp`, `libvirt`, `nats`, `http`, `emit`. */
  source: z.string(),
  /** The sender's address, without a port; the subject over NATS, which hides it; `local` for our own. */
  peer: z.string(),
  transport: z.enum(['udp', 'tcp', 'tls', 'local', 'unix', 'ssh', 'http', 'nats']),
  /** `authenticated` only if the credential is pinned in the inventory to that target. */
  trust: z.enum(['authenticated', 'claimed']),
  /** The device's own timestamp as it wrote it. Data, never time: device clocks lie and RFC 3164 has no year. */
  deviceTime: z.string().optional(),
  /** The message as received; a datagram that is not text as hex. */
  raw: z.string(),
});

export const syslogSchema = z.object({
  /** `null` where the message had no PRI. */
  pri: z.number().int().nullable(),
  facility: z.number().int().nullable(),
  severity: z.number().int().nullable(),
  /** `HSRP-5-STATECHANGE`: FACILITY[-SUBFACILITY]-SEVERITY-MNEMONIC without `%`; Junos TAG; RFC 5424 MSGID; else null. */
  mnemonic: z.string().nullable(),
  /** The host as the message names it, null where it does not. */
  host: z.string().nullable(),
  /** The program or process, where the form has one: `vrrpd`, `bgp[1051]` → `bgp`. */
  app: z.string().nullable(),
  /** The message behind header and mnemonic. */
  text: z.string(),
  /** IOS `service sequence-numbers`, where present: jumps are gaps. */
  sequence: z.number().int().optional(),
});

export const varbindSchema = z.object({
  oid: z.string(),
  /** `ifName.3` where the table knows the OID, else absent. */
  name: z.string().optional(),
  /** ASN.1 type: `Integer`, `OctetString`, `OID`, `IpAddress`, `Counter32`, `Gauge32`, `TimeTicks`, `Counter64`, `Null`, … */
  type: z.string(),
  /** Counter64 as decimal text; octets as text where printable, else `0x…`. */
  value: z.union([z.string(), z.number(), z.null()]),
});

export const snmpSchema = z.object({
  version: z.enum(['v1', 'v2c', 'v3']),
  pdu: z.enum(['trap', 'inform']),
  /** snmpTrapOID (RFC 3584 for v1). */
  oid: z.string(),
  /** `cHsrpStateChange` where the table knows it. */
  name: z.string().optional(),
  /** Hundredths of a second since the agent started. */
  uptime: z.number().int().optional(),
  /** SNMPv3: authoritative engine id, hex, and user. */
  engine: z.string().optional(),
  user: z.string().optional(),
  varbinds: z.array(varbindSchema),
});

export const eventSchema = z.object({
  /** The inventory name of the target it speaks of; absent where the sender is nobody we know. */
  target: z.string().optional(),
  meaning: meaningSchema.nullable(),
  syslog: syslogSchema.optional(),
  snmp: snmpSchema.optional(),
  /** Why an event exists that no wire brought: read back from a device, put in by hand. */
  because: z.enum(['resync', 'emit']).optional(),
  origin: originSchema,
});

export type Origin = z.infer<typeof originSchema>;
export type SyslogFields = z.infer<typeof syslogSchema>;
export type SnmpFields = z.infer<typeof snmpSchema>;
export type Varbind = z.infer<typeof varbindSchema>;
export type Event = z.infer<typeof eventSchema>;
