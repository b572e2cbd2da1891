// The ways to a libvirtd: TLS with certificates both ways and its one byte, SSH with the helper or a forwarded socket, TCP.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectLibvirt, type LibvirtClient } from '../../adapters/libvirt-rpc/index.ts';
import { procedures } from '../../adapters/libvirt-rpc/protocol.ts';
import { newKeyPair } from '../../lab/servers/ssh-keys.ts';
import { OperatorError } from '../../src/model/errors.ts';
import { connectDeadlineMs } from '../../src/model/limits.ts';
import type { LibvirtAccess, SecretReference } from '../../src/model/target.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { password, pinOf } from '../actuator-cli/device.ts';
import { type FakeLibvirtd, fakeLibvirtd } from './server.ts';

const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8');
const secrets = async (reference: SecretReference) => ('file' in reference ? pem(reference.file) : password);
const hostKey = newKeyPair();

let libvirtd: FakeLibvirtd;
const servers: (Server | ssh2.Server)[] = [];
const clients: LibvirtClient[] = [];

beforeEach(async () => {
  libvirtd = await fakeLibvirtd();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close(1)));
  for (const server of servers.splice(0)) server.close();
  await libvirtd.close();
});

async function listening(server: Server | ssh2.Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function connect(
  access: Partial<LibvirtAccess> & Pick<LibvirtAccess, 'transport'>,
  wall = realWall,
  address = '127.0.0.1',
) {
  const peer = { adapter: 'libvirt-rpc', name: 'kvm1', address, access: { uri: 'qemu:///system', write: false, ...access } };
  const client = await connectLibvirt(peer, { wall, secrets, mode: 'read-only' }, new AbortController().signal);
  clients.push(client);
  return client;
}

const speaks = async (client: LibvirtClient): Promise<void> => {
  expect(await client.call(procedures.getHostname, undefined)).toEqual({ hostname: 'kvm1' });
};

/** libvirtd's own manner: one byte once it has taken the certificate. */
function tlsServer(byte: number, ca = 'ca.crt'): Server {
  const files = { ca: pem(ca), cert: pem('server.crt'), key: pem('server.key') };
  return createTlsServer({ ...files, requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.write(Buffer.of(byte));
    libvirtd.accept(socket);
  });
}

const tls = (port: number): Parameters<typeof connect>[0] => {
  return {
    transport: 'tls',
    port,
    ca: { file: 'ca.crt' },
    certificate: { file: 'orchestrator.crt' },
    key: { file: 'orchestrator.key' },
  };
};

test('over TLS it waits for the byte that takes our certificate, and then speaks', async () => {
  await speaks(await connect(tls(await listening(tlsServer(1)))));
});

test('a certificate that is not taken is a login refused, not a fault of the way', async () => {
  const port = await listening(tlsServer(1, 'stranger.crt'));
  await expect(connect(tls(port))).rejects.toMatchObject({ code: 'login-refused', retry: false });
  await expect(connect(tls(await listening(tlsServer(0))))).rejects.toMatchObject({ code: 'login-refused', retry: false });
});

test('a libvirtd whose certificate we do not trust is not spoken to', async () => {
  const port = await listening(tlsServer(1));
  await expect(connect({ ...tls(port), ca: { file: 'stranger.crt' } })).rejects.toMatchObject({
    code: 'certificate-mismatch',
    retry: false,
  });
  expect(libvirtd.connections.flatMap(({ heard }) => heard)).toEqual([]);
});

test('TLS without all three files, and files that are none, are the operator’s to mend', async () => {
  await expect(connect({ transport: 'tls', ca: { file: 'ca.crt' } })).rejects.toThrow(OperatorError);
  await expect(connect({ ...tls(1), key: { env: 'PASSWORD' } })).rejects.toMatchObject({ code: 'bad-tls-access' });
  await expect(connect({ ...tls(1), key: { env: 'PASSWORD' } })).rejects.not.toThrow(password);
});

test('over bare TCP it speaks where the inventory says so', async () => {
  const port = await listening(createServer((socket) => libvirtd.accept(socket)));
  await speaks(await connect({ transport: 'tcp', port }));
});

test('a libvirtd that takes the connection and says nothing is given up', async () => {
  const wall = new VirtualWall(0);
  const silent = createServer((socket) => {
    socket.on('error', () => undefined);
    void wall.advance(connectDeadlineMs + 1);
  });
  const port = await listening(silent);
  await expect(connect(tls(port), wall)).rejects.toMatchObject({ code: 'connection-lost', retry: true });
});

interface Asked {
  command?: string;
  socketPath?: string | undefined;
}

async function sshServer(asked: Asked, helper: 'there' | 'missing' = 'there'): Promise<LibvirtAccess['ssh']> {
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      if (context.method === 'password' && context.password === password) context.accept();
      else context.reject(['password']);
    });
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        asked.command = command;
        const stream = acceptExec();
        if (helper === 'there') libvirtd.accept(stream);
        else {
          stream.stderr.write('sh: 1: virt-ssh-helper: not found\n');
          stream.exit(127);
          stream.end();
        }
      });
    });
    client.on(
      'openssh.streamlocal' as 'request',
      ((accept: () => ssh2.ServerChannel, _reject: unknown, info: Asked) => {
        asked.socketPath = info.socketPath;
        libvirtd.accept(accept());
      }) as never,
    );
  });
  const port = await listening(server);
  return { port, user: 'offbox', password: { env: 'PASSWORD' }, hostKey: pinOf(hostKey.private) };
}

test('over SSH it runs the helper, with the URI as one word', async () => {
  const asked: Asked = {};
  const ssh = await sshServer(asked);
  await speaks(await connect({ transport: 'ssh', ssh, uri: "qemu:///system?x='; reboot" }));
  expect(asked.command).toBe(`virt-ssh-helper -r 'qemu:///system?x='\\''; reboot'`);
});

test('over SSH it takes the socket that the inventory names', async () => {
  const asked: Asked = {};
  const ssh = await sshServer(asked);
  await speaks(await connect({ transport: 'ssh', ssh, socket: '/run/libvirt/libvirt-sock-ro' }));
  expect(asked).toEqual({ socketPath: '/run/libvirt/libvirt-sock-ro' });
});

test('a helper that is not there says so in its own words', async () => {
  const ssh = await sshServer({}, 'missing');
  await expect(connect({ transport: 'ssh', ssh })).rejects.toThrow(
    'virt-ssh-helper ended with 127: sh: 1: virt-ssh-helper: not found',
  );
});

test('over SSH nobody but the pinned host is spoken to', async () => {
  const ssh = await sshServer({});
  const other = pinOf(newKeyPair().private);
  await expect(connect({ transport: 'ssh', ssh: { ...ssh!, hostKey: other } })).rejects.toMatchObject({
    code: 'host-key-mismatch',
  });
  await expect(connect({ transport: 'ssh' })).rejects.toThrow(OperatorError);
});
