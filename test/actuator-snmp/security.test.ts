// What comes from the wire, whole, cut and changed: an answer of the agent or nothing, and never an exception.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareOids, isBelow } from '../../adapters/actuator-snmp/pdu.ts';
import { communitySecurity, type Security, userSecurity } from '../../adapters/actuator-snmp/security.ts';
import { account, octets, report, responsePdu, sealed } from './agent.ts';

const clock = { boots: 3, time: 5_000 };
const rows = [['1.3.6.1.2.1.1.3.0', 4711]] as const;

/** That has found its engine. */
function user(): Security {
  const security = userSecurity(account, () => 0);
  security.open(sealed(report(1, 4), 1, clock, { user: { name: 'nobody' }, level: 'noAuthNoPriv' }));
  return security;
}

const answers: readonly (readonly [string, () => Security, Buffer])[] = [
  ['SNMPv2c', () => communitySecurity('secret'), octets(7, { rows })],
  ['SNMPv3', user, sealed(responsePdu(7, { rows }), 7, clock)],
  ['a report', user, sealed(report(7, 2), 7, clock, { level: 'authNoPriv' })],
];

test.each(answers)('%s is read whole', (_name, security, bytes) => {
  expect(security().open(bytes)).toMatchObject({ id: 7 });
});

test.each(answers)('%s cut anywhere is no answer', (_name, security, bytes) => {
  const reader = security();
  for (let length = 0; length < bytes.length; length++) expect(reader.open(bytes.subarray(0, length))).toBeUndefined();
});

test.each(answers)('%s with octets changed, put in or left out throws nothing', (_name, security, bytes) => {
  const reader = security();
  const change = fc.record({ at: fc.nat(bytes.length - 1), gone: fc.nat(3), put: fc.uint8Array({ maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let mutant: Buffer = bytes;
      for (const { at, gone, put } of changes) mutant = Buffer.concat([mutant.subarray(0, at), put, mutant.subarray(at + gone)]);
      const answer = reader.open(mutant);
      expect(answer === undefined || typeof answer.id === 'number').toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('no bit of an SNMPv3 answer can be changed', () => {
  const [, security, bytes] = answers[1]!;
  const reader = security();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const mutant = Buffer.from(bytes);
    mutant[bit >> 3]! ^= 1 << (bit & 7);
    expect(reader.open(mutant), `bit ${bit}`).toBeUndefined();
  }
  expect(reader.open(bytes)).toMatchObject({ kind: 'response', id: 7 });
});

test('whatever octets come, nothing is thrown', () => {
  const readers = [communitySecurity('secret'), user(), userSecurity(account, () => 0)];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const reader of readers) expect(reader.open(Buffer.from(bytes))).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});

test('OIDs are ordered number by number, and what is longer comes later', () => {
  const sorted = ['1.3', '1.3.1', '1.3.1.9', '1.3.1.10', '1.3.2', '1.4', '2'];
  for (const [i, a] of sorted.entries())
    for (const [j, b] of sorted.entries()) expect(Math.sign(compareOids(a, b))).toBe(Math.sign(i - j));
  expect(isBelow('1.3.10', '1.3.1')).toBe(false);
  expect(isBelow('1.3.1', '1.3.1')).toBe(false);
  expect(isBelow('1.3.1.0', '1.3.1')).toBe(true);
});
