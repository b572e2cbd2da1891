// Debian's net-snmp against ours: every protocol it sends, what it says to our refusals, and its agent asked for ifName.
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type AuthProtocol, type PrivProtocol, type SnmpUser, snmpSource } from '../../adapters/source-snmp/index.ts';
import { whySkipped } from '../../lab/real/available.ts';
import type { Source } from '../../src/ports/source.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { collector } from '../source-snmp/kit.ts';

const run = promisify(execFile);
const why = whySkipped({ programs: ['/usr/bin/snmptrap', '/usr/bin/snmpinform'], privilege: 'none' });
const whyNoAgent = why ?? whySkipped({ programs: ['/usr/sbin/snmpd'], privilege: 'none' });
if (whyNoAgent) process.stderr.write(`SKIPPED in test/lab/snmp.test.ts: ${whyNoAgent}\n`);

const auths = {
  MD5: 'md5',
  SHA: 'sha',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
} as const;
/** As snmptrap calls them; its AES-192 and DES are not spoken here. */
const privs = { AES: 'aes128', 'AES-256': 'aes256', 'AES-256-C': 'aes256-cisco' } as const;
const pairs = Object.keys(auths).flatMap((auth) => Object.keys(privs).map((priv) => [auth, priv] as const));
const authOf = (name: string): AuthProtocol => auths[name as keyof typeof auths];
const privOf = (name: string): PrivProtocol => privs[name as keyof typeof privs];

const users: readonly SnmpUser[] = [
  { name: 'plain' },
  ...Object.keys(auths).map((auth) => ({ name: auth, auth: { protocol: authOf(auth), key: 'authpass12345' } })),
  ...pairs.map(([auth, priv]) => ({
    name: `${auth}/${priv}`,
    auth: { protocol: authOf(auth), key: 'authpass12345' },
    priv: { protocol: privOf(priv), key: 'privpass12345' },
  })),
];

const hsrp = ['', '1.3.6.1.4.1.9.9.106.2.0.1', '1.3.6.1.4.1.9.9.106.1.2.1.1.15.3.1', 'i', '6'];
const security = (auth?: string, priv?: string, authKey = 'authpass12345', privKey = 'privpass12345') => [
  '-v3',
  '-u',
  auth ? `${auth}${priv ? `/${priv}` : ''}` : 'plain',
  '-l',
  priv ? 'authPriv' : auth ? 'authNoPriv' : 'noAuthNoPriv',
  ...(auth ? ['-a', auth, '-A', authKey] : []),
  ...(priv ? ['-x', priv, '-X', privKey] : []),
];
const engine = ['-e', '0x80000009030000aabbccddee'];
const once = ['-r', '0', '-t', '2'];

/** The program's exit: 0 where an inform was acknowledged. */
async function say(program: 'snmptrap' | 'snmpinform', ...args: readonly string[]): Promise<{ code: number; text: string }> {
  try {
    await run(`/usr/bin/${program}`, [...args], { env: { ...process.env, MIBS: '' }, timeout: 20_000 });
    return { code: 0, text: '' };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, text: stderr };
  }
}

describe.skipIf(why)('net-snmp sends, we receive', () => {
  const { sink, offered, room } = collector();
  let source: Source;
  let at: string;

  beforeAll(async () => {
    source = snmpSource({
      host: '127.0.0.1',
      port: 0,
      communities: ['public'],
      users,
      engine: { id: '80000000051122334455667788', boots: 7 },
      wall: realWall,
    });
    await source.start(sink);
    at = source.stats().listening[0]!.slice('udp '.length);
  });
  afterAll(() => source?.stop());

  async function trapArrives(...args: readonly string[]): Promise<void> {
    expect(await say('snmptrap', ...args)).toEqual({ code: 0, text: '' });
    expect((await offered.next()).event.meaning).toMatchObject({ kind: 'hsrp.state-changed', to: 'active' });
  }

  async function informIsAcknowledged(...args: readonly string[]): Promise<void> {
    const [{ event, committed }, said] = await Promise.all([commitNext(), say('snmpinform', ...once, ...args)]);
    expect(committed).toBeDefined();
    expect(event.snmp?.pdu).toBe('inform');
    expect(said).toEqual({ code: 0, text: '' });
  }

  async function commitNext() {
    const next = await offered.next();
    next.committed?.();
    return next;
  }

  test('a v1 trap', () =>
    trapArrives('-v1', '-c', 'public', at, '1.3.6.1.4.1.9.9.106.2', '10.99.0.2', '6', '1', '12345', ...hsrp.slice(2)));
  test('a v2c trap', () => trapArrives('-v2c', '-c', 'public', at, ...hsrp));
  test('a v2c inform', () => informIsAcknowledged('-v2c', '-c', 'public', at, ...hsrp));
  test('a v3 trap in the clear', () => trapArrives(...engine, ...security(), at, ...hsrp));
  test('a v3 inform in the clear', () => informIsAcknowledged(...security(), at, ...hsrp));
  test.each(Object.keys(auths))('a v3 trap with %s', (auth) => trapArrives(...engine, ...security(auth), at, ...hsrp));
  test.each(Object.keys(auths))('a v3 inform with %s', (auth) => informIsAcknowledged(...security(auth), at, ...hsrp));
  test.each(pairs)('a v3 trap with %s and %s', (auth, priv) => trapArrives(...engine, ...security(auth, priv), at, ...hsrp));
  test.each(pairs)('a v3 inform with %s and %s', (auth, priv) => informIsAcknowledged(...security(auth, priv), at, ...hsrp));

  test('an inform that is never committed times out at its sender', async () => {
    const said = say('snmpinform', '-r', '0', '-t', '0.3', '-v2c', '-c', 'public', at, ...hsrp);
    await offered.next();
    expect(await said).toMatchObject({ code: 1, text: expect.stringContaining('Timeout') });
  });

  test('an inform sent again by an impatient sender is one event', async () => {
    const before = offered.items.length;
    const said = say('snmpinform', '-r', '5', '-t', '0.3', ...security('SHA', 'AES'), at, ...hsrp);
    const { committed } = await offered.next();
    const received = source.stats().received;
    await expect.poll(() => source.stats().received, { timeout: 5_000 }).toBeGreaterThan(received);
    committed?.();
    expect(await said).toEqual({ code: 0, text: '' });
    expect(offered.items.length).toBe(before + 1);
  });

  test('an inform with no room is acknowledged when it is sent again', async () => {
    room.left = 0;
    const said = say('snmpinform', '-r', '5', '-t', '0.3', '-v2c', '-c', 'public', at, ...hsrp);
    await expect.poll(() => source.stats().dropped['no-room'], { timeout: 5_000 }).toBeGreaterThan(0);
    room.left = Number.POSITIVE_INFINITY;
    await commitNext();
    expect(await said).toEqual({ code: 0, text: '' });
  });

  test.each([
    ['an unknown user', ['-v3', '-u', 'nobody', '-l', 'noAuthNoPriv'], 'Unknown user name'],
    ['a wrong password', security('SHA', undefined, 'another-pass'), 'Authentication failure'],
    ['a wrong privacy password', security('SHA', 'AES', undefined, 'another-pass'), 'Decryption error'],
    [
      'a level the user has no key for',
      ['-v3', '-u', 'SHA', '-l', 'authPriv', '-a', 'SHA', '-A', 'authpass12345', '-x', 'AES', '-X', 'privpass12345'],
      'Unsupported security level',
    ],
  ])('%s is told so', async (_, args, text) => {
    const before = offered.items.length;
    expect(await say('snmpinform', ...once, ...args, at, ...hsrp)).toMatchObject({
      code: 1,
      text: expect.stringContaining(text),
    });
    expect(offered.items.length).toBe(before);
  });
});

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** A net-snmp agent of our own on loopback, stopped with the test. */
async function agent(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'offbox-snmpd-'));
  const port = await freePort();
  await writeFile(join(folder, 'snmpd.conf'), 'rocommunity read-only 127.0.0.1\n');
  const snmpd = spawn(
    '/usr/sbin/snmpd',
    ['-f', '-Lo', '-C', '-c', join(folder, 'snmpd.conf'), '-p', join(folder, 'pid'), '-I', '-smux', `udp:127.0.0.1:${port}`],
    {
      env: { ...process.env, MIBS: '', SNMP_PERSISTENT_DIR: folder },
    },
  );
  const ended = new Promise<void>((resolve) => snmpd.once('exit', () => resolve()));
  onTestFinished(async () => {
    snmpd.kill();
    await ended;
    await rm(folder, { recursive: true });
  });
  await new Promise<void>((resolve, reject) => {
    snmpd.stdout.on('data', (text: Buffer) => text.includes('NET-SNMP version') && resolve());
    snmpd.once('exit', (code) => reject(new Error(`snmpd ended with ${code}`)));
  });
  return port;
}

describe.skipIf(whyNoAgent)('an snmpd is asked', () => {
  test('for the name of ifIndex 1, which is lo', async () => {
    const port = await agent();
    const { sink, offered } = collector();
    const edge1 = { name: 'edge1', address: '127.0.0.1', port, community: 'read-only' };
    const source = snmpSource({
      host: '127.0.0.1',
      port: 0,
      communities: [],
      users: [],
      engine: { id: '80000000051122334455667788', boots: 7 },
      wall: realWall,
      agentOf: () => edge1,
    });
    await source.start(sink);
    onTestFinished(() => source.stop());
    const at = source.stats().listening[0]!.slice('udp '.length);
    await say('snmptrap', '-v2c', '-c', 'public', at, '', '1.3.6.1.6.3.1.1.5.3', '1.3.6.1.2.1.2.2.1.1.1', 'i', '1');
    expect((await offered.next()).event.meaning).toMatchObject({ kind: 'interface.state-changed', interface: 'lo', to: 'down' });
  });
});
