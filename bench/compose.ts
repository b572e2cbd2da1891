// Owns: Offbox as the benchmark runs it: the real runtime, journal, lease, sources and actuators, put together as
// src/main.ts does, policies in a thread of their own; but with those made here (ten thousand files would measure the loading of files)
// and its data in a temporary folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliActuator } from '../adapters/actuator-cli/index.ts';
import { openSqliteJournal } from '../adapters/journal-sqlite/index.ts';
import { soloLease } from '../adapters/lease-solo/index.ts';
import { platforms } from '../adapters/platforms/index.ts';
import { libvirtSource } from '../adapters/source-libvirt/index.ts';
import { syslogSource } from '../adapters/source-syslog/index.ts';
import type { Engine } from '../src/core/engine.ts';
import type { Entry } from '../src/model/entry.ts';
import type { Inventory } from '../src/model/target.ts';
import type { Actuator } from '../src/ports/actuator.ts';
import type { Journal } from '../src/ports/journal.ts';
import type { Platform } from '../src/ports/platform.ts';
import type { Source } from '../src/ports/source.ts';
import { platformsOf, targetOf } from '../src/runtime/admission.ts';
import { Apart, type Surroundings } from '../src/runtime/apart/apart.ts';
import { feedBounds } from '../src/runtime/apart/feed.ts';
import type { BundledPolicy } from '../src/runtime/apart/messages.ts';
import { PolicyThread } from '../src/runtime/apart/thread.ts';
import { Runtime } from '../src/runtime/runtime.ts';
import { realWall as wall } from '../src/runtime/wall.ts';

interface CommonOptions {
  readonly inventory: Inventory;
  readonly policies: readonly BundledPolicy[];
  /** Called AFTER each entry was taken and matched, and in a flood is durable; `engine.woke`: policies are asked. */
  readonly onEntry: (entry: Entry, engine: Engine) => void;
  /** Called AFTER the policies have answered for everything up to an entry. */
  readonly onDecided?: (through: number) => void;
  /** How long each append took, and how long each sync where one was asked for. */
  readonly onAppend?: (ms: number) => void;
  readonly onSync?: (ms: number) => void;
}

export interface ComposeOptions extends CommonOptions {
  /** What every secret of the inventory is. */
  readonly password: string;
}

export interface Composed {
  readonly runtime: Runtime;
  /** The ports it listens on for syslog. */
  readonly ports: Readonly<Record<'tcp' | 'udp', number>>;
  stop(): Promise<void>;
}

export async function composed({ inventory, password, ...common }: ComposeOptions): Promise<Composed> {
  const folder = mkdtempSync(join(tmpdir(), 'offbox-bench-'));
  const any = { host: '127.0.0.1', port: 0 };
  const source = syslogSource({
    udp: any,
    tcp: any,
    wall,
    targetOf: (peer) => targetOf(inventory, peer),
    platforms: platformsOf(inventory),
  });
  const cli = cliActuator({ wall, secrets: async () => password, dialectOf: (platform) => platforms[platform]?.cli });
  const runtime = await started({ ...common, inventory, folder, platforms, sources: [source], actuators: [cli] });
  const portOf = (transport: string): number =>
    Number(
      source
        .stats()
        .listening.find((place) => place.startsWith(transport))
        ?.split(':')
        .at(-1),
    );
  return {
    runtime,
    ports: { tcp: portOf('tcp'), udp: portOf('udp') },
    async stop() {
      await runtime.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface WatchingOptions extends CommonOptions {
  /** Of its data; stays when it stops. */
  readonly folder: string;
  readonly platforms: Readonly<Record<string, Platform>>;
}

/** Watches the hypervisors of the inventory; nobody needs to be logged in to. */
export function watching(options: WatchingOptions): Promise<Runtime> {
  const source = libvirtSource({ inventory: options.inventory, wall, secrets: async () => '' });
  return started({ ...options, sources: [source], actuators: [] });
}

export const journalIn = (folder: string): string => join(folder, 'journal.sqlite');

interface StartOptions extends WatchingOptions {
  readonly sources: readonly Source[];
  readonly actuators: readonly Actuator[];
}

const policyThread = new URL('../src/policy-thread.ts', import.meta.url);

/** A policy whose module has this text. */
export function bundleOf(file: string, bundle: string): BundledPolicy {
  return { file, path: fileURLToPath(new URL(file, import.meta.url)), bundle, version: 'bench' };
}

class WatchedApart extends Apart {
  onDecided: ((through: number) => void) | undefined;

  override surround(around: Surroundings): void {
    super.surround({
      ...around,
      decided: (decided) => {
        around.decided(decided);
        this.onDecided?.(decided.through);
      },
    });
  }
}

async function started({ folder, policies, onEntry, onDecided, onAppend, onSync, ...options }: StartOptions): Promise<Runtime> {
  const apart = new WatchedApart({
    wall,
    bounds: feedBounds,
    thread: (ears) => new PolicyThread({ wall, file: policyThread, journal: journalIn(folder), ...ears }),
  });
  apart.onDecided = onDecided;
  const standIns = apart.begin(await apart.load(policies));
  const journal = await openSqliteJournal({ path: journalIn(folder), wall });
  const runtime = new Runtime({
    ...options,
    wall,
    journal: onAppend ? timed(journal, onAppend, onSync) : journal,
    lease: await soloLease({ directory: folder, describe: () => 'the benchmark' }).acquire(),
    policies: standIns,
    apart,
    snapshots: true,
    modes: { default: 'enforce', policies: {}, targets: {} },
    watch: {
      onEntry,
      onFailure: (fault) => {
        throw fault;
      },
    },
  });
  await runtime.start();
  return runtime;
}

function timed(journal: Journal, onAppend: (ms: number) => void, onSync?: (ms: number) => void): Journal {
  async function tell<T>(work: () => Promise<T>, hear: ((ms: number) => void) | undefined): Promise<T> {
    const from = wall.monotonic();
    const done = await work();
    hear?.(wall.monotonic() - from);
    return done;
  }
  return {
    ...journal,
    async append(batch, expect) {
      const { firstSeq, durable } = await tell(() => journal.append(batch, expect), onAppend);
      return { firstSeq, durable: durable && (() => tell(durable, onSync)) };
    },
  };
}
