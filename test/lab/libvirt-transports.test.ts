// A real libvirtd through TLS, and through OpenSSH: libvirt's own helper as the remote command, and a forwarded socket.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectLibvirt } from '../../adapters/libvirt-rpc/index.ts';
import { libvirtSource } from '../../adapters/source-libvirt/index.ts';
import { hypervisorNeeds, whySkipped } from '../../lab/real/available.ts';
import { type Guest, type Hypervisors, startHypervisors } from '../../lab/real/hypervisors.ts';
import { eventually, output, stop } from '../../lab/real/process.ts';
import type { SecretReference, Target } from '../../src/model/target.ts';
import { realWall as wall } from '../../src/runtime/wall.ts';
import { hearing } from '../source-libvirt/kit.ts';

const why = whySkipped({ ...hypervisorNeeds, programs: [...hypervisorNeeds.programs, '/usr/sbin/sshd', '/usr/bin/ssh-keygen'] });
if (why) process.stderr.write(`SKIPPED in test/lab/libvirt-transports.test.ts: ${why}\n`);
const web1: Guest = { name: 'web1', uuid: 'c7a5fdbd-0000-4000-8000-000000000021', mac: '52:54:00:aa:bb:21', kind: 'idle' };
const secrets = (reference: SecretReference) => readFile('file' in reference ? reference.file : '', 'utf8');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(why)(`libvirt from afar${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Hypervisors;
  let tlsPort: number;
  let tlsFolder: string;
  let sshd: ChildProcess;
  let ssh: NonNullable<NonNullable<Target['libvirt']>['ssh']>;

  beforeAll(async () => {
    const pem = (name: string) => join(import.meta.dirname, '../fixtures/tls', name);
    tlsPort = await freePort();
    tlsFolder = await mkdtemp(join(tmpdir(), 'offbox-tls-'));
    await chmod(tlsFolder, 0o755);
    for (const name of ['ca.crt', 'server.crt', 'server.key']) {
      await copyFile(pem(name), join(tlsFolder, name));
      await chmod(join(tlsFolder, name), 0o644);
    }
    const [ca, certificate, key] = ['ca.crt', 'server.crt', 'server.key'].map((name) => join(tlsFolder, name));
    const ports = { kvm1: tlsPort, kvm2: await freePort() };
    lab = await startHypervisors({ port: ports, ca: ca!, certificate: certificate!, key: key! });
    const file = (name: string) => join(lab.path, name);
    for (const name of ['host-key', 'client-key'])
      await output(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
    await copyFile(file('client-key.pub'), file('authorized-keys'));
    const port = await freePort();
    const keys = `HostKey ${file('host-key')}\nAuthorizedKeysFile ${file('authorized-keys')}\nStrictModes no\nUsePAM no\nPidFile none\n`;
    await writeFile(file('sshd_config'), `Port ${port}\nListenAddress 127.0.0.1\n${keys}`);
    // In mounts of its own libvirt's system socket is the lab's, for that is where the helper looks as root.
    const place = `mount -t tmpfs none /run && mkdir -p /run/sshd /run/libvirt && ln -s ${lab.socket('kvm1')} /run/libvirt/libvirt-sock-ro`;
    const argv = [
      '--pdeathsig',
      'KILL',
      'unshare',
      '--mount',
      'sh',
      '-c',
      `${place} && exec /usr/sbin/sshd -D -f ${file('sshd_config')}`,
    ];
    sshd = spawn('setpriv', argv, { stdio: 'ignore' });
    const scanned = await eventually(
      'sshd',
      async () => (await output(['ssh-keyscan', '-p', `${port}`, '-t', 'ed25519', '127.0.0.1'])).trim(),
      { withinMs: 10_000, everyMs: 50 },
    );
    await writeFile(file('scanned'), `${scanned}\n`);
    const hostKey = (await output(['ssh-keygen', '-lf', file('scanned')])).split(' ')[1]!;
    ssh = { port, user: 'root', key: { file: file('client-key') }, hostKey };
  });
  afterAll(async () => {
    if (sshd) await stop(sshd);
    await lab?.down();
    await rm(tlsFolder, { recursive: true, force: true });
  });

  test.each(['SSH helper', 'SSH socket', 'TLS'] as const)('a guest’s life is told through the %s', async (way) => {
    const heard = hearing();
    const pem = (name: string) => ({ file: join(import.meta.dirname, '../fixtures/tls', name) });
    const ways = {
      'SSH helper': { transport: 'ssh', ssh },
      'SSH socket': { transport: 'ssh', ssh, socket: lab.socket('kvm1') },
      TLS: {
        transport: 'tls',
        port: tlsPort,
        ca: pem('ca.crt'),
        certificate: pem('orchestrator.crt'),
        key: pem('orchestrator.key'),
      },
    } as const;
    const access = { uri: 'qemu:///session', write: false, ...ways[way] };
    const targets = { kvm1: { platform: 'libvirt', address: '127.0.0.1', libvirt: access } } as const;
    const source = libvirtSource({ inventory: { targets }, wall, secrets });
    await source.start(heard);
    const listed = await heard.line('kvm1 listed 0 domains');
    expect(listed.origin).toMatchObject({ transport: ways[way].transport, trust: 'authenticated' });
    await lab.virsh('kvm1', 'create', await lab.xml(web1));
    await lab.virsh('kvm1', 'destroy', 'web1');
    await heard.line('kvm1 lifecycle web1 stopped destroyed');
    expect(heard.lines().slice(1)).toEqual([
      'kvm1 lifecycle web1 resumed unpaused',
      'kvm1 lifecycle web1 started booted',
      'kvm1 lifecycle web1 shutdown finished after host request',
      'kvm1 lifecycle web1 stopped destroyed',
    ]);
    expect(heard.gaps).toEqual([]);
    await source.stop();
  });

  test('a certificate that its CA did not sign is refused, and told as that', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'offbox-own-'));
    const [key, certificate] = [join(dir, 'own.key'), join(dir, 'own.crt')];
    const made = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=own',
      '-keyout',
      key,
      '-out',
      certificate,
    ];
    await output(['openssl', 'req', ...made]);
    const ca = { file: join(import.meta.dirname, '../fixtures/tls/ca.crt') };
    const files = { ca, certificate: { file: certificate }, key: { file: key } };
    const access = { transport: 'tls', uri: 'qemu:///session', write: false, port: tlsPort, ...files } as const;
    const peer = { adapter: 'lab', name: 'kvm1', address: '127.0.0.1', access };
    const connecting = connectLibvirt(peer, { wall, secrets, mode: 'read-only' }, new AbortController().signal);
    await expect(connecting).rejects.toMatchObject({ code: 'login-refused', retry: false });
    await rm(dir, { recursive: true });
  });
});
