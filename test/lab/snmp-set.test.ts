// Debian's net-snmp against what sets over SNMP: its snmpwalk and snmpset on the simulated switch, our actuator on its snmpd.
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { snmpActuator } from '../../adapters/actuator-snmp/index.ts';
import { whySkipped } from '../../lab/real/available.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { targetOf, write } from '../actuator-snmp/agent.ts';
import { type TestLab, testLab } from '../lab-sim/helpers.ts';
import { port1, web } from '../lab-sim/switch-session.ts';

const run = promisify(execFile);
const programs = ['/usr/bin/snmpwalk', '/usr/bin/snmpset', '/usr/sbin/snmpd'];
const why = whySkipped({ programs, privilege: 'none' });
if (why) process.stderr.write(`SKIPPED in test/lab/snmp-set.test.ts: ${why}\n`);

const never = new AbortController().signal;
const table = '1.3.6.1.4.1.9.9.315.1.2.3.1';
const address = '82.84.0.170.187.2';
const env = { ...process.env, MIBS: '' };

async function say(program: 'snmpwalk' | 'snmpset', ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(`/usr/bin/${program}`, ['-On', '-r', '0', '-t', '3', ...args], { env });
  return stdout;
}

describe.skipIf(why)("Debian's tools on a simulated switch", () => {
  let lab: TestLab;
  let at: string;
  beforeAll(async () => {
    lab = await testLab();
    const { address: host, snmp } = lab.inventory.targets['acc-1']!;
    at = `${host}:${snmp!.port}`;
  });
  afterAll(() => lab.end());

  const secret = async (name: string) => (await run('cat', [join(lab.dir, name)])).stdout.trim();

  test.each(['-v2c', '-v3'])('see a sticky row and destroy it, over %s', async (version) => {
    const user = ['-u', 'offbox', '-l', 'authPriv', '-a', 'SHA-256', '-A', await secret('snmp-auth-key')];
    const v3 = [...user, '-x', 'AES', '-X', await secret('snmp-priv-key')];
    const as = [version, ...(version === '-v3' ? v3 : ['-c', await secret('snmp-write-community')])];
    const acc1 = lab.lab.fabric.switches['acc-1'];
    acc1.frame(port1, web, 10);
    const rows = await say('snmpwalk', ...as, at, table);
    const ifIndex = new RegExp(`^\\.${table}\\.3\\.(\\d+)\\.${address}\\.10 = INTEGER: 3$`, 'm').exec(rows)?.[1];
    expect(rows).toContain(`.${table}.5.${ifIndex}.${address}.10 = INTEGER: 1\n`);
    await say('snmpset', ...as, at, `${table}.5.${ifIndex}.${address}.10`, 'i', '6');
    expect(acc1.secureRows({ mac: web })).toEqual([]);
    expect(await say('snmpwalk', ...as, at, table)).not.toContain(address);
  });

  test('may not set in the community that reads', async () => {
    const acc1 = lab.lab.fabric.switches['acc-1'];
    acc1.frame(port1, web, 10);
    const rows = await say('snmpwalk', '-v2c', '-c', 'public', at, `${table}.5`);
    const row = /^\.(\S+) = INTEGER: 1$/m.exec(rows)![1]!;
    await expect(say('snmpset', '-v2c', '-c', 'public', at, row, 'i', '6')).rejects.toThrow(/noAccess/);
    expect(acc1.secureRows({ mac: web })).toHaveLength(1);
  });
});

/** What snmpd passes a subtree to (snmpd.conf, `pass`): one row, until it is destroyed, which the file at argv[2] stands for. */
const passed = `import { existsSync, writeFileSync } from 'node:fs';
const [, , gone, verb, oid, , value] = process.argv;
const row = { '.${table}.3.9.${address}.10': 3, '.${table}.5.9.${address}.10': 1 };
const oids = existsSync(gone) ? [] : Object.keys(row);
const arcs = (text) => text.split('.').slice(1).map((arc) => arc.padStart(6, '0')).join('.');
const found = oids.find((each) => (verb === '-n' ? arcs(each) > arcs(oid) : each === oid));
if (verb === '-s' && found && value === '6') writeFileSync(gone, '');
else if (verb === '-s') console.log('not-writable');
else if (found) console.log([found, 'integer', row[found]].join('\\n'));
`;

async function snmpd(): Promise<{ port: number; gone: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'offbox-snmpd-'));
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  const gone = join(folder, 'gone');
  const script = join(folder, 'pass.mjs');
  await writeFile(script, passed);
  const conf = `createUser writer SHA-256 authpass12345 AES privpass12345
rwuser writer authpriv
createUser reader SHA-256 authpass12345 AES privpass12345
rouser reader authpriv
rwcommunity secret 127.0.0.1
pass .${table} ${process.execPath} ${script} ${gone}
`;
  await writeFile(join(folder, 'snmpd.conf'), conf);
  const files = ['-C', '-c', join(folder, 'snmpd.conf'), '-p', join(folder, 'pid')];
  const agent = spawn('/usr/sbin/snmpd', ['-f', '-Lo', ...files, '-I', '-smux', `udp:127.0.0.1:${port}`], {
    env: { ...env, SNMP_PERSISTENT_DIR: folder },
  });
  const ended = new Promise<void>((resolve) => agent.once('exit', () => resolve()));
  onTestFinished(async () => {
    agent.kill();
    await ended;
    await rm(folder, { recursive: true });
  });
  await new Promise<void>((resolve, reject) => {
    agent.stdout.on('data', (text: Buffer) => text.includes('NET-SNMP version') && resolve());
    agent.once('exit', (code) => reject(new Error(`snmpd ended with ${code}`)));
  });
  return { port, gone };
}

async function opened(port: number, as: object) {
  const secrets = async (reference: object): Promise<string> => ('env' in reference ? String(reference.env) : '');
  const session = await snmpActuator({ wall: realWall, secrets }).open('sw1', targetOf(port, as), never);
  onTestFinished(() => session.close());
  return session;
}

describe.skipIf(why)("our actuator on Debian's snmpd", () => {
  const set = { kind: 'snmp-set', oid: `${table}.5.9.${address}.10`, integer: 6 } as const;

  test.each([
    ['an SNMPv3 user', write],
    ['a community', { community: { env: 'secret' } }],
  ])('walks and sets as %s', async (_who, as) => {
    const { port, gone } = await snmpd();
    const session = await opened(port, as);
    const names = await session.run({ kind: 'snmp-walk', below: '1.3.6.1.2.1.31.1.1.1.1' }, never);
    expect(JSON.parse(names.text)).toContainEqual({ oid: '1.3.6.1.2.1.31.1.1.1.1.1', value: 'lo' });
    const walk = { kind: 'snmp-walk', below: `${table}.3` } as const;
    expect(JSON.parse((await session.run(walk, never)).text)).toEqual([{ oid: `${table}.3.9.${address}.10`, value: 3 }]);
    expect(existsSync(gone)).toBe(false);
    await session.run(set, never);
    expect(existsSync(gone)).toBe(true);
    expect((await session.run(walk, never)).text).toBe('[]');
    await expect(session.run(set, never)).rejects.toMatchObject({ code: 'snmp-refused', retry: false });
  });

  test.each([
    ['user', { ...write, user: 'stranger' }, 'unknown-user'],
    ['auth key', { ...write, auth: { protocol: 'sha256', key: { env: 'anotherpass' } } }, 'wrong-digest'],
  ])('is told of a wrong %s', async (_what, as, code) => {
    const { port } = await snmpd();
    await expect(opened(port, as)).rejects.toMatchObject({ code, retry: false });
  });

  test('is answered with silence where the priv key is wrong, and says that this may be it', async () => {
    const { port } = await snmpd();
    const wrong = { ...write, priv: { protocol: 'aes128', key: { env: 'anotherpass' } } };
    await expect(opened(port, wrong)).rejects.toThrow(
      /did not answer while opening a session.* and the user's keys: some agents/,
    );
  });

  test('is refused as a user who may only read', async () => {
    const { port, gone } = await snmpd();
    const session = await opened(port, { ...write, user: 'reader' });
    await expect(session.run(set, never)).rejects.toMatchObject({ code: 'snmp-refused', retry: false });
    expect(existsSync(gone)).toBe(false);
  });
});
