// Debian's virsh against the lab's hypervisors: what it lists, prints and does is what it does with a real libvirtd.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createHypervisors, type Hypervisors } from '../../lab/model/hypervisor.ts';
import { whySkipped } from '../../lab/real/available.ts';
import { eventually, onLines, start, stop } from '../../lab/real/process.ts';
import { createLibvirtServer, type LibvirtServer, libvirtPort } from '../../lab/servers/libvirt-server.ts';
import { realWall } from '../../src/runtime/wall.ts';

const why = whySkipped({ programs: ['/usr/bin/virsh'], privilege: 'none' });
if (why) process.stderr.write(`SKIPPED in test/lab/virsh-sim.test.ts: ${why}\n`);

const names = ['kvm1', 'kvm2'] as const;
type Name = (typeof names)[number];
/** A net that no other lab has. */
const addresses = { kvm1: '127.98.0.7', kvm2: '127.98.0.8' };
let dir: string;
let hypervisors: Hypervisors<Name>;
const servers: LibvirtServer[] = [];

const socketOf = (name: Name) => join(dir, `${name}.sock`);
const unix = (name: Name) => `qemu+unix:///system?socket=${socketOf(name)}`;
const tcp = (name: Name) => `qemu+tcp://${addresses[name]}/system`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'virsh-'));
  hypervisors = createHypervisors({
    wall: realWall,
    names,
    addresses,
    sockets: { kvm1: socketOf('kvm1'), kvm2: socketOf('kvm2') },
    timers: { copyMs: 1_000 },
    frame: () => {},
  });
  for (const name of names) {
    const server = createLibvirtServer({
      host: hypervisors.hosts[name],
      hypervisors,
      wall: realWall,
      address: addresses[name],
      port: libvirtPort,
      socketPath: socketOf(name),
    });
    await server.open();
    servers.push(server);
  }
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  hypervisors.stop();
  rmSync(dir, { recursive: true });
});

interface Printed {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

function run(uri: string, ...args: readonly string[]): Promise<Printed> {
  return new Promise((resolve) => {
    execFile('/usr/bin/virsh', ['-c', uri, ...args], { timeout: 20_000 }, (error, out, said) => {
      resolve({ status: error ? Number(error.code ?? -1) : 0, out: out.trim(), error: said.trim() });
    });
  });
}

const virsh = (name: Name, ...args: readonly string[]) => run(unix(name), ...args);

interface Watched {
  readonly lines: string[];
  /** What it said last, when it has ended by itself. */
  readonly ended: Promise<string>;
  until(pattern: RegExp): Promise<void>;
}

/** `virsh event --all --loop`, and what it prints. */
async function watch(name: Name, ...options: readonly string[]): Promise<Watched> {
  const child = start(['stdbuf', '-oL', 'virsh', ...options, '-r', '-c', unix(name), 'event', '--all', '--loop']);
  onTestFinished(() => stop(child));
  const lines: string[] = [];
  let said = '';
  child.stderr?.on('data', (bytes) => {
    said += String(bytes);
  });
  const ended = new Promise<string>((resolve) => child.once('exit', () => resolve(said)));
  let look = () => {};
  onLines(child, (line) => {
    lines.push(line);
    look();
  });
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (lines.some((line) => pattern.test(line))) resolve();
      };
      look();
    });
  // It prints nothing when it has registered: an event of ours says so, made until one is seen, and a last one by another name.
  const host = hypervisors.hosts[name];
  const { uuid } = host.domains()[0]!.vm;
  const mark = (uri: string) => host.setMetadata(uuid, 'element', null, { key: 'x', uri });
  await eventually(
    `virsh event of ${name}`,
    async () => {
      mark('urn:first');
      return lines.length > 0;
    },
    {
      withinMs: 10_000,
      everyMs: 20,
    },
  );
  mark('urn:last');
  await until(/urn:last/);
  lines.length = 0;
  return { lines, ended, until };
}

/** What a real one printed of a job that was over. */
const figures = [
  ...['operation', 'time_elapsed', 'time_elapsed_net', 'downtime', 'downtime_net', 'setup_time'],
  ...['data_total', 'data_processed', 'data_remaining', 'memory_total', 'memory_processed', 'memory_remaining', 'memory_bps'],
  ...['memory_constant', 'memory_normal', 'memory_normal_bytes', 'memory_dirty_rate', 'memory_iteration'],
  ...['memory_postcopy_requests', 'memory_page_size', 'disk_total', 'disk_processed', 'disk_remaining'],
];

const eventLines = ({ lines }: Watched) => lines.filter((line) => line.startsWith('event '));

describe.skipIf(why)('virsh', () => {
  test.each([
    ['over the unix socket', () => unix('kvm1')],
    ['over TCP', () => tcp('kvm1')],
    ['read-only', () => unix('kvm1')],
  ])('lists the VMs %s', async (how, uri) => {
    const { out } = await run(uri(), ...(how === 'read-only' ? ['-r'] : []), 'list', '--all');
    expect(out).toBe(' Id   Name   State\n----------------------\n 1    web1   running\n 2    db1    running'.trim());
  });

  test('says what a VM is', async () => {
    expect((await virsh('kvm1', 'domstate', 'web1', '--reason')).out).toBe('running (booted)');
    const info = (await virsh('kvm1', 'dominfo', 'web1')).out;
    expect(info).toContain('UUID:           c7a5fdbd-0000-4000-8000-000000000001');
    expect(info).toContain('Persistent:     yes');
    expect(info).toContain('Security model: none');
    expect((await virsh('kvm1', 'dumpxml', 'web1')).out).toMatch(/^<domain type='kvm' id='1'>/);
    const ports = (await virsh('kvm1', 'domiflist', 'web1')).out;
    expect(ports.split('\n').at(-1)?.trim().split(/\s+/)).toEqual(['vnet0', 'bridge', 'br0', 'virtio', '52:54:00:aa:bb:01']);
    expect((await virsh('kvm1', 'domjobinfo', 'web1')).out).toBe('Job type:         None');
    expect((await virsh('kvm1', 'domblklist', 'web1')).out).toContain('/var/lib/libvirt/images/web1.qcow2');
    expect((await virsh('kvm1', 'domblkinfo', 'web1', 'vda')).out).toContain('Capacity:       21474836480');
  });

  test('says what the host is and has', async () => {
    expect((await virsh('kvm2', 'hostname')).out).toBe('kvm2');
    expect((await virsh('kvm2', 'version')).out).toContain('Running hypervisor: QEMU 7.2.22');
    expect((await virsh('kvm2', 'capabilities')).out).toContain('<uuid>22222222-aaaa-4bbb-8ccc-000000000002</uuid>');
    expect((await virsh('kvm2', 'net-list', '--all')).out).toMatch(/br0 +active +yes +yes$/);
    expect((await virsh('kvm2', 'pool-list', '--all')).out).toMatch(/default +active +yes$/);
    expect((await virsh('kvm2', 'pool-info', 'default')).out).toContain('Available:      320.00 GiB');
    expect((await virsh('kvm2', 'iface-list', '--all')).out).toMatch(/br0 +active/);
  });

  test('is refused in libvirt’s own words', async () => {
    expect((await virsh('kvm1', 'domstate', 'nosuch')).error).toBe("error: failed to get domain 'nosuch'");
    expect((await virsh('kvm1', 'domjobabort', 'web1')).error).toBe(
      'error: Requested operation is not valid: no job is active on the domain',
    );
    expect((await virsh('kvm1', 'start', 'web1')).error).toBe('error: Domain is already active');
    expect((await run(unix('kvm1'), '-r', 'suspend', 'web1')).error).toContain(
      'error: operation forbidden: read only access prevents virDomainSuspend',
    );
    expect((await virsh('kvm1', 'snapshot-list', 'web1')).status).toBe(1);
    // Without --p2p the client drives the migration itself, which these libvirtds do not let it.
    expect((await virsh('kvm1', 'migrate', '--live', 'web1', unix('kvm2'))).status).toBe(1);
    expect((await virsh('kvm1', 'migrate', '--live', '--p2p', 'web1', 'qemu+tcp://127.98.0.99/system')).error).toBe(
      "error: unable to connect to server at '127.98.0.99:16509': Connection refused",
    );
  });

  test('suspends, resumes, destroys and starts, and marks', async () => {
    const seen = await watch('kvm2');
    for (const verb of ['suspend', 'resume', 'destroy', 'start']) expect((await virsh('kvm2', verb, 'app1')).error).toBe('');
    await virsh(
      'kvm2',
      'metadata',
      'app1',
      '--uri',
      'urn:offbox:migration',
      '--key',
      'offbox',
      '--set',
      '<migration to="kvm1"/>',
      '--live',
    );
    await seen.until(/metadata-change/);
    expect((await virsh('kvm2', 'metadata', 'app1', '--uri', 'urn:offbox:migration')).out).toBe('<migration to="kvm1"/>');
    expect(eventLines(seen)).toEqual([
      "event 'lifecycle' for domain 'app1': Suspended Paused",
      "event 'lifecycle' for domain 'app1': Resumed Unpaused",
      "event 'lifecycle' for domain 'app1': Shutdown Finished after host request",
      "event 'lifecycle' for domain 'app1': Stopped Destroyed",
      "event 'lifecycle' for domain 'app1': Resumed Unpaused",
      "event 'lifecycle' for domain 'app1': Started Booted",
      "event 'metadata-change' for domain 'app1': type element, uri urn:offbox:migration",
    ]);
  });

  test('migrates peer to peer, and prints on both hosts the events that it prints with real ones', async () => {
    const [kvm1, kvm2] = [await watch('kvm1'), await watch('kvm2')];
    const moved = virsh('kvm1', 'migrate', '--live', '--p2p', '--persistent', '--undefinesource', 'web1', tcp('kvm2'));
    await kvm1.until(/iteration: '2'/);
    const job = (await virsh('kvm1', 'domjobinfo', 'web1')).out;
    expect(job).toMatch(/^Job type: +Unbounded +\nOperation: +Outgoing migration\nTime elapsed: +\d+ +ms\nData processed: /);
    expect((await virsh('kvm2', 'domstate', 'web1', '--reason')).out).toBe('paused (migrating)');
    expect(await moved).toEqual({ status: 0, out: '', error: '' });
    await kvm1.until(/job-completed/);
    expect(eventLines(kvm1)).toEqual([
      ...[1, 2, 3, 4].map((i) => `event 'migration-iteration' for domain 'web1': iteration: '${i}'`),
      "event 'lifecycle' for domain 'web1': Suspended Migrated",
      "event 'migration-iteration' for domain 'web1': iteration: '5'",
      "event 'lifecycle' for domain 'web1': Stopped Migrated",
      "event 'job-completed' for domain 'web1':",
    ]);
    await kvm1.until(/disk_remaining/);
    expect(kvm1.lines.filter((line) => line.startsWith('\t')).map((line) => line.trim().split(':')[0])).toEqual(figures);
    expect(eventLines(kvm2)).toEqual([
      "event 'lifecycle' for domain 'web1': Started Migrated",
      "event 'lifecycle' for domain 'web1': Defined Added",
      "event 'lifecycle' for domain 'web1': Resumed Migrated",
    ]);
    expect((await virsh('kvm2', 'domstate', 'web1', '--reason')).out).toBe('running (migrated)');
    expect((await virsh('kvm2', 'domjobinfo', 'web1', '--completed')).out).toMatch(/Completed +\nOperation: +Incoming migration/);
    expect((await virsh('kvm1', 'list', '--name')).out).toBe('db1');
  });

  test('aborts a migration: the source says nothing, the destination that it failed', async () => {
    const [kvm1, kvm2] = [await watch('kvm1'), await watch('kvm2')];
    const moved = virsh('kvm1', 'migrate', '--live', '--p2p', '--bandwidth', '100', 'db1', unix('kvm2'));
    await kvm1.until(/iteration: '1'/);
    expect((await virsh('kvm1', 'domjobabort', 'db1')).status).toBe(0);
    expect(await moved).toMatchObject({ status: 1, error: "error: operation aborted: job 'migration out' canceled by client" });
    await kvm2.until(/Stopped Failed/);
    expect(eventLines(kvm1)).toEqual(["event 'migration-iteration' for domain 'db1': iteration: '1'"]);
    expect(eventLines(kvm2)).toEqual([
      "event 'lifecycle' for domain 'db1': Started Migrated",
      "event 'control-error' for domain 'db1'",
      "event 'lifecycle' for domain 'db1': Stopped Failed",
    ]);
  });

  test('switches to post-copy, and moves an offline VM', async () => {
    const kvm2 = await watch('kvm2');
    const moved = virsh('kvm1', 'migrate', '--live', '--p2p', '--postcopy', '--postcopy-after-precopy', 'db1', unix('kvm2'));
    expect(await moved).toMatchObject({ status: 0, error: '' });
    await kvm2.until(/Resumed Migrated/);
    expect(eventLines(kvm2)).toEqual([
      "event 'lifecycle' for domain 'db1': Started Migrated",
      "event 'lifecycle' for domain 'db1': Resumed Post-copy",
      "event 'lifecycle' for domain 'db1': Resumed Migrated",
    ]);
    // The source's definition has stayed: it goes back there.
    expect((await virsh('kvm1', 'domstate', 'db1', '--reason')).out).toBe('shut off (migrated)');
    const kvm1 = await watch('kvm1');
    await virsh('kvm2', 'destroy', 'app1');
    const offline = await virsh(
      'kvm2',
      'migrate',
      '--offline',
      '--p2p',
      '--persistent',
      '--undefinesource',
      'app1',
      unix('kvm1'),
    );
    expect(offline).toMatchObject({ status: 0, error: '' });
    await kvm1.until(/Defined/);
    expect(eventLines(kvm1)).toEqual(["event 'lifecycle' for domain 'app1': Defined Added"]);
    expect((await virsh('kvm1', 'domstate', 'app1')).out).toBe('shut off');
    expect((await virsh('kvm2', 'list', '--all', '--name')).out.split('\n').sort()).toEqual(['db1', 'web1']);
  });

  test('is told by the end of its connection that libvirtd has gone, and finds the VMs when it is back', async () => {
    const seen = await watch('kvm2');
    await hypervisors.restartLibvirtd('kvm2');
    expect(await seen.ended).toMatch(/Disconnected from qemu.* due to end of file/);
    expect(eventLines(seen)).toEqual([]);
    expect((await virsh('kvm2', 'list', '--name')).out.split('\n').sort()).toEqual(['db1', 'web1']);
  });

  test('keeps its connection by keepalive, and loses it where libvirtd is frozen', async () => {
    const seen = await watch('kvm2', '-k', '1', '-K', '2');
    hypervisors.freeze('kvm2');
    expect(await seen.ended).toMatch(/due to keepalive timeout/);
    hypervisors.thaw('kvm2');
    expect((await virsh('kvm2', 'hostname')).out).toBe('kvm2');
  });
});
