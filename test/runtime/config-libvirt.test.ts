// A URI that libvirt would refuse, or that leads to another hypervisor, is told while nothing moves yet.
import { describe, expect, test } from 'vitest';
import { configFolder } from './config-folder.ts';

const { toldOfInventory } = configFolder();

const inventory = (uri: string, migrationUri: string) => `targets:
  kvm1:
    platform: libvirt
    address: kvm1
    libvirt:
      transport: tcp
      uri: '${uri}'
      migrationUri: '${migrationUri}'
`;
const own = 'Write it as its own daemon has it, such as qemu:///system.';
const way = 'Write it as the other hypervisors reach it, such as qemu+tls://HOST/system or qemu+ssh://USER@HOST/system.';
const paths = 'After the host comes /system, or /session for a daemon of one user.';

test.each([
  ['qemu:///system', 'qemu+tls://kvm1/system'],
  ['qemu:///session', 'qemu+ssh://root@kvm1:2222/system?keyfile=/etc/key&no_verify=1'],
  ['test:///default', 'qemu+unix:///session?socket=/run/kvm1/libvirt-sock'],
  ['test:///etc/some.xml', 'qemu+tcp://[2001:db8::1]:16509/system'],
  ['xen:///system', 'xen://kvm1/system'],
  ['lxc:///', 'qemu+libssh2://kvm1/session'],
  ['vbox:///session', 'qemu+ext:///system?command=/usr/bin/way'],
])('%s and %s are taken', async (uri, migrationUri) => {
  expect(await toldOfInventory(inventory(uri, migrationUri))).toBe('');
});

describe('the URI of its own daemon', () => {
  test.each([
    ['kvm1', `"kvm1" is no libvirt URI. ${own}`],
    ['', `"" is no libvirt URI. ${own}`],
    ['qemu:/system', `"qemu:/system" is no libvirt URI. ${own}`],
    ['qmeu:///system', 'libvirt has no driver "qmeu". Did you mean qemu?'],
    ['https:///system', `libvirt has no driver "https". ${own}`],
    ['qemu:///sytem', `qemu has no path "/sytem". ${paths}`],
    ['qemu+tls://kvm1/system', `names a way, and the way to the daemon is "transport" with the target's address. ${own}`],
    ['qemu://kvm1/system', `names a way, and the way to the daemon is "transport" with the target's address. ${own}`],
  ])('is not %j', async (uri, said) => {
    expect(await toldOfInventory(inventory(uri, 'qemu+tls://kvm1/system'))).toBe(
      `inventory.yaml:7:12: targets.kvm1.libvirt.uri: ${said}`,
    );
  });
});

describe('the URI for migrations', () => {
  test.each([
    ['kvm1', `"kvm1" is no libvirt URI. ${way}`],
    ['tcp://kvm1:49152', `libvirt has no driver "tcp". ${way}`],
    ['qemu+tsl://kvm1/system', 'libvirt has no transport "tsl". Did you mean tls?'],
    ['qemu+telnet://kvm1/system', 'libvirt has no transport "telnet". It has tls, tcp, ssh, unix, ext, libssh, libssh2.'],
    ['qemu+tls://kvm1', `lacks its path. ${paths}`],
    ['qemu+tls://kvm1:70000/system', '70000 is no port. A port is 1 to 65535.'],
    ['qemu:///system', `names no host: each hypervisor would find itself there. ${way}`],
    ['qemu+unix:///system', `names no host: each hypervisor would find itself there. ${way}`],
  ])('is not %j', async (migrationUri, said) => {
    expect(await toldOfInventory(inventory('qemu:///system', migrationUri))).toBe(
      `inventory.yaml:8:21: targets.kvm1.libvirt.migrationUri: ${said}`,
    );
  });

  test('is not that of another', async () => {
    const one = inventory('qemu:///system', 'qemu+tls://kvm1/system');
    const two = one.replace('targets:\n', '').replaceAll(': kvm1', ': kvm2').replace('kvm1:', 'kvm2:');
    expect(await toldOfInventory(one + two)).toBe(
      'inventory.yaml:15:21: targets.kvm2.libvirt.migrationUri: leads to "kvm1", which has the same. Correct one of the two.',
    );
  });
});
