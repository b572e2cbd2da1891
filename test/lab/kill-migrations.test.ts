// Offbox is killed with -9 at random moments during requested migrations and started again, over and over, beside the
// simulated network in a process of its own. The switches' own logs are the judge: no change written twice, everything as it
// was, and the VM where its request says that it is.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labCommand } from '../../lab/control.ts';
import type { ConfigWrite, LabState } from '../../lab/index.ts';
import { ask } from '../../src/cli/client.ts';
import { controlSocket } from '../../src/runtime/api.ts';
import type { MigrationAsked } from '../../src/runtime/migrate.ts';
import type { ShownRequest } from '../../src/runtime/requests.ts';
import type { ShownIntent } from '../../src/runtime/view.ts';
import { exited, offbox, until as waitUntil } from './offbox-process.ts';

const kills = Number(process.env.OFFBOX_MIGRATION_KILLS ?? 10);
const net = 79;
const directory = mkdtempSync(join(tmpdir(), 'offbox-kill-'));
const socket = controlSocket(join(directory, 'data'));
const web1 = '52:54:00:aa:bb:01';
const accessPort = 'GigabitEthernet1/0/1';
const uplink = 'GigabitEthernet1/0/24';
const switchOf = { kvm1: 'acc-1', kvm2: 'acc-2' } as const;
type Host = keyof typeof switchOf;
const other = (host: Host): Host => (host === 'kvm1' ? 'kvm2' : 'kvm1');

/** When it is killed: a random time after the request, after the migration has begun, or after it has ended. */
const moments = ['requested', 'begun', 'ended'] as const;
/** From the request over the preflight to the holds; over the copy, which takes 2 s; over the sticky address's watch. */
const latestMs = { requested: 3_000, begun: 2_000, ended: 2_000 } as const;

/** What befalls the migration itself, while nobody watches. */
const mishaps = ['none', 'abort', 'none', 'restart-libvirtd'] as const;

const until = (what: string, holds: () => Promise<boolean>): Promise<void> =>
  waitUntil(what, holds, async () => ({ open: await open(), lab: await state() }));

const state = async (): Promise<LabState> => (await labCommand(directory, 'state', [])) as LabState;
const shown = async <T>(what: string): Promise<readonly T[]> => (await ask(socket, 'GET', `/show/${what}`)) as readonly T[];
const open = async (): Promise<readonly ShownIntent[]> =>
  (await shown<ShownIntent>('intents')).filter((each) => each.state === 'open' || each.state === 'held');
const started = async (): Promise<ChildProcess> => {
  const running = offbox('start', '--config', join(directory, 'offbox.yaml'));
  await until('Offbox answers', async () => (await shown('vms')).length > 0);
  return running;
};

/** Where web1 runs; nobody while it is on its way. */
function whereIs({ hypervisors }: LabState): Host | undefined {
  const runs = hypervisors.filter(({ vms }) => vms.some((vm) => vm.vm === 'web1' && vm.state.startsWith('running')));
  return runs.length === 1 ? (runs[0]!.hypervisor as Host) : undefined;
}

const migrating = ({ hypervisors }: LabState): boolean => hypervisors.some(({ vms }) => vms.some(({ migration }) => migration));
const port = ({ switches }: LabState, name: string, interfaceName: string) =>
  switches.find((each) => each.switch === name)!.ports.find((each) => each.interface === interfaceName)!;
const secures = (lab: LabState, host: Host): boolean =>
  port(lab, switchOf[host], accessPort).secure.some((row) => row.startsWith(web1));

/** Lines that others than the device itself brought to it, and that changed nothing: they had been written before. */
function writtenTwice(name: string): readonly ConfigWrite[] {
  const log = readFileSync(join(directory, 'devices', `${name}.log`), 'utf8');
  const writes = log.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as ConfigWrite]));
  expect(writes.some(({ transport }) => transport !== 'device')).toBe(true);
  return writes.filter(({ transport, changed }) => transport !== 'device' && !changed);
}

async function migrate(to: Host): Promise<string> {
  const body = { vm: 'web1', to, allow: ['relax'] };
  let request: string | undefined;
  await until('the migration is asked for', async () => {
    request = ((await ask(socket, 'POST', '/migrate', body)) as MigrationAsked).request;
    return true;
  });
  return request!;
}

describe(`killed with -9 ${kills} times during migrations`, () => {
  let lab: ChildProcess;

  beforeAll(async () => {
    lab = offbox('lab', 'up', '--dir', directory, '--net', String(net));
    await until('the lab is up', async () => (await state()) !== undefined);
  });

  afterAll(async () => {
    lab.kill('SIGTERM');
    await exited(lab);
  });

  it('ends right each time: the VM is where its request says, everything else as it was, and nothing is written twice', async () => {
    const told: string[] = [];
    let running = await started();
    for (let round = 0; round < kills; round += 1) {
      const from = whereIs(await state())!;
      const to = other(from);
      const request = await migrate(to);
      const mishap = mishaps[round % mishaps.length]!;
      const moment = moments[round % moments.length]!;
      if (moment !== 'requested') await until('it has begun', async () => migrating(await state()));
      if (moment === 'ended') await until('it has ended', async () => !migrating(await state()));
      const killMs = Math.random() * latestMs[moment];
      await pause(killMs);
      running.kill('SIGKILL');
      await exited(running);
      if (mishap !== 'none') await labCommand(directory, mishap, [mishap === 'abort' ? 'web1' : from]).catch(() => undefined);
      const restartedMs = performance.now();
      running = await started();
      const about = `round ${round}: ${from} to ${to}, killed ${Math.round(killMs)} ms after it was ${moment}, then ${mishap}`;
      await until(`${about}: the outcome`, async () =>
        (await shown<ShownRequest>('requests')).some((each) => each.request === request && each.final),
      );
      await until(
        `${about}: at rest`,
        async () => !migrating(await state()) && (await open()).every(({ intent }) => intent.want.kind !== 'ensure'),
      );
      // Relaxed for some seconds more, until the port that it left has forgotten it.
      await until(`${about}: strict again`, async () => {
        const now = await state();
        return ['acc-1', 'acc-2'].every((name) => port(now, name, accessPort).violation === 'shutdown');
      });
      const report = (await shown<ShownRequest>('requests')).find((each) => each.request === request)!;
      told.push(`${about}: ${report.state}, ${report.text} At rest ${Math.round(performance.now() - restartedMs)} ms later.`);
      const after = await state();
      const is = whereIs(after)!;
      expect(is, `${about}: ${report.text}`).toBe(report.state === 'done' ? to : from);
      expect([port(after, 'acc-1', uplink).output, port(after, 'acc-2', uplink).output], about).toEqual([null, 'EDGE-DEFAULT']);
      for (const name of ['acc-1', 'acc-2']) {
        expect(port(after, name, accessPort), about).toMatchObject({ violation: 'shutdown', status: 'up' });
        expect(writtenTwice(name), `${about}: written twice to ${name}`).toEqual([]);
      }
      expect(secures(after, is), `${about}: its own port has it`).toBe(true);
      expect(secures(after, other(is)), `${about}: the other port has not`).toBe(false);
    }
    running.kill('SIGTERM');
    await exited(running);
    console.log(told.join('\n'));
  }, 1_200_000);
});
