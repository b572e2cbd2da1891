// Owns: libvirt's remote protocol: framing, the procedures and events that Offbox uses, their numbers, arguments and results,
// for both sides of the wire, and libvirt's words for its numbers. Sans I/O.
//
// Numbers and shapes are those of libvirt's remote_protocol.x, which only ever grows: they hold for every version that has them.
import type { TargetError } from '../../src/model/errors.ts';
import {
  array,
  badXdr,
  type Codec,
  type CodecType,
  constant,
  decode,
  double,
  encode,
  hyper,
  int,
  nothing,
  opaque,
  optional,
  string,
  struct,
  uhyper,
  uint,
  uuid,
} from './xdr.ts';

export const programs = { remote: 0x20008086, qemu: 0x20008087, keepalive: 0x6b656570 } as const;
export const protocolVersion = 1;
export const messageTypes = { call: 0, reply: 1, event: 2, stream: 3, callWithFds: 4, replyWithFds: 5, streamHole: 6 } as const;
export const statuses = { ok: 0, error: 1, continue: 2 } as const;
export const keepaliveProcedures = { ping: 1, pong: 2 } as const;
/** Of supportsFeature: from the answer on, libvirtd sends pings of its own. */
export const featureKeepalive = 10;
export const openReadOnly = 1;
export const authTypes = { none: 0, sasl: 1, polkit: 2 } as const;
/** virErrorNumber, those that callers tell apart. */
export const errorCodes = {
  noSupport: 3,
  operationDenied: 29,
  rpc: 39,
  noDomain: 42,
  authFailed: 45,
  noStorageVolume: 50,
  operationInvalid: 55,
  operationAborted: 78,
  operationUnsupported: 84,
} as const;
/** virDomainMigrateFlags. */
export const migrateFlags = {
  live: 1 << 0,
  peerToPeer: 1 << 1,
  persistDest: 1 << 3,
  undefineSource: 1 << 4,
  paused: 1 << 5,
  offline: 1 << 10,
  autoConverge: 1 << 13,
  postCopy: 1 << 15,
} as const;
/** Length word, and six more of header. */
export const headerBytes = 28;
/** VIR_NET_MESSAGE_MAX: nobody may send a longer one. */
export const messageBytesMax = 33_554_432;

export interface Header {
  readonly program: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
}

export interface Message extends Header {
  readonly version: number;
  /** A view of the bytes fed: read it before the hand it was given to returns. */
  readonly payload: Uint8Array;
}

export function encodeMessage(header: Header, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(headerBytes + payload.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(header.program, 4);
  bytes.writeUInt32BE(protocolVersion, 8);
  bytes.writeInt32BE(header.procedure, 12);
  bytes.writeInt32BE(header.type, 16);
  bytes.writeUInt32BE(header.serial, 20);
  bytes.writeInt32BE(header.status, 24);
  bytes.set(payload, headerBytes);
  return bytes;
}

/** The message of `size` bytes that begins at `from`. */
function decodeMessage(bytes: Buffer, from: number, size: number): Message {
  return {
    program: bytes.readUInt32BE(from + 4),
    version: bytes.readUInt32BE(from + 8),
    procedure: bytes.readInt32BE(from + 12),
    type: bytes.readInt32BE(from + 16),
    serial: bytes.readUInt32BE(from + 20),
    status: bytes.readInt32BE(from + 24),
    payload: bytes.subarray(from + headerBytes, from + size),
  };
}

/** Whole messages out of a byte stream: each byte is looked at once, kept at most once, and never more than there are. */
export class Framing {
  readonly #bytesMax: number;
  #kept: Buffer = Buffer.alloc(0);
  #length = 0;
  #broken: string | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Hands on each message, in order. A string answer says why the stream is broken: nothing after it can be trusted. */
  feed(chunk: Uint8Array, hand: (message: Message) => void): string | undefined {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    while (from < bytes.length && this.#broken === undefined) {
      const size = this.#length === 0 ? this.#size(bytes, from, bytes.length) : undefined;
      if (size !== undefined && size <= bytes.length - from) {
        hand(decodeMessage(bytes, from, size));
        from += size;
      } else if (this.#broken === undefined) {
        from += this.#gather(bytes.subarray(from), hand);
      }
    }
    return this.#broken;
  }

  /** The length that the message at `from` announces; undefined where it is not all there, or not to be believed. */
  #size(bytes: Buffer, from: number, end: number): number | undefined {
    if (end - from < 4) return undefined;
    const size = bytes.readUInt32BE(from);
    if (size >= headerBytes && size <= this.#bytesMax) return size;
    this.#broken = `a message of ${size} bytes, where ${headerBytes} to ${this.#bytesMax} can be`;
    return undefined;
  }

  /** Adds to a message that came in parts; how many bytes it took. */
  #gather(bytes: Buffer, hand: (message: Message) => void): number {
    const announced = this.#length < 4 ? 4 : this.#kept.readUInt32BE(0);
    const part = bytes.subarray(0, announced - this.#length);
    this.#keep(part, announced);
    const size = this.#size(this.#kept, 0, this.#length);
    if (size === this.#length) {
      const whole = this.#kept;
      this.#kept = Buffer.alloc(0);
      this.#length = 0;
      hand(decodeMessage(whole, 0, size));
    }
    return part.length;
  }

  /** Grows with what comes, not with what is announced. */
  #keep(part: Buffer, announced: number): void {
    const needed = this.#length + part.length;
    if (needed > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(needed, Math.min(announced, this.#kept.length * 2), headerBytes));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    this.#kept.set(part, this.#length);
    this.#length = needed;
  }
}

// Shapes. Bounds are those of remote_protocol.x.
const text = string(4_194_304);
const optionalText = optional(text);
const flags = uint;
const listMax = 16_384;

export const domainCodec = struct({ name: text, uuid, /** -1: not running. */ id: int });
export const networkCodec = struct({ name: text, uuid });
export const poolCodec = struct({ name: text, uuid });
export const volumeCodec = struct({ pool: text, name: text, key: text });
export const interfaceCodec = struct({ name: text, mac: text });

export type Domain = CodecType<typeof domainCodec>;
export type Pool = CodecType<typeof poolCodec>;
export type Volume = CodecType<typeof volumeCodec>;

/** virTypedParameter. */
export type TypedParam =
  | { readonly field: string; readonly type: 'int' | 'uint' | 'llong' | 'ullong' | 'double'; readonly value: number }
  | { readonly field: string; readonly type: 'boolean'; readonly value: boolean }
  | { readonly field: string; readonly type: 'string'; readonly value: string };

const truth: Codec<boolean> = { read: (from) => from.int() !== 0, write: (to, value) => to.int(value ? 1 : 0) };
/** By virTypedParameterType, from 1 on. */
const paramTypes = ['int', 'uint', 'llong', 'ullong', 'double', 'boolean', 'string'] as const;
const paramCodecs = {
  int,
  uint,
  llong: hyper,
  ullong: uhyper,
  double,
  boolean: truth,
  string: text,
} as const;

export const typedParam: Codec<TypedParam> = {
  read: (from) => {
    const field = text.read(from);
    const number = from.int();
    const type = paramTypes[number - 1];
    if (!type) throw badXdr(`a parameter of type ${number}`);
    return { field, type, value: paramCodecs[type].read(from) } as TypedParam;
  },
  write: (to, { field, type, value }) => {
    text.write(to, field);
    to.int(paramTypes.indexOf(type) + 1);
    (paramCodecs[type] as Codec<unknown>).write(to, value);
  },
};
const params = array(typedParam, 64);

export const errorCodec = struct({
  code: int,
  domain: int,
  message: optionalText,
  level: int,
  dom: optional(domainCodec),
  str1: optionalText,
  str2: optionalText,
  str3: optionalText,
  int1: int,
  int2: int,
  network: optional(networkCodec),
});
export type RemoteError = CodecType<typeof errorCodec>;

export interface Procedure<A, R> {
  readonly name: string;
  readonly number: number;
  readonly args: Codec<A>;
  readonly result: Codec<R>;
}

const procedure = <A, R>(name: string, number: number, args: Codec<A>, result: Codec<R>): Procedure<A, R> => {
  return { name, number, args, result };
};
const listArgs = struct({ needResults: int, flags });
const ofDomain = struct({ dom: domainCodec });
const ofDomainFlags = struct({ dom: domainCodec, flags });
const xml = struct({ xml: text });

export const procedures = {
  connectOpen: procedure('CONNECT_OPEN', 1, struct({ uri: optionalText, flags }), nothing),
  connectClose: procedure('CONNECT_CLOSE', 2, nothing, nothing),
  getCapabilities: procedure('CONNECT_GET_CAPABILITIES', 7, nothing, xml),
  getXmlDesc: procedure('DOMAIN_GET_XML_DESC', 14, ofDomainFlags, xml),
  lookupByName: procedure('DOMAIN_LOOKUP_BY_NAME', 23, struct({ name: text }), ofDomain),
  lookupByUuid: procedure('DOMAIN_LOOKUP_BY_UUID', 24, struct({ uuid }), ofDomain),
  getHostname: procedure('CONNECT_GET_HOSTNAME', 59, nothing, struct({ hostname: text })),
  supportsFeature: procedure('CONNECT_SUPPORTS_FEATURE', 60, struct({ feature: int }), struct({ supported: int })),
  authList: procedure('AUTH_LIST', 66, nothing, struct({ types: array(int, 20) })),
  authPolkit: procedure('AUTH_POLKIT', 70, nothing, struct({ complete: int })),
  poolLookupByVolume: procedure('STORAGE_POOL_LOOKUP_BY_VOLUME', 86, struct({ vol: volumeCodec }), struct({ pool: poolCodec })),
  poolGetInfo: procedure(
    'STORAGE_POOL_GET_INFO',
    87,
    struct({ pool: poolCodec }),
    struct({ state: uint, capacity: uhyper, allocation: uhyper, available: uhyper }),
  ),
  poolGetXmlDesc: procedure('STORAGE_POOL_GET_XML_DESC', 88, struct({ pool: poolCodec, flags }), xml),
  volumeLookupByPath: procedure('STORAGE_VOL_LOOKUP_BY_PATH', 97, struct({ path: text }), struct({ vol: volumeCodec })),
  volumeGetInfo: procedure(
    'STORAGE_VOL_GET_INFO',
    98,
    struct({ vol: volumeCodec }),
    struct({ type: int, capacity: uhyper, allocation: uhyper }),
  ),
  isPersistent: procedure('DOMAIN_IS_PERSISTENT', 151, ofDomain, struct({ persistent: int })),
  getLibVersion: procedure('CONNECT_GET_LIB_VERSION', 157, nothing, struct({ version: uhyper })),
  abortJob: procedure('DOMAIN_ABORT_JOB', 164, ofDomain, nothing),
  getBlockInfo: procedure(
    'DOMAIN_GET_BLOCK_INFO',
    194,
    struct({ dom: domainCodec, path: text, flags }),
    struct({ allocation: uhyper, capacity: uhyper, physical: uhyper }),
  ),
  getState: procedure('DOMAIN_GET_STATE', 212, ofDomainFlags, struct({ state: int, reason: int })),
  listAllDomains: procedure(
    'CONNECT_LIST_ALL_DOMAINS',
    273,
    listArgs,
    struct({ domains: array(domainCodec, listMax), count: uint }),
  ),
  listAllPools: procedure(
    'CONNECT_LIST_ALL_STORAGE_POOLS',
    281,
    listArgs,
    struct({ pools: array(poolCodec, listMax), count: uint }),
  ),
  listAllNetworks: procedure(
    'CONNECT_LIST_ALL_NETWORKS',
    283,
    listArgs,
    struct({ networks: array(networkCodec, listMax), count: uint }),
  ),
  listAllInterfaces: procedure(
    'CONNECT_LIST_ALL_INTERFACES',
    284,
    listArgs,
    struct({ interfaces: array(interfaceCodec, listMax), count: uint }),
  ),
  interfaceGetXmlDesc: procedure('INTERFACE_GET_XML_DESC', 130, struct({ iface: interfaceCodec, flags }), xml),
  getJobStats: procedure('DOMAIN_GET_JOB_STATS', 298, ofDomainFlags, struct({ type: int, params })),
  migratePerform: procedure(
    'DOMAIN_MIGRATE_PERFORM3_PARAMS',
    305,
    struct({ dom: domainCodec, dconnuri: optionalText, params, cookieIn: opaque(4_194_304), flags }),
    struct({ cookieOut: opaque(4_194_304) }),
  ),
  registerEvent: procedure(
    'CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY',
    316,
    struct({ eventId: int, dom: optional(domainCodec) }),
    struct({ callbackId: int }),
  ),
  deregisterEvent: procedure('CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY', 317, struct({ callbackId: int }), nothing),
  registerClose: procedure('CONNECT_REGISTER_CLOSE_CALLBACK', 360, nothing, nothing),
  unregisterClose: procedure('CONNECT_UNREGISTER_CLOSE_CALLBACK', 361, nothing, nothing),
  startPostCopy: procedure('DOMAIN_MIGRATE_START_POST_COPY', 364, ofDomainFlags, nothing),
} as const;

const remote = (number: number, type: number, serial: number, status: number): Header => {
  return { program: programs.remote, procedure: number, type, serial, status };
};

export function encodeCall<A, R>({ number, args }: Procedure<A, R>, serial: number, values: A): Buffer {
  return encodeMessage(remote(number, messageTypes.call, serial, statuses.ok), encode(args, values));
}

export function encodeReply<A, R>({ number, result }: Procedure<A, R>, serial: number, value: R): Buffer {
  return encodeMessage(remote(number, messageTypes.reply, serial, statuses.ok), encode(result, value));
}

/** The answer to a call that failed; its header says what was called. */
export function encodeError(call: Header, error: RemoteError): Buffer {
  return encodeMessage({ ...call, type: messageTypes.reply, status: statuses.error }, encode(errorCodec, error));
}

/** An error as libvirtd sends it where nothing more is known than a code and a sentence. `source`: virErrorDomain, 10 is QEMU. */
export function remoteError(code: number, message: string, source = 10): RemoteError {
  const none = { dom: null, str1: null, str2: null, str3: null, int1: 0, int2: 0, network: null };
  return { code, domain: source, message, level: 2, ...none };
}

/** What a reply says: the result, or libvirt's error. Throws TargetError `bad-xdr`. */
export function decodeReply<A, R>(
  { result }: Procedure<A, R>,
  { status, payload }: Message,
): { readonly value: R } | { readonly error: RemoteError } {
  if (status === statuses.error) return { error: decode(errorCodec, payload) };
  return { value: decode(result, payload) };
}

/** Both directions use it, at any time; the answer to a ping is a pong. */
export function encodeKeepalive(kind: keyof typeof keepaliveProcedures): Buffer {
  const header = { program: programs.keepalive, procedure: keepaliveProcedures[kind], serial: 0 };
  return encodeMessage({ ...header, type: messageTypes.event, status: statuses.ok }, Buffer.alloc(0));
}

// Events. `id` is virDomainEventID, to register with; `number` the procedure that the event's message carries.
const callback = { callbackId: int, dom: domainCodec };

export const events = {
  lifecycle: { id: 0, number: 318, payload: struct({ kind: constant('lifecycle'), ...callback, event: int, detail: int }) },
  reboot: { id: 1, number: 319, payload: struct({ kind: constant('reboot'), ...callback }) },
  'control-error': { id: 7, number: 325, payload: struct({ kind: constant('control-error'), ...callback }) },
  'device-removed': { id: 15, number: 333, payload: struct({ kind: constant('device-removed'), ...callback, alias: text }) },
  'agent-lifecycle': {
    id: 18,
    number: 348,
    payload: struct({ kind: constant('agent-lifecycle'), ...callback, state: int, reason: int }),
  },
  'device-added': { id: 19, number: 354, payload: struct({ kind: constant('device-added'), ...callback, alias: text }) },
  'migration-iteration': {
    id: 20,
    number: 359,
    payload: struct({ kind: constant('migration-iteration'), ...callback, iteration: int }),
  },
  'job-completed': { id: 21, number: 363, payload: struct({ kind: constant('job-completed'), ...callback, params }) },
  'metadata-change': {
    id: 23,
    number: 379,
    payload: struct({ kind: constant('metadata-change'), ...callback, type: int, uri: optionalText }),
  },
} as const;

export type EventName = keyof typeof events;
export type EventOf<N extends EventName> = CodecType<(typeof events)[N]['payload']>;
export type RemoteEvent = { [N in EventName]: EventOf<N> }[EventName];

const eventNames: ReadonlyMap<number, EventName> = new Map(
  Object.entries(events).map(([name, { number }]) => [number, name as EventName]),
);

/** The event in a message; undefined where it is none we know. Its serial is 1 on the wire, whatever is said of it: not looked at. */
export function decodeEvent({ program, procedure: number, payload }: Message): RemoteEvent | undefined {
  const kind = program === programs.remote ? eventNames.get(number) : undefined;
  if (!kind) return undefined;
  return decode(events[kind].payload as Codec<RemoteEvent>, payload);
}

export function encodeEvent(event: RemoteEvent): Buffer {
  const { number, payload } = events[event.kind];
  const header = remote(number, messageTypes.event, 1, statuses.ok);
  return encodeMessage(header, encode(payload as Codec<RemoteEvent>, event));
}

// Words. A number that is beyond a table is one of a newer libvirt.
/** virDomainEventType, and by it the details, as `virsh event` prints them, in lower case. */
export const lifecycleWords = [
  ['defined', ['added', 'updated', 'renamed', 'snapshot']],
  ['undefined', ['removed', 'renamed']],
  ['started', ['booted', 'migrated', 'restored', 'snapshot', 'event wakeup']],
  [
    'suspended',
    ['paused', 'migrated', 'i/o error', 'watchdog', 'restored', 'snapshot', 'api error', 'post-copy', 'post-copy error'],
  ],
  ['resumed', ['unpaused', 'migrated', 'snapshot', 'post-copy', 'post-copy error']],
  ['stopped', ['shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'snapshot']],
  ['shutdown', ['finished', 'finished after guest request', 'finished after host request']],
  ['pmsuspended', ['memory', 'disk']],
  ['crashed', ['panicked', 'crashloaded']],
] as const satisfies readonly (readonly [string, readonly string[]])[];

const runningReasons = 'unknown booted migrated restored from-snapshot unpaused migration-canceled save-canceled wakeup crashed';
const pausedReasons =
  'unknown user migration save dump ioerror watchdog from-snapshot shutting-down snapshot crashed starting-up';
const shutoffReasons = 'unknown shutdown destroyed crashed migrated saved failed from-snapshot daemon';

/** virDomainState, and by it the reasons as libvirt's constants name them: VIR_DOMAIN_PAUSED_STARTING_UP is `starting-up`. */
export const stateWords = [
  ['nostate', ['unknown']],
  ['running', [...runningReasons.split(' '), 'postcopy', 'postcopy-failed']],
  ['blocked', ['unknown']],
  ['paused', [...pausedReasons.split(' '), 'postcopy', 'postcopy-failed']],
  ['shutdown', ['unknown', 'user']],
  ['shutoff', shutoffReasons.split(' ')],
  ['crashed', ['unknown', 'panicked']],
  ['pmsuspended', ['unknown']],
] as const satisfies readonly (readonly [string, readonly string[]])[];

/** virDomainJobOperation. */
const operations = 'unknown start save restore migration-in migration-out snapshot snapshot-revert dump backup snapshot-delete';
export const jobOperations: readonly string[] = operations.split(' ');
/** virDomainJobType. */
export const jobTypes = ['none', 'bounded', 'unbounded', 'completed', 'failed', 'cancelled'] as const;
/** virDomainMetadataType. */
export const metadataTypes = ['description', 'title', 'element'] as const;

export type LifecycleWord = (typeof lifecycleWords)[number][0];
export type StateWord = (typeof stateWords)[number][0];

/** Undefined where the event itself is beyond the table; a detail beyond it is its number. */
export function lifecycleWord(event: number, detail: number): { event: LifecycleWord; detail: string } | undefined {
  const row = lifecycleWords[event];
  return row && { event: row[0], detail: row[1][detail] ?? String(detail) };
}

export function stateWord(state: number, reason: number): { state: StateWord; reason: string } {
  const row = stateWords[state];
  return row ? { state: row[0], reason: row[1][reason] ?? String(reason) } : { state: 'nostate', reason: 'unknown' };
}

/** The numbers of those words. Throws TargetError where they are none. */
export function lifecycleNumbers(event: LifecycleWord, detail: string): { event: number; detail: number } {
  return numbersOf(lifecycleWords, event, detail, (number, of) => ({ event: number, detail: of }));
}

export function stateNumbers(state: StateWord, reason: string): { state: number; reason: number } {
  return numbersOf(stateWords, state, reason, (number, of) => ({ state: number, reason: of }));
}

function numbersOf<T>(
  table: readonly (readonly [string, readonly string[]])[],
  word: string,
  of: string,
  found: (number: number, of: number) => T,
): T {
  const number = table.findIndex(([each]) => each === word);
  const detail = table[number]?.[1].indexOf(of) ?? -1;
  if (detail < 0) throw noWord(`${word} ${of}`);
  return found(number, detail);
}

function noWord(words: string): TargetError {
  return badXdr(`libvirt has no "${words}"`);
}
