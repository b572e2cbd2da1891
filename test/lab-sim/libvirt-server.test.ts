// The simulated libvirtd over real sockets: what it answers, what it tells, what it survives.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  domainCodec,
  encodeCall,
  encodeMessage,
  events,
  jobOperations,
  migrateFlags,
  procedures,
  type RemoteEvent,
} from '../../adapters/libvirt-rpc/protocol.ts';
import { encode } from '../../adapters/libvirt-rpc/xdr.ts';
import { hypervisorTargets } from '../../lab/hypervisor-targets.ts';
import { labAddresses } from '../../lab/model/addresses.ts';
import { createHypervisors, type HypervisorTimers } from '../../lab/model/hypervisor.ts';
import { moreProcedures } from '../../lab/servers/libvirt-procedures.ts';
import { createLibvirtServer, type LibvirtServer } from '../../lab/servers/libvirt-server.ts';
import { createLibvirtSession } from '../../lab/servers/libvirt-session.ts';
import { targetSchema } from '../../src/model/target.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { connectTo, type LibvirtClient, openTo, Refused } from './libvirt-client.ts';

const web1 = { name: 'web1', uuid: 'c7a5fdbd-0000-4000-8000-000000000001', id: 1 };
const fast: Partial<HypervisorTimers> = { prepareMs: 10, copyMs: 100, stopMs: 10, keepaliveMs: 50, restartMs: 10 };

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function lab(timers: Partial<HypervisorTimers> = fast) {
  const dir = mkdtempSync(join(tmpdir(), 'virt-'));
  const sockets = { kvm1: join(dir, 'kvm1.sock'), kvm2: join(dir, 'kvm2.sock') };
  const addresses = { kvm1: '127.23.0.7', kvm2: '127.23.0.8' };
  const hypervisors = createHypervisors({ wall: realWall, names: ['kvm1', 'kvm2'], addresses, sockets, timers, frame: () => {} });
  const servers: LibvirtServer[] = [];
  for (const name of ['kvm1', 'kvm2'] as const) {
    const server = createLibvirtServer({ host: hypervisors.hosts[name], hypervisors, wall: realWall, socketPath: sockets[name] });
    await server.open();
    servers.push(server);
  }
  ends.push(async () => {
    for (const server of servers) await server.stop();
    hypervisors.stop();
    rmSync(dir, { recursive: true });
  });
  const client = async (name: 'kvm1' | 'kvm2', flags = 0) => {
    const opened = await openTo({ path: sockets[name] }, flags);
    ends.push(() => void opened.socket.destroy());
    return opened;
  };
  return { dir, sockets, hypervisors, client };
}

async function watch(client: LibvirtClient): Promise<void> {
  for (const { id } of Object.values(events)) await client.call(procedures.registerEvent, { eventId: id, dom: null });
}

const perform = (client: LibvirtClient, socket: string, flags = 0) =>
  client.call(procedures.migratePerform, {
    dom: web1,
    dconnuri: `qemu+unix:///system?socket=${socket}`,
    params: [],
    cookieIn: new Uint8Array(),
    flags: flags | migrateFlags.live | migrateFlags.peerToPeer,
  });

const kinds = (client: LibvirtClient) =>
  client.events.map((event: RemoteEvent) => (event.kind === 'lifecycle' ? `${event.event}/${event.detail}` : event.kind));

const refused = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => (error instanceof Refused ? { code: error.error.code, message: error.message } : error),
  );

describe('a client', () => {
  test('lists the domains, and reads of each its state and its XML', async () => {
    const { client } = await lab();
    const kvm1 = await client('kvm1');
    const { domains } = await kvm1.call(procedures.listAllDomains, { needResults: 1, flags: 0 });
    expect(domains.map(({ name, id }) => `${name} ${id}`)).toEqual(['web1 1', 'db1 2']);
    expect(await kvm1.call(procedures.getState, { dom: web1, flags: 0 })).toEqual({ state: 1, reason: 1 });
    const { xml } = await kvm1.call(procedures.getXmlDesc, { dom: web1, flags: 0 });
    expect(xml).toContain(`<mac address='52:54:00:aa:bb:01'/>`);
    expect(xml).toContain(`<source bridge='br0'/>`);
  });

  test('reads what the host is and has', async () => {
    const { client } = await lab();
    const kvm2 = await client('kvm2', 1);
    expect(await kvm2.call(procedures.getHostname, undefined)).toEqual({ hostname: 'kvm2' });
    expect((await kvm2.call(procedures.getCapabilities, undefined)).xml).toContain('<model>Skylake-Server-IBRS</model>');
    const { pools } = await kvm2.call(procedures.listAllPools, { needResults: 1, flags: 2 });
    const info = await kvm2.call(procedures.poolGetInfo, { pool: pools[0]! });
    expect(info).toMatchObject({ state: 2, available: info.capacity - info.allocation });
    expect((await kvm2.call(procedures.poolGetXmlDesc, { pool: pools[0]!, flags: 0 })).xml).toContain('/var/lib/libvirt/images');
    const { networks } = await kvm2.call(procedures.listAllNetworks, { needResults: 1, flags: 2 });
    expect(networks.map(({ name }) => name)).toEqual(['br0']);
    const { vol } = await kvm2.call(procedures.volumeLookupByPath, { path: '/var/lib/libvirt/images/web1.qcow2' });
    expect((await kvm2.call(procedures.poolLookupByVolume, { vol })).pool.name).toBe('default');
  });

  test('is answered as libvirt answers what it cannot do', async () => {
    const { client } = await lab();
    const kvm1 = await client('kvm1');
    const gone = { name: 'nosuch', uuid: '00000000-0000-4000-8000-000000000009', id: -1 };
    expect(await refused(kvm1.call(procedures.lookupByName, { name: 'nosuch' }))).toEqual({
      code: 42,
      message: "Domain not found: no domain with matching name 'nosuch'",
    });
    expect(await refused(kvm1.call(procedures.getState, { dom: gone, flags: 0 }))).toMatchObject({ code: 42 });
    expect(await refused(kvm1.callNumber(9_999))).toEqual({ code: 39, message: 'unknown procedure: 9999' });
    expect(await refused(kvm1.call(procedures.abortJob, { dom: web1 }))).toEqual({
      code: 55,
      message: 'Requested operation is not valid: no job is active on the domain',
    });
    // The connection has stayed open.
    expect(await kvm1.call(procedures.getHostname, undefined)).toEqual({ hostname: 'kvm1' });
  });

  test('that opened read-only may read and change nothing', async () => {
    const { client, hypervisors } = await lab();
    const kvm1 = await client('kvm1', 1);
    await watch(kvm1);
    expect(await refused(kvm1.call(moreProcedures.suspend, { dom: web1 }))).toEqual({
      code: 29,
      message: 'operation forbidden: read only access prevents virDomainSuspend',
    });
    expect(await refused(perform(kvm1, '/nowhere'))).toMatchObject({ code: 29 });
    expect(hypervisors.hosts.kvm1.find(web1.uuid)?.standing).toEqual(['running', 'booted']);
  });

  test('that has not opened is told so', async () => {
    const { sockets } = await lab();
    const client = await connectTo({ path: sockets.kvm1 });
    ends.push(() => void client.socket.destroy());
    expect(await refused(client.call(procedures.getHostname, undefined))).toMatchObject({ code: 1 });
    expect(await refused(client.call(procedures.connectOpen, { uri: 'xen:///', flags: 0 }))).toMatchObject({ code: 5 });
  });
});

describe('a migration over the wire', () => {
  test('is answered when it is over, and told on both connections', async () => {
    const { client, sockets } = await lab();
    const [kvm1, kvm2] = [await client('kvm1'), await client('kvm2')];
    await Promise.all([watch(kvm1), watch(kvm2)]);
    await perform(kvm1, sockets.kvm2, migrateFlags.persistDest | migrateFlags.undefineSource);
    await kvm2.until(() => kinds(kvm2).includes('4/1'));
    expect(kinds(kvm2)).toEqual(['2/1', '0/0', '4/1']);
    expect(kinds(kvm1)).toEqual([
      ...Array<string>(4).fill('migration-iteration'),
      '3/1',
      'migration-iteration',
      '5/3',
      'job-completed',
    ]);
    expect(await kvm2.call(procedures.getState, { dom: web1, flags: 0 })).toEqual({ state: 1, reason: 2 });
    expect(await refused(kvm1.call(procedures.lookupByUuid, { uuid: web1.uuid }))).toMatchObject({ code: 42 });
    const over = await kvm2.call(procedures.getJobStats, { dom: web1, flags: 1 });
    expect(over.type).toBe(3);
    expect(jobOperations[over.params[0]!.value as number]).toBe('migration-in');
  });

  test('shows how far it is at the source, and refuses to at the destination', async () => {
    const { client, sockets } = await lab({ ...fast, copyMs: 5_000 });
    const [kvm1, kvm2] = [await client('kvm1'), await client('kvm2')];
    await watch(kvm1);
    const over = refused(perform(kvm1, sockets.kvm2));
    await kvm1.until(() => kinds(kvm1).includes('migration-iteration'));
    const { type, params } = await kvm1.call(procedures.getJobStats, { dom: web1, flags: 0 });
    expect(type).toBe(2);
    expect(params.find(({ field }) => field === 'operation')?.value).toBe(5);
    expect(params.find(({ field }) => field === 'memory_total')?.value).toBe(1024 ** 3);
    expect(await kvm2.call(procedures.getState, { dom: web1, flags: 0 })).toEqual({ state: 3, reason: 2 });
    expect(await refused(kvm2.call(procedures.getJobStats, { dom: web1, flags: 0 }))).toMatchObject({ code: 84 });
    expect(await refused(kvm2.call(procedures.abortJob, { dom: web1 }))).toMatchObject({ code: 55 });
    await kvm1.call(procedures.abortJob, { dom: web1 });
    expect(await over).toEqual({ code: 78, message: "operation aborted: job 'migration out' canceled by client" });
  });

  test('to nowhere is refused before anything is told', async () => {
    const { client, hypervisors } = await lab();
    const kvm1 = await client('kvm1');
    await watch(kvm1);
    expect(await refused(perform(kvm1, '/nope'))).toEqual({
      code: 38,
      message: "Failed to connect socket to '/nope': No such file or directory",
    });
    expect(kvm1.events).toEqual([]);
    expect(hypervisors.whereIs('web1')).toBe('kvm1');
  });

  test('is foretold by a mark in the metadata, where the orchestrator sets one', async () => {
    const { client } = await lab();
    const [writer, reader] = [await client('kvm1'), await client('kvm1', 1)];
    await watch(reader);
    const element = { type: 2, metadata: `<migration to='kvm2'/>`, key: 'offbox', uri: 'urn:offbox:migration', flags: 1 };
    await writer.call(moreProcedures.setMetadata, { dom: web1, ...element });
    await reader.until(() => reader.events.length > 0);
    expect(reader.events[0]).toMatchObject({ kind: 'metadata-change', type: 2, uri: 'urn:offbox:migration' });
    const { xml } = await reader.call(procedures.getXmlDesc, { dom: web1, flags: 0 });
    expect(xml).toContain('<offbox:migration xmlns:offbox="urn:offbox:migration"');
  });
});

describe('events', () => {
  test('come for the domain and the kind that were registered, until they are deregistered', async () => {
    const { client, hypervisors } = await lab();
    const kvm1 = await client('kvm1');
    const db1 = 'c7a5fdbd-0000-4000-8000-000000000002';
    const { callbackId } = await kvm1.call(procedures.registerEvent, { eventId: 0, dom: web1 });
    hypervisors.hosts.kvm1.suspend(db1);
    hypervisors.hosts.kvm1.suspend(web1.uuid);
    await kvm1.until(() => kvm1.events.length > 0);
    expect(kvm1.events).toMatchObject([{ kind: 'lifecycle', callbackId, dom: { name: 'web1' }, event: 3, detail: 0 }]);
    await kvm1.call(procedures.deregisterEvent, { callbackId });
    hypervisors.hosts.kvm1.resume(web1.uuid);
    await kvm1.call(procedures.getHostname, undefined);
    expect(kvm1.events).toHaveLength(1);
  });

  test('of the time in which libvirtd was down are never seen; its guests are where they were', async () => {
    const { client, hypervisors, sockets } = await lab({ ...fast, restartMs: 100 });
    const kvm1 = await client('kvm1');
    await watch(kvm1);
    const back = hypervisors.restartLibvirtd('kvm1');
    await kvm1.until(() => kvm1.closed);
    expect(existsSync(sockets.kvm1)).toBe(false);
    await back;
    const again = await client('kvm1');
    await watch(again);
    expect(await again.call(procedures.lookupByName, { name: 'web1' })).toEqual({ dom: web1 });
    expect([...kvm1.events, ...again.events]).toEqual([]);
  });

  test('are kept while libvirtd is frozen, and come when it goes on', async () => {
    const { client, hypervisors } = await lab();
    const [kvm1, kvm2] = [await client('kvm1'), await client('kvm2')];
    await watch(kvm1);
    hypervisors.freeze('kvm1');
    hypervisors.hosts.kvm1.suspend(web1.uuid);
    const answer = kvm1.call(procedures.getHostname, undefined);
    let answered = false;
    void answer.then(() => {
      answered = true;
    });
    // The other one has answered three times meanwhile.
    for (let i = 0; i < 3; i++) await kvm2.call(procedures.getHostname, undefined);
    expect([answered, kvm1.closed, kvm1.events.length]).toEqual([false, false, 0]);
    hypervisors.thaw('kvm1');
    expect(await answer).toEqual({ hostname: 'kvm1' });
    expect(kinds(kvm1)).toEqual(['3/0']);
  });
});

describe('the connection', () => {
  test('answers a ping at once', async () => {
    const { client } = await lab();
    const kvm1 = await client('kvm1');
    kvm1.ping();
    await kvm1.until(() => kvm1.pongs === 1);
  });

  test('is pinged five times and closed after thirty seconds where the client asked for the keepalive and is silent', async () => {
    const wall = new VirtualWall(0);
    const hypervisors = createHypervisors({ wall, names: ['kvm1'], addresses: { kvm1: '127.23.0.7' }, frame: () => {} });
    const sent: number[] = [];
    let closedAt = 0;
    const session = createLibvirtSession({
      context: { host: hypervisors.hosts.kvm1, hypervisors },
      wall,
      write: (bytes) => {
        if (bytes.readUInt32BE(4) === 0x6b656570) sent.push(wall.monotonic());
      },
      close: () => {
        closedAt = wall.monotonic();
      },
    });
    await wall.advance(60_000);
    session.input(encodeCall(procedures.supportsFeature, 0, { feature: 10 }));
    await wall.advance(40_000);
    expect(sent).toEqual([65_000, 70_000, 75_000, 80_000, 85_000]);
    expect(closedAt).toBe(90_000);
    hypervisors.stop();
  });

  test('takes calls byte by byte', async () => {
    const { client } = await lab();
    const kvm1 = await client('kvm1');
    const call = encodeCall(procedures.getHostname, 77, undefined);
    const answer = new Promise<Buffer>((resolve) => kvm1.socket.once('data', resolve));
    for (const byte of call) kvm1.socket.write(Buffer.of(byte));
    expect((await answer).toString('latin1')).toContain('kvm1');
  });

  test('ends where a length cannot be one', async () => {
    const { client } = await lab();
    const kvm1 = await client('kvm1');
    kvm1.socket.write(Buffer.from('0000000420008086', 'hex'));
    await kvm1.until(() => kvm1.closed);
  });

  test('is cut where the lab cuts it, and new ones are taken', async () => {
    const { client, hypervisors } = await lab();
    const kvm1 = await client('kvm1');
    hypervisors.cut('kvm1');
    await kvm1.until(() => kvm1.closed);
    expect(await (await client('kvm1')).call(procedures.getHostname, undefined)).toEqual({ hostname: 'kvm1' });
  });

  test('ends where the client takes nothing, long before memory does', async () => {
    const { client, hypervisors } = await lab();
    const kvm1 = await client('kvm1');
    await watch(kvm1);
    hypervisors.freeze('kvm1');
    const mark = { key: 'x', uri: `urn:${'x'.repeat(1_000)}` };
    for (let i = 0; i < 9_000 && !kvm1.closed; i++) hypervisors.hosts.kvm1.setMetadata(web1.uuid, 'element', '<a/>', mark);
    await kvm1.until(() => kvm1.closed);
  });

  test('whatever a client sends, nothing breaks but its own connection', async () => {
    const wall = new VirtualWall(0);
    const hypervisors = createHypervisors({ wall, names: ['kvm1'], addresses: { kvm1: '127.23.0.7' }, frame: () => {} });
    const context = { host: hypervisors.hosts.kvm1, hypervisors };
    const numbers = [...Object.values(procedures), ...Object.values(moreProcedures)].map(({ number }) => number);
    const bytes = fc.uint8Array({ maxLength: 120 });
    // Most calls begin with a domain.
    const payload = fc.oneof(
      bytes,
      bytes.map((rest) => Uint8Array.from([...encode(domainCodec, web1), ...rest])),
      fc
        .array(fc.constantFrom(0, 1, 2, 3))
        .map((words) => Uint8Array.from([...encode(domainCodec, web1), ...words.flatMap((word) => [0, 0, 0, word])])),
    );
    const call = fc.tuple(fc.constantFrom(...numbers), payload, fc.integer({ min: 0, max: 6 }));
    const faults: string[] = [];
    const write = (reply: Buffer) => {
      const text = reply.toString('latin1');
      if (text.includes('the lab failed')) faults.push(text);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(call, fc.uint8Array({ maxLength: 60 })), { maxLength: 20 }),
        fc.boolean(),
        async (sent, whole) => {
          const session = createLibvirtSession({ context, wall, write, close: () => {} });
          session.input(encodeCall(procedures.connectOpen, 0, { uri: null, flags: 0 }));
          for (const each of sent) {
            const bytes =
              each instanceof Uint8Array
                ? each
                : encodeMessage(
                    { program: 0x20008086, procedure: each[0], type: each[2] === 1 ? 1 : 0, serial: 1, status: 0 },
                    each[1],
                  );
            if (whole) session.input(bytes);
            else for (const byte of bytes) session.input(Uint8Array.of(byte));
          }
          await wall.advance(1_000);
          session.end();
        },
      ),
      { numRuns: 200 },
    );
    expect(faults).toEqual([]);
    const replies: Buffer[] = [];
    const after = createLibvirtSession({ context, wall, write: (bytes) => replies.push(bytes), close: () => {} });
    after.input(encodeCall(procedures.connectOpen, 0, { uri: null, flags: 0 }));
    after.input(encodeCall(procedures.getHostname, 1, undefined));
    await wall.advance(1);
    expect(replies.at(-1)?.toString('latin1')).toContain('kvm1');
    hypervisors.stop();
  });
});

describe('where it listens', () => {
  test('takes the place of a socket that somebody left behind, and not of one that answers', async () => {
    const { dir, sockets, hypervisors } = await lab();
    const server = (socketPath: string) =>
      createLibvirtServer({ host: hypervisors.hosts.kvm1, hypervisors, wall: realWall, socketPath });
    await expect(server(sockets.kvm1).open()).rejects.toMatchObject({ code: 'lab-address-in-use' });
    const stale = join(dir, 'stale.sock');
    writeFileSync(stale, '');
    const other = server(stale);
    await other.open();
    await other.stop();
    await expect(server(join(dir, 'x'.repeat(120))).open()).rejects.toMatchObject({ code: 'lab-path-too-long' });
  });

  test('is at its own address on TCP as well', async () => {
    const { hypervisors } = await lab();
    const where = { host: '127.23.77.7', port: 16_509 };
    const { host: address, port } = where;
    const server = createLibvirtServer({ host: hypervisors.hosts.kvm1, hypervisors, wall: realWall, address, port });
    await server.open();
    ends.push(() => server.stop());
    const client = await openTo(where);
    ends.push(() => void client.socket.destroy());
    expect(await client.call(procedures.getHostname, undefined)).toEqual({ hostname: 'kvm1' });
  });

  test('is what the inventory says of the hypervisors', () => {
    const targets = hypervisorTargets(labAddresses(23));
    expect(targetSchema.parse(targets.kvm2)).toMatchObject({
      platform: 'libvirt',
      address: '127.23.0.8',
      libvirt: { transport: 'tcp', write: true, migrationUri: 'qemu+tcp://127.23.0.8/system' },
    });
  });
});
