// What an inventory says of hypervisors, ports and paths must fit together; what does not is told with its line and a remedy.
import { describe, expect, test } from 'vitest';
import { configFolder } from './config-folder.ts';

const { toldOfInventory } = configFolder();

const targets = `targets:
  kvm1: { platform: libvirt, address: a, libvirt: { transport: tcp } }
  kvm2: { platform: libvirt, address: b, libvirt: { transport: unix, socket: /run/libvirt/libvirt-sock } }
  acc-1: { platform: cisco-ios, address: c }
`;
const good = `${targets}attachments:
  - { hypervisor: kvm1, target: acc-1, interface: Gi1/0/1, vlans: [10, 20], native: 10 }
paths:
  - { from: kvm1, to: kvm2, toward: 10.0.0.2, egress: [{ target: acc-1, interface: Gi1/0/24 }] }
`;

const dscpForm = 'Write a number of 0 to 63 in quotes, or its word, such as cs4, af41 or ef.';

test('an inventory with hypervisors, attachments and paths is taken', async () => {
  expect(await toldOfInventory(good)).toBe('');
});

describe('is told with line, cause and remedy:', () => {
  test.each([
    [
      'a hypervisor misspelt',
      'hypervisor: kvm1',
      'hypervisor: kmv1',
      '6:19: attachments[0].hypervisor: there is no target "kmv1". Did you mean kvm1?',
    ],
    [
      'a switch for a hypervisor',
      'hypervisor: kvm1',
      'hypervisor: acc-1',
      '6:19: attachments[0].hypervisor: "acc-1" is no hypervisor. Name a target whose platform is libvirt.',
    ],
    [
      'a switch that is not there',
      'target: acc-1, interface: Gi1/0/1,',
      'target: acc-7, interface: Gi1/0/1,',
      '6:33: attachments[0].target: there is no target "acc-7". Did you mean acc-1?',
    ],
    [
      'a native VLAN that is none of its own',
      'native: 10',
      'native: 30',
      '6:85: attachments[0].native: VLAN 30 is not among its vlans. Add it there, or correct it.',
    ],
    [
      'a path to itself',
      'to: kvm2',
      'to: kvm1',
      '8:23: paths[0].to: the path leads from "kvm1" to itself. Say another hypervisor.',
    ],
    [
      'a hypervisor for a switch',
      'target: acc-1, interface: Gi1/0/1,',
      'target: kvm2, interface: Gi1/0/1,',
      '6:33: attachments[0].target: "kvm2" is a hypervisor, and no switch. Name a router or a switch.',
    ],
    [
      'a hypervisor for a VTEP',
      'native: 10',
      'native: 10, vtep: kvm1',
      '6:95: attachments[0].vtep: "kvm1" is a hypervisor, and no switch. Name a router or a switch.',
    ],
    [
      'a hypervisor on the way',
      'target: acc-1, interface: Gi1/0/24',
      'target: kvm1, interface: eth0',
      '8:66: paths[0].egress[0].target: "kvm1" is a hypervisor, and no switch. Name a router or a switch.',
    ],
    [
      'one port twice on the way, written otherwise',
      '{ target: acc-1, interface: Gi1/0/24 }',
      '{ target: acc-1, interface: Gi1/0/24 }, { target: acc-1, interface: GigabitEthernet1/0/24 }',
      '8:96: paths[0].egress[1]: the path leaves by acc-1 GigabitEthernet1/0/24 already. Keep one of the two.',
    ],
    [
      'a mark of more than six bits',
      'toward: 10.0.0.2',
      "toward: 10.0.0.2, dscp: '64'",
      `8:53: paths[0].dscp: "64" is no DSCP. ${dscpForm}`,
    ],
    [
      'a mark below none',
      'toward: 10.0.0.2',
      "toward: 10.0.0.2, dscp: '-1'",
      `8:53: paths[0].dscp: "-1" is no DSCP. ${dscpForm}`,
    ],
    [
      'the word of a mark misspelt',
      'toward: 10.0.0.2',
      'toward: 10.0.0.2, dscp: csr4',
      '8:53: paths[0].dscp: "csr4" is no DSCP. Did you mean cs4?',
    ],
    [
      'a word for no mark',
      'toward: 10.0.0.2',
      'toward: 10.0.0.2, dscp: lowest',
      `8:53: paths[0].dscp: "lowest" is no DSCP. ${dscpForm}`,
    ],
    [
      'a hypervisor without access',
      ', libvirt: { transport: tcp }',
      '',
      '2:9: targets.kvm1: a hypervisor lacks "libvirt". Add "libvirt:" with a transport, as in libvirt: { transport: tls, ca: …, certificate: …, key: … }.',
    ],
    [
      'TLS without its certificates',
      'transport: tcp',
      'transport: tls',
      '2:51: targets.kvm1.libvirt: libvirt over tls lacks "ca" and "certificate" and "key". Write them, or choose another transport.',
    ],
    [
      'a socket without a name',
      'socket: /run/libvirt/libvirt-sock',
      "socket: ''",
      '3:78: targets.kvm2.libvirt.socket: the text is empty. Write one, or leave the key out.',
    ],
    [
      'libvirt on a router',
      'platform: cisco-ios, address: c',
      'platform: cisco-ios, address: c, libvirt: { transport: tcp }',
      '4:54: targets.acc-1.libvirt: a cisco-ios has no libvirtd. Write platform: libvirt, or take the libvirt section out.',
    ],
    [
      'an SNMP secret beside a command line, where it would be used for nothing',
      'platform: cisco-ios, address: c',
      'platform: cisco-ios, address: c, cli: { user: u, key: { file: k }, hostKey: SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA }, snmp: { write: { community: { env: RW } } }',
      '4:157: targets.acc-1.snmp.write: nothing is set over SNMP where there is a cli section. Take "write" out, or the cli section.',
    ],
    [
      'an SNMP secret where nothing is set over SNMP',
      'platform: cisco-ios, address: c',
      'platform: frr, address: c, snmp: { write: { community: { env: RW } } }',
      '4:54: targets.acc-1.snmp.write: nothing is set over SNMP on a frr. Take "write" out.',
    ],
    [
      'an SNMPv3 user without keys',
      'platform: cisco-ios, address: c',
      'platform: cisco-ios, address: c, snmp: { write: { user: u } }',
      '4:60: targets.acc-1.snmp.write: "auth" and "priv" are missing: nothing less than authPriv sets. Add what is missing, or remove what is too much.',
    ],
    [
      'a community beside a user',
      'platform: cisco-ios, address: c',
      'platform: cisco-ios, address: c, snmp: { write: { user: u, community: { env: RW } } }',
      '4:68: targets.acc-1.snmp.write.user: is not used beside a community. Add what is missing, or remove what is too much.',
    ],
    [
      'neither',
      'platform: cisco-ios, address: c',
      'platform: cisco-ios, address: c, snmp: { write: {} }',
      '4:60: targets.acc-1.snmp.write: "user", "auth" and "priv" are missing, or "community". Add what is missing, or remove what is too much.',
    ],
  ])('%s', async (_, from, to, message) => {
    expect(good).toContain(from);
    expect(await toldOfInventory(good.replace(from, to))).toBe(`inventory.yaml:${message}`);
  });

  test('two hypervisors behind one port, however it is written', async () => {
    const two = good.replace(
      'paths:',
      '  - { hypervisor: kvm2, target: acc-1, interface: GigabitEthernet1/0/1, vlans: [10] }\npaths:',
    );
    expect(await toldOfInventory(two)).toBe(
      'inventory.yaml:7:51: attachments[1].interface: kvm1 is behind acc-1 GigabitEthernet1/0/1 already. Correct one of the two.',
    );
  });

  test('a path that is there already', async () => {
    const path = good.split('\n').find((line) => line.includes('from: kvm1'))!;
    expect(await toldOfInventory(`${good}${path}\n`)).toBe(
      'inventory.yaml:9:5: paths[1]: there is a path from "kvm1" to "kvm2" already. Keep one of the two.',
    );
  });
});
