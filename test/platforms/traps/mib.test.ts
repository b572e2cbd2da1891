import { expect, test } from 'vitest';
import { nameOf } from '../../../adapters/platforms/mib.ts';

test('an OID is named by its longest known prefix, the rest kept', () => {
  expect(nameOf('1.3.6.1.4.1.9.9.106.1.2.1.1.15.3.1')).toBe('cHsrpGrpStandbyState.3.1');
  expect(nameOf('1.3.6.1.2.1.31.1.1.1.1.7')).toBe('ifName.7');
  expect(nameOf('1.3.6.1.4.1.9.9.106.2.0.1')).toBe('cHsrpStateChange');
  expect(nameOf('1.0.8802.1.1.2.0.0.1')).toBe('lldpRemTablesChange');
});

test('an OID is not named by one whose last arc merely begins alike', () => {
  expect(nameOf('1.3.6.1.2.1.31.1.1.1.11.7')).toBeUndefined();
  expect(nameOf('1.3.6.1.4.1.9.9.106.2.0.10')).toBeUndefined();
});

test('what is unknown, empty or absurdly long has no name', () => {
  expect(nameOf('1.3.6.1.4.1.99999.1')).toBeUndefined();
  expect(nameOf('')).toBeUndefined();
  expect(nameOf(Array.from({ length: 100_000 }, () => '1').join('.'))).toBeUndefined();
});
