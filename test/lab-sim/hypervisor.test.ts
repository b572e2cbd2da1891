// The hypervisors without sockets, in virtual time: what each migration tells, on which host, in which order.
// The orders are those recorded with libvirt 9.0 and QEMU 7.2.
import { describe, expect, test } from 'vitest';
import { createHypervisors, type HostTraits, type LabMigration } from '../../lab/model/hypervisor.ts';
import type { DomainEvent } from '../../lab/model/virt/domain.ts';
import { domainXml } from '../../lab/model/virt/domain-xml.ts';
import { LibvirtRefusal } from '../../lab/model/virt/refusal.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const web1 = 'c7a5fdbd-0000-4000-8000-000000000001';
const mac = '52:54:00:aa:bb:01';
const addresses = { kvm1: '127.23.0.7', kvm2: '127.23.0.8' };

function told(event: DomainEvent): string {
  if (event.kind === 'lifecycle') return event.lifecycle.join(' ');
  if (event.kind === 'migration-iteration') return `iteration ${event.iteration}`;
  return event.kind;
}

function lab(traits: { readonly kvm2?: Partial<HostTraits> } = {}) {
  const wall = new VirtualWall(Date.UTC(2026, 10, 23));
  const lines: string[] = [];
  const frames: { readonly at: number; readonly on: string; readonly mac: string; readonly vlan: number }[] = [];
  const hypervisors = createHypervisors({
    wall,
    names: ['kvm1', 'kvm2'],
    addresses,
    traits,
    frame: (on, source, vlan) => frames.push({ at: wall.monotonic(), on, mac: source, vlan }),
  });
  for (const host of Object.values(hypervisors.hosts)) host.listen((event) => lines.push(`${host.name} ${told(event)}`));
  return {
    wall,
    hypervisors,
    frames,
    lines,
    standing: (on: 'kvm1' | 'kvm2') => hypervisors.hosts[on].find(web1)?.standing.join(' '),
    /** Lets it end, and returns what was told and what came of it. */
    async migrate(options: LabMigration = {}) {
      let end = 'done';
      const over = hypervisors.migrate('web1', 'kvm2', options).catch((error: Error) => {
        end = error.message;
      });
      await wall.advance(20_000);
      await over;
      return { end, lines };
    },
  };
}

describe('a migration that succeeds', () => {
  test('tells the destination first, then the source, then the destination again, and last the source', async () => {
    const { end, lines } = await lab().migrate();
    expect(end).toBe('done');
    expect(lines).toEqual([
      'kvm2 started migrated',
      'kvm1 iteration 1',
      'kvm1 iteration 2',
      'kvm1 iteration 3',
      'kvm1 iteration 4',
      'kvm1 suspended migrated',
      'kvm1 iteration 5',
      'kvm2 defined added',
      'kvm2 resumed migrated',
      'kvm1 stopped migrated',
      'kvm1 job-completed',
    ]);
  });

  test('leaves nothing at the source and says nothing of undefining it', async () => {
    const { migrate, standing, hypervisors } = lab();
    await migrate();
    expect(standing('kvm1')).toBeUndefined();
    expect(standing('kvm2')).toBe('running migrated');
    expect(hypervisors.whereIs('web1')).toBe('kvm2');
  });

  test('shows the domain on both hosts while it is on, and how much of it is over', async () => {
    const { hypervisors, wall, standing } = lab();
    const over = hypervisors.migrate('web1', 'kvm2');
    await wall.advance(1_308);
    expect([standing('kvm1'), standing('kvm2')]).toEqual(['running booted', 'paused migration']);
    expect(hypervisors.whereIs('web1')).toBe('kvm1');
    const { vms } = hypervisors.state()[0]!;
    expect(vms.find(({ vm }) => vm === 'web1')?.migration).toEqual({ direction: 'out', percent: 50 });
    await wall.advance(5_000);
    await over;
  });

  test('takes as long as the bandwidth lets it', async () => {
    const { hypervisors, wall } = lab();
    let over = false;
    void hypervisors.migrate('web1', 'kvm2', { bandwidthMiBs: 100 }).then(() => {
      over = true;
    });
    await wall.advance(10_000);
    expect(over).toBe(false);
    await wall.advance(1_000);
    expect(over).toBe(true);
  });

  test('offline is one event on the destination', async () => {
    const { end, lines } = await lab().migrate({ offline: true });
    expect({ end, lines }).toEqual({ end: 'done', lines: ['kvm2 defined added'] });
  });

  test('of a guest that shall stay paused ends with suspended, not with resumed', async () => {
    const { migrate, standing, frames, wall } = lab();
    const { lines } = await migrate({ suspend: true });
    expect(lines.slice(5)).toEqual([
      'kvm1 suspended migrated',
      'kvm1 iteration 5',
      'kvm2 defined added',
      'kvm2 suspended paused',
      'kvm1 stopped migrated',
      'kvm1 job-completed',
    ]);
    expect(standing('kvm2')).toBe('paused user');
    const silent = frames.length;
    await wall.advance(1_000);
    expect(frames.slice(silent).some((frame) => frame.mac === mac)).toBe(false);
  });

  test('of a guest that was paused before suspends nothing at the source', async () => {
    const { migrate, hypervisors } = lab();
    hypervisors.hosts.kvm1.suspend(web1);
    const { lines } = await migrate();
    expect(lines.filter((line) => /suspended|resumed/.test(line))).toEqual(['kvm1 suspended paused', 'kvm2 suspended paused']);
  });

  test('of a guest that somebody suspends in the copy tells it as its own, and lets it run at the destination', async () => {
    const { hypervisors, wall, lines, standing } = lab();
    const over = hypervisors.migrate('web1', 'kvm2');
    await wall.advance(1_000);
    hypervisors.hosts.kvm1.suspend(web1);
    await wall.advance(5_000);
    await over;
    expect(lines.filter((line) => /suspended|resumed/.test(line))).toEqual(['kvm1 suspended migrated', 'kvm2 resumed migrated']);
    expect(standing('kvm2')).toBe('running migrated');
  });

  test('that is not live suspends the source before its first iteration', async () => {
    const { hypervisors, wall, lines } = lab();
    const plan = { uuid: web1, persistent: false, undefineSource: false, suspend: false, offline: false } as const;
    const { kvm1 } = hypervisors.hosts;
    const over = hypervisors.perform(kvm1, { ...plan, live: false, postCopy: 'never', uri: 'qemu+tcp://kvm2/system' });
    await wall.advance(5_000);
    await over;
    expect(lines.slice(0, 3)).toEqual(['kvm2 started migrated', 'kvm1 suspended migrated', 'kvm1 iteration 1']);
    expect(lines.filter((line) => line.includes('suspended'))).toHaveLength(1);
  });

  test('by post-copy runs at the destination before its memory is there', async () => {
    const { end, lines } = await lab().migrate({ postCopy: true });
    expect(end).toBe('done');
    expect(lines).toEqual([
      'kvm2 started migrated',
      'kvm1 iteration 1',
      'kvm1 suspended migrated',
      'kvm1 suspended post-copy',
      'kvm1 iteration 2',
      'kvm2 defined added',
      'kvm2 resumed post-copy',
      'kvm2 resumed migrated',
      'kvm1 stopped migrated',
      'kvm1 job-completed',
    ]);
  });

  test('can go back', async () => {
    const { migrate, hypervisors, wall, lines } = lab();
    await migrate();
    lines.length = 0;
    const back = hypervisors.migrate('web1', 'kvm1');
    await wall.advance(20_000);
    await back;
    expect(hypervisors.whereIs('web1')).toBe('kvm1');
    expect(lines[0]).toBe('kvm1 started migrated');
  });
});

describe('a migration that fails', () => {
  test('before the destination’s QEMU starts is told by nobody', async () => {
    const { end, lines } = await lab().migrate({ fail: 'early' });
    expect(end).toMatch(/Cannot get interface MTU/);
    expect(lines).toEqual([]);
  });

  test('because the destination has not the guest’s bridge is told by nobody either', async () => {
    const { end, lines } = await lab({ kvm2: { bridge: 'br1' } }).migrate();
    expect(end).toBe("Cannot get interface MTU on 'br0': No such device");
    expect(lines).toEqual([]);
  });

  test('by an abort in the copy leaves the source silent', async () => {
    const { migrate, standing, hypervisors } = lab();
    const { end, lines } = await migrate({ abortAfterMs: 1_000 });
    expect(end).toBe("operation aborted: job 'migration out' canceled by client");
    expect(lines).toEqual(['kvm2 started migrated', 'kvm1 iteration 1', 'kvm2 control-error', 'kvm2 stopped failed']);
    expect([standing('kvm1'), standing('kvm2')]).toEqual(['running booted', undefined]);
    expect(hypervisors.hosts.kvm1.find(web1)?.job).toBeUndefined();
  });

  test('by an abort before the destination is ready fails as soon as it is', async () => {
    const { end, lines } = await lab().migrate({ abortAfterMs: 100 });
    expect(end).toBe('operation aborted: migration out: canceled by client');
    expect(lines).toEqual(['kvm2 started migrated', 'kvm2 stopped failed']);
  });

  test('in the switch-over lets the source run again', async () => {
    const { migrate, standing, frames, wall } = lab();
    const { lines } = await migrate({ fail: 'late' });
    expect(lines.slice(5)).toEqual([
      'kvm1 suspended migrated',
      'kvm1 iteration 5',
      'kvm1 resumed unpaused',
      'kvm2 stopped failed',
    ]);
    expect(standing('kvm1')).toBe('running unpaused');
    const before = frames.length;
    await wall.advance(400);
    expect(
      frames
        .slice(before)
        .filter((frame) => frame.mac === mac)
        .map(({ on }) => on),
    ).toEqual(['kvm1', 'kvm1']);
  });

  test('by the death of the destination’s QEMU is told there alone', async () => {
    const { end, lines } = await lab().migrate({ fail: 'destination' });
    expect(end).toBe('internal error: qemu unexpectedly closed the monitor');
    expect(lines).toEqual(['kvm2 started migrated', 'kvm1 iteration 1', 'kvm2 stopped failed']);
  });

  test('by a cut network is told at the destination when the keepalive has given up', async () => {
    const { hypervisors, wall, lines } = lab();
    const over = hypervisors.migrate('web1', 'kvm2', { fail: 'network' }).catch((error: Error) => error.message);
    await wall.advance(7_000);
    expect(lines).toEqual(['kvm2 started migrated', 'kvm1 iteration 1']);
    await wall.advance(1_000);
    expect(lines.slice(2)).toEqual(['kvm2 shutdown finished after host request', 'kvm2 stopped destroyed']);
    expect(await over).toBe('internal error: client socket is closed');
  });

  test('by the end of the source’s libvirtd is told at the destination; the source says nothing even when it is back', async () => {
    const { hypervisors, wall, lines, standing } = lab();
    const over = hypervisors.migrate('web1', 'kvm2').catch((error: Error) => error.message);
    await wall.advance(1_000);
    const back = hypervisors.restartLibvirtd('kvm1');
    await wall.advance(5_000);
    await Promise.all([over, back]);
    expect(lines).toEqual([
      'kvm2 started migrated',
      'kvm1 iteration 1',
      'kvm2 shutdown finished after host request',
      'kvm2 stopped destroyed',
    ]);
    expect(standing('kvm1')).toBe('running booted');
  });

  test('by the end of the destination’s libvirtd is told by nobody', async () => {
    const { hypervisors, wall, lines, standing } = lab();
    const over = hypervisors.migrate('web1', 'kvm2').catch((error: Error) => error.message);
    await wall.advance(1_000);
    const back = hypervisors.restartLibvirtd('kvm2');
    await wall.advance(5_000);
    expect(await over).toBe('internal error: client socket is closed');
    await back;
    expect(lines).toEqual(['kvm2 started migrated', 'kvm1 iteration 1']);
    expect([standing('kvm1'), standing('kvm2')]).toEqual(['running booted', undefined]);
  });

  test('because its guest was destroyed at the destination leaves the source silent', async () => {
    const { hypervisors, wall, lines, standing } = lab();
    const over = hypervisors.migrate('web1', 'kvm2').catch((error: Error) => error.message);
    await wall.advance(1_000);
    void hypervisors.hosts.kvm2.destroy(web1);
    await wall.advance(2_000);
    expect(await over).toMatch(/Unable to write to socket/);
    expect(lines.slice(2)).toEqual(['kvm2 shutdown finished after host request', 'kvm2 stopped destroyed']);
    expect([standing('kvm1'), standing('kvm2')]).toEqual(['running booted', undefined]);
  });

  test('because the guest was destroyed ends on both hosts', async () => {
    const { hypervisors, wall, lines, standing } = lab();
    const over = hypervisors.migrate('web1', 'kvm2').catch((error: Error) => error.message);
    await wall.advance(1_000);
    void hypervisors.hosts.kvm1.destroy(web1);
    await wall.advance(2_000);
    expect(await over).toBe('operation failed: domain is not running');
    expect(new Set(lines.slice(2))).toEqual(
      new Set(['kvm1 shutdown finished after host request', 'kvm1 stopped destroyed', 'kvm2 stopped failed']),
    );
    expect([standing('kvm1'), standing('kvm2')]).toEqual(['shutoff destroyed', undefined]);
  });
});

describe('what is refused', () => {
  test('a second migration of the same VM, one to where it is, and an abort without one', async () => {
    const { hypervisors, wall } = lab();
    await expect(hypervisors.migrate('web1', 'kvm1')).rejects.toThrow(/same host 11111111-aaaa/);
    expect(() => hypervisors.abort('web1')).toThrow('no job is active on the domain');
    const first = hypervisors.migrate('web1', 'kvm2');
    await wall.advance(1_000);
    await expect(hypervisors.migrate('web1', 'kvm2')).rejects.toThrow(/state change lock/);
    await wall.advance(5_000);
    await first;
  });

  test('an abort once it is post-copy', async () => {
    const { hypervisors, wall } = lab();
    const over = hypervisors.migrate('web1', 'kvm2', { postCopy: true });
    await wall.advance(1_800);
    expect(() => hypervisors.abort('web1')).toThrow('cannot abort migration in post-copy mode');
    await wall.advance(5_000);
    await over;
    expect(hypervisors.whereIs('web1')).toBe('kvm2');
  });

  test('a destination whose libvirtd is not there, before anything is told', async () => {
    const { hypervisors, lines } = lab();
    const asked = {
      uuid: web1,
      live: true,
      persistent: true,
      undefineSource: true,
      suspend: false,
      offline: false,
      postCopy: 'never',
    } as const;
    const { kvm1 } = hypervisors.hosts;
    for (const uri of ['qemu+tcp://127.0.0.9/system', 'qemu+unix:///system?socket=/nope', 'nonsense']) {
      await expect(hypervisors.perform(kvm1, { ...asked, uri })).rejects.toThrow(LibvirtRefusal);
    }
    expect(lines).toEqual([]);
  });
});

describe('a guest', () => {
  test('is heard from its hypervisor’s port while it runs, in its VLAN', async () => {
    const { wall, frames, hypervisors } = lab();
    await wall.advance(1_000);
    const from = (on: string) =>
      new Set(frames.filter((frame) => frame.on === on).map((frame) => `${frame.mac} vlan ${frame.vlan}`));
    expect(from('kvm1')).toEqual(new Set(['52:54:00:aa:bb:01 vlan 10', '52:54:00:aa:bb:02 vlan 10']));
    expect(from('kvm2')).toEqual(new Set(['52:54:00:aa:bb:03 vlan 10']));
    hypervisors.hosts.kvm1.suspend(web1);
    const before = frames.length;
    await wall.advance(1_000);
    expect(frames.slice(before).some((frame) => frame.mac === mac)).toBe(false);
  });

  test('announces itself five times where it arrives, the first time before its arrival is told', async () => {
    const { hypervisors, wall, frames } = lab();
    const heardAt: number[] = [];
    hypervisors.hosts.kvm2.listen((event) => {
      if (told(event) === 'resumed migrated')
        heardAt.push(frames.filter((frame) => frame.on === 'kvm2' && frame.mac === mac).length);
    });
    const over = hypervisors.migrate('web1', 'kvm2');
    await wall.advance(5_000);
    await over;
    expect(heardAt).toEqual([1]);
    const here = frames.filter((frame) => frame.on === 'kvm2' && frame.mac === mac).map(({ at }) => at);
    const since = here.map((at) => at - here[0]!).filter((at) => at < 800);
    expect(since).toEqual([0, 45, 195, 200, 400, 445, 600, 795]);
    const last = frames.filter((frame) => frame.on === 'kvm1' && frame.mac === mac).at(-1)!.at;
    expect(last).toBeLessThan(here[0]!);
  });

  test('lives on without its libvirtd', async () => {
    const { hypervisors, wall, frames } = lab();
    const back = hypervisors.restartLibvirtd('kvm1');
    await wall.advance(500);
    expect(frames.some((frame) => frame.mac === mac)).toBe(true);
    await wall.advance(1_000);
    await back;
  });
});

describe('what clients do to a domain', () => {
  test('is told as libvirt tells it: resumed before started, and shutdown before stopped', async () => {
    const { hypervisors, wall, lines } = lab();
    const { kvm1 } = hypervisors.hosts;
    kvm1.suspend(web1);
    kvm1.suspend(web1);
    kvm1.resume(web1);
    expect(() => kvm1.resume(web1)).toThrow('domain is already running');
    const gone = kvm1.destroy(web1);
    await wall.advance(500);
    await gone;
    const started = kvm1.create(web1);
    await wall.advance(500);
    await started;
    expect(lines).toEqual([
      'kvm1 suspended paused',
      'kvm1 resumed unpaused',
      'kvm1 shutdown finished after host request',
      'kvm1 stopped destroyed',
      'kvm1 resumed unpaused',
      'kvm1 started booted',
    ]);
  });

  test('puts a mark into its XML, which moves with it', async () => {
    const { hypervisors, migrate, lines } = lab();
    const mark = { key: 'offbox', uri: 'urn:offbox:migration' };
    hypervisors.hosts.kvm1.setMetadata(web1, 'element', `<migration to='kvm2'/>`, mark);
    expect(lines).toEqual(['kvm1 metadata-change']);
    await migrate();
    const xml = domainXml(hypervisors.hosts.kvm2.domain(web1), 'live');
    expect(xml).toContain(`    <offbox:migration xmlns:offbox="urn:offbox:migration" to='kvm2'/>`);
    expect(xml).toContain(`<mac address='${mac}'/>`);
    expect(() => hypervisors.hosts.kvm2.setMetadata(web1, 'element', '<a', mark)).toThrow(/XML error/);
  });

  test('cannot fill its metadata without end', () => {
    const { kvm1 } = lab().hypervisors.hosts;
    const set = (i: number) => kvm1.setMetadata(web1, 'element', '<a/>', { key: 'x', uri: `urn:${i}` });
    for (let i = 0; i < 64; i++) set(i);
    expect(() => set(64)).toThrow(/more than 64/);
    kvm1.setMetadata(web1, 'element', null, { key: 'x', uri: 'urn:0' });
    set(64);
    expect(kvm1.find(web1)?.metadata.size).toBe(64);
  });
});
