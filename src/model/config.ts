// Owns: the configuration offbox.yaml: where the inventory, the policies and the data are, what is listened to, and what
// each policy may do where. Secrets are references, never values.
import { z } from 'zod';
import { secretSchema } from './target.ts';
import { durationMs, durationSchema } from './time.ts';

/** What becomes of an intent: said (`observe`), put up for approval (`propose`), done (`enforce`). */
export const modeSchema = z.enum(['observe', 'propose', 'enforce']);

/** Where to listen. The port is said always: 514 and 162 need a right that an unprivileged process has not. */
const listenSchema = z
  .string()
  .regex(/^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.%a-z]+\]):\d{1,5}$/, {
    error: 'must be HOST:PORT, such as 0.0.0.0:514 or [::]:514',
    abort: true,
  })
  .refine((written) => Number(written.slice(written.lastIndexOf(':') + 1)) <= 65_535, 'must have a port of at most 65535')
  .meta({ description: 'HOST:PORT to listen on, such as 0.0.0.0:514 or [::]:514.' });

/** USM (RFC 3414, 7860). `aes256-cisco` extends short keys as Cisco does (draft-reeder), `aes256` as draft-blumenthal. */
const snmpUserSchema = z
  .strictObject({
    name: z.string().min(1).max(32),
    level: z.enum(['noAuthNoPriv', 'authNoPriv', 'authPriv']).optional(),
    auth: z
      .strictObject({ protocol: z.enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512']), key: secretSchema })
      .optional(),
    priv: z.strictObject({ protocol: z.enum(['des', 'aes128', 'aes256', 'aes256-cisco']), key: secretSchema }).optional(),
  })
  .superRefine((user, context) => {
    const level = snmpLevel(user);
    const missing = level !== 'noAuthNoPriv' && !user.auth ? 'auth' : level === 'authPriv' && !user.priv ? 'priv' : undefined;
    const unused = level === 'noAuthNoPriv' && user.auth ? 'auth' : level !== 'authPriv' && user.priv ? 'priv' : undefined;
    if (missing) context.addIssue({ code: 'custom', message: `"${missing}" is missing for ${level}`, path: [] });
    if (unused) context.addIssue({ code: 'custom', message: `is not used at level ${level}`, path: [unused] });
  });

/** The security level asked of a user: as written, else what its keys allow. */
export function snmpLevel(user: {
  readonly level?: SnmpLevel | undefined;
  readonly auth?: unknown;
  readonly priv?: unknown;
}): SnmpLevel {
  return user.level ?? (user.priv ? 'authPriv' : user.auth ? 'authNoPriv' : 'noAuthNoPriv');
}

const subject = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*/;

/** Requests from orchestrators over NATS. One way of logging in, or none; TLS beside it, with a certificate of our own or not. */
const natsSchema = z.strictObject({
  servers: z
    .array(
      z
        .string()
        .regex(
          /^(nats|tls):\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/,
          'a server is nats://HOST:PORT or tls://HOST:PORT, and no login stands in it',
        ),
    )
    .min(1)
    .max(16),
  subject: z
    .string()
    .regex(new RegExp(`${subject.source}(\\.>)?$`), 'must be a subject, such as offbox.request.>')
    .default('offbox.request.>')
    .meta({ description: 'Where requests are heard.' }),
  outcomes: z
    .string()
    .regex(new RegExp(`${subject.source}$`), 'must be a subject without wildcards, such as offbox.outcome')
    .default('offbox.outcome')
    .meta({ description: "Where outcomes are published: this, a dot, and the request's id." }),
  /** A .creds file, as nsc makes it. */
  credentials: secretSchema.optional(),
  user: z.string().min(1).optional(),
  password: secretSchema.optional(),
  token: secretSchema.optional(),
  tls: z
    .strictObject({ ca: secretSchema.optional(), certificate: secretSchema.optional(), key: secretSchema.optional() })
    .optional()
    .meta({ description: 'TLS is asked for where this is there, though it be empty.' }),
});

/** Requests from orchestrators over HTTP. */
const httpSchema = z.strictObject({
  listen: listenSchema,
  /** What clients send as `Authorization: Bearer …`. */
  token: secretSchema.optional(),
  tls: z
    .strictObject({
      certificate: secretSchema,
      key: secretSchema,
      clientCa: secretSchema.optional(),
      clients: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .meta({ description: 'Subject names of the client certificates that may send requests.' }),
    })
    .optional(),
});

export const configSchema = z.strictObject({
  inventory: z.string().min(1).default('inventory.yaml').meta({ description: 'The inventory file, relative to this one.' }),
  policies: z.string().min(1).default('policies').meta({ description: 'The folder of policies, relative to this file.' }),
  data: z.string().min(1).default('.offbox').meta({ description: 'The folder of the journal, relative to this file.' }),
  sources: z
    .strictObject({
      syslog: z.strictObject({ udp: listenSchema.optional(), tcp: listenSchema.optional() }).optional(),
      snmp: z
        .strictObject({
          udp: listenSchema,
          communities: z.array(secretSchema).optional(),
          users: z.array(snmpUserSchema).optional(),
        })
        .optional(),
      nats: natsSchema.optional(),
      http: httpSchema.optional(),
    })
    .default({}),
  journal: z
    .strictObject({
      keep: durationSchema
        .refine((written) => durationMs(written) > 0, {
          error: 'must be at least 1ms',
          when: ({ issues }) => issues.length === 0,
        })
        .default('30d')
        .meta({ description: 'Entries of this age stay; older ones go where nothing needs them.' }),
      maxBytes: z
        .number()
        .int()
        .min(64 * 1024 * 1024)
        .default(10 * 1024 * 1024 * 1024)
        .meta({ description: 'How large the journal may get. From four fifths of it on entries go before their time.' }),
    })
    .default({ keep: '30d', maxBytes: 10 * 1024 * 1024 * 1024 }),
  modes: z
    .strictObject({
      default: modeSchema.default('observe').meta({ description: 'For every policy and target not named below.' }),
      policies: z.record(z.string(), modeSchema).default({}),
      targets: z.record(z.string(), modeSchema).default({}),
    })
    .default({ default: 'observe', policies: {}, targets: {} }),
});

export type Mode = z.infer<typeof modeSchema>;
export type SnmpLevel = 'noAuthNoPriv' | 'authNoPriv' | 'authPriv';
export type SnmpUser = z.infer<typeof snmpUserSchema>;
export type NatsConfig = z.infer<typeof natsSchema>;
export type HttpConfig = z.infer<typeof httpSchema>;
export type Config = z.infer<typeof configSchema>;

/** `[::]:514` → host `::`, port 514. What the schema let through. */
export function listenAddress(written: string): { readonly host: string; readonly port: number } {
  const colon = written.lastIndexOf(':');
  return { host: written.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(written.slice(colon + 1)) };
}
