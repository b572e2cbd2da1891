// libvirt's protocol, both ways: the bytes of a real libvirtd, what we write read back, and what no libvirtd sends.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeEvent,
  decodeReply,
  encodeCall,
  encodeError,
  encodeEvent,
  encodeKeepalive,
  encodeMessage,
  encodeReply,
  errorCodec,
  events,
  Framing,
  type Header,
  lifecycleNumbers,
  lifecycleWord,
  lifecycleWords,
  type Message,
  messageBytesMax,
  messageTypes,
  procedures,
  programs,
  type RemoteEvent,
  remoteError,
  stateNumbers,
  stateWord,
  type TypedParam,
  typedParam,
} from '../../adapters/libvirt-rpc/protocol.ts';
import { array, type Codec, decode, encode, XdrReader } from '../../adapters/libvirt-rpc/xdr.ts';
import { TargetError } from '../../src/model/errors.ts';
import { wire } from './bytes.ts';

type Cut = (bytes: Buffer) => readonly Uint8Array[];
const whole: Cut = (bytes) => [bytes];
const single: Cut = (bytes) => [...bytes].map((byte) => Uint8Array.of(byte));
const cuts = [whole, single] as const;

function read(bytes: Buffer, cut: Cut, bytesMax = messageBytesMax) {
  const framing = new Framing(bytesMax);
  const messages: Message[] = [];
  let broken: string | undefined;
  const keep = (message: Message) => messages.push({ ...message, payload: Buffer.from(message.payload) });
  for (const part of cut(bytes)) broken = framing.feed(part, keep);
  return { messages, broken };
}

const one = (bytes: Buffer): Message => read(bytes, whole).messages[0]!;
const vm2 = { name: 'vm2', uuid: 'c7a5fdbd-0000-4000-8000-000000000002', id: 14 };

test('what virsh says to a libvirtd, we say byte by byte', () => {
  expect(encodeCall(procedures.authList, 0, undefined)).toEqual(wire.authList);
  expect(encodeCall(procedures.supportsFeature, 1, { feature: 10 })).toEqual(wire.feature);
  expect(encodeCall(procedures.connectOpen, 2, { uri: 'qemu:///system', flags: 0 })).toEqual(wire.open);
  expect(encodeCall(procedures.registerEvent, 6, { eventId: 0, dom: null })).toEqual(wire.register);
  expect(encodeKeepalive('ping')).toEqual(wire.ping);
  expect(encodeKeepalive('pong')).toEqual(wire.pong);
});

test('what a libvirtd answers is read, and written the same', () => {
  expect(decodeReply(procedures.authList, one(wire.authListReply))).toEqual({ value: { types: [0] } });
  expect(decodeReply(procedures.connectOpen, one(wire.openReply))).toEqual({ value: undefined });
  expect(decodeReply(procedures.registerEvent, one(wire.registerReply))).toEqual({ value: { callbackId: 30 } });
  expect(encodeReply(procedures.authList, 0, { types: [0] })).toEqual(wire.authListReply);
  expect(encodeReply(procedures.supportsFeature, 1, { supported: 1 })).toEqual(wire.featureReply);
  expect(encodeReply(procedures.connectOpen, 2, undefined)).toEqual(wire.openReply);
});

test('an event is read by its number; its serial says nothing', () => {
  const event: RemoteEvent = { kind: 'lifecycle', callbackId: 30, dom: vm2, event: 3, detail: 0 };
  expect(one(wire.suspended)).toMatchObject({ serial: 1, type: messageTypes.event });
  expect(decodeEvent(one(wire.suspended))).toEqual(event);
  expect(encodeEvent(event)).toEqual(wire.suspended);
  expect(lifecycleWord(3, 0)).toEqual({ event: 'suspended', detail: 'paused' });
});

test('messages are found however the stream is cut', () => {
  const all = Object.values(wire);
  for (const cut of cuts) {
    const { messages, broken } = read(Buffer.concat(all), cut);
    expect(broken).toBeUndefined();
    expect(messages.map((message) => encodeMessage(message, message.payload))).toEqual(all);
  }
});

test('a length that cannot be ends the stream at once, before any byte of it is kept', () => {
  for (const size of [0, 27, messageBytesMax + 1, 0xffffffff]) {
    const bytes = Buffer.concat([wire.ping, Buffer.alloc(64)]);
    bytes.writeUInt32BE(size, wire.ping.length);
    for (const cut of cuts) {
      const { messages, broken } = read(bytes, cut);
      expect(messages).toHaveLength(1);
      expect(broken).toContain(`a message of ${size} bytes`);
    }
  }
});

test('an announced length costs nothing until the bytes come', () => {
  const framing = new Framing(messageBytesMax);
  const before = process.memoryUsage().arrayBuffers;
  const header = Buffer.alloc(64);
  header.writeUInt32BE(messageBytesMax, 0);
  expect(framing.feed(header, () => expect.unreachable())).toBeUndefined();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
});

test('an error names its code and keeps libvirt’s sentence', () => {
  const call: Header = { program: programs.remote, procedure: 14, type: messageTypes.call, serial: 9, status: 0 };
  const message = one(encodeError(call, remoteError(42, "Domain not found: no domain with matching uuid 'x'")));
  expect(message).toMatchObject({ procedure: 14, serial: 9, type: messageTypes.reply, status: 1 });
  expect(decodeReply(procedures.getXmlDesc, message)).toMatchObject({
    error: { code: 42, message: "Domain not found: no domain with matching uuid 'x'" },
  });
});

test('every procedure and every event has a number of its own', () => {
  const numbers = Object.values(procedures).map(({ number }) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
  const messages = Object.values(events).map(({ number }) => number);
  expect(new Set([...messages, ...numbers]).size).toBe(messages.length + numbers.length);
});

test('words and numbers lead to each other; a number of a newer libvirt stays a number', () => {
  for (const [event, [word, details]] of lifecycleWords.entries()) {
    for (const [detail, each] of details.entries()) {
      expect(lifecycleWord(event, detail)).toEqual({ event: word, detail: each });
      expect(lifecycleNumbers(word, each)).toEqual({ event, detail });
    }
  }
  expect(stateWord(3, 2)).toEqual({ state: 'paused', reason: 'migration' });
  expect(stateWord(3, 12)).toEqual({ state: 'paused', reason: 'postcopy' });
  expect(stateWord(1, 10)).toEqual({ state: 'running', reason: 'postcopy' });
  expect(stateNumbers('shutoff', 'migrated')).toEqual({ state: 5, reason: 4 });
  expect(lifecycleWord(2, 99)).toEqual({ event: 'started', detail: '99' });
  expect(lifecycleWord(99, 0)).toBeUndefined();
  expect(stateWord(99, 0)).toEqual({ state: 'nostate', reason: 'unknown' });
  expect(() => lifecycleNumbers('started', 'levitated')).toThrow(TargetError);
});

const anyParam: fc.Arbitrary<TypedParam> = fc.oneof(
  fc.record({ field: fc.string(), type: fc.constantFrom('int' as const), value: fc.integer() }),
  fc.record({ field: fc.string(), type: fc.constantFrom('uint' as const), value: fc.nat() }),
  fc.record({ field: fc.string(), type: fc.constantFrom('llong' as const), value: fc.maxSafeInteger() }),
  fc.record({ field: fc.string(), type: fc.constantFrom('ullong' as const), value: fc.maxSafeNat() }),
  fc.record({ field: fc.string(), type: fc.constantFrom('double' as const), value: fc.double({ noNaN: true }) }),
  fc.record({ field: fc.string(), type: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({ field: fc.string(), type: fc.constant('string' as const), value: fc.string({ unit: 'grapheme' }) }),
);

test('typed parameters are read as they were written', () => {
  const codec = array(typedParam, 64);
  fc.assert(
    fc.property(fc.array(anyParam, { maxLength: 20 }), (params) => {
      expect(decode(codec, encode(codec, params))).toEqual(params);
    }),
  );
});

const anyDomain = fc.record({ name: fc.string({ unit: 'grapheme' }), uuid: fc.uuid(), id: fc.integer() });
const anyEvent: fc.Arbitrary<RemoteEvent> = fc.oneof(
  fc.record({
    kind: fc.constant('lifecycle' as const),
    callbackId: fc.nat(),
    dom: anyDomain,
    event: fc.integer(),
    detail: fc.integer(),
  }),
  fc.record({ kind: fc.constant('control-error' as const), callbackId: fc.nat(), dom: anyDomain }),
  fc.record({ kind: fc.constant('device-added' as const), callbackId: fc.nat(), dom: anyDomain, alias: fc.string() }),
  fc.record({ kind: fc.constant('migration-iteration' as const), callbackId: fc.nat(), dom: anyDomain, iteration: fc.nat() }),
  fc.record({
    kind: fc.constant('job-completed' as const),
    callbackId: fc.nat(),
    dom: anyDomain,
    params: fc.array(anyParam, { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant('metadata-change' as const),
    callbackId: fc.nat(),
    dom: anyDomain,
    type: fc.nat(2),
    uri: fc.option(fc.string()),
  }),
);

test('events are read as they were written, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 5 }), (all) => {
      const bytes = Buffer.concat(all.map(encodeEvent));
      for (const cut of cuts) expect(read(bytes, cut).messages.map(decodeEvent)).toEqual(all);
    }),
  );
});

/** All that is read of a stranger. */
const codecs: readonly Codec<unknown>[] = [
  errorCodec,
  ...Object.values(procedures).flatMap(({ args, result }) => [args, result] as Codec<unknown>[]),
  ...Object.values(events).map(({ payload }) => payload as Codec<unknown>),
];

test('no payload crashes a reading: it is a value, or our own error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const codec of codecs) expectTame(() => decode(codec, bytes));
    }),
    { numRuns: 500 },
  );
});

test('no byte changed in what a libvirtd says crashes a reading', () => {
  const said = [wire.suspended, wire.registerReply, wire.authListReply, wire.openReply];
  fc.assert(
    fc.property(fc.constantFrom(...said), fc.nat(), fc.nat(255), (bytes, at, value) => {
      const wrong = Buffer.from(bytes);
      wrong[at % wrong.length] = value;
      for (const cut of cuts) {
        for (const message of read(wrong, cut, 65_536).messages) {
          expectTame(() => decodeEvent(message));
          expectTame(() => decodeReply(procedures.registerEvent, message));
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a count beyond the bytes at hand is refused before anything is allocated for it', () => {
  const list = Buffer.alloc(8);
  list.writeUInt32BE(16_000, 0);
  expect(() => decode(procedures.listAllDomains.result, list)).toThrow('a length of 16000 with 4 bytes left');
  expect(() => new XdrReader(Buffer.from('ffffffff', 'hex')).length(16, 1)).toThrow('16 is the most');
});

function expectTame(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TargetError);
    expect(error).toMatchObject({ code: 'bad-xdr' });
  }
}
