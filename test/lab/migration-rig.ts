// A whole Offbox between two real libvirtds and the simulated access switches: the hypervisors' guests are real QEMUs, and
// what they would say on the wire is said to the simulated fabric at the port of whichever host runs them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLibvirt } from '../../adapters/libvirt-rpc/index.ts';
import { events, lifecycleWord, procedures, type RemoteEvent } from '../../adapters/libvirt-rpc/protocol.ts';
import type { Lab } from '../../lab/index.ts';
import { guestVlan } from '../../lab/model/addresses.ts';
import { type Guest, type HypervisorName, type Hypervisors, hypervisorNames } from '../../lab/real/hypervisors.ts';
import { writeLabConfig } from '../../src/cli/lab-config.ts';
import { Vms } from '../../src/core/vms.ts';
import { compose, startLab } from '../../src/main.ts';
import type { NatsConfig } from '../../src/model/config.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { Target } from '../../src/model/target.ts';
import { loadConfig } from '../../src/runtime/config.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { realWall as wall } from '../../src/runtime/wall.ts';

export const uplink = 'GigabitEthernet1/0/24';
export const accessPort = 'GigabitEthernet1/0/1';
export const switchOf = { kvm1: 'acc-1', kvm2: 'acc-2' } as const satisfies Record<HypervisorName, string>;
/** What is attached to the way out of each switch when nobody migrates. */
export const atRest = { 'acc-1': null, 'acc-2': 'EDGE-DEFAULT' } as const;
type SwitchName = keyof typeof atRest;

export interface Sample {
  readonly at: number;
  readonly output: Readonly<Record<SwitchName, string | null>>;
}

/** What a migration is, as the journal gives it. */
export interface Told {
  readonly meaning: Meaning;
  readonly at: number;
}

/** What happened since `mark()` was called. */
export interface Chapter {
  readonly entries: readonly Entry[];
  readonly samples: readonly Sample[];
  readonly told: readonly Told[];
}

export interface MigrationRig {
  readonly lab: Lab;
  readonly runtime: Runtime;
  readonly entries: readonly Entry[];
  /** From now on. */
  mark(): () => Chapter;
  /** Resolves once it holds; asked again after every entry and every sample. Rejects after `withinMs`. */
  until(what: string, holds: () => boolean, withinMs?: number): Promise<void>;
  /** The policy-map on the way out of a switch. */
  output(name: SwitchName): string | null;
  /** Whether the hypervisor's port holds the guest's address as secure. */
  secures(host: HypervisorName, guest: Guest): boolean;
  /** Offbox has listed this hypervisor. */
  listed(host: string): boolean;
  /** Where the guest is taken to run, by its hypervisors' own words. */
  runsOn(guest: Guest): HypervisorName | undefined;
  /** The guest runs here, whatever was heard. */
  plug(guest: Guest, host: HypervisorName | undefined): void;
  stop(): Promise<void>;
}

export interface RigOptions {
  /** Of the simulated switches. */
  readonly net: number;
  /** Where Offbox reaches each libvirtd; its own socket, unless said otherwise. */
  readonly sockets?: Partial<Readonly<Record<HypervisorName, string>>>;
  readonly nats?: NatsConfig;
}

/** A guest speaks so often; a real one with traffic does more. */
const frameMs = 50;
const sampleMs = 20;

export async function migrationRig(hypervisors: Hypervisors, options: RigOptions): Promise<MigrationRig> {
  const directory = await mkdtemp(join(tmpdir(), 'offbox-migration-'));
  const lab = await startLab({ dir: directory, wall, net: options.net, vms: [] });
  const wire = await plugIn(hypervisors, lab);
  const entries: Entry[] = [];
  const samples: Sample[] = [];
  const waiting = waitingFor(entries);
  const output = (name: SwitchName): string | null =>
    lab
      .state()
      .switches.find((one) => one.switch === name)!
      .ports.find((one) => one.interface === uplink)!.output;
  const sampling = setInterval(() => {
    samples.push({ at: wall.now(), output: { 'acc-1': output('acc-1'), 'acc-2': output('acc-2') } });
    waiting.look();
  }, sampleMs);
  const loaded = await loadConfig(await writeLabConfig(directory, options.net));
  const targets: Record<string, Target> = { ...loaded.inventory.targets };
  for (const name of hypervisorNames) targets[name] = targetOf(hypervisors, name, options.sockets?.[name]);
  const sources = { ...loaded.config.sources, ...(options.nats ? { nats: options.nats } : {}) };
  const runtime = await compose({
    ...loaded,
    config: { ...loaded.config, sources },
    inventory: { ...loaded.inventory, targets },
    watch: {
      onEntry: (entry) => {
        entries.push(entry);
        waiting.look();
      },
    },
  });
  /** The journal's own word: its entries folded anew. */
  const toldSince = (from: number): readonly Told[] => {
    const vms = new Vms();
    return entries.flatMap((entry, index) => {
      const told = vms.fold(entry).map((meaning) => ({ meaning, at: entry.at }));
      return index < from ? [] : told;
    });
  };
  return {
    lab,
    runtime,
    entries,
    output,
    mark() {
      const [entry, sample] = [entries.length, samples.length];
      return () => ({ entries: entries.slice(entry), samples: samples.slice(sample), told: toldSince(entry) });
    },
    until: (what, holds, withinMs = 20_000) => waiting.until(what, holds, withinMs),
    secures: (host, { mac }) =>
      lab
        .state()
        .switches.find((one) => one.switch === switchOf[host])!
        .ports.find((one) => one.interface === accessPort)!
        .secure.some((row) => row.startsWith(mac)),
    listed: (host) =>
      entries.some((each) => each.kind === 'event' && each.event.target === host && each.event.meaning?.kind === 'vm.listed'),
    runsOn: ({ uuid }) => wire.runs.get(uuid)?.host,
    plug: wire.plug,
    async stop() {
      clearInterval(sampling);
      await runtime.stop();
      await wire.stop();
      await lab.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What is waited for is asked again at every look. */
function waitingFor(entries: readonly Entry[]) {
  const asking = new Set<() => void>();
  return {
    look(): void {
      for (const ask of asking) ask();
    },
    until: (what: string, holds: () => boolean, withinMs: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          asking.delete(ask);
          const last = entries.slice(-40).map((each) => JSON.stringify(each).slice(0, 500));
          reject(new Error(`not within ${withinMs} ms: ${what}; the last entries:\n${last.join('\n')}`));
        }, withinMs);
        const ask = (): void => {
          if (!holds()) return;
          asking.delete(ask);
          clearTimeout(late);
          resolve();
        };
        asking.add(ask);
        ask();
      }),
  };
}

export function targetOf(hypervisors: Hypervisors, name: HypervisorName, socket = hypervisors.socket(name)): Target {
  const access = { transport: 'unix', uri: 'qemu:///session', socket, write: true } as const;
  return { platform: 'libvirt', address: '127.0.0.1', libvirt: { ...access, migrationUri: hypervisors.uri(name) } };
}

interface Running {
  readonly mac: string;
  readonly host: HypervisorName | undefined;
}

/** The guests' frames: from the host that last said that it resumed the guest, and from nowhere while it is suspended. */
async function plugIn(hypervisors: Hypervisors, lab: Lab) {
  const runs = new Map<string, Running>();
  const say = ({ mac, host }: Running): void => void (host && lab.fabric.frame(host, mac, guestVlan));
  const move = (uuid: string, host: HypervisorName | undefined): void => {
    const known = runs.get(uuid);
    if (!known) return;
    runs.set(uuid, { ...known, host });
    say({ ...known, host });
  };
  const clients = await Promise.all(
    hypervisorNames.map(async (name) => {
      const event = (each: RemoteEvent): void => {
        if (each.kind !== 'lifecycle') return;
        const { uuid } = each.dom;
        const word = lifecycleWord(each.event, each.detail)?.event;
        if (word === 'resumed') move(uuid, name);
        else if ((word === 'suspended' || word === 'stopped') && runs.get(uuid)?.host === name) move(uuid, undefined);
      };
      const peer = { adapter: 'lab', name, address: '127.0.0.1', access: targetOf(hypervisors, name).libvirt! };
      const options = { wall, secrets: async () => '', mode: 'read-only', event } as const;
      const client = await connectLibvirt(peer, options, new AbortController().signal);
      await client.call(procedures.registerEvent, { eventId: events.lifecycle.id, dom: null });
      return client;
    }),
  );
  const frames = setInterval(() => {
    for (const running of runs.values()) say(running);
  }, frameMs);
  return {
    runs,
    plug({ uuid, mac }: Guest, host: HypervisorName | undefined): void {
      runs.set(uuid, { mac, host });
      say({ mac, host });
    },
    async stop(): Promise<void> {
      clearInterval(frames);
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
