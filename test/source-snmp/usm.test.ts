// SNMPv3 over real UDP sockets: RFC 3414 section 3.2, step by step, as a sender sees it.
import { describe, expect, test } from 'vitest';
import type { SnmpUser } from '../../adapters/source-snmp/index.ts';
import { snmpStrangersPerSecond } from '../../src/model/limits.ts';
import { answerOf, engineId, type Offered, senderEngine, startSource, udpSender, v2c, v3 } from './kit.ts';

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
