// What we rely on in net-snmp and nobody promises: when one of these fails after an update, read docs/decisions/0003.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { Message, netSnmp } from '../../adapters/snmp/net-snmp.ts';
import { usersOf } from '../../adapters/snmp/users.ts';
import { engineId, notification, v2c, v3 } from './kit.ts';

const require = createRequire(import.meta.url);
const source = readFileSync(require.resolve('net-snmp'), 'utf8');

test('it is the version that was read', () => {
  expect(require('net-snmp/package.json').version).toBe('3.29.2');
});

test('a receiver leads to the Message class, and opens no socket on the way', () => {
  expect(typeof Message.createFromBuffer).toBe('function');
  expect(typeof Message.createV3).toBe('function');
  expect(typeof Message.createCommunity).toBe('function');
});

test('its Receiver answers an inform before it calls back, which is why we do not use it', () => {
  const receiver = source.slice(source.indexOf('Receiver.prototype.onMsg'));
  const informs = receiver.slice(receiver.indexOf('PduType.InformRequest'));
  expect(informs.indexOf('listener.send')).toBeLessThan(informs.indexOf('callback (null'));
});

test('a message round-trips, secrets of v3 in cipher', () => {
  const message = Message.createFromBuffer(v2c({ id: 5 }));
  expect(message).toMatchObject({ version: 1, community: 'public', pdu: { id: 5, type: 0xa7 } });
  const user = {
    name: 'u',
    auth: { protocol: 'sha', key: 'authpass12345' },
    priv: { protocol: 'aes128', key: 'privpass12345' },
  } as const;
  const sealed = Message.createFromBuffer(v3({}, { user, boots: 4, time: 1_000, msgId: 99 }));
  expect(sealed).toMatchObject({
    version: 3,
    pdu: null,
    msgGlobalData: { msgID: 99, msgFlags: 3, msgSecurityModel: 3 },
    msgSecurityParameters: { msgAuthoritativeEngineBoots: 4, msgAuthoritativeEngineTime: 1_000, msgUserName: 'u' },
  });
});

test('its digest lengths and hashes are those of RFC 3414 and RFC 7860', () => {
  const { algorithms } = netSnmp.Authentication;
  const found = Object.fromEntries(
    ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'].map((name) => {
      const { CRYPTO_ALGORITHM, AUTHENTICATION_CODE_LENGTH } = algorithms[netSnmp.AuthProtocols[name]!]!;
      return [name, [CRYPTO_ALGORITHM, AUTHENTICATION_CODE_LENGTH]];
    }),
  );
  expect(found).toEqual({
    md5: ['md5', 12],
    sha: ['sha1', 12],
    sha224: ['sha224', 16],
    sha256: ['sha256', 24],
    sha384: ['sha384', 32],
    sha512: ['sha512', 48],
  });
});

test('our localised keys are its own: it signs, we verify', () => {
  for (const protocol of ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const) {
    const user = { name: 'u', auth: { protocol, key: 'authpass12345' } };
    const bytes = v3({}, { user, engine: engineId });
    const engine = Buffer.from(engineId, 'hex');
    const { AUTHENTICATION_CODE_LENGTH: length } = netSnmp.Authentication.algorithms[netSnmp.AuthProtocols[protocol]!]!;
    const from = bytes.indexOf(Buffer.from([0x75, 0x04, length])) + 3;
    const digest = { tag: 4, start: from - 2, from, to: from + length };
    expect(usersOf([user]).get('u')!.authentic(bytes, digest, engine)).toBe(true);
    const other = Buffer.from(bytes);
    other[bytes.length - 1]! ^= 1;
    expect(usersOf([user]).get('u')!.authentic(other, digest, engine)).toBe(false);
  }
});

test('its key cache can be emptied, and is keyed so that we know what it holds', () => {
  netSnmp.Authentication.authToKeyCache = {};
  v3({}, { user: { name: 'u', auth: { protocol: 'sha', key: 'authpass12345' } } });
  expect(Object.keys(netSnmp.Authentication.authToKeyCache)).toHaveLength(1);
  netSnmp.Authentication.authToKeyCache = {};
});

test('a Report carries the usmStats object asked for', () => {
  const engine = { engineID: Buffer.from(engineId, 'hex'), engineBoots: 7, engineTime: 3 };
  const report = Message.createFromBuffer(v3({}, { user: { name: 'u' } })).createReportResponseMessage(engine, '', '4');
  const { pdu, msgSecurityParameters } = Message.createFromBuffer(report.toBuffer());
  expect(pdu?.varbinds).toEqual([{ oid: '1.3.6.1.6.3.15.1.1.4.0', type: 65, value: 1 }]);
  expect(msgSecurityParameters).toMatchObject({ msgAuthoritativeEngineBoots: 7, msgAuthoritativeEngineTime: 3 });
});

test('the key of RFC 3414 A.3.2 comes out as it is printed there', () => {
  // "maplesyrup", SHA, engine 00..02: the localised key 6695febc 9288e362 82235fc7 151f1284 97b38f3f.
  const engine = Buffer.from('000000000000000000000002', 'hex');
  const message = Message.createV3(
    { name: 'u', level: 2, authProtocol: netSnmp.AuthProtocols.sha!, authKey: 'maplesyrup' },
    { msgID: 1, msgMaxSize: 65_507, msgFlags: 1, msgSecurityModel: 3 },
    { msgAuthoritativeEngineID: engine, msgAuthoritativeEngineBoots: 1, msgAuthoritativeEngineTime: 1, msgUserName: 'u' },
    notification(),
  );
  netSnmp.Authentication.authToKeyCache = {};
  message.toBuffer();
  expect(Object.values(netSnmp.Authentication.authToKeyCache).map((value) => value.toString('hex'))).toEqual([
    '6695febc9288e36282235fc7151f128497b38f3f',
  ]);
  netSnmp.Authentication.authToKeyCache = {};
});
