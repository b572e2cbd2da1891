import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listenAddress, snmpLevel } from '../../src/model/config.ts';
import { nearest } from '../../src/model/nearest.ts';
import { checkConfig, loadConfig } from '../../src/runtime/config.ts';
import { schemaText } from '../../src/runtime/schema.ts';
import { configFolder, goodConfig } from './config-folder.ts';

const { pathOf, told, toldOfInventory } = configFolder();

/** Two targets and one gateway of the lines given. */
const gateway = (lines: string) =>
  `targets:\n  gw-a: { platform: frr, address: a }\n  gw-b: { platform: frr, address: b }\ngateways:\n  lan:\n${lines}\n`;

test('a good configuration is loaded with its defaults', async () => {
  expect(await told(goodConfig)).toBe('');
  const { config, inventory, directory } = await loadConfig(pathOf('offbox.yaml'));
  expect(config).toEqual({
    inventory: 'inventory.yaml',
    policies: 'policies',
    data: '.offbox',
    sources: {},
    journal: { keep: '30d', maxBytes: 10 * 1024 ** 3 },
    modes: { default: 'observe', policies: {}, targets: {} },
  });
  expect(directory).toBe(dirname(pathOf('x')));
  expect(Object.keys(inventory.targets)).toEqual(['gw-a', 'gw-b']);
  expect(inventory.gateways.lan23?.members[1]).toEqual({ target: 'gw-b', interface: 'Vlan20', group: 2, family: 'ipv4' });
});

test('every key there is can be written', async () => {
  const full = `# yaml-language-server: $schema=./offbox.schema.json
inventory: inventory.yaml
policies: rules
data: /var/lib/offbox
sources:
  syslog: { udp: 0.0.0.0:514, tcp: "[::]:601" }
  snmp:
    udp: localhost:162
    communities: [{ env: COMMUNITY }]
    users:
      - { name: a, level: authPriv, auth: { protocol: sha256, key: { file: auth } }, priv: { protocol: aes256-cisco, key: { command: pass priv } } }
      - { name: b, auth: { protocol: md5, key: { env: B } } }
modes: { default: propose, policies: { one: enforce }, targets: { gw-a: observe } }
`;
  expect(await told(full)).toBe('');
});

describe('what is wrong is told with line, cause and remedy', () => {
  test.each([
    ['an unknown key', 'inventroy: x\n', 'offbox.yaml:1:1: inventroy: there is no such key. Did you mean inventory?'],
    [
      'a key that resembles none',
      'colour: red\n',
      'offbox.yaml:1:1: colour: there is no such key. Known here: inventory, policies, data, sources, journal, modes.',
    ],
    [
      'an unknown mode',
      'modes: { default: enforced }\n',
      'offbox.yaml:1:19: modes.default: "enforced" is not one of observe, propose, enforce. Did you mean enforce?',
    ],
    [
      'a port alone',
      'sources: { syslog: { udp: 514 } }\n',
      'offbox.yaml:1:27: sources.syslog.udp: must be a text, not a number. Put it in quotes.',
    ],
    [
      'a host without a port',
      'sources: { syslog: { udp: gw } }\n',
      'offbox.yaml:1:27: sources.syslog.udp: "gw" is not valid. It must be HOST:PORT, such as 0.0.0.0:514 or [::]:514.',
    ],
    [
      'a port too high',
      'sources: { syslog: { udp: "a:70000" } }\n',
      'offbox.yaml:1:27: sources.syslog.udp: "a:70000" is not valid. It must have a port of at most 65535.',
    ],
    ['a missing key', 'sources: { snmp: {} }\n', 'offbox.yaml:1:12: sources.snmp: "udp" is missing. Add "udp:" with a text.'],
    ['a key without a value', 'sources:\n', 'offbox.yaml:1:9: sources: has no value. Write a map (key: value).'],
    ['a list for a map', '- inventory\n', 'offbox.yaml:1:1: must be a map (key: value), not a list. Write a map (key: value).'],
    [
      'a mode for nobody',
      'modes: { targets: { gw-c: observe } }\n',
      'offbox.yaml:1:21: modes.targets.gw-c: there is no target "gw-c". Did you mean gw-a?',
    ],
    [
      'a level without its key',
      'sources: { snmp: { udp: "a:1", users: [{ name: x, level: authNoPriv }] } }\n',
      'offbox.yaml:1:40: sources.snmp.users[0]: "auth" is missing for authNoPriv. Add what is missing, or remove what is too much.',
    ],
    [
      'privacy without authentication',
      'sources: { snmp: { udp: "a:1", users: [{ name: x, priv: { protocol: des, key: { env: X } } }] } }\n',
      'offbox.yaml:1:40: sources.snmp.users[0]: "auth" is missing for authPriv. Add what is missing, or remove what is too much.',
    ],
    [
      'a user twice',
      'sources: { snmp: { udp: "a:1", users: [{ name: x }, { name: x }] } }\n',
      'offbox.yaml:1:61: sources.snmp.users[1].name: the user "x" is there already. Keep one of the two.',
    ],
    [
      'an empty file',
      '\n# nothing\n',
      'offbox.yaml:1:1: the file is empty. Write one, if only with the line "inventory: inventory.yaml".',
    ],
    [
      'no inventory',
      'inventory: nowhere.yaml\n',
      'nowhere.yaml:1:1: there is no such file. Write one with "targets:", or name another in offbox.yaml.',
    ],
  ])('%s in offbox.yaml', async (_, config, message) => {
    expect(await told(config)).toBe(message);
  });

  test.each([
    [
      'an unknown platform',
      'targets:\n  gw-a:\n    platform: cisco-iso\n    address: a\n',
      'inventory.yaml:3:15: targets.gw-a.platform: "cisco-iso" is not one of cisco-ios, cisco-iosxe, cisco-nxos, cisco-iosxr, arista-eos, juniper-junos, frr, libvirt. Did you mean cisco-ios?',
    ],
    [
      'a target with a space',
      'targets:\n  gw a: { platform: frr, address: a }\n',
      'inventory.yaml:2:3: targets.gw a: "gw a" is no name. A name must be 1 to 64 letters, digits, dots, dashes or underscores.',
    ],
    [
      'a missing platform',
      'targets:\n  a: { address: a }\n',
      'inventory.yaml:2:3: targets.a: "platform" is missing. Add "platform:" with one of cisco-ios, cisco-iosxe, cisco-nxos, cisco-iosxr, arista-eos, juniper-junos, frr, libvirt.',
    ],
    [
      'an AS too large',
      'targets:\n  a: { platform: frr, address: a, bgp: { as: 4294967296, neighbors: [b] } }\n',
      'inventory.yaml:2:46: targets.a.bgp.as: 4294967296 is out of range. The most is 4294967295.',
    ],
    [
      'no neighbour',
      'targets:\n  a: { platform: frr, address: a, bgp: { neighbors: [] } }\n',
      'inventory.yaml:2:53: targets.a.bgp.neighbors: the list is empty. The least is 1.',
    ],
    ['no targets', 'gateways: {}\n', 'inventory.yaml:1:1: "targets" is missing. Add "targets:" with a map (key: value).'],
  ])('%s in the inventory', async (_, inventory, message) => {
    expect(await toldOfInventory(inventory)).toBe(message);
  });

  test.each([
    [
      'a member nobody knows',
      '    protocol: hsrp\n    members: [{ target: gw-x, interface: Vl2, group: 1 }]',
      '7:25: gateways.lan.members[0].target: there is no target "gw-x". Did you mean gw-a?',
    ],
    [
      'a member named like a method',
      '    protocol: hsrp\n    members: [{ target: toString, interface: Vl2, group: 1 }]',
      '7:25: gateways.lan.members[0].target: there is no target "toString". Declare it under targets, or remove it here.',
    ],
    [
      'HSRP without a group',
      '    protocol: hsrp\n    members: [{ target: gw-a, interface: Vl2 }]',
      '7:15: gateways.lan.members[0]: a member of an HSRP gateway lacks "group". Write both, as in interface: Vlan20 and group: 2.',
    ],
    [
      'HSRP without both',
      '    protocol: hsrp\n    members: [{ target: gw-a }]',
      '7:15: gateways.lan.members[0]: a member of an HSRP gateway lacks "interface" and "group". Write both, as in interface: Vlan20 and group: 2.',
    ],
    [
      'HSRP with an instance',
      '    protocol: hsrp\n    members: [{ target: gw-a, interface: Vl2, group: 1, instance: I }]',
      '7:67: gateways.lan.members[0].instance: HSRP has no instances, they are of keepalived (vrrp). Remove it.',
    ],
    [
      'VRRP that nothing names',
      '    protocol: vrrp\n    members: [{ target: gw-a, interface: Vl2 }]',
      '7:15: gateways.lan.members[0]: a member of a VRRP gateway lacks "group" or "instance". Write the virtual router id as group, or the vrrp_instance of keepalived as instance.',
    ],
    [
      'VRRP group 0',
      '    protocol: vrrp\n    members: [{ target: gw-a, group: 0 }]',
      '7:38: gateways.lan.members[0].group: 0 is no virtual router id. It is 1 to 255.',
    ],
    [
      'two members on one target',
      '    protocol: vrrp\n    members: [{ target: gw-a, group: 1 }, { target: gw-a, group: 2 }]',
      '7:53: gateways.lan.members[1].target: "gw-a" is a member already. A gateway has one member a target: declare a second gateway for another interface, group or family.',
    ],
    [
      'an interface without a name',
      "    protocol: hsrp\n    members: [{ target: gw-a, interface: '', group: 1 }]",
      '7:42: gateways.lan.members[0].interface: the text is empty. Write one, or leave the key out.',
    ],
    [
      'an instance without a name',
      "    protocol: vrrp\n    members: [{ target: gw-a, instance: '' }]",
      '7:41: gateways.lan.members[0].instance: the text is empty. Write one, or leave the key out.',
    ],
    [
      'a VRF without a name',
      "    protocol: vrrp\n    vrf: ''\n    members: [{ target: gw-a, group: 1 }]",
      '7:10: gateways.lan.vrf: the text is empty. Write one, or leave the key out.',
    ],
    [
      'a member in another group than the first',
      '    protocol: vrrp\n    members: [{ target: gw-a, group: 1 }, { target: gw-b, group: 2 }]',
      '7:43: gateways.lan.members[1]: is in group 2 (ipv4), and "gw-a" in group 1 (ipv4). Correct it, or declare a second gateway: the members of one share group and family.',
    ],
    [
      'a member of another family than the first',
      '    protocol: hsrp\n    members: [{ target: gw-a, interface: Vl2, group: 1 }, { target: gw-b, interface: Vl2, group: 1, family: ipv6 }]',
      '7:59: gateways.lan.members[1]: is in group 1 (ipv6), and "gw-a" in group 1 (ipv4). Correct it, or declare a second gateway: the members of one share group and family.',
    ],
    [
      'a prefix with host bits',
      '    protocol: vrrp\n    prefixes: [23.1.0.0/8]\n    members: [{ target: gw-a, group: 1 }]',
      '7:16: gateways.lan.prefixes[0]: "23.1.0.0/8" has bits beyond its length. Did you mean 23.0.0.0/8?',
    ],
    [
      'a prefix that is none',
      '    protocol: vrrp\n    prefixes: [default]\n    members: [{ target: gw-a, group: 1 }]',
      '7:16: gateways.lan.prefixes[0]: "default" is not an IPv4 prefix. Write it as 23.0.0.0/8.',
    ],
    [
      'a prefix twice',
      '    protocol: vrrp\n    prefixes: [23.0.0.0/8, 23.0.0.0/8]\n    members: [{ target: gw-a, group: 1 }]',
      '7:28: gateways.lan.prefixes[1]: "23.0.0.0/8" is there already. Remove one of the two.',
    ],
    [
      'one group in two gateways',
      '    protocol: hsrp\n    members: [{ target: gw-a, interface: Vl2, group: 1 }]\n  wan:\n    protocol: hsrp\n    members: [{ target: gw-a, interface: Vlan2, group: 1 }]',
      '10:15: gateways.wan.members[0]: Vlan2 group 1 ipv4 of "gw-a" belongs to gateway "lan" already. Remove it from one of the two.',
    ],
  ])('%s', async (_, lines, message) => {
    expect(await toldOfInventory(gateway(lines))).toBe(`inventory.yaml:${message}`);
  });

  test('one group for each family is fine', async () => {
    const both =
      '    protocol: hsrp\n    members: [{ target: gw-a, interface: Vl2, group: 1 }]\n  lan6:\n    protocol: hsrp\n    members: [{ target: gw-a, interface: Vl2, group: 1, family: ipv6 }]';
    expect(await toldOfInventory(gateway(both))).toBe('');
  });

  test('all problems of both files are told at once, in the order of the files', async () => {
    const message = await told('colour: red\nmodes: { default: no }\n', 'targets: { a: { platform: frr }, b: {} }\n');
    expect(message.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'offbox.yaml:1:1:',
      'offbox.yaml:2:19:',
      'inventory.yaml:1:12:',
      'inventory.yaml:1:34:',
      'inventory.yaml:1:34:',
      'That',
    ]);
    expect(message).toContain('That makes 5 problems. Correct them and try again.');
  });

  test('of a thousand problems fifty are told and all are counted', async () => {
    const message = await told(Array.from({ length: 1000 }, (_, i) => `key${i}: 1\n`).join(''));
    expect(message.split('\n')).toHaveLength(51);
    expect(message).toContain('That makes 1000 problems, 50 told.');
  });

  test('the problems are there as data too', async () => {
    await told('colour: red\n');
    const { problems, loaded } = await checkConfig(pathOf('offbox.yaml'));
    expect(loaded).toBeUndefined();
    expect(problems).toMatchObject([{ line: 1, column: 1, path: ['colour'], cause: 'there is no such key' }]);
  });
});

test('the nearest word is the one with the fewest letters changed, if they are few', () => {
  expect(nearest('cisco-iso', ['cisco-ios', 'cisco-iosxe'])).toBe('cisco-ios');
  expect(nearest('adress', ['address', 'aliases'])).toBe('address');
  expect(nearest('x', ['platform', 'address'])).toBeUndefined();
  expect(nearest('completely', ['platform', 'address'])).toBeUndefined();
});

test('an address to listen on is taken apart', () => {
  expect(listenAddress('[::]:514')).toEqual({ host: '::', port: 514 });
  expect(listenAddress('0.0.0.0:162')).toEqual({ host: '0.0.0.0', port: 162 });
});

test('the level of an SNMPv3 user follows from its keys', () => {
  expect([snmpLevel({}), snmpLevel({ auth: {} }), snmpLevel({ auth: {}, priv: {} })]).toEqual([
    'noAuthNoPriv',
    'authNoPriv',
    'authPriv',
  ]);
  expect(snmpLevel({ level: 'authNoPriv', auth: {}, priv: {} })).toBe('authNoPriv');
});

test('the JSON schemas describe both files for an editor', () => {
  const inventory = JSON.parse(schemaText('inventory'));
  expect(inventory.required).toEqual(['targets']);
  expect(inventory.properties.targets.additionalProperties.properties.platform.enum).toContain('cisco-iosxe');
  const config = JSON.parse(schemaText('config'));
  expect(config.required ?? []).toEqual([]);
  expect(config.additionalProperties).toBe(false);
  expect(config.properties.data.description).toContain('journal');
});
