// The libvirt actuator over a fake libvirtd: what is read, and a migration from its start to its end.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { libvirtActuator } from '../../adapters/actuator-libvirt/index.ts';
import {
  encodeError,
  encodeEvent,
  encodeReply,
  type Message,
  type Procedure,
  procedures,
  remoteError,
} from '../../adapters/libvirt-rpc/protocol.ts';
import { decode } from '../../adapters/libvirt-rpc/xdr.ts';
import { OperatorError, RuntimeFault } from '../../src/model/errors.ts';
import { libvirtPostCopyPass } from '../../src/model/limits.ts';
import type { DomainRow } from '../../src/model/query.ts';
import type { Command, MigrateOptions, Session } from '../../src/ports/actuator.ts';
import { realWall as wall } from '../../src/runtime/wall.ts';
import { domOf, type FakeLibvirtd, fakeDomain, fakeLibvirtd, macOf, uuidOf } from '../libvirt-rpc/server.ts';
import { targetAt } from '../source-libvirt/kit.ts';

const never = new AbortController().signal;
const secrets = async () => '';
const vm1 = fakeDomain(1);
const vm2 = fakeDomain(2, { id: -1, state: ['shutoff', 'shutdown'] });
let libvirtd: FakeLibvirtd;
const sessions: Session[] = [];
/** Answers by procedure; what is not here is the usual. */
let says: Map<number, (message: Message, write: (bytes: Buffer) => void) => Buffer>;

beforeEach(async () => {
  libvirtd = await fakeLibvirtd();
  for (const each of [vm1, vm2]) libvirtd.domains.set(each.uuid, each);
  says = new Map();
  libvirtd.answer = (message, { socket }) => says.get(message.procedure)?.(message, (bytes) => socket.write(bytes));
  on(procedures.lookupByUuid, ({ uuid }) => ({ dom: domOf(libvirtd.domains.get(uuid)!) }));
  on(procedures.lookupByName, ({ name }) => ({ dom: domOf([...libvirtd.domains.values()].find((each) => each.name === name)!) }));
  on(procedures.getJobStats, () => ({ type: 0, params: [] }));
  on(procedures.isPersistent, () => ({ persistent: 1 }));
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  await libvirtd.close();
});

function on<A, R>(procedure: Procedure<A, R>, answer: (args: A) => R): void {
  says.set(procedure.number, ({ serial, payload }) => encodeReply(procedure, serial, answer(decode(procedure.args, payload))));
}
function refuses<A, R>(procedure: Procedure<A, R>, code: number, message: string): void {
  says.set(procedure.number, (call) => encodeError(call, remoteError(code, message)));
}

async function open(access: { readonly write: boolean } = { write: true }): Promise<Session> {
  const target = targetAt(libvirtd.path);
  const session = await libvirtActuator({ wall, secrets }).open(
    'kvm1',
    { ...target, libvirt: { ...target.libvirt!, ...access } },
    never,
  );
  sessions.push(session);
  return session;
}

async function rows(session: Session, about?: string): Promise<readonly DomainRow[]> {
  return JSON.parse((await session.run({ kind: 'libvirt', call: 'domains', ...(about ? { about } : {}) }, never)).text);
}

const migrate = (options: Partial<MigrateOptions> = {}): Command => ({
  kind: 'migrate',
  uuid: vm1.uuid,
  uri: 'qemu+tls://kvm2/system',
  options: { autoConverge: true, postCopy: false, persistent: true, ...options },
});

/** A migration under way: what it was asked with, and how to end it. */
function performing() {
  const asked = Promise.withResolvers<{
    readonly flags: number;
    readonly params: readonly unknown[];
    readonly dconnuri: string | null;
  }>();
  let end = (_bytes: (serial: Message) => Buffer): void => undefined;
  says.set(procedures.migratePerform.number, (message, write) => {
    const kept = { ...message, payload: Buffer.from(message.payload) };
    end = (bytes) => write(bytes(kept));
    asked.resolve(decode(procedures.migratePerform.args, kept.payload));
    jobIs('migration-out');
    return Buffer.alloc(0);
  });
  return { asked: asked.promise, end: (bytes: (message: Message) => Buffer) => end(bytes) };
}

function jobIs(job: 'none' | 'migration-out'): void {
  const params = [
    { field: 'operation', type: 'int', value: 5 },
    { field: 'data_total', type: 'ullong', value: 1_000 },
    { field: 'data_processed', type: 'ullong', value: 250 },
  ] as const;
  on(procedures.getJobStats, () => (job === 'none' ? { type: 0, params: [] } : { type: 2, params }));
}

test('domains are told with state, addresses and job; one that is off is asked for no job', async () => {
  jobIs('migration-out');
  expect(await rows(await open())).toEqual([
    {
      uuid: uuidOf(1),
      vm: 'vm1',
      state: 'running',
      reason: 'booted',
      nics: [{ mac: macOf(1), source: 'br0' }],
      job: 'migration-out',
      progress: { processed: 250, total: 1_000 },
    },
    { uuid: uuidOf(2), vm: 'vm2', state: 'shutoff', reason: 'shutdown', nics: [{ mac: macOf(2), source: 'br0' }] },
  ]);
});

test('one domain is asked for by UUID or name, and one that is not there has no row', async () => {
  const session = await open();
  expect(await rows(session, uuidOf(2))).toMatchObject([{ vm: 'vm2' }]);
  expect(await rows(session, 'vm1')).toMatchObject([{ uuid: uuidOf(1) }]);
  refuses(procedures.lookupByName, 42, 'Domain not found');
  expect(await rows(session, 'vm9')).toEqual([]);
});

test('an incoming migration shows as such, though libvirtd gives no numbers of it', async () => {
  refuses(procedures.getJobStats, 84, 'Operation not supported: migration statistics are available only on the source host');
  expect(await rows(await open(), 'vm1')).toMatchObject([{ job: 'migration-in' }]);
  refuses(procedures.getJobStats, 3, 'this function is not supported by the connection driver');
  expect((await rows(await open(), 'vm1'))[0]).not.toHaveProperty('job');
});

test('a migration is answered once its job shows, and asked for with what the options say', async () => {
  const { asked, end } = performing();
  const session = await open();
  expect(await session.run(migrate({ bandwidthMiBs: 50, postCopy: true }), never)).toEqual({ text: 'the migration is on' });
  expect(await asked).toMatchObject({
    dconnuri: 'qemu+tls://kvm2/system',
    // live, peer-to-peer, persist at the destination, undefine at the source, auto-converge, post-copy
    flags: 1 | 2 | 8 | 16 | 8192 | 32768,
    params: [
      { field: 'bandwidth', type: 'ullong', value: 50 },
      { field: 'bandwidth.postcopy', type: 'ullong', value: 50 },
    ],
  });
  expect(await rows(session, 'vm1')).toMatchObject([{ job: 'migration-out' }]);
  jobIs('none');
  end(({ serial }) => encodeReply(procedures.migratePerform, serial, { cookieOut: new Uint8Array(0) }));
  await libvirtd.until(() => libvirtd.connections[1]!.heard.includes('CONNECT_CLOSE'));
  expect((await rows(session, 'vm1'))[0]).not.toHaveProperty('failure');
});

test('a transient domain takes no definition along', async () => {
  on(procedures.isPersistent, () => ({ persistent: 0 }));
  const { asked } = performing();
  await (await open()).run(migrate({ autoConverge: false }), never);
  expect((await asked).flags).toBe(1 | 2);
});

test('a migration that fails later leaves its reason, until the next one starts', async () => {
  const { end } = performing();
  const session = await open();
  await session.run(migrate(), never);
  jobIs('none');
  end((message) => encodeError(message, remoteError(78, "operation aborted: job 'migration out' canceled by client")));
  await libvirtd.until(() => libvirtd.connections[1]!.heard.includes('CONNECT_CLOSE'));
  expect((await rows(session, 'vm1'))[0]?.failure).toContain("operation aborted: job 'migration out' canceled by client");
  await session.run(migrate(), never);
  expect((await rows(session, 'vm1'))[0]).not.toHaveProperty('failure');
});

test('while its call has not come back it is leaving, though libvirtd shows no job', async () => {
  const { end } = performing();
  const session = await open();
  await session.run(migrate(), never);
  jobIs('none');
  expect((await rows(session, 'vm1'))[0]?.job).toBe('migration-out');
  end((message) => encodeError(message, remoteError(38, 'No route to host')));
  await libvirtd.until(() => libvirtd.connections[1]!.heard.includes('CONNECT_CLOSE'));
  const [row] = await rows(session, 'vm1');
  expect(row?.failure).toContain('No route to host');
  expect(row).not.toHaveProperty('job');
});

test('a migration that is refused at once is a no, and leaves its reason', async () => {
  refuses(procedures.migratePerform, 38, "unable to connect to server at 'kvm2:16514': No route to host");
  const session = await open();
  await expect(session.run(migrate(), never)).rejects.toMatchObject({
    retry: false,
    message: expect.stringContaining('No route to host'),
  });
  expect((await rows(session, 'vm1'))[0]?.failure).toContain('No route to host');
});

test('a migration outlives the session that started it, and its failure is known to the next', async () => {
  const { end } = performing();
  const actuator = libvirtActuator({ wall, secrets });
  const target = targetAt(libvirtd.path);
  const writable = { ...target, libvirt: { ...target.libvirt!, write: true } };
  const first = await actuator.open('kvm1', writable, never);
  await first.run(migrate(), never);
  await first.close();
  jobIs('none');
  end((message) => encodeError(message, remoteError(1, 'internal error: qemu unexpectedly closed the monitor')));
  await libvirtd.until(() => libvirtd.connections[1]!.heard.includes('CONNECT_CLOSE'));
  const second = await actuator.open('kvm1', writable, never);
  sessions.push(second);
  expect((await rows(second, 'vm1'))[0]?.failure).toContain('unexpectedly closed the monitor');
});

test('one that may is switched to post-copy when passes over its memory are not enough, once', async () => {
  performing();
  on(procedures.startPostCopy, () => undefined);
  const session = await open();
  await session.run(migrate({ postCopy: true }), never);
  const own = libvirtd.connections[1]!;
  for (let iteration = 1; iteration <= libvirtPostCopyPass + 2; iteration++) {
    own.socket.write(encodeEvent({ kind: 'migration-iteration', callbackId: 0, dom: domOf(vm1), iteration }));
  }
  await libvirtd.until(() => own.heard.includes('DOMAIN_MIGRATE_START_POST_COPY'));
  await rows(session);
  expect(own.heard.filter((each) => each === 'DOMAIN_MIGRATE_START_POST_COPY')).toHaveLength(1);
});

test('a job is aborted by the domain it is about', async () => {
  const aborted: string[] = [];
  on(procedures.abortJob, ({ dom }) => void aborted.push(dom.uuid));
  await (await open()).run({ kind: 'abort-job', uuid: vm1.uuid }, never);
  expect(aborted).toEqual([vm1.uuid]);
});

test('nothing is changed where the inventory does not allow it', async () => {
  const session = await open({ write: false });
  await expect(session.run(migrate(), never)).rejects.toThrow(OperatorError);
  await expect(session.run({ kind: 'abort-job', uuid: vm1.uuid }, never)).rejects.toThrow('write: true');
  expect(libvirtd.connections).toHaveLength(1);
});

test('a hypervisor is read with what a guest can be plugged into and where disks can be put', async () => {
  const capabilities = `<capabilities><host><uuid>x</uuid><cpu><arch>x86_64</arch><model>EPYC</model>
    <feature name='topoext'/><feature name='npt'/></cpu></host></capabilities>`;
  on(procedures.getCapabilities, () => ({ xml: capabilities }));
  on(procedures.listAllNetworks, () => ({ networks: [{ name: 'default', uuid: uuidOf(7) }], count: 1 }));
  on(procedures.listAllInterfaces, () => ({ interfaces: ['br1', 'eth0'].map((name) => ({ name, mac: macOf(9) })), count: 2 }));
  on(procedures.interfaceGetXmlDesc, ({ iface: { name } }) => ({
    xml: `<interface type='${name === 'br1' ? 'bridge' : 'ethernet'}' name='${name}'/>`,
  }));
  on(procedures.listAllPools, () => ({ pools: [{ name: 'fast', uuid: uuidOf(8) }], count: 1 }));
  on(procedures.poolGetXmlDesc, () => ({ xml: "<pool type='dir'><target><path>/fast</path></target></pool>" }));
  on(procedures.poolGetInfo, () => ({ state: 2, capacity: 1_000, allocation: 400, available: 600 }));
  const ask: Command = { kind: 'libvirt', call: 'hypervisor' };
  const session = await open();
  const told = { hostname: 'kvm1', arch: 'x86_64', cpuModel: 'EPYC', cpuFeatures: ['topoext', 'npt'] };
  expect(JSON.parse((await session.run(ask, never)).text)).toEqual({
    ...told,
    networks: ['br0', 'br1', 'default'],
    pools: [{ name: 'fast', path: '/fast', active: true, availableBytes: 600 }],
  });
  for (const each of [procedures.listAllNetworks, procedures.listAllInterfaces, procedures.listAllPools]) {
    refuses(each as Procedure<unknown, unknown>, 3, 'this function is not supported by the connection driver');
  }
  expect(JSON.parse((await session.run(ask, never)).text)).toEqual({ ...told, networks: ['br0'], pools: [] });
});

test('what a VM needs is read with the pools of its disks, where one knows them', async () => {
  const disk = (file: string, device: string) => `<disk type='file'><source file='${file}'/><target dev='${device}'/></disk>`;
  const xml = vm1.xml.replace(
    '<devices>',
    `<cpu mode='host-model'/><devices>${disk('/fast/a.qcow2', 'vda')}${disk('/elsewhere/b.raw', 'vdb')}`,
  );
  libvirtd.domains.set(vm1.uuid, { ...vm1, xml });
  on(procedures.getBlockInfo, ({ path }) => ({ allocation: 1, capacity: path === 'vda' ? 10 : 20, physical: 1 }));
  says.set(procedures.volumeLookupByPath.number, (message) => {
    if (!Buffer.from(message.payload).includes('/fast/'))
      return encodeError(message, remoteError(50, 'Storage volume not found'));
    return encodeReply(procedures.volumeLookupByPath, message.serial, { vol: { pool: 'fast', name: 'a.qcow2', key: 'k' } });
  });
  expect(JSON.parse((await (await open()).run({ kind: 'libvirt', call: 'vm-needs', about: 'vm1' }, never)).text)).toEqual({
    uuid: uuidOf(1),
    vm: 'vm1',
    memoryBytes: 32_768 * 1_024,
    cpu: 'host-model',
    nics: [{ mac: macOf(1), source: 'br0' }],
    disks: [
      { source: '/fast/a.qcow2', pool: 'fast', bytes: 10 },
      { source: '/elsewhere/b.raw', bytes: 20 },
    ],
  });
});

test('a command that is given up ends the session, for what it did cannot be known', async () => {
  const session = await open();
  const giveUp = new AbortController();
  says.set(procedures.listAllDomains.number, () => {
    giveUp.abort(new Error('the deadline passed'));
    return Buffer.alloc(0);
  });
  await expect(session.run({ kind: 'libvirt', call: 'domains' }, giveUp.signal)).rejects.toMatchObject({
    code: 'aborted',
    retry: true,
  });
  await session.closed;
});

test('commands of other transports, and two at once, are our own faults', async () => {
  const session = await open();
  await expect(session.run({ kind: 'cli', line: 'show version' }, never)).rejects.toThrow(RuntimeFault);
  const first = rows(session);
  await expect(rows(session)).rejects.toThrow('while another runs');
  expect(await first).toHaveLength(2);
});

test('a target without a libvirt section cannot be opened', async () => {
  const target = { platform: 'libvirt', address: '192.0.2.1' } as const;
  await expect(libvirtActuator({ wall, secrets }).open('kvm1', target, never)).rejects.toThrow(OperatorError);
});

test('one guest whose job is stuck does not keep the others from being read', async () => {
  libvirtd.domains.set(vm2.uuid, fakeDomain(2));
  says.set(procedures.getJobStats.number, ({ serial, payload }) =>
    Buffer.from(payload).includes('vm1') ? Buffer.alloc(0) : encodeReply(procedures.getJobStats, serial, { type: 0, params: [] }),
  );
  const session = await open();
  const read = session.run({ kind: 'libvirt', call: 'domains' }, AbortSignal.timeout(10_000));
  expect(JSON.parse((await read).text)).toMatchObject([{ vm: 'vm1' }, { vm: 'vm2', state: 'running' }]);
}, 15_000);
