// Offbox is killed with -9 at random moments in a storm and started again, over and over: thousands of syslog lines a second,
// forged ones among them, while gateways fail and come back, VMs migrate by request, and events are emitted. Snapshots and
// retention are on. The devices' own logs are the judge: no change written twice, the network right at the end; and whatever
// was acknowledged is in the journal after the very kill that followed.
//
// OFFBOX_STORM_KILLS=200 OFFBOX_STORM_SEED=7 for more of it, and another one.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { labCommand } from '../../lab/control.ts';
import type { ConfigWrite, LabState } from '../../lab/index.ts';
import { hypervisorPorts, labAddresses, labPorts, lanPrefix, uplinkPort } from '../../lab/model/addresses.ts';
import { readWrites } from '../../lab/servers/change-log.ts';
import { ask } from '../../src/cli/client.ts';
import { controlSocket } from '../../src/runtime/api.ts';
import type { ShownRequest } from '../../src/runtime/requests.ts';
import type { ShownIntent } from '../../src/runtime/view.ts';
import { type Prng, prng } from '../../src/testing/prng.ts';
import { exited, offbox, until as waitUntil } from './offbox-process.ts';
import { type Storm, storm } from './storm-sender.ts';

const kills = Number(process.env.OFFBOX_STORM_KILLS ?? 40);
const seed = Number(process.env.OFFBOX_STORM_SEED ?? 1);
const net = 82;
/**
 * What the storm fills within some thirty kills, so that entries go while it runs. Half a MiB comes a second, and nothing goes that
 * came since a request that is still open was made: it must take the longest of these, which some kills make minutes long.
 */
const journalBytesMax = 160 * 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'offbox-storm-'));
const data = join(directory, 'data');
const config = join(directory, 'offbox.yaml');
const socket = controlSocket(data);
const addresses = labAddresses(net);
const requests = `http://${addresses.offbox}:8080/requests`;
const web1 = '52:54:00:aa:bb:01';
const atRest = { 'acc-1': null, 'acc-2': 'EDGE-DEFAULT' } as const;

/** What somebody was told is durable. */
interface Acknowledged {
  readonly seq: number;
  readonly raw: string;
}

const state = async (): Promise<LabState> => (await labCommand(directory, 'state', [])) as LabState;
const shown = async <T>(what: string): Promise<readonly T[]> => (await ask(socket, 'GET', `/show/${what}`)) as readonly T[];
const open = async (): Promise<readonly ShownIntent[]> =>
  (await shown<ShownIntent>('intents')).filter((each) => each.state === 'open' || each.state === 'held');
const until = (what: string, holds: () => Promise<boolean>): Promise<void> =>
  waitUntil(
    `seed ${seed}: ${what}`,
    holds,
    async () => ({ lab: await state(), open: await open().catch(() => 'not asked') }),
    90_000,
  );

/** Emits and asks for migrations as long as Offbox runs, and remembers what was acknowledged. */
class Askers {
  readonly acknowledged: Acknowledged[] = [];
  readonly requests = new Map<string, number>();
  #emitted = 0;
  #asked = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  start(chance: Prng): void {
    this.#stopped = false;
    this.#running = Promise.all([this.#emit(), this.#ask(chance)]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #emit(): Promise<void> {
    while (!this.#stopped) {
      this.#emitted += 1;
      const raw = `emitted ${this.#emitted}`;
      const event = { meaning: null, origin: { source: 'emit', peer: 'local', transport: 'local', trust: 'claimed', raw } };
      const answer = await ask(socket, 'POST', '/emit', { event }).catch(() => undefined);
      if (answer !== undefined) this.acknowledged.push({ seq: (answer as { seq: number }).seq, raw });
      await pause(5);
    }
  }

  /** The same request is sent until it is answered, as an orchestrator does; it keeps the number it has once got. */
  async #ask(chance: Prng): Promise<void> {
    for (;;) {
      await pause(chance.between(200, 3_000));
      this.#asked += 1;
      const request = `r-${this.#asked}`;
      const raw = JSON.stringify({
        kind: 'migration-requested',
        request,
        vm: 'web1',
        to: chance.pick(['kvm1', 'kvm2']),
        perform: true,
        allow: ['relax'],
      });
      for (let times = 0; times < 2; times += 1) {
        if (this.#stopped) return;
        const answer = await fetch(requests, {
          method: 'POST',
          body: raw,
          headers: { 'content-type': 'application/json' },
        }).catch(() => undefined);
        if (answer?.status !== 202) continue;
        const { seq } = (await answer.json().catch(() => ({}))) as { readonly seq?: number };
        if (seq === undefined) continue;
        expect(this.requests.get(request) ?? seq, `${request} asked for again`).toBe(seq);
        if (!this.requests.has(request)) this.acknowledged.push({ seq, raw });
        this.requests.set(request, seq);
      }
    }
  }
}

/** What befalls the gateways; each is undone by a later one, or at the end. */
async function befall(chance: Prng): Promise<void> {
  const { gateways } = await state();
  const off = gateways.find(({ power }) => power === 'off');
  const cut = gateways.find(({ faults }) => faults.length > 0);
  const name = chance.pick(['gw-a', 'gw-b']);
  const [verb, ...words] = off
    ? ['restore', off.gateway]
    : cut
      ? cut.faults.includes('split')
        ? ['heal']
        : ['link-up', cut.gateway]
      : chance.pick([
          ['fail', 'gw-a'],
          ['fail', name],
          ['split', name],
          ['link-down', 'gw-a'],
          ['flap', name, '3', '300'],
          ['reload', 'gw-a', 'stale'],
        ]);
  await labCommand(directory, verb!, words);
}

async function mended(): Promise<void> {
  await labCommand(directory, 'heal', []);
  for (const { gateway, power, faults } of (await state()).gateways) {
    if (faults.includes('link-down')) await labCommand(directory, 'link-up', [gateway]);
    if (power === 'off') await labCommand(directory, 'restore', [gateway]);
  }
}

/** What is on disk of the journal from `fromSeq` on. */
interface OnDisk {
  readonly first: number;
  readonly last: number;
  readonly snapshots: number;
  /** Seq → what was asked or emitted; the storm itself is not remembered. */
  readonly raw: ReadonlyMap<number, string>;
}

async function journal(fromSeq: number): Promise<OnDisk> {
  const reader = await readSqliteJournal({ path: join(data, 'journal.sqlite') });
  const raw = new Map<number, string>();
  let [first, last, snapshots] = [0, 0, 0];
  for await (const batch of reader.read(fromSeq)) {
    first ||= batch[0]!.seq;
    last = batch.at(-1)!.seq;
    for (const entry of batch) {
      if (entry.kind === 'snapshot') snapshots += 1;
      if (entry.kind === 'event' && entry.event.origin.source !== 'syslog') raw.set(entry.seq, entry.event.origin.raw);
    }
  }
  await reader.close();
  return { first, last, snapshots, raw };
}

/** Lines that others than the device itself brought to it, and that changed nothing: they had been written before. */
function writesOf(name: string): { readonly writes: number; readonly twice: readonly ConfigWrite[] } {
  const all = readWrites(directory, name);
  // `router bgp` only leads to where a network statement goes.
  const ours = all.filter(({ transport, line }) => transport !== 'device' && (!name.startsWith('gw-') || /network/.test(line)));
  return { writes: ours.length, twice: ours.filter(({ changed }) => !changed) };
}

function isRight({ gateways, switches, hypervisors, external }: LabState): boolean {
  const active = gateways.filter(({ hsrp }) => hsrp.some((row) => row.interface === 'Vlan10' && row.state === 'active'));
  const advertise = gateways.filter(({ networks }) => networks.includes(lanPrefix));
  const runs = hypervisors.filter(({ vms }) => vms.some(({ vm, state: is }) => vm === 'web1' && is.startsWith('running')));
  const moving = hypervisors.some(({ vms }) => vms.some(({ migration }) => migration));
  if (active.length !== 1 || advertise.length !== 1 || active[0] !== advertise[0] || runs.length !== 1 || moving) return false;
  const via = external.filter(({ prefix }) => prefix === lanPrefix).flatMap((route) => route.via);
  if (via.join() !== active[0]!.gateway) return false;
  return switches.every(({ switch: name, ports }) => {
    const port = (wanted: string) => ports.find((one) => one.interface === wanted)!;
    const host = Object.entries(hypervisorPorts).find(([, at]) => at.switch === name)![0];
    const access = port('GigabitEthernet1/0/1');
    const secures = access.secure.some((row) => row.startsWith(web1));
    const isStrict = access.violation === 'shutdown' && access.status === 'up';
    return isStrict && secures === (runs[0]!.hypervisor === host) && port(uplinkPort).output === atRest[name];
  });
}

/** What the kills left of the failovers may have written to one gateway only: one that nobody interrupts, and back. */
async function failedOver(): Promise<void> {
  for (const [verb, active] of [
    ['link-down', 'gw-b'],
    ['link-up', 'gw-a'],
  ] as const) {
    await labCommand(directory, verb, ['gw-a']);
    await until(`${active} has taken over`, async () => {
      const now = await state();
      return isRight(now) && now.gateways.some(({ gateway, networks }) => gateway === active && networks.includes(lanPrefix));
    });
  }
}

describe(`killed with -9 ${kills} times in a storm, seed ${seed}`, () => {
  let lab: ChildProcess;
  let flood: Storm | undefined;
  let running: ChildProcess | undefined;

  beforeAll(async () => {
    lab = offbox('lab', 'up', '--dir', directory, '--net', String(net));
    await until('the lab is up', async () => (await state()) !== undefined);
    const text = readFileSync(config, 'utf8');
    const listens = `sources:\n  http: { listen: '${addresses.offbox}:8080' }`;
    writeFileSync(config, `${text.replace('sources:', listens)}journal: { maxBytes: ${journalBytesMax} }\n`);
  });

  afterAll(async () => {
    flood?.stop();
    running?.kill('SIGKILL');
    lab.kill('SIGTERM');
    await exited(lab);
  });

  it('loses nothing acknowledged, writes no change twice, and ends right', async () => {
    const chance = prng(seed);
    const askers = new Askers();
    let forges = false;
    let [checked, checkedSeq] = [0, 0];
    const { offbox: host, 'gw-a': gwA, 'gw-b': gwB } = addresses;
    flood = await storm({
      prng: chance.fork('storm'),
      host,
      port: labPorts.syslog,
      gateways: { 'gw-a': gwA, 'gw-b': gwB },
      forges: () => forges,
    });
    for (let round = 0; round < kills; round += 1) {
      forges = chance.chance(40);
      running = offbox('start', '--config', config);
      askers.start(chance.fork(`round ${round}`));
      // Mostly in the middle of its work, sometimes in the middle of its start.
      const early = chance.chance(20);
      if (!early) await until('Offbox answers', async () => (await shown('gateways')).length > 0);
      const befalls = chance.chance(70) ? befall(chance).catch(() => undefined) : undefined;
      await pause(chance.between(early ? 300 : 200, early ? 2_500 : 4_500));
      running.kill('SIGKILL');
      await exited(running);
      await askers.stop();
      await befalls;
      const news = askers.acknowledged.slice(checked);
      // It may have been killed before there was one.
      if (news.length === 0) continue;
      const { raw: kept } = await journal(checkedSeq + 1);
      for (const { seq, raw } of news) expect(kept.get(seq), `seed ${seed}, round ${round}: acknowledged as ${seq}`).toBe(raw);
      checked = askers.acknowledged.length;
      checkedSeq = Math.max(checkedSeq, ...news.map(({ seq }) => seq));
    }
    forges = false;
    await mended();
    const last = offbox('start', '--config', config);
    running = last;
    await until('the network ends right', async () => isRight(await state()));
    await failedOver();
    await until('nothing is open', async () => (await open()).length === 0);
    const told = new Map((await shown<ShownRequest>('requests')).map((each) => [each.request, each]));
    last.kill('SIGTERM');
    await exited(last);
    expect(last.exitCode).toBe(0);

    const { first, last: lastSeq, snapshots, raw: kept } = await journal(0);
    const names = ['gw-a', 'gw-b', 'acc-1', 'acc-2'] as const;
    const written = names.map((name) => ({ name, ...writesOf(name) }));
    const figures = `${flood.sent()} lines sent, ${askers.acknowledged.length} acknowledged (${askers.requests.size} requests), entries ${first} to ${lastSeq} kept, ${snapshots} snapshots`;
    console.log(
      `seed ${seed}: ${kills} kills, ${figures}; writes: ${written.map(({ name, writes }) => `${name} ${writes}`).join(', ')}`,
    );
    for (const { seq, raw } of askers.acknowledged) if (seq >= first) expect(kept.get(seq), `acknowledged as ${seq}`).toBe(raw);
    expect(askers.acknowledged.length).toBeGreaterThan(kills);
    for (const request of askers.requests.keys()) expect(told.get(request), request).toMatchObject({ final: true });
    for (const { name, writes, twice } of written) {
      expect(twice, `written twice to ${name}`).toEqual([]);
      if (kills >= 40) expect(writes, name).toBeGreaterThan(0);
    }
  }, 1_800_000);
});
