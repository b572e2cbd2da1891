// The conversation with a libvirtd: opening it, answers out of order, events in between, silence, freezing, nonsense.
import { createServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LibvirtClient } from '../../adapters/libvirt-rpc/index.ts';
import { connectLibvirt } from '../../adapters/libvirt-rpc/index.ts';
import {
  encodeError,
  encodeEvent,
  encodeKeepalive,
  encodeReply,
  Framing,
  type Message,
  messageBytesMax,
  procedures,
  type RemoteEvent,
  remoteError,
} from '../../adapters/libvirt-rpc/protocol.ts';
import { OperatorError, TargetError } from '../../src/model/errors.ts';
import { libvirtCallMs, libvirtCallsAtOnce, libvirtPingMs, libvirtPingsMax } from '../../src/model/limits.ts';
import type { LibvirtAccess } from '../../src/model/target.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { wire } from './bytes.ts';
import { domOf, type FakeLibvirtd, fakeDomain, fakeLibvirtd } from './server.ts';

const never = new AbortController().signal;
let libvirtd: FakeLibvirtd;
let heard: RemoteEvent[];
const clients: LibvirtClient[] = [];

beforeEach(async () => {
  libvirtd = await fakeLibvirtd();
  heard = [];
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close(1)));
  await libvirtd.close();
});

const accessTo = (socket: string): LibvirtAccess => ({ transport: 'unix', uri: 'test:///default', socket, write: false });

async function connect(wall = realWall, path = libvirtd.path, mode: 'read-only' | 'read-write' = 'read-only') {
  const peer = { adapter: 'libvirt-rpc', name: 'kvm1', address: '192.0.2.1', access: accessTo(path) };
  const event = (each: RemoteEvent) => heard.push(each);
  const client = await connectLibvirt(peer, { wall, secrets: async () => '', mode, event }, never);
  clients.push(client);
  return client;
}

const vm = fakeDomain(2);
const lifecycle = (detail: number): RemoteEvent => ({ kind: 'lifecycle', callbackId: 0, dom: domOf(vm), event: 3, detail });
const hostname = (client: LibvirtClient) => client.call(procedures.getHostname, undefined);

test('it says who it is, asks for keepalive, and opens read-only before anything else', async () => {
  await connect();
  expect(libvirtd.connections[0]?.heard).toEqual(['AUTH_LIST', 'CONNECT_SUPPORTS_FEATURE', 'CONNECT_OPEN']);
});

test('it opens with the flag that forbids changes, unless it may make them', async () => {
  const flags: Buffer[] = [];
  libvirtd.answer = ({ procedure, payload }) => void (procedure === 1 && flags.push(Buffer.from(payload.subarray(-4))));
  await connect();
  await connect(realWall, libvirtd.path, 'read-write');
  expect(flags.map((each) => each.readUInt32BE(0))).toEqual([1, 0]);
});

test('polkit is asked where libvirtd wants it; SASL is refused with what to do instead', async () => {
  libvirtd.answer = ({ procedure, serial }) =>
    procedure === 66 ? encodeReply(procedures.authList, serial, { types: [2] }) : undefined;
  await connect();
  expect(libvirtd.connections[0]?.heard).toContain('AUTH_POLKIT');
  libvirtd.answer = ({ procedure, serial }) =>
    procedure === 66 ? encodeReply(procedures.authList, serial, { types: [1] }) : undefined;
  await expect(connect()).rejects.toThrow(OperatorError);
});

test('answers that come in another order find their calls', async () => {
  const client = await connect();
  const kept: Message[] = [];
  libvirtd.answer = (message, { socket }) => {
    kept.push({ ...message, payload: Buffer.from(message.payload) });
    if (kept.length < 3) return Buffer.alloc(0);
    for (const { serial } of kept.reverse())
      socket.write(encodeReply(procedures.getHostname, serial, { hostname: `host${serial}` }));
    return Buffer.alloc(0);
  };
  const answers = await Promise.all([hostname(client), hostname(client), hostname(client)]);
  const [first, ...rest] = answers.map((each) => Number(each.hostname.slice(4)));
  expect(rest).toEqual([first! + 1, first! + 2]);
});

test('an event with the serial of a call under way is an event', async () => {
  const client = await connect();
  libvirtd.answer = ({ serial }) => {
    const event = Buffer.from(encodeEvent(lifecycle(0)));
    event.writeUInt32BE(serial, 20);
    return Buffer.concat([event, encodeReply(procedures.getHostname, serial, { hostname: 'kvm1' })]);
  };
  expect(await hostname(client)).toEqual({ hostname: 'kvm1' });
  expect(heard).toEqual([lifecycle(0)]);
});

test('libvirt’s no carries its sentence and a code, and the conversation goes on', async () => {
  const client = await connect();
  libvirtd.answer = (message) =>
    message.procedure === 59 ? encodeError(message, remoteError(29, 'operation forbidden: read only')) : undefined;
  await expect(hostname(client)).rejects.toMatchObject({ code: 'operation-denied', retry: false });
  await expect(hostname(client)).rejects.toThrow('operation forbidden: read only. Set write: true');
  expect(await client.call(procedures.listAllDomains, { needResults: 1, flags: 0 })).toEqual({ domains: [], count: 0 });
});

test('no more calls are under way than libvirtd takes, so that pings still get through', async () => {
  const client = await connect();
  libvirtd.answer = ({ procedure }) => (procedure === 59 ? Buffer.alloc(0) : undefined);
  const calls = Array.from({ length: 20 }, () => hostname(client).catch(() => 'ended'));
  await libvirtd.until(() => libvirtd.connections[0]!.heard.length >= 3 + libvirtCallsAtOnce);
  expect(libvirtd.connections[0]!.heard.filter((each) => each === 'CONNECT_GET_HOSTNAME')).toHaveLength(libvirtCallsAtOnce);
  libvirtd.cut();
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['ended']));
});

test('a ping is answered with a pong', async () => {
  await connect();
  libvirtd.connections[0]!.socket.write(encodeKeepalive('ping'));
  await libvirtd.until(() => libvirtd.connections[0]!.heard.includes('pong'));
});

test('one that pings on and on and reads no answer is cut off', async () => {
  const client = await connect();
  const { socket } = libvirtd.connections[0]!;
  socket.pause();
  const pings = Buffer.concat(Array.from({ length: 5_000 }, () => encodeKeepalive('ping')));
  let over = false;
  void client.ended.then(() => {
    over = true;
  });
  // Twenty times what may wait, or until it is enough.
  for (let round = 0; round < 150 && !over; round++) await new Promise((resolve) => socket.write(pings, resolve));
  expect(await client.ended).toMatchObject({ code: 'no-answer', message: expect.stringContaining('bytes wait to be read') });
});

test('what a libvirtd says before it is asked anything is heard', async () => {
  const early = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.write(encodeKeepalive('ping'), () => early.resolve());
    libvirtd.accept(socket);
  });
  const path = `${libvirtd.path}-early`;
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await connect(realWall, path);
  await early.promise;
  await libvirtd.until(() => libvirtd.connections[0]!.heard.includes('pong'));
  server.close();
});

test('one that is not read for a while is not taken for frozen, and all it said meanwhile is heard after', async () => {
  const wall = new VirtualWall(0);
  const client = await connect(wall);
  let over = false;
  void client.ended.then(() => {
    over = true;
  });
  client.pause();
  libvirtd.connections[0]!.socket.write(encodeEvent(lifecycle(0)));
  for (let pings = 0; pings < 2 * libvirtPingsMax; pings++) await wall.advance(libvirtPingMs);
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  expect([over, heard.length]).toEqual([false, 0]);
  libvirtd.connections[0]!.socket.write(encodeEvent(lifecycle(1)));
  client.resume();
  while (heard.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([lifecycle(0), lifecycle(1)]);
});

test('a libvirtd that freezes is found by our own pings', async () => {
  const wall = new VirtualWall(0);
  const client = await connect(wall);
  libvirtd.answer = () => Buffer.alloc(0);
  await wall.advance(libvirtPingMs);
  for (let pings = 1; pings <= libvirtPingsMax; pings++) {
    await wall.advance(libvirtPingMs);
    await libvirtd.until(() => libvirtd.connections[0]!.heard.filter((each) => each === 'ping').length === pings);
  }
  await wall.advance(libvirtPingMs);
  expect(await client.ended).toMatchObject({ code: 'no-answer', retry: true });
});

test('a libvirtd that answers pings is left alone, however long it is quiet', async () => {
  const wall = new VirtualWall(0);
  const client = await connect(wall);
  let over = false;
  void client.ended.then(() => {
    over = true;
  });
  for (let round = 0; round < 20; round++) {
    const before = libvirtd.connections[0]!.heard.length;
    await wall.advance(2 * libvirtPingMs);
    await libvirtd.until(() => libvirtd.connections[0]!.heard.length > before);
    // The pong must have come before time goes on.
    await hostname(client).catch(() => undefined);
  }
  expect(over).toBe(false);
});

test('a call that is never answered fails by itself; when all places are taken by such, the connection ends', async () => {
  const wall = new VirtualWall(0);
  const client = await connect(wall);
  libvirtd.answer = ({ procedure }) => (procedure === 59 ? Buffer.alloc(0) : undefined);
  for (let count = 1; count <= libvirtCallsAtOnce; count++) {
    const call = expect(hostname(client)).rejects.toMatchObject({ code: 'no-answer' });
    await libvirtd.until(() => libvirtd.connections[0]!.heard.filter((each) => each === 'CONNECT_GET_HOSTNAME').length === count);
    if (count < libvirtCallsAtOnce) {
      expect(await client.call(procedures.listAllDomains, { needResults: 1, flags: 0 })).toEqual({ domains: [], count: 0 });
    }
    // In steps, with an answer to each ping before the next.
    for (let ms = 0; ms <= libvirtCallMs; ms += libvirtPingMs) await wall.advance(libvirtPingMs);
    await call;
  }
  expect(await client.ended).toMatchObject({ code: 'no-answer' });
});

test('what is open when the connection goes fails, and so does every later call', async () => {
  const client = await connect();
  libvirtd.answer = (_message, { socket }) => {
    socket.destroy();
    return Buffer.alloc(0);
  };
  await expect(hostname(client)).rejects.toMatchObject({ code: 'connection-lost', retry: true });
  await expect(hostname(client)).rejects.toMatchObject({ code: 'connection-lost', retry: true });
  expect(await client.ended).toMatchObject({ code: 'connection-lost' });
});

test('nothing to connect to is a fault of the way', async () => {
  await expect(connect(realWall, '/nonexistent/libvirt-sock')).rejects.toMatchObject({ code: 'connection-lost', retry: true });
});

test('it says goodbye', async () => {
  const client = await connect();
  await client.close();
  expect(libvirtd.connections[0]!.heard.at(-1)).toBe('CONNECT_CLOSE');
  expect(await client.ended).toBeUndefined();
});

test.each([
  ['another version of the protocol', Buffer.from(wire.suspended).fill(9, 8, 12)],
  ['a reply to nothing', encodeReply(procedures.getHostname, 77, { hostname: 'x' })],
  ['a call of its own', Buffer.from(wire.authList)],
  ['an HTTP answer', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
  ['an SSH banner', Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n')],
  ['an event cut short', Buffer.concat([Buffer.from('00000020', 'hex'), wire.suspended.subarray(4, 32)])],
])('%s ends the conversation', async (_what, bytes) => {
  const client = await connect();
  libvirtd.connections[0]!.socket.write(bytes);
  expect(await client.ended).toBeInstanceOf(TargetError);
});

/** What a server says to one call after the other, up to the end of the opening, and an event with the last. */
const opening = [
  encodeReply(procedures.authList, 1, { types: [0] }),
  encodeReply(procedures.supportsFeature, 2, { supported: 1 }),
  Buffer.concat([encodeReply(procedures.connectOpen, 3, undefined), wire.suspended]),
];
const openingBytes = opening.reduce((sum, { length }) => sum + length, 0);

interface Script {
  /** So much of the opening is said. */
  readonly length: number;
  /** Said after that. */
  readonly noise?: Uint8Array;
  readonly cut: 'whole' | 'single';
}

/** A server that says so much, as it is asked, and closes. */
async function against({ length, noise = Buffer.alloc(0), cut }: Script, use: (path: string) => Promise<void>): Promise<void> {
  const server = createServer((socket) => {
    const framing = new Framing(messageBytesMax);
    const said = [...opening];
    let left = length;
    const say = (bytes: Uint8Array): void => {
      for (const part of cut === 'whole' ? [bytes] : [...bytes].map((byte) => Uint8Array.of(byte))) socket.write(part);
    };
    const answer = (): void => {
      const next = said.shift()?.subarray(0, left) ?? Buffer.alloc(0);
      left -= next.length;
      say(next);
      if (left > 0 || socket.writableEnded) return;
      say(noise);
      socket.end();
    };
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => framing.feed(bytes, answer));
  });
  const path = `${libvirtd.path}-other`;
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await use(path);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a server that closes after any byte of the opening is a fault of the way, and never a hang', async () => {
  for (let length = 0; length < openingBytes; length += 3) {
    await against({ length, cut: 'whole' }, async (path) => {
      const client = await connect(realWall, path).catch((error: unknown) => error);
      if (client instanceof Error) expect(client).toMatchObject({ code: 'connection-lost', retry: true });
      else expect(await (client as LibvirtClient).ended).toMatchObject({ code: 'connection-lost' });
    });
  }
});

test('the opening is understood a byte at a time', async () => {
  await against({ length: openingBytes, cut: 'single' }, async (path) => {
    const client = await connect(realWall, path);
    expect(await client.ended).toMatchObject({ code: 'connection-lost' });
    expect(heard).toMatchObject([{ kind: 'lifecycle', dom: { name: 'vm2' } }]);
  });
});

test('no bytes of a stranger hang or crash us', async () => {
  const script = fc.record({
    length: fc.nat(openingBytes),
    noise: fc.uint8Array({ maxLength: 300 }),
    cut: fc.constantFrom('whole' as const, 'single' as const),
  });
  await fc.assert(
    fc.asyncProperty(script, (each) =>
      against(each, async (path) => {
        const client = await connect(realWall, path).catch((error: unknown) => error);
        // An OperatorError where chance asked for another way to authenticate.
        if (client instanceof Error) expect(client instanceof TargetError || client instanceof OperatorError).toBe(true);
        else expect(await (client as LibvirtClient).ended).toBeInstanceOf(TargetError);
      }),
    ),
    { numRuns: 100 },
  );
});
