// The source and the actuator on the lab's simulated hypervisors: two codes that share a codec and nothing else.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { libvirtActuator } from '../../adapters/actuator-libvirt/index.ts';
import { platforms } from '../../adapters/platforms/index.ts';
import { createHypervisors, type Hypervisors } from '../../lab/model/hypervisor.ts';
import { eventually } from '../../lab/real/process.ts';
import { createLibvirtServer, type LibvirtServer } from '../../lab/servers/libvirt-server.ts';
import type { DomainRow } from '../../src/model/query.ts';
import type { Command, Session } from '../../src/ports/actuator.ts';
import type { Dialogue } from '../../src/ports/platform.ts';
import type { Source } from '../../src/ports/source.ts';
import { realWall as wall } from '../../src/runtime/wall.ts';
import { type Heard, hearing, targetAt, watching } from './kit.ts';

const never = new AbortController().signal;
const uri = 'qemu:///system';
const names = ['kvm1', 'kvm2'] as const;
const web1 = 'c7a5fdbd-0000-4000-8000-000000000001';
const timers = { prepareMs: 20, copyMs: 600, stopMs: 10, keepaliveMs: 50, restartMs: 10 };

let folder: string;
let sockets: Readonly<Record<(typeof names)[number], string>>;
let hypervisors: Hypervisors<'kvm1' | 'kvm2'>;
let servers: readonly LibvirtServer[];
let source: Source;
let heard: Heard;
let session: Session;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'offbox-virt-'));
  sockets = { kvm1: join(folder, 'kvm1.sock'), kvm2: join(folder, 'kvm2.sock') };
  const addresses = { kvm1: '127.23.0.7', kvm2: '127.23.0.8' };
  hypervisors = createHypervisors({ wall, names, addresses, sockets, timers, frame: () => {} });
  servers = names.map((name) =>
    createLibvirtServer({ host: hypervisors.hosts[name], hypervisors, wall, socketPath: sockets[name] }),
  );
  for (const server of servers) await server.open();
  heard = hearing();
  source = watching(sockets, wall, uri);
  await source.start(heard);
  await heard.until(() => heard.lines().filter((line) => / listed \d+ domains?$/.test(line)).length === 2);
  heard.events.splice(0);
  const target = targetAt(sockets.kvm1, uri);
  session = await libvirtActuator({ wall, secrets: async () => '' }).open(
    'kvm1',
    { ...target, libvirt: { ...target.libvirt!, write: true } },
    never,
  );
});
afterEach(async () => {
  await session.close();
  await source.stop();
  for (const server of servers) await server.stop();
  hypervisors.stop();
  rmSync(folder, { recursive: true });
});

const migrate: () => Command = () => {
  const options = { autoConverge: true, postCopy: false, persistent: true };
  return { kind: 'migrate', uuid: web1, uri: `qemu+unix:///system?socket=${sockets.kvm2}`, options };
};
const rows = async (about: string): Promise<readonly DomainRow[]> =>
  JSON.parse((await session.run({ kind: 'libvirt', call: 'domains', about }, never)).text);
const of = (name: string) => heard.lines().flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));

async function converse<T>(dialogue: Dialogue<T>): Promise<T> {
  let step = dialogue.next();
  while (!step.done) step = dialogue.next(await session.run(step.value, never));
  return step.value;
}

test('a migration by our own hand is heard from both ends', async () => {
  expect((await session.run(migrate(), never)).text).toBe('the migration is on');
  expect(await rows(web1)).toMatchObject([{ vm: 'web1', job: 'migration-out' }]);
  await heard.until(() => of('kvm1').some((line) => line.startsWith('job-completed')));
  expect(of('kvm2')).toEqual([
    'lifecycle web1 started migrated',
    'lifecycle web1 defined added',
    'lifecycle web1 resumed migrated',
  ]);
  expect(of('kvm1').filter((line) => line.startsWith('lifecycle'))).toEqual([
    'lifecycle web1 suspended migrated',
    'lifecycle web1 stopped migrated',
  ]);
  expect(heard.events.find(({ origin }) => origin.raw.includes('started'))?.meaning).toMatchObject({
    uuid: web1,
    nics: [{ mac: expect.stringMatching(/^52:54:00:/), source: expect.any(String) }],
  });
  expect(await rows(web1)).toEqual([]);
});

test('an aborted one fails at the destination, and its reason stays at the source', async () => {
  await session.run(migrate(), never);
  await heard.line('kvm1 migration-iteration web1 1');
  await session.run({ kind: 'abort-job', uuid: web1 }, never);
  await heard.line('kvm2 lifecycle web1 stopped failed');
  expect(of('kvm1').filter((line) => line.startsWith('lifecycle'))).toEqual([]);
  // The destination may tell first.
  const failed = async () => (await rows(web1)).find(({ failure }) => failure);
  expect(await eventually('failure', failed, { withinMs: 5_000, everyMs: 10 })).toMatchObject({
    state: 'running',
    failure: expect.stringMatching(/abort|cancel/),
  });
});

test('a hypervisor and the needs of a VM are read by the platform’s queries', async () => {
  const target = targetAt(sockets.kvm1, uri);
  const ask = { about: 'web1', protocol: 'hsrp' } as const;
  const [host] = await converse(platforms.libvirt.queries.hypervisor!(target, ask));
  const [needs] = await converse(platforms.libvirt.queries['vm-needs']!(target, ask));
  expect(host).toMatchObject({ hostname: 'kvm1', arch: 'x86_64', pools: [{ active: true }] });
  expect(needs).toMatchObject({ uuid: web1, vm: 'web1', nics: [{}] });
  expect(host!.networks).toEqual(expect.arrayContaining(needs!.nics.map(({ source: plugged }) => plugged)));
  for (const { pool } of needs!.disks) expect(host!.pools.map(({ name }) => name)).toContain(pool);
});
