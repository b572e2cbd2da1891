// Two migrations over one link at a time, beside the simulated network: what one of them holds, the end of the other does not
// take away. The switches' own logs are the judge.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { writeLabConfig } from '../../src/cli/lab-config.ts';
import { compose, type Lab, startLab, wall } from '../../src/main.ts';
import { loadConfig } from '../../src/runtime/config.ts';
import { askMigration } from '../../src/runtime/migrate.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';

const net = 81;
const uplink = 'GigabitEthernet1/0/24';
const migrationMap = 'LIVE-MIGRATION';
type SwitchName = 'acc-1' | 'acc-2';

const dir = mkdtempSync(join(tmpdir(), 'offbox-overlap-'));
let lab: Lab;
let runtime: Runtime;

beforeAll(async () => {
  lab = await startLab({ dir, wall, net });
  runtime = await compose(await loadConfig(await writeLabConfig(dir, net)));
  await vi.waitUntil(() => runtime.view.vms().length === 3, { timeout: 20_000 });
}, 60_000);

afterAll(async () => {
  await runtime?.stop();
  await lab?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const output = (name: SwitchName): string | null =>
  lab
    .state()
    .switches.find((each) => each.switch === name)!
    .ports.find((each) => each.interface === uplink)!.output;

/** How many VMs are on their way. */
const migrating = (): number =>
  lab.state().hypervisors.flatMap(({ vms }) => vms.filter(({ migration }) => migration?.direction === 'out')).length;

/** Lines about policy-maps that somebody brought to the switch, from the one after `since` on. */
const policyLines = (name: SwitchName, since = 0): readonly string[] =>
  lab
    .writes(name)
    .slice(since)
    .flatMap(({ line, transport }) => (transport !== 'device' && line.includes('service-policy') ? [line] : []));

/** Both, half a second apart. Returns how many were on their way at each sample, and what was attached then. */
async function moveBoth(to: 'kvm1' | 'kvm2', over: SwitchName) {
  const samples: { readonly on: number; readonly attached: string | null }[] = [];
  const sampling = setInterval(() => samples.push({ on: migrating(), attached: output(over) }), 20);
  const final = (request: string) => () => runtime.view.requests().find((each) => each.request === request)?.final === true;
  try {
    const first = await askMigration(runtime, { vm: 'web1', to, allow: ['relax'] });
    await pause(500);
    const second = await askMigration(runtime, { vm: 'db1', to, allow: ['relax'] });
    for (const { request } of [first, second]) await vi.waitUntil(final(request), { timeout: 40_000, interval: 50 });
    const states = [first, second].map(({ request }) => runtime.view.requests().find((each) => each.request === request)!.state);
    expect(states).toEqual(['done', 'done']);
    expect(['web1', 'db1'].map((vm) => lab.hypervisors.whereIs(vm))).toEqual([to, to]);
    return samples;
  } finally {
    clearInterval(sampling);
  }
}

it('keeps the policy-map on the way from the first start to the last end, and writes it once and takes it off once', async () => {
  const samples = await moveBoth('kvm2', 'acc-1');
  expect(Math.max(...samples.map(({ on }) => on))).toBe(2);
  const [start, end] = [samples.findIndex(({ on }) => on > 0), samples.findLastIndex(({ on }) => on > 0)];
  expect(end - start).toBeGreaterThan(40);
  expect([...new Set(samples.slice(start, end + 1).map(({ attached }) => attached))]).toEqual([migrationMap]);
  await vi.waitUntil(() => output('acc-1') === null, { timeout: 20_000 });
  expect(policyLines('acc-1')).toEqual([`service-policy output ${migrationMap}`, `no service-policy output ${migrationMap}`]);
  expect(policyLines('acc-2')).toEqual([]);
}, 90_000);

it('puts EDGE-DEFAULT back where that was before, when the last of them has ended', async () => {
  const [onFirst, onSecond] = [lab.writes('acc-1').length, lab.writes('acc-2').length];
  const samples = await moveBoth('kvm1', 'acc-2');
  expect(Math.max(...samples.map(({ on }) => on))).toBe(2);
  const during = samples.slice(
    samples.findIndex(({ on }) => on > 0),
    samples.findLastIndex(({ on }) => on > 0),
  );
  expect([...new Set(during.map(({ attached }) => attached))]).toEqual([migrationMap]);
  await vi.waitUntil(() => output('acc-2') === 'EDGE-DEFAULT', { timeout: 20_000 });
  const lines = policyLines('acc-2', onSecond);
  for (const line of [`service-policy output ${migrationMap}`, 'service-policy output EDGE-DEFAULT'])
    expect(lines.filter((each) => each === line)).toHaveLength(1);
  expect(policyLines('acc-1', onFirst)).toEqual([]);
}, 90_000);
