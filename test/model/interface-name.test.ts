import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interfaceName } from '../../src/model/interface-name.ts';

describe('the name of an interface', () => {
  test.each([
    ['Gi7/48', 'GigabitEthernet7/48'],
    ['GigabitEthernet7/48.', 'GigabitEthernet7/48'],
    ['Gi7/48,', 'GigabitEthernet7/48'],
    ['gigabitethernet1/0/1', 'GigabitEthernet1/0/1'],
    ['Gi0/0/0.100', 'GigabitEthernet0/0/0.100'],
    ['Vl20', 'Vlan20'],
    ['Vlan 20', 'Vlan20'],
    ['VLAN20:', 'Vlan20'],
    ['Te1/1/3', 'TenGigabitEthernet1/1/3'],
    ['Tw1/0/1', 'TwoGigabitEthernet1/0/1'],
    ['Twe1/0/1', 'TwentyFiveGigE1/0/1'],
    ['Fo1/1/1', 'FortyGigabitEthernet1/1/1'],
    ['Hu0/0/0/1', 'HundredGigE0/0/0/1'],
    ['Fa0/1', 'FastEthernet0/1'],
    ['Eth1/1', 'Ethernet1/1'],
    ['Et49/1', 'Ethernet49/1'],
    ['Po10', 'Port-channel10'],
    ['port-channel10', 'Port-channel10'],
    ['BE7', 'Bundle-Ether7'],
    ['Lo0', 'Loopback0'],
    ['Tu100', 'Tunnel100'],
    ['BDI5', 'BDI5'],
    ['BD3328', 'BDI3328'],
    ['Fi1/0/5', 'FiveGigabitEthernet1/0/5'],
    ['Ap1/0/1', 'AppGigabitEthernet1/0/1'],
    ['BV1', 'BVI1'],
    ['TF0/0/0/24', 'TwentyFiveGigE0/0/0/24'],
    ['FH0/0/0/1', 'FourHundredGigE0/0/0/1'],
    // IOS-XR writes these out so, and shortens them as IOS does what it calls otherwise.
    ['TenGigE0/0/0/1.100', 'TenGigabitEthernet0/0/0/1.100'],
    ['FortyGigE0/0/0/1', 'FortyGigabitEthernet0/0/0/1'],
  ])('%s is %s', (written, name) => {
    expect(interfaceName(written)).toBe(name);
    expect(interfaceName(name)).toBe(name);
  });

  test.each(['ge-0/0/1.0', 'eth0', 'mgmt0', 'lo', 'irb.20', 'br-ex', 'vnet7', '', '7', 'Gi', 'constructor1', '__proto__'])(
    'stays %s where it is not known to have another',
    (written) => {
      expect(interfaceName(written)).toBe(written === 'eth0' ? 'Ethernet0' : written);
    },
  );

  test('is the same when it is asked for twice, whatever was written', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z-]{0,20} ?\d{0,3}[/.:]?\d{0,3}[.,;:]{0,3}$/)), (written) => {
        const once = interfaceName(written);
        expect(interfaceName(once)).toBe(once);
      }),
    );
  });

  test('is found in one pass over a long line of dots', () => {
    const dots = '.'.repeat(1_000_000);
    expect(interfaceName(`${dots}x`)).toBe(`${dots}x`);
    expect(interfaceName(`x${dots}`)).toBe('x');
  });
});
