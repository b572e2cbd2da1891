// Our libvirt client, source and actuator against real libvirtds and real migrations between two of them.
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { libvirtActuator } from '../../adapters/actuator-libvirt/index.ts';
import { connectLibvirt } from '../../adapters/libvirt-rpc/index.ts';
import { procedures, stateWord } from '../../adapters/libvirt-rpc/protocol.ts';
import { platforms } from '../../adapters/platforms/index.ts';
import { libvirtSource } from '../../adapters/source-libvirt/index.ts';
import { hypervisorNeeds, whySkipped } from '../../lab/real/available.ts';
import {
  type Guest,
  type HypervisorName,
  type Hypervisors,
  hypervisorNames,
  startHypervisors,
} from '../../lab/real/hypervisors.ts';
import { eventually, output } from '../../lab/real/process.ts';
import { OperatorError } from '../../src/model/errors.ts';
import type { DomainRow } from '../../src/model/query.ts';
import type { Target } from '../../src/model/target.ts';
import type { Command, Session } from '../../src/ports/actuator.ts';
import type { Dialogue } from '../../src/ports/platform.ts';
import type { Source } from '../../src/ports/source.ts';
import { realWall as wall } from '../../src/runtime/wall.ts';
import { type Heard, hearing } from '../source-libvirt/kit.ts';
import { relayTo } from './socket-relay.ts';

const why = whySkipped(hypervisorNeeds);
if (why) process.stderr.write(`SKIPPED in test/lab/libvirt.test.ts: ${why}\n`);
const never = new AbortController().signal;
const secrets = async () => '';
const uuid = (number: number) => `c7a5fdbd-0000-4000-8000-0000000000${number}`;
const idle: Guest = { name: 'web1', uuid: uuid(21), mac: '52:54:00:aa:bb:21', kind: 'idle' };
const busy: Guest = { name: 'web2', uuid: uuid(22), mac: '52:54:00:aa:bb:22', kind: 'busy' };

function targetAt(socket: string, more: Partial<Target['libvirt'] & object> = {}): Target {
  const access = { transport: 'unix', uri: 'qemu:///session', socket, write: false, ...more } as const;
  return { platform: 'libvirt', address: '127.0.0.1', libvirt: access };
}

let lab: Hypervisors;

describe.skipIf(why)(`real libvirtds${why ? ` (skipped: ${why})` : ''}`, () => {
  beforeAll(async () => {
    lab = await startHypervisors();
  });
  afterAll(async () => {
    await lab?.down();
  });

  describe('libvirt’s test driver', () => {
    const virsh = (...args: readonly string[]) =>
      output(['virsh', '-q', '-c', `test+unix:///default?socket=${lab.socket('kvm1')}`, ...args]);

    test('our client and virsh say the same', async () => {
      const target = targetAt(lab.socket('kvm1'), { uri: 'test:///default' });
      const peer = { adapter: 'lab', name: 'kvm1', address: '127.0.0.1', access: target.libvirt! };
      const client = await connectLibvirt(peer, { wall, secrets, mode: 'read-only' }, never);
      const { domains } = await client.call(procedures.listAllDomains, { needResults: 1, flags: 0 });
      expect(domains.map(({ name }) => name)).toEqual(['test']);
      const dom = domains[0]!;
      expect(`${dom.uuid}\n`).toBe((await virsh('domuuid', 'test')).replace(/\n+$/, '\n'));
      expect((await client.call(procedures.getXmlDesc, { dom, flags: 0 })).xml.trim()).toBe(
        (await virsh('dumpxml', 'test')).trim(),
      );
      expect((await client.call(procedures.getHostname, undefined)).hostname).toBe((await virsh('hostname')).trim());
      expect((await client.call(procedures.getCapabilities, undefined)).xml.trim()).toBe((await virsh('capabilities')).trim());
      const { state, reason } = await client.call(procedures.getState, { dom, flags: 0 });
      expect(stateWord(state, reason).state).toBe((await virsh('domstate', 'test')).trim());
      await expect(client.call(procedures.abortJob, { dom })).rejects.toMatchObject({ code: 'operation-denied' });
      await expect(client.call(procedures.lookupByName, { name: 'nobody' })).rejects.toMatchObject({ code: 'no-domain' });
      await client.close();
      expect(await client.ended).toBeUndefined();
    });

    test('what virsh does there is told in its own words', async () => {
      const heard = hearing();
      const targets = { kvm1: targetAt(lab.socket('kvm1'), { uri: 'test:///default' }) };
      const source = libvirtSource({ inventory: { targets }, wall, secrets });
      await source.start(heard);
      await heard.line('kvm1 listed 1 domain');
      for (const command of ['suspend', 'resume', 'destroy', 'start']) await virsh(command, 'test');
      await heard.line('kvm1 lifecycle test started booted');
      expect(heard.lines().slice(2)).toEqual([
        'kvm1 lifecycle test suspended paused',
        'kvm1 lifecycle test resumed unpaused',
        'kvm1 lifecycle test stopped destroyed',
        'kvm1 lifecycle test started booted',
      ]);
      expect(heard.events.at(-1)?.meaning).toMatchObject({ nics: [{ mac: 'aa:bb:cc:dd:ee:ff', source: 'default' }] });
      await source.stop();
    });
  });

  describe('migrations', () => {
    let heard: Heard;
    let source: Source;

    const of = (name: HypervisorName) =>
      heard.lines().flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
    /** How often a guest's memory was passed over is the guest's affair. */
    const oncePassed = (lines: readonly string[]) =>
      lines.filter((line, index) => !/-iteration/.test(line) || !/-iteration/.test(lines[index - 1] ?? ''));
    const story = (name: HypervisorName) =>
      oncePassed(of(name)).map((line) => line.replace(/ in \d+ ms$/, '').replace(/(-iteration \w+) .*/, '$1'));
    const watch = async (sockets: Readonly<Record<string, string>>) => {
      const targets = Object.fromEntries(Object.entries(sockets).map(([name, socket]) => [name, targetAt(socket)]));
      source = libvirtSource({ inventory: { targets }, wall, secrets });
      await source.start(heard);
      await heard.until(() =>
        Object.keys(sockets).every((name) =>
          heard.lines().some((line) => line.startsWith(`${name} listed`) && /domains?$/.test(line)),
        ),
      );
    };
    /** Forgets what was told up to now. */
    const afresh = () => void heard.events.splice(0);
    const run = async (guest: Guest, on: HypervisorName) => {
      await lab.virsh(on, 'define', await lab.xml(guest));
      await lab.virsh(on, 'start', guest.name);
      await heard.line(`${on} lifecycle ${guest.name} started booted`);
      afresh();
    };
    const p2p = (guest: Guest, to: HypervisorName, ...more: readonly string[]) => {
      return ['migrate', '--live', '--p2p', '--persistent', '--undefinesource', ...more, guest.name, lab.uri(to)];
    };

    beforeEach(async () => {
      heard = hearing();
      await watch({ kvm1: lab.socket('kvm1'), kvm2: lab.socket('kvm2') });
      afresh();
    });
    afterEach(async () => {
      await source.stop();
      for (const name of hypervisorNames) {
        for (const { name: guest } of [idle, busy]) {
          await lab.virsh(name, 'destroy', guest).catch(() => undefined);
          await lab.virsh(name, 'undefine', guest).catch(() => undefined);
        }
      }
    });

    test('a live migration is told from both ends, with the addresses where it comes to', async () => {
      await run(idle, 'kvm1');
      await lab.virsh('kvm1', ...p2p(idle, 'kvm2'));
      await heard.until(() => of('kvm1').some((line) => line.startsWith('job-completed')));
      expect(story('kvm2')).toEqual([
        'lifecycle web1 started migrated',
        'lifecycle web1 defined added',
        'lifecycle web1 resumed migrated',
      ]);
      expect(
        of('kvm1')
          .filter((line) => !line.includes('iteration'))
          .map((line) => line.replace(/ in \d+ ms/, '')),
      ).toEqual(['lifecycle web1 suspended migrated', 'lifecycle web1 stopped migrated', 'job-completed web1 migration-out']);
      expect(of('kvm1')[0]).toBe('migration-iteration web1 1');
      const started = heard.events.find(({ origin }) => origin.raw === 'lifecycle web1 started migrated');
      expect(started?.meaning).toMatchObject({ uuid: idle.uuid, nics: [{ mac: idle.mac }] });
      expect(heard.gaps).toEqual([]);
    });

    test('an offline migration is one definition at the destination', async () => {
      await lab.virsh('kvm1', 'define', await lab.xml(idle));
      await heard.line('kvm1 lifecycle web1 defined added');
      afresh();
      await lab.virsh('kvm1', 'migrate', '--offline', '--p2p', '--persistent', '--undefinesource', 'web1', lab.uri('kvm2'));
      await heard.line('kvm2 lifecycle web1 defined added');
      expect(heard.lines()).toEqual(['kvm2 lifecycle web1 defined added']);
    });

    test('an aborted migration fails at the destination, and the source says nothing of it', async () => {
      await run(busy, 'kvm1');
      const migration = lab.virsh('kvm1', ...p2p(busy, 'kvm2', '--bandwidth', '1')).catch((error: unknown) => String(error));
      await heard.line('kvm1 migration-iteration web2 1');
      await lab.virsh('kvm1', 'domjobabort', 'web2');
      expect(await migration).toMatch(/abort|cancel/);
      await heard.line('kvm2 lifecycle web2 stopped failed');
      // Whether the monitor's end is told as well is chance.
      const ends = story('kvm2').filter((line) => line !== 'control-error web2');
      expect(ends).toEqual(['lifecycle web2 started migrated', 'lifecycle web2 stopped failed']);
      expect(story('kvm1')).toEqual(['migration-iteration web2']);
    });

    test('a destination that dies fails the migration', async () => {
      await run(busy, 'kvm1');
      const migration = lab.virsh('kvm1', ...p2p(busy, 'kvm2', '--bandwidth', '1')).catch((error: unknown) => String(error));
      await heard.line('kvm1 migration-iteration web2 1');
      await lab.killGuest('kvm2', 'web2');
      await heard.line('kvm2 lifecycle web2 stopped failed');
      expect(await migration).toContain('failed');
      expect(story('kvm2').at(0)).toBe('lifecycle web2 started migrated');
      expect(story('kvm2').at(-1)).toBe('lifecycle web2 stopped failed');
      expect(story('kvm1')).toEqual(['migration-iteration web2']);
    });

    test('a guest that dies while its libvirtd is away is told as it stands afterwards', async () => {
      await run(idle, 'kvm1');
      lab.signal('kvm1', 'SIGKILL');
      await heard.until(() => heard.gaps.length === 1);
      await lab.killGuest('kvm1', 'web1');
      await lab.restart('kvm1');
      await heard.line('kvm1 listed web1 shutoff crashed');
      await heard.until(() => of('kvm1').includes('listed 1 domain'));
      expect(heard.gaps.map((gap) => gap.replace(/for [\d.]+ s/, 'for a while')).at(-1)).toBe('kvm1: kvm1 was away for a while');
      await lab.virsh('kvm1', 'start', 'web1');
      await heard.line('kvm1 lifecycle web1 started booted');
    });

    test('a connection cut in the middle of a migration loses nothing that a listing can tell', async () => {
      await source.stop();
      const relay = await relayTo(lab.socket('kvm2'), join(lab.path, 'relay'));
      heard = hearing();
      await watch({ kvm1: lab.socket('kvm1'), kvm2: relay.path });
      await run(idle, 'kvm1');
      relay.cut();
      await heard.until(() => heard.gaps.length === 1);
      await lab.virsh('kvm1', ...p2p(idle, 'kvm2'));
      await heard.until(() => of('kvm1').some((line) => line.startsWith('job-completed')));
      await relay.listen();
      const seen = await heard.line('kvm2 listed web1 running migrated');
      expect(seen).toMatchObject({ because: 'resync', meaning: { uuid: idle.uuid, nics: [{ mac: idle.mac }] } });
      await heard.until(() => of('kvm2').includes('listed 1 domain'));
      await lab.virsh('kvm2', 'suspend', 'web1');
      await heard.line('kvm2 lifecycle web1 suspended paused');
      await source.stop();
      relay.cut();
    });

    describe('by our own hand', () => {
      const sessions: Session[] = [];
      const open = async (name: HypervisorName, write = true) => {
        const target = targetAt(lab.socket(name), { write });
        const session = await libvirtActuator({ wall, secrets }).open(name, target, never);
        sessions.push(session);
        return session;
      };
      const rows = async (session: Session, about?: string): Promise<readonly DomainRow[]> => {
        const command: Command = { kind: 'libvirt', call: 'domains', ...(about ? { about } : {}) };
        return JSON.parse((await session.run(command, never)).text);
      };
      const migrate = (guest: Guest, uri: string, bandwidthMiBs?: number): Command => {
        const options = { autoConverge: false, postCopy: false, persistent: true, ...(bandwidthMiBs ? { bandwidthMiBs } : {}) };
        return { kind: 'migrate', uuid: guest.uuid, uri, options };
      };
      afterEach(async () => {
        await Promise.all(sessions.splice(0).map((session) => session.close()));
      });

      test('a migration is started, driven by the platform, until the VM is gone from its source', async () => {
        await run(idle, 'kvm1');
        const session = await open('kvm1');
        const driver = platforms.libvirt.resources['vm-placement']!;
        const target = targetAt(lab.socket('kvm1'));
        const resource = {
          kind: 'vm-placement',
          target: 'kvm1',
          uuid: idle.uuid,
          vm: 'web1',
          to: 'kvm2',
          uri: lab.uri('kvm2'),
        } as const;
        const read = () => converse(session, driver.read(resource, target));
        const plan = driver.plan(await read(), resource, 'present', target);
        expect(plan).toMatchObject([{ kind: 'migrate', uuid: idle.uuid }]);
        for (const command of plan) await session.run(command, never);
        await eventually('effective', async () => driver.verify(await read(), resource, 'present', target).effective, {
          withinMs: 20_000,
          everyMs: 50,
        });
        expect(driver.plan(await read(), resource, 'present', target)).toEqual([]);
        await heard.line('kvm2 lifecycle web1 resumed migrated');
        expect(await rows(await open('kvm2'))).toMatchObject([{ vm: 'web1', state: 'running', reason: 'migrated' }]);
        await expect(lab.virsh('kvm1', 'dominfo', 'web1')).rejects.toThrow('failed to get domain');
      });

      test('a migration shows its progress, and is aborted; its failure is kept', async () => {
        await run(busy, 'kvm1');
        const session = await open('kvm1');
        expect((await session.run(migrate(busy, lab.uri('kvm2'), 1), never)).text).toBe('the migration is on');
        const leaving = await eventually(
          'progress',
          async () => (await rows(session, busy.uuid)).find(({ progress }) => progress && progress.processed > 0),
          { withinMs: 10_000, everyMs: 50 },
        );
        expect(leaving).toMatchObject({ vm: 'web2', state: 'running', job: 'migration-out' });
        expect(leaving.progress!.total).toBeGreaterThan(20_000_000);
        expect(await rows(await open('kvm2', false), 'web2')).toMatchObject([
          { state: 'paused', reason: 'migration', job: 'migration-in' },
        ]);
        await session.run({ kind: 'abort-job', uuid: busy.uuid }, never);
        const row = await eventually('failure', async () => (await rows(session, 'web2')).find(({ failure }) => failure), {
          withinMs: 10_000,
          everyMs: 20,
        });
        expect(row.job).toBeUndefined();
        expect(row).toMatchObject({ state: 'running', failure: expect.stringMatching(/abort|cancel/) });
        await heard.line('kvm2 lifecycle web2 stopped failed');
      });

      test('a destination that cannot be reached is a no, and its reason', async () => {
        await run(idle, 'kvm1');
        const session = await open('kvm1');
        const command = migrate(idle, 'qemu+unix:///session?socket=/nonexistent');
        // The job may be seen before libvirtd finds out.
        const told = await session.run(command, never).catch((error: unknown) => error);
        if (told instanceof Error) expect(told.message).toMatch(/refused DOMAIN_MIGRATE_PERFORM3_PARAMS: .*nonexistent/);
        await eventually(
          'failure',
          async () => (await rows(session, idle.uuid)).some(({ failure }) => failure?.includes('nonexistent')),
          { withinMs: 5_000 },
        );
      });

      test('where the inventory does not allow it nothing is migrated or aborted', async () => {
        const session = await open('kvm1', false);
        await expect(session.run(migrate(idle, lab.uri('kvm2')), never)).rejects.toThrow(OperatorError);
        await expect(session.run({ kind: 'abort-job', uuid: idle.uuid }, never)).rejects.toThrow('write: true');
      });

      test('a hypervisor and the needs of a VM are read as they are', async () => {
        await run(idle, 'kvm1');
        const session = await open('kvm1', false);
        const target = targetAt(lab.socket('kvm1'));
        const ask = { about: 'web1', protocol: 'hsrp' } as const;
        const [host] = await converse(session, platforms.libvirt.queries.hypervisor!(target, ask));
        expect(host).toMatchObject({ hostname: (await lab.virsh('kvm1', 'hostname')).trim(), arch: 'x86_64' });
        expect(host!.cpuModel).not.toBe('');
        expect(host!.cpuFeatures.length).toBeGreaterThan(3);
        const [needs] = await converse(session, platforms.libvirt.queries['vm-needs']!(target, ask));
        expect(needs).toMatchObject({
          uuid: idle.uuid,
          vm: 'web1',
          memoryBytes: 32 * 2 ** 20,
          nics: [{ mac: idle.mac }],
          disks: [],
        });
      });
    });
  });
});

async function converse<T>(session: Session, dialogue: Dialogue<T>): Promise<T> {
  let step = dialogue.next();
  while (!step.done) step = dialogue.next(await session.run(step.value, never));
  return step.value;
}
