// NETCONF on the simulated IOS-XE gateway over real SSH.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPrivileged, type TestLab, testLab } from './helpers.ts';
import { commit, edit, type NetconfClient, noMask, openNetconf, removed, withMask } from './netconf-client.ts';

const running = '<get-config><source><running/></source></get-config>';
const advertised = () => lab.lab.external().flatMap(({ via }) => via);
let lab: TestLab;
let client: NetconfClient;

beforeAll(async () => {
  lab = await testLab();
});
afterAll(() => lab.end());
beforeEach(async () => {
  client = await openNetconf(lab);
  await client.rpc(edit(removed(noMask, 'remove')));
  await client.rpc(commit);
  await lab.lab.when(() => advertised().length === 0);
  return () => client.client.destroy();
});

describe('reading', () => {
  test('a filter on router bgp gives the networks and the neighbours, and nothing else', async () => {
    const data = await client.rpc(
      '<get-config><source><running/></source><filter type="subtree"><native xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-native"><router><bgp xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-bgp"/></router></native></filter></get-config>',
    );
    expect(data).toContain('<id>65003</id>');
    expect(data).toContain('<neighbor><id>10.0.3.1</id><remote-as>65001</remote-as></neighbor>');
    expect(data).not.toContain('hostname');
  });

  test('a filter in another namespace selects nothing', async () => {
    expect(await client.rpc('<get><filter type="subtree"><native xmlns="urn:other"/></filter></get>')).toBe('<data></data>');
  });

  test('a content match picks one entry of a list', async () => {
    const data = await client.rpc(
      '<get><filter><hsrp-oper-data xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-hsrp-oper"><hsrp-group-info><if-name>Vlan20</if-name><state/></hsrp-group-info></hsrp-oper-data></filter></get>',
    );
    expect(data).toContain('<state>hsrp-state-active</state>');
    expect(data).not.toContain('Vlan10');
    expect(data).not.toContain('virtual-ip');
  });

  test('HSRP is read per interface, though the group number is the same', async () => {
    const data = await client.rpc(
      '<get><filter><hsrp-oper-data xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-hsrp-oper"/></filter></get>',
    );
    const rows = [...data.matchAll(/<group-id>(\d+)<.*?<if-name>(\w+)<.*?<state>([\w-]+)</g)].map(([, ...row]) => row.join(' '));
    expect(rows).toEqual(['10 Vlan10 hsrp-state-standby', '10 Vlan20 hsrp-state-active']);
  });
});

describe('editing', () => {
  test('a committed network is in the running configuration and reaches the external router', async () => {
    expect(await client.rpc(edit(noMask))).toBe('<ok/>');
    expect(await client.rpc('<validate><source><candidate/></source></validate>')).toBe('<ok/>');
    expect(await client.rpc(running)).not.toContain('23.0.0.0</number>');
    expect(await client.rpc(commit)).toBe('<ok/>');
    await lab.lab.when(() => advertised().includes('gw-b'));
    const cli = await openPrivileged(lab, 'gw-b');
    expect(await cli.say('show running-config | include network')).toContain('network 23.0.0.0');
    cli.client.destroy();
  });

  test('what the CLI configured is what NETCONF reads', async () => {
    const cli = await openPrivileged(lab, 'gw-b');
    for (const line of ['configure terminal', 'router bgp 65003', 'network 23.0.0.0 mask 255.0.0.0', 'end']) await cli.say(line);
    cli.client.destroy();
    expect(await client.rpc(running)).toContain('<no-mask><number>23.0.0.0</number></no-mask>');
  });

  test('the classful mask is refused at validate and at commit, and not at edit-config', async () => {
    expect(await client.rpc(edit(withMask))).toBe('<ok/>');
    for (const operation of ['<validate><source><candidate/></source></validate>', commit]) {
      const refused = await client.rpc(operation);
      expect(refused).toContain('<error-tag>invalid-value</error-tag>');
      expect(refused).toContain('Default mask for network given, please configure network without a mask');
    }
    expect(await client.rpc('<discard-changes/>')).toBe('<ok/>');
    expect(lab.lab.external()).toEqual([]);
  });

  test('another mask is taken with its mask', async () => {
    const longer = withMask.replace('255.0.0.0', '255.255.0.0');
    await client.rpc(edit(longer));
    expect(await client.rpc(commit)).toBe('<ok/>');
    expect(await client.rpc(running)).toContain(longer);
    await client.rpc(edit(removed(longer, 'delete')));
    expect(await client.rpc(commit)).toBe('<ok/>');
  });

  test('delete of what is not there is data-missing, remove is not, create of what is there is data-exists', async () => {
    expect(await client.rpc(edit(removed(noMask, 'delete')))).toContain('<error-tag>data-missing</error-tag>');
    expect(await client.rpc(edit(removed(noMask, 'remove')))).toBe('<ok/>');
    expect(await client.rpc(edit(removed(noMask, 'create')))).toBe('<ok/>');
    expect(await client.rpc(edit(removed(noMask, 'create')))).toContain('<error-tag>data-exists</error-tag>');
    await client.rpc('<discard-changes/>');
  });

  test('an unknown element, a bad value and a missing key are named, and nothing of the edit is taken', async () => {
    expect(await client.rpc(edit(`${noMask}<no-mask><nubmer>1.0.0.0</nubmer></no-mask>`))).toContain(
      'the key number of no-mask is missing',
    );
    expect(await client.rpc(edit(`${noMask}<bogus/>`))).toMatch(/unknown-element.*<bad-element>bogus<\/bad-element>/);
    expect(await client.rpc(edit('<no-mask><number>300.0.0.0</number></no-mask>'))).toContain(
      '<error-tag>invalid-value</error-tag>',
    );
    expect(await client.rpc(edit(noMask).replace('Cisco-IOS-XE-native', 'other'))).toContain('unknown-namespace');
    expect(await client.rpc('<get-config><source><candidate/></source></get-config>')).not.toContain('23.0.0.0</number>');
  });

  test('running takes no edit of its own', async () => {
    expect(await client.rpc(edit(noMask).replace('<candidate/>', '<running/>'))).toContain('operation-not-supported');
  });

  test('save-config keeps what write memory keeps', async () => {
    expect(await client.rpc('<save-config xmlns="http://cisco.com/yang/cisco-ia"/>')).toContain('Save running-config successful');
    expect(lab.lab.writes('gw-b').at(-1)).toMatchObject({ transport: 'netconf', line: 'write memory' });
  });
});

describe('confirmed commit', () => {
  const confirmed = (inner: string) => `<commit><confirmed/>${inner}</commit>`;
  const lines = () => lab.lab.writes('gw-b').map(({ line }) => line);

  test('it is undone when nobody confirms it in time', async () => {
    await client.rpc(edit(noMask));
    expect(await client.rpc(confirmed('<confirm-timeout>1</confirm-timeout>'))).toBe('<ok/>');
    await lab.lab.when(() => advertised().includes('gw-b'));
    await lab.lab.when(() => advertised().length === 0);
    expect(lines().slice(-2)).toEqual(['network 23.0.0.0', 'no network 23.0.0.0']);
  });

  test('it is undone when its session ends, unless it has a persist-id', async () => {
    await client.rpc(edit(noMask));
    await client.rpc(confirmed('<confirm-timeout>60</confirm-timeout>'));
    await lab.lab.when(() => advertised().includes('gw-b'));
    client.client.destroy();
    await lab.lab.when(() => advertised().length === 0);
  });

  test('with a persist-id another session confirms it, and only by that id', async () => {
    await client.rpc(edit(noMask));
    await client.rpc(confirmed('<confirm-timeout>60</confirm-timeout><persist>offbox-7</persist>'));
    client.client.destroy();
    await client.ended;
    const other = await openNetconf(lab);
    expect(await other.rpc('<commit><persist-id>offbox-8</persist-id></commit>')).toContain(
      '<error-tag>invalid-value</error-tag>',
    );
    expect(await other.rpc(commit)).toContain('<error-tag>in-use</error-tag>');
    expect(await other.rpc('<commit><persist-id>offbox-7</persist-id></commit>')).toBe('<ok/>');
    expect(await other.rpc('<cancel-commit><persist-id>offbox-7</persist-id></cancel-commit>')).toContain(
      '<error-tag>invalid-value</error-tag>',
    );
    expect(lines().at(-1)).toBe('network 23.0.0.0');
    other.client.destroy();
  });

  test('cancel-commit undoes it at once', async () => {
    await client.rpc(edit(noMask));
    await client.rpc(confirmed(''));
    expect(await client.rpc('<cancel-commit/>')).toBe('<ok/>');
    expect(lines().at(-1)).toBe('no network 23.0.0.0');
    expect(await client.rpc('<cancel-commit/>')).toContain('operation-failed');
  });
});

describe('locks', () => {
  test('a lock is denied with the number of its holder, and ends with its session', async () => {
    const other = await openNetconf(lab);
    expect(await client.rpc('<lock><target><candidate/></target></lock>')).toBe('<ok/>');
    expect(await other.rpc('<lock><target><candidate/></target></lock>')).toContain(
      `<session-id>${client.sessionId}</session-id>`,
    );
    expect(await other.rpc(edit(noMask))).toContain('<error-tag>in-use</error-tag>');
    expect(await client.rpc(edit(noMask))).toBe('<ok/>');
    await client.rpc('<close-session/>');
    expect(await other.rpc('<lock><target><candidate/></target></lock>')).toBe('<ok/>');
    expect(await other.rpc('<get-config><source><candidate/></source></get-config>')).not.toContain('<number>23.0.0.0');
    other.client.destroy();
  });

  test('the candidate cannot be locked while it holds the changes of somebody', async () => {
    const other = await openNetconf(lab);
    await other.rpc(edit(noMask));
    expect(await client.rpc('<lock><target><candidate/></target></lock>')).toMatch(/lock-denied.*<session-id>0</);
    await other.rpc('<discard-changes/>');
    expect(await client.rpc('<lock><target><candidate/></target></lock>')).toBe('<ok/>');
    expect(await client.rpc('<unlock><target><candidate/></target></unlock>')).toBe('<ok/>');
    other.client.destroy();
  });

  test('kill-session ends another session', async () => {
    const other = await openNetconf(lab);
    expect(await client.rpc(`<kill-session><session-id>${other.sessionId}</session-id></kill-session>`)).toBe('<ok/>');
    await other.heard.end();
    expect(await client.rpc(`<kill-session><session-id>${client.sessionId}</session-id></kill-session>`)).toContain(
      'invalid-value',
    );
    other.client.destroy();
  });
});

describe('the session', () => {
  test('NETCONF is a subsystem of the SSH port as well', async () => {
    const other = await openNetconf(lab, 2222);
    expect(await other.rpc('<get-config><source><running/></source></get-config>')).toContain('gw-b');
    other.client.destroy();
  });

  test('close-session is answered and ends it', async () => {
    expect(await client.rpc('<close-session/>')).toBe('<ok/>');
    await client.heard.end();
  });

  test('what is no XML is answered with malformed-message and the session goes on', async () => {
    for (const bad of ['<rpc', '<!DOCTYPE x [<!ENTITY a "b">]><rpc/>', '<a:rpc/>', '<rpc></prc>', `${'<a>'.repeat(5_000)}`]) {
      client.channel.write(`\n#${Buffer.byteLength(bad)}\n${bad}\n##\n`);
      expect(await client.heard.until(/\n##\n/)).toContain('<error-tag>malformed-message</error-tag>');
    }
    expect(await client.rpc('<bogus/>')).toContain('operation-not-supported');
    expect(await client.rpc('<toString/>')).toContain('operation-not-supported');
  });

  test('a broken chunk is told and ends the session', async () => {
    client.channel.write('\n#x\n');
    expect(await client.heard.end()).toContain('malformed-message');
  });
});
