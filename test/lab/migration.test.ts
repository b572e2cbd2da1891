// Real guests migrate between real libvirtds while a whole Offbox with the shipped policies looks after the simulated access
// switches: what it takes each migration for, and what the switches are like meanwhile and afterwards.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hypervisorNeeds, whySkipped } from '../../lab/real/available.ts';
import {
  type Guest,
  type GuestKind,
  type HypervisorName,
  type Hypervisors,
  hypervisorNames,
  startHypervisors,
} from '../../lab/real/hypervisors.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { Report } from '../../src/ports/reporter.ts';
import { askMigration, cancelMigration } from '../../src/runtime/migrate.ts';
import { accessPort, atRest, type Chapter, type MigrationRig, migrationRig, switchOf } from './migration-rig.ts';
import { type NatsServer, natsProgram, startNatsServer } from './nats-server.ts';
import { relayTo, type SocketRelay } from './socket-relay.ts';

const why = whySkipped({ programs: [...hypervisorNeeds.programs, natsProgram], privilege: 'root' });
if (why) process.stderr.write(`SKIPPED test/lab/migration.test.ts: ${why}\n`);

const migrationMap = 'LIVE-MIGRATION';
let number = 30;
const guestOf = (kind: GuestKind, more: Partial<Guest> = {}): Guest => {
  number += 1;
  const mac = `52:54:00:aa:bb:${number}`;
  return { name: `vm${number}`, uuid: `c7a5fdbd-0000-4000-8000-0000000000${number}`, mac, kind, ...more };
};

/** `started kvm1 kvm2`, `ended kvm1 kvm2 migrated`, in the order of the journal. */
const told = ({ told: all }: Chapter): readonly string[] => all.map(({ meaning }) => wordOf(meaning));

function wordOf(meaning: Meaning): string {
  if (!('from' in meaning) || !('to' in meaning)) return meaning.kind;
  const how = 'how' in meaning ? ` ${meaning.how}` : 'offline' in meaning && meaning.offline ? ' offline' : '';
  return `${meaning.kind.replace(/^vm\.(migration-)?/, '')} ${meaning.from} ${meaning.to}${how}`;
}

let hypervisors: Hypervisors;
let relay: SocketRelay;
let nats: NatsServer;
let nova: NatsConnection;
let rig: MigrationRig;

/** What was attached to the way out of the switch between the hold's word that it is there and the end of the migration. */
function meanwhile({ entries, samples, told: all }: Chapter, host: HypervisorName): readonly (string | null)[] {
  const name = switchOf[host];
  const hold = entries.find(
    (each) =>
      each.kind === 'intent' &&
      each.intent.policy === 'migration-requested-applies-qos' &&
      each.intent.want.kind === 'ensure' &&
      each.intent.want.desired === 'present' &&
      each.intent.want.resource.target === name &&
      each.intent.want.resource.policy === migrationMap,
  );
  const id = hold?.kind === 'intent' ? hold.intent.id : undefined;
  const done = entries.find((each) => each.kind === 'outcome' && each.intent === id && each.outcome.kind === 'done');
  const end = all.find(({ meaning }) => meaning.kind === 'vm.migration-ended');
  expect(done, 'the hold is done').toBeDefined();
  expect(end, 'the migration has ended').toBeDefined();
  return samples.filter(({ at }) => at > done!.at && at < end!.at).map(({ output }) => output[name]);
}

/** The policy-map was there at every sample meanwhile, and what was there before is back. */
async function expectQos(chapter: () => Chapter, from: HypervisorName): Promise<void> {
  const name = switchOf[from];
  await rig.until(`${name} as before`, () => rig.output(name) === atRest[name]);
  const seen = meanwhile(chapter(), from);
  expect(seen.length).toBeGreaterThan(20);
  expect([...new Set(seen)]).toEqual([migrationMap]);
  await quiet();
}

/** Nothing that was wanted is under way any more. */
const quiet = () =>
  rig.until('nothing open', () => rig.runtime.engine.ledger.open().every(({ intent }) => intent.want.kind !== 'ensure'), 15_000);

const held = (name: 'acc-1' | 'acc-2') => () => rig.output(name) === migrationMap;
const ended = (chapter: () => Chapter) =>
  rig.until('the end', () => chapter().told.some(({ meaning }) => meaning.kind === 'vm.migration-ended'), 30_000);
const p2p = (guest: Guest, to: HypervisorName, ...more: readonly string[]) => {
  return ['migrate', '--live', '--p2p', '--persistent', '--undefinesource', ...more, guest.name, hypervisors.uri(to)];
};
const running: Guest[] = [];

async function run(guest: Guest, on: HypervisorName): Promise<() => Chapter> {
  running.push(guest);
  await hypervisors.virsh(on, 'define', await hypervisors.xml(guest));
  await hypervisors.virsh(on, 'start', guest.name);
  rig.plug(guest, on);
  const known = () => rig.runtime.engine.facts.vm(guest.name)?.places[on]?.off === false;
  await rig.until(`${guest.name} is known to run on ${on}`, known);
  await rig.until(`${on}'s port secures ${guest.mac}`, () => rig.secures(on, guest));
  return rig.mark();
}

/** Its migration is to end by itself now, however much it writes. The first of the two may be enough: then nothing is there for the other. */
async function letGo(guest: Guest, on: HypervisorName): Promise<void> {
  await hypervisors.virsh(on, 'migrate-setmaxdowntime', guest.name, '10000');
  await hypervisors.virsh(on, 'migrate-setspeed', guest.name, '1000').catch((thrown: unknown) => {
    if (!/Domain not found|not running|no active/.test(String(thrown))) throw thrown;
  });
}

/** Destroyed and forgotten, on the hypervisors as on the switches. */
async function forget(guest: Guest): Promise<void> {
  rig.plug(guest, undefined);
  for (const name of hypervisorNames) {
    await hypervisors.virsh(name, 'destroy', guest.name).catch(() => undefined);
    await hypervisors.virsh(name, 'undefine', guest.name).catch(() => undefined);
    const { fabric } = rig.lab;
    const by = { user: 'test', peer: '', transport: 'device' } as const;
    fabric.switches[switchOf[name]].clearSecure({ type: 'sticky', mac: guest.mac, port: accessPort }, 'clear', by);
  }
}

describe.skipIf(why)('an Offbox that watches real migrations', () => {
  beforeAll(async () => {
    [hypervisors, nats] = await Promise.all([startHypervisors(), startNatsServer('')]);
    relay = await relayTo(hypervisors.socket('kvm2'), join(hypervisors.path, 'relay'));
    nova = await connect({ servers: nats.url });
    const config = { servers: [nats.url], subject: 'offbox.request.>', outcomes: 'offbox.outcome' };
    rig = await migrationRig(hypervisors, { net: 78, sockets: { kvm2: relay.path }, nats: config });
    await rig.until('both listed', () => ['kvm1', 'kvm2'].every((name) => rig.listed(name)));
  });
  afterAll(async () => {
    await rig?.stop();
    await nova?.close();
    await nats?.end();
    relay?.cut();
    await hypervisors?.down();
  });
  afterEach(async () => {
    for (const guest of running.splice(0)) await forget(guest);
  });

  test('peer-to-peer: the policy-map is on the way meanwhile, the old port forgets the guest, and the new one knows it', async () => {
    const guest = guestOf('busy');
    const chapter = await run(guest, 'kvm1');
    const migration = hypervisors.virsh('kvm1', ...p2p(guest, 'kvm2', '--bandwidth', '4'));
    await rig.until('the hold', held('acc-1'));
    await rig.until('30 samples', () => chapter().samples.filter(({ output }) => output['acc-1'] === migrationMap).length > 30);
    await letGo(guest, 'kvm1');
    await migration;
    await ended(chapter);
    await rig.until('acc-1 forgets it', () => !rig.secures('kvm1', guest));
    await expectQos(chapter, 'kvm1');
    expect(told(chapter())).toEqual(['started kvm1 kvm2', 'migrated kvm1 kvm2', 'ended kvm1 kvm2 migrated']);
    expect(rig.secures('kvm1', guest)).toBe(false);
    expect(rig.secures('kvm2', guest)).toBe(true);
    expect(rig.lab.fabric.towards('acc-2', guest.mac, 10)).toBe(accessPort);
    expect(rig.lab.fabric.towards('acc-1', guest.mac, 10)).not.toBe(accessPort);
  });

  test('post-copy: the old port forgets it once it runs over there, the policy-map stays until all of it is', async () => {
    const guest = guestOf('busy');
    const chapter = await run(guest, 'kvm1');
    const slowly = ['--postcopy', '--bandwidth', '4', '--postcopy-bandwidth', '8'];
    const migration = hypervisors.virsh('kvm1', ...p2p(guest, 'kvm2', ...slowly));
    await rig.until('the hold', held('acc-1'));
    await rig.until('30 samples', () => chapter().samples.filter(({ output }) => output['acc-1'] === migrationMap).length > 30);
    await hypervisors.virsh('kvm1', 'migrate-postcopy', guest.name);
    await rig.until('acc-1 forgets it', () => !rig.secures('kvm1', guest));
    expect(told(chapter())).toEqual(['started kvm1 kvm2', 'migrated kvm1 kvm2']);
    await migration;
    await ended(chapter);
    await expectQos(chapter, 'kvm1');
    expect(told(chapter())).toEqual(['started kvm1 kvm2', 'migrated kvm1 kvm2', 'ended kvm1 kvm2 migrated']);
    expect([rig.secures('kvm1', guest), rig.secures('kvm2', guest)]).toEqual([false, true]);
  });

  test('aborted: it has failed, its port keeps it, and EDGE-DEFAULT is back', async () => {
    const guest = guestOf('busy');
    const chapter = await run(guest, 'kvm2');
    const migration = hypervisors
      .virsh('kvm2', ...p2p(guest, 'kvm1', '--bandwidth', '1'))
      .catch((error: unknown) => String(error));
    await rig.until('the hold', held('acc-2'));
    await rig.until('30 samples', () => chapter().samples.filter(({ output }) => output['acc-2'] === migrationMap).length > 30);
    await hypervisors.virsh('kvm2', 'domjobabort', guest.name);
    expect(await migration).toMatch(/abort|cancel/);
    await ended(chapter);
    await expectQos(chapter, 'kvm2');
    expect(told(chapter())).toEqual(['started kvm2 kvm1', 'failed kvm2 kvm1', 'ended kvm2 kvm1 failed']);
    expect([rig.secures('kvm2', guest), rig.secures('kvm1', guest)]).toEqual([true, false]);
  });

  test('the QEMU at the destination dies: it has failed, and its port keeps it', async () => {
    const guest = guestOf('busy');
    const chapter = await run(guest, 'kvm2');
    const migration = hypervisors
      .virsh('kvm2', ...p2p(guest, 'kvm1', '--bandwidth', '1'))
      .catch((error: unknown) => String(error));
    await rig.until('the hold', held('acc-2'));
    await rig.until('30 samples', () => chapter().samples.filter(({ output }) => output['acc-2'] === migrationMap).length > 30);
    await hypervisors.killGuest('kvm1', guest.name);
    expect(await migration).toContain('failed');
    await ended(chapter);
    await expectQos(chapter, 'kvm2');
    expect(told(chapter())).toEqual(['started kvm2 kvm1', 'failed kvm2 kvm1', 'ended kvm2 kvm1 failed']);
    expect([rig.secures('kvm2', guest), rig.secures('kvm1', guest)]).toEqual([true, false]);
  });

  test('offline: it has moved, its old port forgets it, and it is looked for nowhere', async () => {
    const guest = guestOf('idle');
    await run(guest, 'kvm1');
    await hypervisors.virsh('kvm1', 'destroy', guest.name);
    rig.plug(guest, undefined);
    await rig.until('off', () => rig.runtime.engine.facts.vm(guest.name)?.places.kvm1?.off === true);
    expect(rig.secures('kvm1', guest)).toBe(true);
    const chapter = rig.mark();
    const how = ['--offline', '--p2p', '--persistent', '--undefinesource'];
    await hypervisors.virsh('kvm1', 'migrate', ...how, guest.name, hypervisors.uri('kvm2'));
    await ended(chapter);
    await rig.until('acc-1 forgets it', () => !rig.secures('kvm1', guest));
    await quiet();
    expect(told(chapter())).toEqual(['migrated kvm1 kvm2 offline', 'ended kvm1 kvm2 migrated']);
    expect(new Set(chapter().samples.map(({ output }) => output['acc-1']))).toEqual(new Set([null]));
  });

  test('a libvirtd that dies in the middle and comes back: what a listing can tell is told, and nothing is left behind', async () => {
    const guest = guestOf('busy');
    const chapter = await run(guest, 'kvm1');
    const migration = hypervisors
      .virsh('kvm1', ...p2p(guest, 'kvm2', '--bandwidth', '1'))
      .catch((error: unknown) => String(error));
    await rig.until('the hold', held('acc-1'));
    hypervisors.signal('kvm1', 'SIGKILL');
    await migration;
    await hypervisors.restart('kvm1');
    await ended(chapter);
    await rig.until('as before', () => rig.output('acc-1') === null);
    await quiet();
    expect(told(chapter())).toEqual(['started kvm1 kvm2', 'failed kvm1 kvm2', 'ended kvm1 kvm2 failed']);
    expect([rig.secures('kvm1', guest), rig.secures('kvm2', guest)]).toEqual([true, false]);
    await rig.until('it is known where it was', () => {
      const places = rig.runtime.engine.facts.vm(guest.name)?.places;
      return places?.kvm1?.place === 'here' && (places.kvm2 === undefined || places.kvm2.place === 'gone');
    });
  });

  test('the connection to the destination is cut in the middle: its listing tells that the guest has come', async () => {
    const guest = guestOf('busy');
    const chapter = await run(guest, 'kvm1');
    const migration = hypervisors.virsh('kvm1', ...p2p(guest, 'kvm2', '--bandwidth', '4'));
    await rig.until('the hold', held('acc-1'));
    relay.cut();
    await letGo(guest, 'kvm1');
    await migration;
    await relay.listen();
    await ended(chapter);
    await rig.until('acc-1 forgets it', () => !rig.secures('kvm1', guest));
    await rig.until('as before', () => rig.output('acc-1') === null);
    await quiet();
    expect(told(chapter())).toEqual(['started kvm1 kvm2', 'migrated kvm1 kvm2', 'ended kvm1 kvm2 migrated']);
    expect(rig.secures('kvm2', guest)).toBe(true);
  });

  describe('by its own hand', () => {
    const ask = (vm: string, to: HypervisorName, bandwidthMiBs?: number) =>
      askMigration(rig.runtime, { vm, to, allow: ['relax'], ...(bandwidthMiBs ? { bandwidthMiBs } : {}) });
    const report = (request: string) => rig.runtime.view.requests().find((each) => each.request === request);
    const over = (request: string) => rig.until(`${request} is over`, () => report(request)?.final === true, 60_000);
    const modes = () => (['acc-1', 'acc-2'] as const).map((name) => violationOf(rig, name));

    test('it checks, prepares the way, migrates, and sets everything right', async () => {
      const guest = guestOf('steady');
      const chapter = await run(guest, 'kvm1');
      const { request } = await ask(guest.name, 'kvm2', 10);
      await rig.until('relaxed', () => modes().every((mode) => mode === 'restrict'));
      await over(request);
      expect(report(request)).toMatchObject({ state: 'done', text: `${guest.name} is on kvm2.` });
      await ended(chapter);
      await rig.until('acc-1 forgets it', () => !rig.secures('kvm1', guest));
      await expectQos(chapter, 'kvm1');
      expect(told(chapter())).toEqual(['started kvm1 kvm2', 'migrated kvm1 kvm2', 'ended kvm1 kvm2 migrated']);
      expect(rig.runsOn(guest)).toBe('kvm2');
      expect(rig.secures('kvm2', guest)).toBe(true);
      await rig.until('strict again', () => modes().every((mode) => mode === 'shutdown'));
    });

    test('cancelled half-way it stays, and the way is as it was', async () => {
      const guest = guestOf('busy');
      const chapter = await run(guest, 'kvm2');
      const { request } = await ask(guest.name, 'kvm1', 1);
      await rig.until('it is on', () => chapter().told.some(({ meaning }) => meaning.kind === 'vm.migration-started'));
      await rig.until('30 samples', () => chapter().samples.filter(({ output }) => output['acc-2'] === migrationMap).length > 30);
      await cancelMigration(rig.runtime, request);
      await over(request);
      expect(report(request)).toMatchObject({ state: 'cancelled', text: expect.stringContaining('Called off') });
      await ended(chapter);
      await rig.until('as before', () => rig.output('acc-2') === 'EDGE-DEFAULT');
      await quiet();
      expect(told(chapter())).toEqual(['started kvm2 kvm1', 'failed kvm2 kvm1', 'ended kvm2 kvm1 failed']);
      expect([rig.secures('kvm2', guest), rig.secures('kvm1', guest)]).toEqual([true, false]);
      await rig.until('strict again', () => modes().every((mode) => mode === 'shutdown'));
    });

    test('the pool with its disk must be on both, at one path', async () => {
      const pool = join(hypervisors.path, 'guests');
      await mkdir(pool);
      await writeFile(join(pool, 'disk.img'), Buffer.alloc(1_048_576));
      // The user nobody's QEMU writes to it.
      await chmod(pool, 0o777);
      await chmod(join(pool, 'disk.img'), 0o666);
      const guest = guestOf('idle', { disk: join(pool, 'disk.img') });
      await run(guest, 'kvm1');
      const define = async (name: HypervisorName, path: string) => {
        await hypervisors.virsh(name, 'pool-define-as', 'guests', 'dir', '--target', path);
        await hypervisors.virsh(name, 'pool-start', 'guests');
      };
      const undefine = async (name: HypervisorName) => {
        await hypervisors.virsh(name, 'pool-destroy', 'guests');
        await hypervisors.virsh(name, 'pool-undefine', 'guests');
      };
      const refused = async (reason: string): Promise<void> => {
        const { request } = await ask(guest.name, 'kvm2');
        await over(request);
        expect(report(request)).toMatchObject({ state: 'refused', text: expect.stringContaining(reason) });
        await quiet();
      };
      await refused('is in no storage pool of kvm1');
      await define('kvm1', pool);
      await refused('kvm2 has no active storage pool guests');
      await define('kvm2', join(hypervisors.path, 'kvm2'));
      await refused(`pool guests is ${pool} on kvm1 and ${join(hypervisors.path, 'kvm2')} on kvm2`);
      await undefine('kvm2');
      await define('kvm2', pool);
      // Nothing stands against it; the orchestrator whose request this is would begin it now.
      const body = { kind: 'migration-requested', request: 'pool-1', vm: guest.name, to: 'kvm2', allow: ['relax'] };
      expect(await request(body)).toMatchObject({ request: 'pool-1' });
      await rig.until('accepted', () => report('pool-1')?.state === 'accepted');
      expect(await request({ kind: 'migration-cancelled', request: 'pool-1' })).toMatchObject({ request: 'pool-1' });
      await rig.until('as before', () => rig.output('acc-1') === null);
      await quiet();
      await undefine('kvm1');
      await undefine('kvm2');
    });
  });

  describe('asked by an orchestrator behind nats-server', () => {
    test('a request goes in, the outcome comes out: done', async () => {
      const guest = guestOf('steady');
      const chapter = await run(guest, 'kvm1');
      const heard = outcomes('r-1');
      const body = { kind: 'migration-requested', request: 'r-1', vm: guest.name, to: 'kvm2', perform: true, allow: ['relax'] };
      const answer = await request({ ...body, bandwidthMiBs: 10 });
      const entry = chapter().entries.find((each) => each.kind === 'event' && each.event.origin.source === 'nats');
      expect(answer).toEqual({ request: 'r-1', seq: entry?.seq });
      await expect.poll(() => heard.at(-1)?.final, { timeout: 60_000 }).toBe(true);
      expect(heard.map(({ state }) => state)).toEqual(['running', 'done']);
      await ended(chapter);
      await rig.until('acc-1 forgets it', () => !rig.secures('kvm1', guest));
      await expectQos(chapter, 'kvm1');
      expect(told(chapter())).toEqual(['started kvm1 kvm2', 'migrated kvm1 kvm2', 'ended kvm1 kvm2 migrated']);
      expect(rig.runsOn(guest)).toBe('kvm2');
    });

    test('a request that cannot be carried out comes out refused, with the condition and the remedy', async () => {
      const guest = guestOf('idle');
      const chapter = await run(guest, 'kvm1');
      // What was relaxed for the one before lingers.
      for (const name of ['acc-1', 'acc-2'] as const)
        await rig.until(`${name} shuts down on violations again`, () => violationOf(rig, name) === 'shutdown');
      const heard = outcomes('r-2');
      await request({ kind: 'migration-requested', request: 'r-2', vm: guest.name, to: 'kvm2', perform: true });
      await expect.poll(() => heard.at(-1)?.final, { timeout: 30_000 }).toBe(true);
      expect(heard).toEqual([
        expect.objectContaining({ request: 'r-2', state: 'refused', text: expect.stringContaining("allow: ['relax']") }),
      ]);
      await rig.until('as before', () => rig.output('acc-1') === null);
      await quiet();
      expect(rig.runsOn(guest)).toBe('kvm1');
      expect(
        chapter().entries.some((each) => each.kind === 'attempt' && each.plan.some((line) => line.includes('migrate'))),
      ).toBe(false);
    });
  });
});

async function request(body: object): Promise<unknown> {
  return (await nova.request('offbox.request.nova', JSON.stringify(body), { timeout: 5_000 })).json();
}

/** What is published about one request, as it comes. */
function outcomes(about: string): readonly Report[] {
  const heard: Report[] = [];
  nova.subscribe(`offbox.outcome.${about}`, { callback: (_, message) => void heard.push(message.json<Report>()) });
  return heard;
}

/** What port security does on a violation there, by the switch's own configuration. */
function violationOf({ lab }: MigrationRig, name: 'acc-1' | 'acc-2'): string | undefined {
  return lab.fabric.switches[name].ports().find((port) => port.name === accessPort)?.security?.violation;
}
