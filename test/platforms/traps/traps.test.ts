// Raw datagrams in, what we say they mean out: one folder a case in test/fixtures/traps.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { meaningfulTraps, trapMeaning } from '../../../adapters/platforms/trap-meanings.ts';
import { type DecodedTrap, decodeTrap } from '../../../adapters/source-snmp/index.ts';
import type { Varbind } from '../../../src/model/event.ts';
import { snmpSchema } from '../../../src/model/event.ts';
import { meaningSchema } from '../../../src/model/meaning.ts';
import { fixtureUsers } from './fixture-users.ts';

const root = join(import.meta.dirname, '../../fixtures/traps');
const cases = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const datagram = (name: string) => Buffer.from(readFileSync(join(root, name, 'datagram.hex'), 'utf8').trim(), 'hex');
const expected = (name: string): DecodedTrap => JSON.parse(readFileSync(join(root, name, 'event.json'), 'utf8'));

describe('a recorded notification', () => {
  test.each(cases)('%s has both its files', (name) => {
    expect(['datagram.hex', 'event.json'].filter((file) => !existsSync(join(root, name, file)))).toEqual([]);
  });

  test.each(cases)('%s reads as its event', (name) => {
    expect(decodeTrap(datagram(name), fixtureUsers)).toEqual(expected(name));
  });

  test.each(cases)('%s fits the model', (name) => {
    const { kind, meaning, ...fields } = decodeTrap(datagram(name), fixtureUsers);
    expect(kind).toBe('snmp');
    expect(snmpSchema.strict().parse(fields)).toEqual(fields);
    expect(meaningSchema.nullable().parse(meaning)).toEqual(meaning);
  });

  test.each(meaningfulTraps)('of %s is there, with its meaning', (oid) => {
    const recorded = cases.map(expected).filter((event) => event.oid === oid && event.meaning !== null);
    expect(recorded).not.toEqual([]);
  });

  test('says the name of each notification that has a meaning', () => {
    expect(cases.map(expected).filter((event) => event.meaning && event.name === undefined)).toEqual([]);
  });
});

describe('the meaning of a notification', () => {
  const trap = (oid: string, ...varbinds: readonly (readonly [oid: string, value: Varbind['value']])[]) =>
    trapMeaning({
      version: 'v2c',
      pdu: 'trap',
      oid,
      varbinds: varbinds.map(([at, value]) => ({ oid: at, type: 'any', value })),
    });
  const hsrp = '1.3.6.1.4.1.9.9.106.2.0.1';
  const standbyState = '1.3.6.1.4.1.9.9.106.1.2.1.1.15';

  test('takes the SNMP numbers of HSRP states, which are not those of HSRPv1 on the wire', () => {
    const to = (state: number) => trap(hsrp, [`${standbyState}.3.1`, state]);
    const states = [1, 2, 3, 4, 5, 6].map((state) => to(state));
    expect(states.map((meaning) => meaning?.kind === 'hsrp.state-changed' && meaning.to)).toEqual([
      'init',
      'learn',
      'listen',
      'speak',
      'standby',
      'active',
    ]);
    expect([0, 7, 8, 16, -1].map(to)).toEqual([null, null, null, null, null]);
  });

  test('is none where a value has another type than its column', () => {
    expect(trap(hsrp, [`${standbyState}.3.1`, 'active'])).toBeNull();
    expect(trap('1.3.6.1.4.1.9.9.315.0.0.1', ['1.3.6.1.4.1.9.9.315.1.2.1.1.10.1', 6])).toBeNull();
  });

  test('does not take a column for another one that begins with the same digits', () => {
    expect(trap(hsrp, [`${standbyState}0.3.1`, 6])).toBeNull();
  });

  test('leaves out an ifIndex of 0, which names no interface', () => {
    expect(trap(hsrp, [`${standbyState}.0.1`, 6])).toEqual({ kind: 'hsrp.state-changed', group: 1, to: 'active' });
  });

  test('reads an interface name padded with NUL', () => {
    const name = '0x4769302f37000000';
    expect(trap('1.3.6.1.6.3.1.1.5.3', ['1.3.6.1.2.1.31.1.1.1.1.7', name])).toMatchObject({ interface: 'GigabitEthernet0/7' });
  });

  test('keeps the reason of a BGP session from its last error where there is no text', () => {
    const index = '10.0.2.1';
    const varbinds = [
      [`1.3.6.1.2.1.15.3.1.14.${index}`, '0x0602'],
      [`1.3.6.1.2.1.15.3.1.2.${index}`, 1],
    ] as const;
    expect(trap('1.3.6.1.2.1.15.0.2', ...varbinds)).toMatchObject({ neighbor: index, to: 'down', reason: 'error 6/2' });
  });
});
