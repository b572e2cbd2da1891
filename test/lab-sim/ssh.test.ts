// The simulated devices over real SSH: keys, passwords, shells, commands.
import { createHash } from 'node:crypto';
import ssh2, { type ClientChannel } from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, hear, openPrivileged, openShell, type TestLab, testLab } from './helpers.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await testLab();
});
afterAll(() => lab.end());

function exec(client: ssh2.Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel))));
}

test('the host key is the one the inventory names', async () => {
  const { hostKey, port } = lab.inventory.targets['gw-a']!.cli!;
  const client = new ssh2.Client();
  const seen = new Promise<string>((resolve) =>
    client
      .on('error', () => {})
      .connect({
        host: lab.lab.addresses['gw-a'],
        port: port!,
        username: 'offbox',
        password: lab.password,
        hostVerifier: (key: Buffer) => {
          resolve(`SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`);
          return false;
        },
      }),
  );
  expect(await seen).toBe(hostKey);
  client.destroy();
});

test('a wrong password is refused', async () => {
  await expect(connect(lab, 'gw-a', 2222, 'wrong')).rejects.toThrow('authentication');
});

test('a banner, a prompt in user mode, enable with its own password, and a configuration that reaches the external router', async () => {
  const shell = await openShell(lab, 'gw-a');
  shell.channel.write('enable\r');
  await shell.heard.until(/Password: $/);
  expect(await shell.say(lab.enablePassword)).toContain('gw-a#');
  for (const line of ['conf t', 'rou bgp 65002', 'addr ipv4', 'network 23.0.0.0 mask 255.0.0.0']) await shell.say(line);
  await lab.lab.when(() => lab.lab.external().some(({ via }) => via.includes('gw-a')));
  expect(await shell.say('end')).toContain('gw-a#');
  const [write] = lab.lab.writes('gw-a');
  expect(write).toMatchObject({ user: 'offbox', transport: 'cli', line: 'network 23.0.0.0', changed: true });
  expect(write?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  const ext = await connect(lab, 'ext');
  expect(await hear(await exec(ext.client, 'show ip route 23.0.0.0')).end()).toContain('Known via "bgp 65001"');
  expect(await hear(await exec(ext.client, 'show ip bgp')).end()).toMatch(/\*> {2}23\.0\.0\.0 +10\.0\.2\.2 .* 65002 i/);
  for (const line of ['conf t', 'rou bgp 65002', 'no network 23.0.0.0', 'end']) await shell.say(line);
  ext.client.destroy();
  shell.client.destroy();
});

test('an exec channel runs one command, with no prompt, and ends', async () => {
  const { client } = await connect(lab, 'gw-a');
  const channel = await exec(client, 'show clock');
  channel.end();
  expect(await hear(channel).end()).toMatch(/^\r\n\*\d\d:\d\d:\d\d\.\d{3} UTC .*\r\n$/);
  client.destroy();
});

test('what was typed before the sender closed its side is answered, then the device hangs up', async () => {
  const { client, ended } = await connect(lab, 'gw-a');
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.shell((error, stream) => (error ? reject(error) : resolve(stream))),
  );
  const heard = hear(channel);
  channel.end('show clock\r\nshow users\r\n');
  expect(await heard.end()).toMatch(/UTC[\s\S]*Location[\s\S]*gw-a>$/);
  client.end();
  await ended;
});

test('a screen is paged until the terminal length is 0', async () => {
  const shell = await openPrivileged(lab, 'gw-b');
  await shell.say('terminal length 24');
  shell.channel.write('show running-config\r');
  await shell.heard.until(/ --More-- $/);
  shell.channel.write('q');
  await shell.heard.until(/gw-b#$/);
  await shell.say('terminal length 0');
  const whole = await shell.say('show running-config');
  expect(whole).not.toContain('--More--');
  expect(whole).toMatch(/\r\nend\r\ngw-b#$/);
  shell.client.destroy();
});

test('a seventeenth vty is turned away', async () => {
  const peers = await Promise.all(Array.from({ length: 16 }, () => openShell(lab, 'ext')));
  await expect(openShell(lab, 'ext')).rejects.toThrow('closed before');
  for (const { client } of peers) client.destroy();
  await Promise.all(peers.map(({ ended }) => ended));
});
