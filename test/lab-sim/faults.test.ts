// What can befall a gateway, on real sockets: what its peers see, what Offbox would receive, and what comes back.
import { createSocket } from 'node:dgram';
import { createRequire } from 'node:module';
import { createConnection } from 'node:net';
import { beforeEach, expect, test } from 'vitest';
import { labPorts } from '../../lab/index.ts';
import { connect, type Datagrams, listen, openPrivileged, openShell, type TestLab, testLab } from './helpers.ts';
import { openNetconf } from './netconf-client.ts';

let lab: TestLab;
let syslog: Datagrams;
let traps: Datagrams;
beforeEach(async () => {
  lab = await testLab();
  syslog = await listen(lab.lab.addresses.offbox, labPorts.syslog);
  traps = await listen(lab.lab.addresses.offbox, labPorts.trap);
  return async () => {
    syslog.close();
    traps.close();
    await lab.end();
  };
});

const role = (name: 'gw-a' | 'gw-b') => lab.lab.roles()[name];
const via = () => lab.lab.external().flatMap((route) => route.via);
async function advertise(name: 'gw-a' | 'gw-b'): Promise<void> {
  const shell = await openPrivileged(lab, name);
  for (const line of ['configure terminal', `router bgp ${name === 'gw-a' ? 65002 : 65003}`, 'network 23.0.0.0', 'end'])
    await shell.say(line);
  shell.client.destroy();
  await lab.lab.when(() => via().includes(name));
}

test('a failover is told from the address of the gateway that took over, by syslog and by trap', async () => {
  await lab.lab.fail('gw-a');
  await lab.lab.when(() => role('gw-b') === 'active');
  expect(role('gw-a')).toBe('off');
  const line = await syslog.next((bytes) => bytes.includes('%HSRP-5-STATECHANGE'));
  expect(line.toString('latin1')).toMatch(
    /^<189>\d+: gw-b: \d{6}: \*[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{3}: %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active$/,
  );
  expect(syslog.from[syslog.all.indexOf(line)]).toBe(lab.lab.addresses['gw-b']);
  const trap = await traps.next(() => true);
  // SEQUENCE … version 1 (v2c), community, SNMPv2-Trap-PDU; cHsrpStateChange 1.3.6.1.4.1.9.9.106.2.0.1; …1.15.2.10 = INTEGER 6.
  const hex = trap.toString('hex');
  expect(hex).toMatch(/^30..02010104067075626c6963a7/);
  expect(hex).toContain('060b2b0601040109096a020001');
  expect(hex.endsWith('060f2b0601040109096a010201010f020a020106')).toBe(true);
  expect(traps.from[0]).toBe(lab.lab.addresses['gw-b']);
});

test('what loses its power is gone for the external router, takes no connection and ends none', async () => {
  await advertise('gw-a');
  const shell = await openShell(lab, 'gw-a');
  await lab.lab.fail('gw-a');
  await lab.lab.when(() => via().length === 0);
  await expect(connect(lab, 'gw-a')).rejects.toThrow('ECONNREFUSED');
  shell.channel.write('show clock\r');
  await lab.lab.when(() => role('gw-b') === 'active');
  expect(shell.heard.closed).toBe(false);
  expect(shell.heard.text).toBe('');
  // As a rebooted device answers a connection it does not know.
  const ended = shell.ended;
  await lab.lab.restore('gw-a');
  await ended;
  (await openShell(lab, 'gw-a')).client.destroy();
});

test('a restored gateway preempts, and comes up silent', async () => {
  await advertise('gw-a');
  await lab.lab.fail('gw-a');
  await lab.lab.when(() => role('gw-b') === 'active');
  await lab.lab.restore('gw-a');
  await lab.lab.when(() => role('gw-a') === 'active' && role('gw-b') === 'standby');
  const first = await syslog.next((bytes) => bytes.includes('%SYS-5-RESTART'));
  expect(first.toString()).toMatch(/^<189>1: gw-a: 000001: /);
  await syslog.next((bytes) => bytes.includes('gw-a') && bytes.includes('Up') && bytes.includes('BGP-5-ADJCHANGE'));
  expect(lab.lab.external()).toEqual([]);
});

test('a reload with a stale startup configuration advertises by itself', async () => {
  await lab.lab.reload('gw-b', { stale: true });
  await lab.lab.when(() => via().includes('gw-b'));
  expect(lab.lab.writes('gw-b')).toEqual([]);
});

test('a reload forgets what was not written, NETCONF sessions and locks included', async () => {
  const client = await openNetconf(lab);
  await client.rpc('<lock><target><candidate/></target></lock>');
  await advertise('gw-b');
  await lab.lab.reload('gw-b', { stale: false });
  await client.ended;
  const again = await openNetconf(lab);
  expect(await again.rpc('<lock><target><candidate/></target></lock>')).toBe('<ok/>');
  await lab.lab.when(() => via().length === 0);
  again.client.destroy();
});

test('a split LAN has two active gateways until it is healed', async () => {
  lab.lab.split('gw-a');
  await lab.lab.when(() => role('gw-a') === 'active' && role('gw-b') === 'active');
  expect(lab.lab.state().gateways.map(({ faults }) => faults)).toEqual([['split'], []]);
  lab.lab.heal();
  await lab.lab.when(() => role('gw-a') === 'active' && role('gw-b') === 'standby');
});

test('a silenced gateway changes and nobody hears of it, and its sequence numbers show that', async () => {
  lab.lab.silence('gw-b');
  await lab.lab.fail('gw-a');
  await lab.lab.when(() => role('gw-b') === 'active');
  expect(syslog.all).toEqual([]);
  await lab.lab.restore('gw-b');
  await lab.lab.restore('gw-a');
  const line = await syslog.next((bytes) => bytes.includes('gw-b: '));
  // 42 was the change to Active, which nobody got.
  expect(Number(/^<\d+>(\d+):/.exec(line.toString())?.[1])).toBeGreaterThan(42);
});

test('a gateway that hangs accepts and says nothing, not even what it was about to; restored, it says it', async () => {
  await lab.end();
  lab = await testLab({ answerMs: [100, 100] });
  const [answering, asked] = [await openShell(lab, 'gw-b'), await openShell(lab, 'gw-b')];
  answering.channel.write('show clock\r');
  await answering.heard.until(/show clock\r\n/);
  lab.lab.hang('gw-b');
  asked.channel.write('show users\r');
  let opened = false;
  const opening = openShell(lab, 'gw-b').finally(() => {
    opened = true;
  });
  await lab.lab.fail('gw-a');
  await lab.lab.when(() => role('gw-b') === 'active');
  expect([answering.heard.text, asked.heard.text, opened]).toEqual(['', '', false]);
  await lab.lab.restore('gw-b');
  await answering.heard.until(/UTC/);
  await asked.heard.until(/Location/);
  for (const { client } of [answering, asked, await opening]) client.destroy();
});

test('a LAN link that goes down moves the gateway and leaves BGP; a flap is told each time', async () => {
  await advertise('gw-a');
  lab.lab.linkDown('gw-a');
  await lab.lab.when(() => role('gw-b') === 'active');
  expect(role('gw-a')).toBe('init');
  expect(via()).toEqual(['gw-a']);
  lab.lab.linkUp('gw-a');
  await lab.lab.when(() => role('gw-a') === 'active');
  await lab.lab.flap('gw-a', { times: 3, everyMs: 1 });
  await syslog.next(() => syslog.all.filter((bytes) => bytes.includes('Vlan10, changed state to down')).length === 4);
  (await openShell(lab, 'gw-a')).client.destroy();
});

test('the SNMP agent names interfaces and groups, and is silent without power', async () => {
  const snmp = createRequire(import.meta.url)('net-snmp') as {
    Version2c: number;
    createSession(
      host: string,
      community: string,
      options: object,
    ): {
      get(
        oids: readonly string[],
        done: (error: Error | null, varbinds: readonly { type: number; value: unknown }[]) => void,
      ): void;
      close(): void;
    };
  };
  const session = snmp.createSession(lab.lab.addresses['gw-b'], 'public', {
    port: labPorts.snmp,
    version: snmp.Version2c,
    timeout: 1_000,
    retries: 0,
  });
  const get = (...oids: readonly string[]) =>
    new Promise<readonly string[]>((resolve, reject) =>
      session.get(oids, (error, varbinds) => (error ? reject(error) : resolve(varbinds.map(({ value }) => String(value))))),
    );
  const oids = [
    '1.3.6.1.2.1.31.1.1.1.1.2',
    '1.3.6.1.2.1.2.2.1.2.2',
    '1.3.6.1.4.1.9.9.106.1.2.1.1.15.2.10',
    '1.3.6.1.4.1.9.9.106.1.2.1.1.15.3.10',
  ];
  expect(await get(...oids)).toEqual(['Vl10', 'Vlan10', '5', '6']);
  await lab.lab.fail('gw-b');
  await expect(get(oids[0]!)).rejects.toThrow('timed out');
  session.close();
});

test('garbage on any port ends at most its own connection', async () => {
  const address = lab.lab.addresses['gw-b'];
  const bytes = [
    Buffer.alloc(100_000, 'x'),
    Buffer.from('SSH-2.0-x\r\n'.padEnd(5_000, '\xff'), 'latin1'),
    Buffer.from('SSH-2.0-x\r\n\0\0\0\x0c'),
  ];
  for (const port of [labPorts.ssh, labPorts.netconf])
    for (const each of bytes) {
      const socket = createConnection(port, address);
      socket.on('error', () => {});
      socket.end(each);
      await new Promise((resolve) => socket.resume().once('close', resolve));
    }
  const udp = createSocket('udp4');
  for (const each of [...bytes, Buffer.alloc(0)])
    await new Promise((done) => udp.send(each.subarray(0, 9_000), labPorts.snmp, address, done));
  udp.close();
  (await openShell(lab, 'gw-b')).client.destroy();
  (await openNetconf(lab)).client.destroy();
});

test('a second lab on the same net is refused by name, and leaves the first alone', async () => {
  const { startLab } = await import('../../lab/index.ts');
  const { realWall } = await import('../../src/runtime/wall.ts');
  await expect(startLab({ dir: `${lab.dir}/second`, wall: realWall, net: lab.net })).rejects.toMatchObject({
    code: 'lab-address-in-use',
  });
  (await openShell(lab, 'gw-a')).client.destroy();
});
