// Migrations as an operator asks for them: beside a simulated network in a process of its own.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { labCommand } from '../../lab/control.ts';
import type { LabState } from '../../lab/index.ts';
import { ask } from '../../src/cli/client.ts';
import { controlSocket } from '../../src/runtime/api.ts';
import type { MigrationStatus } from '../../src/runtime/migrate.ts';
import { ended, printed, runOffbox, startOffbox } from './offbox.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-migrate-'));
const lab = join(home, '.offbox', 'lab');
const socket = controlSocket(join(lab, 'data'));
const state = async (): Promise<LabState> => (await labCommand(lab, 'state', [])) as LabState;
const hosts = async (vm: string): Promise<readonly string[]> =>
  (await state()).hypervisors.flatMap(({ hypervisor, vms }) => (vms.some((each) => each.vm === vm) ? [hypervisor] : []));

/** What is attached to the way out of both switches, and what their ports do on a violation. */
async function ports() {
  return (await state()).switches.map(({ ports: all }) => ({
    output: all.find((port) => port.interface === 'GigabitEthernet1/0/24')!.output,
    violation: all.find((port) => port.interface === 'GigabitEthernet1/0/1')!.violation,
  }));
}

const atRest = [
  { output: null, violation: 'shutdown' },
  { output: 'EDGE-DEFAULT', violation: 'shutdown' },
];
const backToRest = (): Promise<void> => expect.poll(ports, { timeout: 20_000, interval: 100 }).toEqual(atRest);
const migrate = (...words: readonly string[]) => runOffbox(home, ['migrate', ...words]);

describe('offbox migrate', () => {
  let running: ChildProcess;

  beforeAll(async () => {
    running = startOffbox(home, 'start', '--lab');
    await printed(running, /via gw-a/);
    running.stdout!.resume();
    const known = async () => ((await ask(socket, 'GET', '/show/vms')) as readonly unknown[]).length === 3;
    await vi.waitUntil(known, { timeout: 20_000, interval: 100 });
  }, 60_000);

  afterAll(async () => {
    const end = ended(running);
    running.kill('SIGINT');
    expect((await end).code).toBe(0);
  }, 30_000);

  it('names the VMs and the hypervisors there are, and ends with 2, where one is not known', async () => {
    const vm = await migrate('web9', '--to', 'kvm2');
    expect(vm.err).toMatch(/no hypervisor has a VM "web9"\. There is: .*\bweb1\b/);
    expect(vm.code).toBe(2);
    const host = await migrate('web1', '--to', 'kvm9');
    expect(host.err).toContain('there is no hypervisor "kvm9". There is: kvm1 (web1 is there), kvm2.');
    expect(host.code).toBe(2);
  }, 60_000);

  it('is refused, with the condition and the remedy, where a port would shut down', async () => {
    const { code, out, err } = await migrate('web1', '--to', 'kvm2');
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/✖ refused: acc-1 GigabitEthernet1\/0\/1 shuts down on a violation/);
    expect(out).toContain("allow: ['relax']");
    expect(await hosts('web1')).toEqual(['kvm1']);
    await backToRest();
  }, 60_000);

  it('moves the VM, tells how it goes, and ends with 0', async () => {
    const { code, out, err } = await migrate('web1', '--to', 'kvm2', '--allow', 'relax');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^web1 from kvm1 to kvm2, asked for as entry \d+; Ctrl-C cancels it\n/);
    expect(out).toContain('▸ running: The way is prepared: web1 leaves kvm1 for kvm2.');
    expect(out).toContain('✔ done: web1 is on kvm2.');
    expect(await hosts('web1')).toEqual(['kvm2']);
    await backToRest();
  }, 60_000);

  it('prints one JSON object a change', async () => {
    const { code, out } = await migrate('db1', '--to', 'kvm2', '--allow', 'relax', '--json');
    expect(code).toBe(0);
    const told = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as MigrationStatus);
    expect(told.at(-1)).toEqual({ report: { state: 'done', text: 'db1 is on kvm2.', final: true } });
    expect(told.some(({ progress }) => progress !== undefined && progress.total > 0)).toBe(true);
    await backToRest();
  }, 60_000);

  it.each([
    ['before it has begun', /asked for as entry/, /✖ cancelled: Called off before app1 left kvm2/],
    ['half-way', /▸ running/, /✖ cancelled: Called off: app1 stays on kvm2/],
  ])(
    'cancelled by Ctrl-C %s, the VM stays, the way is as it was, and it ends with 1',
    async (_when, at, told) => {
      const child = startOffbox(home, 'migrate', 'app1', '--to', 'kvm1', '--allow', 'relax');
      const end = ended(child);
      await printed(child, at);
      child.kill('SIGINT');
      const { code, out } = await end;
      expect(out).toMatch(told);
      expect(code).toBe(1);
      await backToRest();
      expect(await hosts('app1')).toEqual(['kvm2']);
    },
    60_000,
  );

  it.each([
    ['--fail', /has not moved: .*unexpectedly closed the monitor/],
    ['--abort', /has not moved: .*canceled by client/],
  ])(
    'shows what becomes of a migration that somebody else begins, as lab migrate %s does it',
    async (how, told) => {
      const { code, out } = await runOffbox(home, ['lab', 'migrate', 'db1', '--to', 'kvm1', how]);
      expect([code, out]).toEqual([0, expect.stringMatching(told)]);
      expect(await hosts('db1')).toEqual(['kvm2']);
      await backToRest();
    },
    60_000,
  );
});

describe('offbox migrate without an Offbox', () => {
  it('says that none runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offbox-migrate-'));
    const { code, err } = await runOffbox(folder, ['migrate', 'web1', '--to', 'kvm2']);
    expect(code).toBe(2);
    expect(err).toContain('there is no');
  }, 30_000);
});
