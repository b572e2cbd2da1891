// What can be no address, cannot log in, or cannot be told from another target is told with its line and a remedy.
import { describe, expect, test } from 'vitest';
import { configFolder, goodConfig } from './config-folder.ts';

const { told, toldOfInventory } = configFolder();

const hostKey = `hostKey: "SHA256:${'a'.repeat(43)}"`;
const ssh = `user: o, password: { env: P }, ${hostKey}`;
const target = (fields: string) => `targets:\n  a: { platform: frr, ${fields} }\n`;
const two = (first: string, second: string) =>
  `targets:\n  a: { platform: libvirt, ${first} }\n  b: { platform: libvirt, ${second} }\n`;

describe('is told with line, cause and remedy:', () => {
  test.each([
    [
      'an address beyond its octets',
      target('address: 192.0.2.300'),
      '2:32: targets.a.address: "192.0.2.300" is no IPv4 address. Write it as 192.0.2.1 or 2001:db8::1, or the name of a host.',
    ],
    [
      'an address of three octets',
      target('address: 192.0.2'),
      '2:32: targets.a.address: "192.0.2" is no IPv4 address. Write it as 192.0.2.1 or 2001:db8::1, or the name of a host.',
    ],
    [
      'an IPv6 address that is none',
      target('address: "2001:db8::g"'),
      '2:32: targets.a.address: "2001:db8::g" is no IPv6 address. Write it as 192.0.2.1 or 2001:db8::1, or the name of a host.',
    ],
    [
      'a prefix for an address',
      target('address: 192.0.2.1/24'),
      '2:32: targets.a.address: "192.0.2.1/24" is a prefix. Write the address alone, without its length.',
    ],
    [
      'a port in the address',
      target('address: "192.0.2.1:2222"'),
      '2:32: targets.a.address: "192.0.2.1:2222" has a port in it. Write 192.0.2.1 here, and port: 2222 in the section of the access.',
    ],
    [
      'a name with a space',
      target('address: "edge 1"'),
      '2:32: targets.a.address: "edge 1" is neither an address nor the name of a host. Write it as 192.0.2.1 or 2001:db8::1, or the name of a host.',
    ],
    [
      'a name for an alias: datagrams have none',
      target('address: a, aliases: [loop0]'),
      '2:45: targets.a.aliases[0]: "loop0" is no address. Write it as 192.0.2.1 or 2001:db8::1.',
    ],
    [
      'a neighbour beyond its octets',
      target('address: a, bgp: { neighbors: [192.0.2.256] }'),
      '2:54: targets.a.bgp.neighbors[0]: "192.0.2.256" is no IPv4 address. Write it as 192.0.2.1 or 2001:db8::1.',
    ],
    [
      'SSH with nothing to log in with',
      target(`address: a, cli: { user: o, ${hostKey} }`),
      '2:35: targets.a.cli: SSH has neither "key" nor "password" to log in with. Add one of them, as in key: { file: keys/offbox } or password: { env: NAME }.',
    ],
    [
      'the address of any interface',
      target('address: 0.0.0.0'),
      "2:32: targets.a.address: 0.0.0.0 is no device's own address. Write the one by which this device alone is reached.",
    ],
    [
      'a group for an alias',
      target('address: h, aliases: ["ff02::2"]'),
      "2:45: targets.a.aliases[0]: ff02::2 is no device's own address. Write the one by which this device alone is reached.",
    ],
    [
      'a group for a neighbour',
      target('address: h, bgp: { neighbors: [224.0.0.5] }'),
      "2:54: targets.a.bgp.neighbors[0]: 224.0.0.5 is no device's own address. Write the one by which this device alone is reached.",
    ],
    [
      'one device as two targets',
      `targets:\n  a: { platform: frr, address: 192.0.2.1, cli: { ${ssh} } }\n  b: { platform: frr, address: 192.0.2.1, cli: { port: 22, ${ssh} } }\n`,
      '3:32: targets.b.address: "a" has this address and the same cli port 22. Correct one of the two: a device is one target.',
    ],
    [
      'one libvirtd as two targets, written otherwise',
      two(
        'address: "2001:db8::1", libvirt: { transport: tcp }',
        'address: "2001:DB8:0::1", libvirt: { transport: tcp, port: 16509 }',
      ),
      '3:36: targets.b.address: "a" has this address and the same libvirt port 16509. Correct one of the two: a device is one target.',
    ],
    [
      "an alias that is another's address",
      `targets:\n  a: { platform: frr, address: 192.0.2.1 }\n  b: { platform: frr, address: 192.0.2.2, aliases: [192.0.2.1] }\n`,
      '3:53: targets.b.aliases[0]: 192.0.2.1 belongs to "a" already. Remove it from one of the two: events come from one target.',
    ],
  ])('%s', async (_, inventory, message) => {
    expect(await toldOfInventory(inventory)).toBe(`inventory.yaml:${message}`);
  });

  test.each([
    [
      'an address to listen on beyond its octets',
      'syslog: { udp: "300.0.0.1:514" }',
      '2:27: sources.syslog.udp: "300.0.0.1" is no IPv4 address. Write it as 192.0.2.1 or 2001:db8::1, or the name of a host.',
    ],
    [
      'one port for two sources',
      'syslog: { udp: "0.0.0.0:514" }, snmp: { udp: "0.0.0.0:514" }',
      '2:57: sources.snmp.udp: sources.syslog.udp listens on UDP 0.0.0.0:514 already. Give one of the two another port.',
    ],
    [
      'a port of NATS too high',
      'nats: { servers: ["nats://127.0.0.1:70000"] }',
      '2:30: sources.nats.servers[0]: 70000 is no port. A port is 1 to 65535; NATS listens on 4222 by default.',
    ],
  ])('%s', async (_, source, message) => {
    expect(await told(`${goodConfig}sources: { ${source} }\n`)).toBe(`offbox.yaml:${message}`);
  });
});

test.each([
  [
    'a port of its own',
    `targets:\n  a: { platform: frr, address: h, cli: { ${ssh} } }\n  b: { platform: frr, address: h, cli: { port: 23, ${ssh} } }\n`,
  ],
  ['another access', `targets:\n  a: { platform: frr, address: h, cli: { ${ssh} } }\n  b: { platform: frr, address: h }\n`],
  ['its own alias twice', target('address: 192.0.2.1, aliases: [192.0.2.1, 192.0.2.7]')],
])('nothing is told of %s', async (_, inventory) => {
  expect(await toldOfInventory(inventory)).toBe('');
});

test('a hypervisor for a router is told, and so is a mode without a value', async () => {
  const lines = 'gateways:\n  g: { protocol: vrrp, members: [{ target: k, group: 1 }] }\n';
  expect(await toldOfInventory(`targets:\n  k: { platform: libvirt, address: k, libvirt: { transport: tcp } }\n${lines}`)).toBe(
    'inventory.yaml:4:44: gateways.g.members[0].target: "k" is a hypervisor, and no member of a gateway. Name a router or a switch.',
  );
  expect(await told(`${goodConfig}modes: { default: }\n`)).toBe(
    'offbox.yaml:2:19: modes.default: has no value. Write one of observe, propose, enforce.',
  );
});

test('a length of time that is none is told with its form', async () => {
  expect(await told(`${goodConfig}journal: { keep: -5d }\n`)).toBe(
    'offbox.yaml:2:18: journal.keep: "-5d" is not valid. It must be a number and a unit, such as 250ms, 2s, 5m, 1h or 7d.',
  );
  expect(await told(`${goodConfig}journal: { keep: 99999999d }\n`)).toBe(
    'offbox.yaml:2:18: journal.keep: "99999999d" is not valid. It must be shorter than 100 years.',
  );
  for (const none of ['0d', '0.1ms'])
    expect(await told(`${goodConfig}journal: { keep: ${none} }\n`)).toBe(
      `offbox.yaml:2:18: journal.keep: "${none}" is not valid. It must be at least 1ms.`,
    );
});
