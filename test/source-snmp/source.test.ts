// The whole source over real UDP sockets on loopback.
import { createSocket } from 'node:dgram';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Message } from '../../adapters/snmp/net-snmp.ts';
import { type SnmpUser, snmpSource } from '../../adapters/source-snmp/index.ts';
import {
  answerOf,
  collector,
  discovery,
  engineId,
  handWall,
  hsrpStateChange,
  inbox,
  linkDown,
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
