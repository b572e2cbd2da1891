// The access switches on the wire: SSH, NETCONF, syslog and traps, and what befalls them.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeTrap } from '../../adapters/source-snmp/index.ts';
import { hypervisorPlaces } from '../../lab/inventory.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { connect, listen, openPrivileged, openShell, type TestLab, testLab } from './helpers.ts';
import { commit, type NetconfClient, openNetconf } from './netconf-client.ts';

const web = '52:54:00:aa:bb:02';
const db = '52:54:00:aa:bb:03';
const native = (inner: string) => `<native xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-native">${inner}</native>`;
const edit = (inner: string) =>
  `<edit-config><target><candidate/></target><config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">${native(inner)}</config></edit-config>`;
const read = (inner: string) => `<get-config><source><running/></source><filter>${native(inner)}</filter></get-config>`;
const gigabit = (name: string, inner: string) =>
  `<interface><GigabitEthernet><name>${name}</name>${inner}</GigabitEthernet></interface>`;
const policyNs = 'http://cisco.com/ns/yang/Cisco-IOS-XE-policy';
const attach = (policy: string, operation = '') =>
  gigabit('1/0/24', `<service-policy xmlns="${policyNs}"><output${operation}>${policy}</output></service-policy>`);
const port = (inner: string, name = '1/0/1') =>
  gigabit(
    name,
    `<switchport-config><switchport><port-security-config xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-switch"><port-security>${inner}</port-security></port-security-config></switchport></switchport-config>`,
  );
const address = (inner: string) => `<mac-address-config><mac-address>${inner}</mac-address></mac-address-config>`;
const clear = (inner: string) =>
  `<clear-port-security xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-port-security-rpc">${inner}</clear-port-security>`;
const everything = '<mode>md-all</mode>';

let lab: TestLab;
let client: NetconfClient;

beforeAll(async () => {
  lab = await testLab();
});
afterAll(() => lab.end());

const sticky = (name: 'acc-1' | 'acc-2') => lab.lab.fabric.switches[name].secureRows({ type: 'sticky' }).map(({ mac }) => mac);
const lines = () => lab.lab.writes('acc-2').flatMap(({ line, transport }) => (transport === 'device' ? [] : [line]));

describe('over SSH', () => {
  test('a sticky address is learned, shown, cleared, and in the log as what the operator did', async () => {
    lab.lab.fabric.frame('kvm1', web, 10);
    const terminal = await openPrivileged(lab, 'acc-1');
    expect(await terminal.say('show port-security address')).toContain('5254.00aa.bb02    SecureSticky                  Gi1/0/1');
    await terminal.say('clear port-security sticky address 5254.00aa.bb02 vlan 10');
    expect(await terminal.say('show port-security address')).not.toContain('5254.00aa.bb02');
    expect(lab.lab.writes('acc-1').at(-1)).toMatchObject({
      transport: 'cli',
      user: 'offbox',
      line: 'clear port-security sticky address 5254.00aa.bb02 vlan 10',
      changed: true,
    });
    terminal.client.destroy();
  });

  test('acc-1 has no NETCONF, acc-2 has', async () => {
    await expect(connect(lab, 'acc-1', 8830)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const other = await openNetconf(lab, 2222, 'acc-2');
    expect(other.sessionId).not.toBe('');
    other.client.destroy();
  });
});

describe('over NETCONF', () => {
  beforeEach(async () => {
    client = await openNetconf(lab, 8830, 'acc-2');
    await client.rpc(clear(everything));
    return () => client.client.destroy();
  });

  test('the policies and what is attached are read', async () => {
    const data = await client.rpc(read(`<policy/>${gigabit('1/0/24', `<service-policy xmlns="${policyNs}"/>`)}`));
    expect(data).toContain('<name>MIGRATION</name><prematch>match-any</prematch><match><dscp>cs4</dscp></match>');
    expect(data).toContain(
      '<name>LIVE-MIGRATION</name><class><name>MIGRATION</name><action-list><action-type>bandwidth</action-type><bandwidth><percent>40</percent></bandwidth></action-list></class>',
    );
    expect(data).toContain(`<service-policy xmlns="${policyNs}"><output>EDGE-DEFAULT</output></service-policy>`);
    expect(data).not.toContain('switchport');
  });

  test('another policy takes the place of the one that is attached, and the CLI shows it', async () => {
    const terminal = await openPrivileged(lab, 'acc-2');
    expect(await client.rpc(edit(attach('LIVE-MIGRATION')))).toBe('<ok/>');
    expect(await client.rpc(commit)).toBe('<ok/>');
    expect(await terminal.say('show policy-map interface gi1/0/24 output')).toContain('Service-policy output: LIVE-MIGRATION');
    expect(lines().slice(-2)).toEqual(['no service-policy output EDGE-DEFAULT', 'service-policy output LIVE-MIGRATION']);
    await client.rpc(edit(attach('EDGE-DEFAULT')));
    await client.rpc(commit);
    expect(await terminal.say('show policy-map interface gi1/0/24')).toContain('Service-policy output: EDGE-DEFAULT');
    terminal.client.destroy();
  });

  test('a policy-map that is not there, and one with queueing on the way in, are refused at validate', async () => {
    expect(await client.rpc(edit(attach('NOBODY')))).toBe('<ok/>');
    expect(await client.rpc('<validate><source><candidate/></source></validate>')).toContain(
      '<error-tag>data-missing</error-tag>',
    );
    expect(await client.rpc(commit)).toContain('illegal reference');
    await client.rpc('<discard-changes/>');
    await client.rpc(edit(attach('LIVE-MIGRATION').replaceAll('output', 'input')));
    expect(await client.rpc(commit)).toContain('which an input policy cannot have');
    await client.rpc('<discard-changes/>');
  });

  test('a class-map and a policy-map with it are made and attached in one commit', async () => {
    const made = `<policy><class-map xmlns="${policyNs}"><name>EF</name><prematch>match-any</prematch><match><dscp>ef</dscp></match></class-map><policy-map xmlns="${policyNs}"><name>LLQ</name><class><name>EF</name><action-list><action-type>priority</action-type></action-list></class></policy-map></policy>`;
    expect(await client.rpc(edit(made + attach('LLQ')))).toBe('<ok/>');
    expect(await client.rpc(commit)).toBe('<ok/>');
    expect(lines().slice(-7)).toEqual([
      'no service-policy output EDGE-DEFAULT',
      'class-map match-any EF',
      'match dscp ef',
      'policy-map LLQ',
      'class EF',
      'priority',
      'service-policy output LLQ',
    ]);
    await client.rpc(edit(attach('EDGE-DEFAULT')));
    await client.rpc(commit);
  });

  test('a sticky address is removed by its MAC, and by its port', async () => {
    const { fabric } = lab.lab;
    for (const mac of [web, db]) fabric.frame('kvm2', mac, 10);
    fabric.frameAt({ switch: 'acc-2', port: 'GigabitEthernet1/0/2' }, '52:54:00:00:00:01', 20);
    expect(await client.rpc(clear(`<mode>md-sticky</mode><mac-addr><mac-address>${web}</mac-address></mac-addr>`))).toBe('<ok/>');
    expect(sticky('acc-2')).toEqual([db, '52:54:00:00:00:01']);
    expect(lines().at(-1)).toBe('clear port-security sticky address 5254.00aa.bb02');
    const byPort = '<intf><if-name-type><if-type>if-gb-eth</if-type><if-name>1/0/1</if-name></if-name-type></intf>';
    expect(await client.rpc(clear(`<mode>md-sticky</mode>${byPort}`))).toBe('<ok/>');
    expect(sticky('acc-2')).toEqual(['52:54:00:00:00:01']);
    expect(lines().at(-1)).toBe('clear port-security sticky interface GigabitEthernet1/0/1');
    const elsewhere = '<mac-addr><mac-address>52:54:00:00:00:01</mac-address><vlan><start-id>10</start-id></vlan></mac-addr>';
    expect(await client.rpc(clear(`<mode>md-sticky</mode>${elsewhere}`))).toBe('<ok/>');
    expect(sticky('acc-2')).toEqual(['52:54:00:00:00:01']);
  });

  test('without a target everything is cleared, as the module says', async () => {
    for (const mac of [web, db]) lab.lab.fabric.frame('kvm2', mac, 10);
    expect(await client.rpc(clear('<mode>md-sticky</mode>'))).toBe('<ok/>');
    expect(sticky('acc-2')).toEqual([]);
    expect(lines().at(-1)).toBe('clear port-security sticky');
  });

  test('a wrong mode, a dotted MAC, two targets, a missing mode and another namespace are refused, and nothing is cleared', async () => {
    lab.lab.fabric.frame('kvm2', web, 10);
    const mac = (written: string) => `<mac-addr><mac-address>${written}</mac-address></mac-addr>`;
    const refused = [
      [`<mode>sticky</mode>${mac(web)}`, 'invalid-value'],
      [`<mode>md-sticky</mode>${mac('5254.00aa.bb02')}`, 'invalid-value'],
      [`<mode>md-sticky</mode>${mac(web)}<ps-none>true</ps-none>`, 'invalid-value'],
      [mac(web), 'missing-element'],
      [`<mode>md-sticky</mode><interface/>`, 'unknown-element'],
      ['<mode>md-sticky</mode><intf/>', 'missing-element'],
    ] as const;
    for (const [inner, tag] of refused) expect(await client.rpc(clear(inner))).toContain(`<error-tag>${tag}</error-tag>`);
    expect(await client.rpc('<clear-port-security xmlns="urn:other"><mode>md-all</mode></clear-port-security>')).toContain(
      'operation-not-supported',
    );
    expect(sticky('acc-2')).toEqual([web]);
  });

  test('a sticky address is data as well: read, and removed by its key', async () => {
    lab.lab.fabric.frame('kvm2', web, 10);
    lab.lab.fabric.frameAt({ switch: 'acc-2', port: 'GigabitEthernet1/0/2' }, db, 20);
    const trunk =
      '<hw-address-trunk><hw-address>5254.00aa.bb03</hw-address><vlan>20</vlan><sticky>sticky</sticky></hw-address-trunk>';
    expect(await client.rpc(read(port('', '1/0/2')))).toContain(trunk);
    const access = '<hw-address-access nc:operation="remove"><hw-address>5254.00aa.bb02</hw-address></hw-address-access>';
    expect(await client.rpc(edit(port(address(access))))).toBe('<ok/>');
    expect(await client.rpc(commit)).toBe('<ok/>');
    expect(sticky('acc-2')).toEqual([db]);
    expect(lines().at(-1)).toBe('no switchport port-security mac-address sticky 5254.00aa.bb02');
  });

  test('of the violation modes the last one set stays', async () => {
    const violation = (mode: string) => edit(port(`<violation><${mode}/></violation>`));
    const shown = () => read(port('<violation/>'));
    await client.rpc(violation('protect'));
    await client.rpc(violation('restrict'));
    expect(await client.rpc(commit)).toBe('<ok/>');
    expect(await client.rpc(shown())).toContain('<violation><restrict/></violation>');
    await client.rpc(violation('shutdown'));
    expect(await client.rpc(commit)).toBe('<ok/>');
    expect(await client.rpc(shown())).not.toContain('<violation>');
    expect(lines().at(-1)).toBe('no switchport port-security violation restrict');
  });
});

describe('what it says', () => {
  test('a violation is told by syslog and by trap, from its own address', async () => {
    const [syslog, traps] = [await listen(lab.lab.addresses.offbox, 5514), await listen(lab.lab.addresses.offbox, 5162)];
    const { fabric } = lab.lab;
    fabric.frame('kvm1', web, 10);
    const terminal = await openPrivileged(lab, 'acc-1');
    for (const line of ['configure terminal', 'interface gi1/0/2', 'switchport port-security violation restrict', 'end'])
      await terminal.say(line);
    fabric.frameAt({ switch: 'acc-1', port: 'GigabitEthernet1/0/2' }, web, 10);
    const line = await syslog.next((bytes) => bytes.includes('PSECURE_VIOLATION'));
    expect(String(line)).toMatch(
      /^<186>\d+: acc-1: \d{6}: \*.*: %PORT_SECURITY-2-PSECURE_VIOLATION: Security violation occurred, caused by MAC address 5254\.00aa\.bb02 on port GigabitEthernet1\/0\/2\.$/,
    );
    // The MAC address goes as six octets: OCTET STRING, length 6.
    const trap = await traps.next((bytes) => bytes.includes(Buffer.from('0406525400aabb02', 'hex')));
    expect(traps.from[traps.all.indexOf(trap)]).toBe(lab.lab.addresses['acc-1']);
    expect(decodeTrap(trap).meaning).toMatchObject({
      kind: 'port-security.violation',
      interface: 'GigabitEthernet1/0/2',
      mac: web,
    });
    fabric.switches['acc-1'].configure(
      { kind: 'unset', path: ['interface GigabitEthernet1/0/2'], matches: /violation/ },
      'no switchport port-security violation',
      { user: 'test', peer: '', transport: 'lab' },
    );
    fabric.frameAt({ switch: 'acc-1', port: 'GigabitEthernet1/0/2' }, web, 10);
    const disabled = await traps.next((bytes) => decodeTrap(bytes).meaning?.kind === 'interface.err-disabled');
    expect(decodeTrap(disabled).meaning).toMatchObject({ cause: 'psecure-violation', ifIndex: 3 });
    syslog.close();
    traps.close();
    terminal.client.destroy();
  });
});

describe('faults', () => {
  test('a switch that is unreachable takes no session and forwards on; restored, it takes sessions again', async () => {
    const { fabric, switchFaults } = lab.lab;
    const terminal = await openShell(lab, 'acc-2');
    switchFaults.unreachable('acc-2');
    expect(switchFaults.standing('acc-2')).toEqual(['unreachable']);
    await expect(connect(lab, 'acc-2')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(fabric.frame('kvm2', db, 10)).toBe('forwarded');
    await switchFaults.restore('acc-2');
    await terminal.ended;
    const again = await openShell(lab, 'acc-2');
    expect(switchFaults.standing('acc-2')).toEqual([]);
    again.client.destroy();
  });

  test('a switch that hangs says nothing until it is restored', async () => {
    const { switchFaults } = lab.lab;
    const terminal = await openPrivileged(lab, 'acc-1');
    switchFaults.hang('acc-1');
    terminal.channel.write('show clock\r');
    const other = openShell(lab, 'acc-1');
    await switchFaults.restore('acc-1');
    expect(await terminal.heard.until(/UTC/)).toContain('show clock');
    (await other).client.destroy();
    terminal.client.destroy();
  });

  test('one that loses its power forgets what was not saved', async () => {
    const { fabric, switchFaults } = lab.lab;
    fabric.frame('kvm1', web, 10);
    const terminal = await openPrivileged(lab, 'acc-1');
    await terminal.say('write memory');
    fabric.frame('kvm1', db, 10);
    await switchFaults.fail('acc-1');
    expect(fabric.frame('kvm1', web, 10)).toBe('dropped');
    await switchFaults.restore('acc-1');
    expect(sticky('acc-1')).toEqual([web]);
    terminal.client.destroy();
  });
});

test('the inventory has the switches, and takes the places of the hypervisors once these are its targets', () => {
  expect(lab.inventory.targets['acc-1']).toMatchObject({ platform: 'cisco-ios', address: lab.lab.addresses['acc-1'] });
  expect(lab.inventory.targets['acc-1']).not.toHaveProperty('netconf');
  expect(lab.inventory.targets['acc-2']).toMatchObject({ platform: 'cisco-iosxe', netconf: { port: 8830 } });
  const { attachments, paths } = inventorySchema.parse({ targets: {}, ...hypervisorPlaces() });
  expect(attachments?.map(({ hypervisor, target }) => `${hypervisor} ${target}`)).toEqual(['kvm1 acc-1', 'kvm2 acc-2']);
  expect(paths?.map(({ from, to, egress }) => `${from} ${to} ${egress[0]?.target}`)).toEqual([
    'kvm1 kvm2 acc-1',
    'kvm2 kvm1 acc-2',
  ]);
  // What a path is checked against: the switch does leave by that port on the way to that address.
  const { running } = lab.lab.fabric.switches['acc-1'];
  expect(running.map(({ line }) => line)).toContain(`ip route ${paths?.[0]?.toward} 255.255.255.255 10.0.56.2`);
});
