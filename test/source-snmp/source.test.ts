// The whole source over real UDP sockets on loopback.
import { createSocket } from 'node:dgram';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type SnmpUser, snmpSource } from '../../adapters/source-snmp/index.ts';
import { Message } from '../../adapters/source-snmp/net-snmp.ts';
import { snmpStrangersPerSecond } from '../../src/model/limits.ts';
import {
  answerOf,
  collector,
  discovery,
  engineId,
  handWall,
  hsrpStateChange,
  inbox,
  linkDown,
  type Offered,
  senderEngine,
  startSource,
  udpSender,
  unknownEngineIds,
  v2c,
  v3,
  writtenPdu,
} from './kit.ts';

const user: SnmpUser = {
  name: 'trapuser',
  auth: { protocol: 'sha256', key: 'authpass12345' },
  priv: { protocol: 'aes256', key: 'privpass12345' },
};
/** Everything sent before has been dealt with: a marker came through. */
async function drained(offered: { next(): Promise<Offered> }, send: (bytes: Buffer) => void, uptime: number): Promise<void> {
  send(v2c({ uptime: 100_000 + uptime }));
  await offered.next();
}
const edge1 = { name: 'edge1', address: '127.0.0.1', port: 1 };
const response = 0xa2;

describe('a trap', () => {
  test('becomes an event with its meaning, its datagram kept without the community', async () => {
    const { port, offered } = await startSource({ agentOf: () => edge1 });
    const { send } = await udpSender(port);
    send(v2c());
    const { event, committed } = await offered.next();
    expect(committed).toBeUndefined();
    expect(event).toMatchObject({
      target: 'edge1',
      meaning: { kind: 'hsrp.state-changed', ifIndex: 3, group: 1, to: 'active' },
      snmp: { version: 'v2c', pdu: 'trap', oid: hsrpStateChange, name: 'cHsrpStateChange', uptime: 5_000 },
      origin: { source: 'snmp', peer: '127.0.0.1', transport: 'udp', trust: 'claimed' },
    });
    expect(Buffer.from(event.origin.raw, 'hex').toString('latin1')).toContain('******');
    expect(JSON.stringify(event)).not.toContain(Buffer.from('public').toString('hex'));
  });

  test('that a proxy passed on is kept without the community it came with', async () => {
    const { port, offered } = await startSource();
    const { send } = await udpSender(port);
    send(v2c({ varbinds: [['1.3.6.1.6.3.18.1.4.0', 'OctetString', 'sesame']] }));
    const { event } = await offered.next();
    expect(event.snmp?.varbinds).toEqual([
      { oid: '1.3.6.1.6.3.18.1.4.0', name: 'snmpTrapCommunity.0', type: 'OctetString', value: '***' },
    ]);
    expect(event.origin.raw).not.toContain(Buffer.from('sesame').toString('hex'));
  });

  test('with another community is dropped and counted, and any will do where none is asked for', async () => {
    const strict = await startSource();
    const { send } = await udpSender(strict.port);
    send(v2c({ id: 1 }, 'guess'));
    send(v2c({ uptime: 6_000 }));
    expect((await strict.offered.next()).event.snmp?.uptime).toBe(6_000);
    expect(strict.source.stats()).toMatchObject({ received: 2, dropped: { 'unknown-community': 1 } });

    const open = await startSource({ communities: [] });
    const other = await udpSender(open.port);
    other.send(v2c({}, 'guess'));
    expect((await open.offered.next()).event.origin.trust).toBe('claimed');
  });

  test('is dropped and counted where there is no room, and the gap is told', async () => {
    const { port, offered, room, gaps, source } = await startSource({ agentOf: () => edge1 });
    const { send, dealtWith } = await udpSender(port);
    room.left = 0;
    send(v2c({ uptime: 5_000 }));
    send(v2c({ uptime: 5_001 }));
    await dealtWith();
    expect(source.stats().dropped['no-room']).toBe(2);
    room.left = 1;
    send(v2c({ uptime: 5_002 }));
    expect((await offered.next()).event.snmp?.uptime).toBe(5_002);
    expect(gaps).toEqual([{ reason: 'there was no room for a notification', targets: ['edge1'] }]);
  });

  test('that is no notification, or no SNMP, is counted by cause', async () => {
    const { port, offered, source } = await startSource();
    const { send } = await udpSender(port);
    send(Buffer.from('hello'));
    send(v2c().subarray(0, -1));
    send(Message.createCommunity(1, 'public', writtenPdu(0xa0, 1, [])).toBuffer());
    send(Message.createCommunity(0, 'public', writtenPdu(0xa7, 1, [])).toBuffer());
    send(Message.createCommunity(1, 'public', writtenPdu(0xa7, 1, [])).toBuffer());
    send(v2c());
    await offered.next();
    expect(source.stats()).toMatchObject({ received: 6, dropped: { malformed: 3, unsupported: 2 } });
  });
});

describe('an inform', () => {
  test('is answered once its entry is durable, with its own request id and varbinds', async () => {
    const { port, offered } = await startSource();
    const { send, answers } = await udpSender(port);
    const inform = v2c({ pdu: 'inform', id: 0x1234_5678 });
    send(inform);
    const { committed } = await offered.next();
    send(discovery());
    expect(answerOf(await answers.next()).oid).toBe(unknownEngineIds);
    committed!();
    const answer = await answers.next();
    expect(answerOf(answer)).toMatchObject({ type: response, id: 0x1234_5678 });
    const expected = Buffer.from(inform);
    expected[expected.indexOf(0xa6)] = response;
    expect(answer).toEqual(expected);
  });

  test('is not answered when the journal dies between check and commit', async () => {
    const { port, offered } = await startSource();
    const { send, answers } = await udpSender(port);
    send(v2c({ pdu: 'inform', id: 5 }));
    const first = await offered.next();
    first.committed!(new Error('the disk is full'));
    send(discovery());
    expect(answerOf(await answers.next()).oid).toBe(unknownEngineIds);
    // The sender asks again, and this time the entry becomes durable.
    send(v2c({ pdu: 'inform', id: 5 }));
    const second = await offered.next();
    expect(second.event).toEqual(first.event);
    second.committed!();
    expect(answerOf(await answers.next())).toMatchObject({ type: response, id: 5 });
  });

  test('sent again while under way is not offered twice, and answered when the first is durable', async () => {
    const { port, offered } = await startSource();
    const { send, answers } = await udpSender(port);
    for (let time = 0; time < 3; time++) send(v2c({ pdu: 'inform', id: 9 }));
    send(v2c({ uptime: 5_001 }));
    const { committed } = await offered.next();
    expect((await offered.next()).event.snmp?.pdu).toBe('trap');
    expect(answers.items).toEqual([]);
    committed!();
    expect(answerOf(await answers.next())).toMatchObject({ type: response, id: 9 });
    expect(offered.items).toHaveLength(2);
  });

  test('sent again after its commit is answered again without a second event', async () => {
    const { port, offered } = await startSource();
    const { send, answers } = await udpSender(port);
    send(v2c({ pdu: 'inform', id: 9 }));
    (await offered.next()).committed!();
    await answers.next();
    send(v2c({ pdu: 'inform', id: 9 }));
    expect(answerOf(await answers.next())).toMatchObject({ type: response, id: 9 });
    expect(offered.items).toHaveLength(1);
  });

  test('with the same request id that says something else is another inform', async () => {
    const { port, offered } = await startSource();
    const { send } = await udpSender(port);
    send(v2c({ pdu: 'inform', id: 9, uptime: 5_000 }));
    send(v2c({ pdu: 'inform', id: 9, uptime: 5_001 }));
    expect((await offered.next()).event.snmp?.uptime).toBe(5_000);
    expect((await offered.next()).event.snmp?.uptime).toBe(5_001);
  });

  test('that found no room is offered again when it is sent again', async () => {
    const { port, offered, room, source } = await startSource();
    const { send, answers, dealtWith } = await udpSender(port);
    room.left = 0;
    send(v2c({ pdu: 'inform', id: 9 }));
    await dealtWith();
    expect(source.stats().dropped['no-room']).toBe(1);
    room.left = 1;
    send(v2c({ pdu: 'inform', id: 9 }));
    (await offered.next()).committed!();
    expect(answerOf(await answers.next()).id).toBe(9);
  });
});

describe('an SNMPv3 trap', () => {
  const pinned = { ...edge1, engine: senderEngine.toUpperCase(), user: 'trapuser' };

  test('is authenticated where engine and user are pinned to the target', async () => {
    const { port, offered } = await startSource({ users: [user], agentOf: () => pinned });
    const { send } = await udpSender(port);
    send(v3({}, { user }));
    const { event } = await offered.next();
    expect(event).toMatchObject({
      snmp: { version: 'v3', engine: senderEngine, user: 'trapuser' },
      origin: { trust: 'authenticated' },
    });
  });

  test.each([
    ['an engine that is not pinned', { ...pinned, engine: '80000009030000aabbccddef' }],
    ['a user that is not pinned', { ...pinned, user: 'somebody' }],
    ['nothing pinned', edge1],
  ])('is claimed with %s', async (_, agent) => {
    const { port, offered } = await startSource({ users: [user], agentOf: () => agent });
    const { send } = await udpSender(port);
    send(v3({}, { user }));
    expect((await offered.next()).event.origin.trust).toBe('claimed');
  });

  test('without authentication is claimed whatever is pinned', async () => {
    const plain: SnmpUser = { name: 'trapuser' };
    const { port, offered } = await startSource({ users: [plain], agentOf: () => pinned });
    const { send } = await udpSender(port);
    send(v3({}, { user: plain }));
    expect((await offered.next()).event.origin.trust).toBe('claimed');
  });

  test('is refused when it is replayed', async () => {
    const { port, offered, source } = await startSource({ users: [user] });
    const { send } = await udpSender(port);
    const captured = v3({ uptime: 5_000 }, { user, time: 1_000 });
    send(captured);
    send(captured);
    send(captured);
    send(v3({ uptime: 5_001 }, { user, time: 1_000 }));
    await offered.next();
    expect((await offered.next()).event.snmp?.uptime).toBe(5_001);
    expect(source.stats().dropped).toEqual({ replayed: 2 });
  });

  test('is refused when it is older than 150 s or from an earlier boot', async () => {
    const { port, offered, source } = await startSource({ users: [user] });
    const { send } = await udpSender(port);
    send(v3({ uptime: 1 }, { user, time: 1_000 }));
    send(v3({ uptime: 2 }, { user, time: 849 }));
    send(v3({ uptime: 3 }, { user, time: 2_000, boots: 3 }));
    send(v3({ uptime: 4 }, { user, time: 851 }));
    expect((await offered.next()).event.snmp?.uptime).toBe(1);
    expect((await offered.next()).event.snmp?.uptime).toBe(4);
    expect(source.stats().dropped).toEqual({ 'not-in-time-window': 2 });
  });

  test('is refused with a wrong digest, an unknown user, too low a level or a wrong privacy key', async () => {
    const { port, offered, source } = await startSource({ users: [user] });
    const { send } = await udpSender(port);
    const with_ = (key: 'auth' | 'priv') => ({ ...user, [key]: { ...user[key]!, key: 'another-key' } }) as SnmpUser;
    send(v3({}, { user: with_('auth') }));
    const flipped = Buffer.from(v3({}, { user }));
    flipped[flipped.length - 1]! ^= 1;
    send(flipped);
    send(v3({}, { user: { ...user, name: 'nobody' } }));
    send(v3({}, { user, level: 'authNoPriv' }));
    send(v3({}, { user, level: 'noAuthNoPriv' }));
    send(v3({}, { user: with_('priv') }));
    send(v3({ uptime: 6_000 }, { user }));
    expect((await offered.next()).event.snmp?.uptime).toBe(6_000);
    expect(source.stats().dropped).toEqual({
      'wrong-digest': 2,
      'unknown-user': 1,
      unsupported: 2,
      'decryption-error': 1,
    });
  });

  test('is dropped beyond the allowance of its sender for engines never seen', async () => {
    const { port, wall, offered, source } = await startSource({ users: [user] });
    const { send, dealtWith } = await udpSender(port);
    send(v3({ uptime: 1 }, { user }));
    await offered.next();
    const invented = v3({}, { user: { name: user.name }, engine: '8000000905deadbeef' });
    for (let n = 1; n <= snmpStrangersPerSecond; n++) {
      send(invented);
      if (n % 100 === 0) await drained(offered, send, n);
    }
    const { unsupported, rate } = source.stats().dropped;
    expect({ unsupported, rate }).toEqual({ unsupported: snmpStrangersPerSecond - 1, rate: 1 });
    // An engine that has been authentic is no stranger, and a second later there is room for one more.
    send(v3({ uptime: 2 }, { user, time: 1_001 }));
    expect((await offered.next()).event.snmp?.uptime).toBe(2);
    wall.advance(1_000);
    await dealtWith();
    expect(source.stats().dropped.rate).toBe(1);
  });
});

describe('an SNMPv3 inform', () => {
  const ours = { user, engine: engineId, boots: 7 };

  test('is answered under its own user and level, with our clock', async () => {
    const { port, wall, offered } = await startSource({
      users: [user],
      agentOf: () => ({ ...edge1, engine: engineId, user: 'trapuser' }),
    });
    const { send, answers } = await udpSender(port);
    wall.advance(30_000);
    send(v3({ pdu: 'inform', id: 77 }, { ...ours, time: 30, msgId: 4_242 }));
    const { event, committed } = await offered.next();
    // Its key is localised to our engine: it proves the user, not the sender.
    expect(event.origin.trust).toBe('claimed');
    wall.advance(2_000);
    committed!();
    const { message } = answerOf(await answers.next());
    expect(message.msgGlobalData).toMatchObject({ msgID: 4_242, msgFlags: 3 });
    expect(message.msgSecurityParameters).toMatchObject({
      msgAuthoritativeEngineBoots: 7,
      msgAuthoritativeEngineTime: 32,
      msgUserName: 'trapuser',
    });
  });

  test('sent again in a new envelope is the same inform, and the newest one is answered', async () => {
    const { port, offered } = await startSource({ users: [user] });
    const { send, answers } = await udpSender(port);
    send(v3({ pdu: 'inform', id: 77 }, { ...ours, time: 0, msgId: 1 }));
    send(v3({ pdu: 'inform', id: 77 }, { ...ours, time: 0, msgId: 2 }));
    send(v2c());
    const { committed } = await offered.next();
    await offered.next();
    committed!();
    expect(answerOf(await answers.next()).message.msgGlobalData.msgID).toBe(2);
    send(v3({ pdu: 'inform', id: 77 }, { ...ours, time: 0, msgId: 3 }));
    expect(answerOf(await answers.next()).message.msgGlobalData.msgID).toBe(3);
    expect(offered.items).toHaveLength(2);
  });

  test('captured and replayed is answered while it is remembered, and refused after', async () => {
    const { port, wall, offered, source } = await startSource({ users: [user] });
    const { send, answers } = await udpSender(port);
    wall.advance(100_000);
    const captured = v3({ pdu: 'inform', id: 77 }, { ...ours, time: 200 });
    send(captured);
    (await offered.next()).committed!();
    await answers.next();
    send(captured);
    await answers.next();
    wall.advance(151_000);
    send(captured);
    send(v2c());
    await offered.next();
    expect(offered.items).toHaveLength(2);
    expect(source.stats().dropped).toEqual({ replayed: 1 });
  });

  test('under an engine that is not ours is refused, also where no Report is asked for', async () => {
    const { port, offered, source } = await startSource({ users: [user] });
    const { send } = await udpSender(port);
    send(v3({ pdu: 'inform' }, { user, engine: senderEngine, reportable: 0 }));
    send(v2c());
    expect((await offered.next()).event.snmp?.version).toBe('v2c');
    expect(source.stats().dropped).toEqual({ 'unknown-engine': 1 });
  });

  test.each([
    ['an empty engine id', { engine: '', boots: 0, time: 0 }, '4'],
    ['another engine id', { engine: senderEngine }, '4'],
    ['an unknown user', { user: { ...user, name: 'nobody' } }, '3'],
    ['a level too low', { level: 'authNoPriv' as const }, '1'],
    ['a wrong digest', { user: { ...user, auth: { protocol: 'sha256' as const, key: 'another-key' } } }, '5'],
    ['other boots', { boots: 6 }, '2'],
    ['a time 151 s ahead', { time: 151 }, '2'],
    ['a wrong privacy key', { user: { ...user, priv: { protocol: 'aes256' as const, key: 'another-key' } } }, '6'],
  ])('with %s is answered with a Report that says so', async (_, wrong, usmStat) => {
    const { port, offered, source } = await startSource({ users: [user] });
    const { send, answers } = await udpSender(port);
    send(v3({ pdu: 'inform', id: 77 }, { ...ours, time: 0, msgId: 815, ...wrong }));
    const { type, oid, message } = answerOf(await answers.next());
    expect({ type, oid }).toEqual({ type: 0xa8, oid: `1.3.6.1.6.3.15.1.1.${usmStat}.0` });
    expect(message.msgGlobalData.msgID).toBe(815);
    // Only notInTimeWindows is authenticated: a forged one could otherwise set a sender's clock.
    expect(message.msgGlobalData.msgFlags).toBe(usmStat === '2' ? 1 : 0);
    expect(message.msgSecurityParameters.msgAuthoritativeEngineID.toString('hex')).toBe(engineId);
    expect(offered.items).toEqual([]);
    expect(Object.values(source.stats().dropped)).toEqual('engine' in wrong && wrong.engine === '' ? [] : [1]);
  });
});

test('what the kernel drops of our socket is counted and told as a gap', async () => {
  const told = inbox<string>();
  const { port, wall, source } = await startSource({}, { gap: (reason) => told.put(reason) });
  const flood = createSocket('udp4');
  onTestFinished(() => void flood.close());
  await new Promise<void>((resolve) => flood.connect(port, '127.0.0.1', () => resolve()));
  // The loop is not left, so nothing is read meanwhile: 600 x 60 kB are more than the largest buffer asked for.
  const [datagram, times] = [Buffer.alloc(60_000, 0xff), 600];
  const sent = Promise.all(Array.from({ length: times }, () => new Promise<void>((done) => flood.send(datagram, () => done()))));
  await sent;
  const first = told.next();
  // The counter may be being read just now: then it is the next look, a second later, that sees it.
  while (told.items.length === 0) {
    wall.advance(1_000);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect(await first).toMatch(/the kernel dropped \d+ datagrams/);
  expect(source.stats().dropped.kernel).toBeGreaterThan(0);
});

describe('a sender that starts anew', () => {
  const run = async (...sent: readonly { readonly uptime: number; readonly trap?: string; readonly boots?: number }[]) => {
    const { port, offered, gaps } = await startSource({ users: [user], agentOf: () => ({ ...edge1 }) });
    const { send } = await udpSender(port);
    for (const { boots, ...said } of sent) {
      send(boots === undefined ? v2c(said) : v3(said, { user, boots, time: said.uptime }));
      await offered.next();
    }
    return gaps;
  };

  test.each([
    ['sysUpTime falls', [{ uptime: 90_000 }, { uptime: 400 }], /sysUpTime fell from 90000 to 400/],
    ['coldStart comes', [{ uptime: 1, trap: '1.3.6.1.6.3.1.1.5.1' }], /coldStart/],
    [
      'its engine boots',
      [
        { uptime: 9, boots: 4 },
        { uptime: 10, boots: 5 },
      ],
      /engineBoots rose from 4 to 5/,
    ],
  ])('is told as a gap of its target when %s', async (_, sent, reason) => {
    expect(await run(...sent)).toEqual([{ reason: expect.stringMatching(reason), targets: ['edge1'] }]);
  });

  test('is not told of when datagrams merely overtake each other', async () => {
    expect(await run({ uptime: 90_000 }, { uptime: 89_900 }, { uptime: 90_001 })).toEqual([]);
  });
});

describe('a relayed trap', () => {
  const pinned = { ...edge1, engine: senderEngine, user: 'trapuser', community: 'read-only' };
  const agentOf = (peer: string) => (['127.0.0.1', '192.0.2.9'].includes(peer) ? pinned : undefined);
  const relayed = (address: string) =>
    v3(
      {
        trap: linkDown,
        varbinds: [
          ['1.3.6.1.6.3.18.1.3.0', 'IpAddress', address],
          ['1.3.6.1.2.1.2.2.1.2.7', 'OctetString', 'Gi0/7'],
        ],
      },
      { user },
    );

  test('keeps who it says it came from, and is claimed though its relay is pinned', async () => {
    const { port, offered } = await startSource({ users: [user], agentOf });
    const { send } = await udpSender(port);
    send(relayed('198.51.100.7'));
    const { event } = await offered.next();
    expect(event.snmp?.varbinds[0]).toMatchObject({ name: 'snmpTrapAddress.0', value: '198.51.100.7' });
    expect(event.origin.trust).toBe('claimed');
  });

  test('is none where the address it names is an alias of its sender', async () => {
    const { port, offered } = await startSource({ users: [user], agentOf });
    const { send } = await udpSender(port);
    send(relayed('192.0.2.9'));
    expect((await offered.next()).event.origin.trust).toBe('authenticated');
  });

  test('does not have its relay asked for the name of an interface that is another box’s', async () => {
    const { port, offered } = await startSource({ agentOf });
    const { send } = await udpSender(port);
    send(
      v2c({
        trap: linkDown,
        varbinds: [
          ['1.3.6.1.6.3.18.1.3.0', 'IpAddress', '198.51.100.7'],
          ['1.3.6.1.2.1.2.2.1.1.7', 'Integer', 7],
        ],
      }),
    );
    // Had it been asked, the event would wait for a clock that nobody turns.
    expect((await offered.next()).event.meaning).toMatchObject({ ifIndex: 7 });
  });
});

describe('starting', () => {
  test('on a port that is taken is refused with the remedy', async () => {
    const { port } = await startSource();
    const second = snmpSource({
      host: '127.0.0.1',
      port,
      communities: [],
      users: [],
      engine: { id: engineId, boots: 1 },
      wall: handWall(),
    });
    await expect(second.start(collector().sink)).rejects.toThrow(
      /cannot listen on udp 127\.0\.0\.1:\d+: .*EADDRINUSE.*Another program/s,
    );
    await second.stop();
  });

  test.each([
    [{ name: 'u', priv: { protocol: 'aes128', key: 'privpass12345' } }, /no privacy without authentication/],
    [
      { name: 'u', auth: { protocol: 'sha', key: 'authpass12345' }, priv: { protocol: 'des', key: 'privpass12345' } },
      /DES is broken/,
    ],
    [{ name: 'u', auth: { protocol: 'sha', key: 'short' } }, /too short/],
    [{ name: 'u', level: 'authPriv', auth: { protocol: 'sha', key: 'authpass12345' } }, /without a priv key/],
    [{ name: 'x'.repeat(33) }, /1 to 32 octets/],
  ] as const)('with a user that cannot be is refused: %j', (wrong, message) => {
    const options = { host: '127.0.0.1', port: 0, communities: [], engine: { id: engineId, boots: 1 }, wall: handWall() };
    const start = () => snmpSource({ ...options, users: [wrong] });
    expect(start).toThrow(message);
    expect(start).not.toThrow(/pass12345/);
  });

  test('listens again after it was stopped', async () => {
    const { source, sink, offered } = await startSource();
    await source.stop();
    expect(source.stats().listening).toEqual([]);
    await source.start(sink);
    const { send } = await udpSender(Number(source.stats().listening[0]!.split(':').at(-1)));
    send(v2c());
    await offered.next();
  });
});
