// Bad input: cut short, flipped, random, nested, one octet at a time. Out comes a TargetError that says what is wrong, or
// an event; never a crash, a hang or a secret.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usersOf } from '../../adapters/snmp/users.ts';
import { checker } from '../../adapters/source-snmp/check.ts';
import { decodeTrap } from '../../adapters/source-snmp/index.ts';
import { usm } from '../../adapters/source-snmp/usm.ts';
import { timeWindow } from '../../adapters/source-snmp/window.ts';
import { TargetError } from '../../src/model/errors.ts';
import { fixtureUsers } from '../platforms/traps/fixture-users.ts';
import { notification, v2c, v3, writtenPdu } from './kit.ts';

const root = join(import.meta.dirname, '../fixtures/traps');
const recorded = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => Buffer.from(readFileSync(join(root, name, 'datagram.hex'), 'utf8').trim(), 'hex'));

const users = usersOf(fixtureUsers);
const engine = () => ({ engineID: Buffer.from('80000000051122334455667788', 'hex'), engineBoots: 7, engineTime: 100 });
const check = checker({
  communities: [],
  usm: usm({ users, window: timeWindow(), engine, nowMs: () => 0 }),
  mayIntroduce: () => true,
});

/** Whatever it is, it is dealt with: both ways in. */
function survives(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes);
  const before = buffer.toString('hex');
  expect(['accepted', 'dropped', 'asked']).toContain(check(buffer, '192.0.2.1').kind);
  try {
    JSON.stringify(decodeTrap(buffer, fixtureUsers));
  } catch (error) {
    expect(error).toBeInstanceOf(TargetError);
    expect(String(error)).not.toMatch(/public|pass12345|sesame/);
  }
  expect(buffer.toString('hex')).toBe(before);
}

const anyRecorded = fc.constantFrom(...recorded);

describe('a datagram', () => {
  test('cut short anywhere is malformed, and says where', () => {
    for (const bytes of recorded) {
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        expect(() => decodeTrap(cut, fixtureUsers)).toThrow(
          /^\[snmp\] the datagram is malformed at octet \d+: .* Check with a packet capture/,
        );
        expect(check(Buffer.from(cut), '192.0.2.1')).toEqual({ kind: 'dropped', cause: 'malformed' });
      }
    }
  });

  test('with anything behind it is malformed', () => {
    for (const bytes of recorded)
      expect(() => decodeTrap(Buffer.concat([bytes, Buffer.from([0])]), fixtureUsers)).toThrow(/1 octets follow/);
  });

  test('with bits flipped is survived', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyRecorded, flips, (bytes, changes) => {
        const flipped = Buffer.from(bytes);
        for (const [at, mask] of changes) flipped[at % flipped.length]! ^= mask;
        survives(flipped);
      }),
      { numRuns: 6_000 },
    );
  });

  test('with octets cut out or put in is survived', () => {
    fc.assert(
      fc.property(anyRecorded, fc.nat(), fc.nat(20), fc.uint8Array({ maxLength: 20 }), (bytes, at, gone, put) => {
        const from = at % bytes.length;
        survives(Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + gone)]));
      }),
      { numRuns: 4_000 },
    );
  });

  test('of random octets is survived, also behind a plausible head', () => {
    const heads = fc.constantFrom(
      '',
      '30',
      '3082',
      '302602010104067075626c6963a7',
      '3081ff0201033011020100020300ffe3040103020103',
    );
    fc.assert(
      fc.property(heads, fc.uint8Array({ maxLength: 300 }), (head, bytes) =>
        survives(Buffer.concat([Buffer.from(head, 'hex'), bytes])),
      ),
      { numRuns: 4_000 },
    );
  });

  test('of nothing but nested sequences is refused without recursion', () => {
    const nested = Buffer.alloc(60_000);
    for (let at = 0; at + 4 <= nested.length; at += 4) nested.writeUInt32BE((0x30820000 | (nested.length - at - 4)) >>> 0, at);
    survives(nested);
    survives(Buffer.alloc(65_507, 0x30));
  });

  test('with lengths of eight octets, beyond all numbers or indefinite, is refused', () => {
    for (const length of ['80', '88ffffffffffffffff', '8fffffffffffffffffffffffffffffff', '84ffffffff', '887fffffffffffffff']) {
      survives(Buffer.from(`30${length}020101`, 'hex'));
    }
  });

  test('of 6,000 varbinds is read whole', () => {
    const varbinds = Array.from({ length: 6_000 }, (_, at) => [`1.3.6.${at}`, 'Integer', at] as const);
    expect(decodeTrap(v2c({ varbinds })).varbinds).toHaveLength(6_000);
  });
});

describe('a varbind list', () => {
  test('that ends early inside a sound message is not taken for a shorter one', () => {
    // The varbind's OID turned into an integer: net-snmp alone stops there and says nothing.
    const bytes = v2c();
    const at = bytes.lastIndexOf(Buffer.from('2b0601040109', 'hex')) - 2;
    const broken = Buffer.from(bytes);
    broken[at] = 0x04;
    expect(() => decodeTrap(broken)).toThrow(/malformed at octet \d+: a varbind has type 4 as part 1/);
  });

  test('with a value that is none is refused', () => {
    const broken = (from: string, to: string) => Buffer.from(v2c().toString('hex').replace(from, to), 'hex');
    expect(() => decodeTrap(broken('43021388', '43820002'))).toThrow(/malformed/);
    expect(() => decodeTrap(broken('020106', '4e0106'))).toThrow(/unknown type 78/);
    expect(() => decodeTrap(broken('020106', '400106'))).toThrow(/a value of type 64 has 1 octets/);
  });
});

describe('a PDU', () => {
  test('that notifies of nothing says so', () => {
    const bytes = (tag: number) => Buffer.from(v2c().toString('hex').replace('a7', tag.toString(16)), 'hex');
    expect(() => decodeTrap(bytes(0xa0))).toThrow(/is none: its PDU has type 160/);
    expect(() => decodeTrap(bytes(0xa9))).toThrow(/unknown type 169/);
  });

  test('without snmpTrapOID is refused', () => {
    const user = { name: 'plain' };
    expect(() => decodeTrap(v3(writtenPdu(0xa7, 1, [['1.3.6.1.2.1.1.3.0', 'TimeTicks', 1]]), { user }))).toThrow(
      /no snmpTrapOID/,
    );
  });
});

describe('decoding SNMPv3', () => {
  const user = {
    name: 'u',
    auth: { protocol: 'sha', key: 'authpass12345' },
    priv: { protocol: 'aes128', key: 'privpass12345' },
  } as const;
  const sealed = v3({}, { user });

  test('says which key is missing or wrong', () => {
    expect(() => decodeTrap(sealed)).toThrow(/from the SNMPv3 user "u". Give its keys/);
    expect(() => decodeTrap(sealed, [])).toThrow(/from the SNMPv3 user "u". Give its keys/);
    expect(() => decodeTrap(sealed, [{ ...user, auth: { protocol: 'sha', key: 'another-key' } }])).toThrow(
      /does not carry the digest/,
    );
    expect(() => decodeTrap(sealed, [{ ...user, priv: { protocol: 'aes128', key: 'another-key' } }])).toThrow(
      /cannot be decrypted/,
    );
    expect(() => decodeTrap(sealed, [{ name: 'u', auth: user.auth }])).toThrow(/cannot be decrypted/);
  });

  test('reads what is in clear without users, its digest unchecked', () => {
    expect(decodeTrap(v3(notification(), { user, level: 'authNoPriv' }))).toMatchObject({
      version: 'v3',
      user: 'u',
      name: 'cHsrpStateChange',
    });
  });

  test('refuses what no message may have', () => {
    const flags = (value: number) =>
      Buffer.from(sealed.toString('hex').replace('040103', `0401${value.toString(16).padStart(2, '0')}`), 'hex');
    expect(() => decodeTrap(flags(2), [user])).toThrow(/privacy without authentication/);
    const model = Buffer.from(sealed.toString('hex').replace('040103020103', '040103020101'), 'hex');
    expect(() => decodeTrap(model, [user])).toThrow(/security model 1/);
  });
});
