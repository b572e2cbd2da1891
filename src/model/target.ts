// Owns: the inventory: targets, gateways, and how to reach and recognise them. Secrets are references, never values.
import { z } from 'zod';
import { familySchema } from './meaning.ts';

/** Where a secret is: an environment variable, a file, or a command that prints it. Read when used, never journaled. */
export const secretSchema = z
  .union([
    z.strictObject({ env: z.string().min(1) }),
    z.strictObject({ file: z.string().min(1) }),
    z.strictObject({ command: z.string().min(1) }),
  ])
  .meta({
    description: 'A reference to a secret: {env: NAME}, {file: PATH} or {command: "pass show x"}. Never the secret itself.',
  });

const port = z.int().min(1).max(65_535);
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores');

const sshShape = {
  port: port.optional(),
  user: z.string().min(1),
  password: secretSchema.optional(),
  /** A private key in OpenSSH or PEM form. */
  key: secretSchema.optional(),
  /** `SHA256:…` as ssh-keygen -l prints it. Without it no session is opened. */
  hostKey: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must be SHA256:… as `ssh-keygen -lf` prints it'),
  /** SHA-1 key exchange, CBC ciphers, ssh-dss: only for boxes that have nothing else. */
  legacyAlgorithms: z.boolean().optional(),
};

export const cliAccessSchema = z.strictObject({ ...sshShape, /** The enable password. */ enable: secretSchema.optional() });
export const netconfAccessSchema = z.strictObject(sshShape);

export const platformNameSchema = z.enum([
  'cisco-ios',
  'cisco-iosxe',
  'cisco-nxos',
  'cisco-iosxr',
  'arista-eos',
  'juniper-junos',
  'frr',
  'libvirt',
]);

/** How to reach a libvirtd. Read-only is enough to watch; `write` is asked for by migrations alone. */
export const libvirtAccessSchema = z.strictObject({
  transport: z.enum(['unix', 'tls', 'ssh', 'tcp']),
  /** `qemu:///system`, `test:///default`, … */
  uri: z.string().default('qemu:///system'),
  /** Of the daemon's socket: here for `unix`, on the hypervisor for `ssh` (then instead of virt-ssh-helper). */
  socket: z.string().min(1).optional(),
  port: port.optional(),
  /** PEM, for `tls`: who signed the hypervisor's certificate, and our own with its key. */
  ca: secretSchema.optional(),
  certificate: secretSchema.optional(),
  key: secretSchema.optional(),
  ssh: z.strictObject(sshShape).optional(),
  /** Migrations may be started and aborted here by Offbox. */
  write: z.boolean().default(false),
  /** Where the others reach it for a migration: `qemu+tls://kvm2/system`. */
  migrationUri: z.string().optional(),
});

/** Who may write over SNMP: an SNMPv3 user with authPriv, or a v2c community where the box has nothing else. */
export const snmpWriteSchema = z
  .strictObject({
    user: z.string().min(1).max(32).optional(),
    auth: z
      .strictObject({ protocol: z.enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512']), key: secretSchema })
      .optional(),
    priv: z.strictObject({ protocol: z.enum(['aes128', 'aes256', 'aes256-cisco']), key: secretSchema }).optional(),
    /** SNMPv2c: in clear on the wire, like the value that is set. */
    community: secretSchema.optional(),
  })
  .superRefine(({ user, auth, priv, community }, context) => {
    const parts = Object.entries({ user, auth, priv });
    const missing = parts.flatMap(([key, part]) => (part === undefined ? [`"${key}"`] : []));
    const given = parts.find(([, part]) => part !== undefined);
    const tell = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path });
    if (community !== undefined && given) tell('is not used beside a community', [given[0]]);
    else if (community === undefined && !given) tell('"user", "auth" and "priv" are missing, or "community"');
    else if (community === undefined && missing.length > 0)
      tell(`${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing: nothing less than authPriv sets`);
  });

export const targetSchema = z.strictObject({
  platform: platformNameSchema,
  address: z.string().min(1),
  /** Further addresses its events come from: loopbacks, other interfaces. */
  aliases: z.array(z.string()).optional(),
  cli: cliAccessSchema.optional(),
  netconf: netconfAccessSchema.optional(),
  snmp: z
    .strictObject({
      port: port.optional(),
      /** v2c community to ask ifName with. */
      community: secretSchema.optional(),
      /** SNMPv3: this engine and user speak for this target, and no other; then its events are authenticated. */
      engine: z
        .string()
        .regex(/^([0-9a-f]{2}){5,32}$/i, {
          error: 'must be the engine id in hex: 5 to 32 octets of two digits each',
          abort: true,
        })
        .refine((id) => !/^(0*|f*)$/i.test(id), 'must not be all zeros, nor all f')
        .optional(),
      user: z.string().optional(),
      /** What may be set over SNMP is set as this user; used where there is no `cli`. */
      write: snmpWriteSchema.optional(),
    })
    .optional(),
  libvirt: libvirtAccessSchema.optional(),
  bgp: z
    .strictObject({
      as: z.int().min(1).max(4_294_967_295).optional(),
      /** The neighbours that must receive what we advertise. */
      neighbors: z.array(z.string()).min(1),
    })
    .optional(),
});

export const memberSchema = z.strictObject({
  target: name,
  interface: z.string().min(1).optional(),
  group: z.int().min(0).max(4095).optional(),
  /** keepalived's vrrp_instance, where the group is not said. */
  instance: z.string().min(1).optional(),
  family: familySchema.default('ipv4'),
});

export const gatewaySchema = z.strictObject({
  protocol: z.enum(['hsrp', 'vrrp']),
  vrf: z.string().min(1).default('default'),
  prefixes: z.array(z.string()).default([]),
  members: z.array(memberSchema).min(1),
});

/** Where a hypervisor is plugged in, and what runs over that wire. */
export const attachmentSchema = z.strictObject({
  hypervisor: name,
  /** The switch and its port. */
  target: name,
  interface: z.string().min(1),
  /** VLANs of guests on this port. */
  vlans: z.array(z.int().min(1).max(4094)).min(1),
  /** The one that travels untagged, as the hypervisor sees it; absent: all are tagged. */
  native: z.int().min(1).max(4094).optional(),
  /** The VTEP that puts these VLANs into VXLAN, where it is another than the switch. */
  vtep: name.optional(),
});

/** The way a migration's traffic takes: each port it leaves by, in order. The way back is a path of its own. */
export const pathSchema = z.strictObject({
  from: name,
  to: name,
  /** The address that the traffic goes to, as the routers on the way see it: checked against their routes. */
  toward: z.string().min(1),
  /** DSCP of the traffic as encapsulated, in the field's word: `cs4`, `af41`, `ef`, or a number. */
  dscp: z.string().default('default'),
  egress: z.array(z.strictObject({ target: name, interface: z.string().min(1) })).min(1),
});

export const inventorySchema = z.strictObject({
  targets: z.record(name, targetSchema),
  gateways: z.record(name, gatewaySchema).default({}),
  /** Absent, not empty, in journals from before there were any. */
  attachments: z.array(attachmentSchema).optional(),
  paths: z.array(pathSchema).optional(),
});

export type SecretReference = z.infer<typeof secretSchema>;
export type CliAccess = z.infer<typeof cliAccessSchema>;
export type NetconfAccess = z.infer<typeof netconfAccessSchema>;
export type SnmpWrite = z.infer<typeof snmpWriteSchema>;
export type PlatformName = z.infer<typeof platformNameSchema>;
export type LibvirtAccess = z.infer<typeof libvirtAccessSchema>;
export type Attachment = z.infer<typeof attachmentSchema>;
export type Path = z.infer<typeof pathSchema>;
export type Target = z.infer<typeof targetSchema>;
export type Member = z.infer<typeof memberSchema>;
export type Gateway = z.infer<typeof gatewaySchema>;
export type Inventory = z.infer<typeof inventorySchema>;
