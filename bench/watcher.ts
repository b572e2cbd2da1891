// Owns: the process that watches the hypervisors: Offbox with the policies it ships, switches that answer at once, and what
// it counts: each lifecycle event when it was durable, the facts knew it and it was matched with what the policies listen to.
import { PerformanceObserver } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { platforms } from '../adapters/platforms/index.ts';
import type { Engine } from '../src/core/engine.ts';
import type { Entry } from '../src/model/entry.ts';
import type { ResourceDriver } from '../src/ports/platform.ts';
import type { SourceStats } from '../src/ports/source.ts';
import type { HostStats } from '../src/runtime/host.ts';
import { bundlePolicies } from '../src/runtime/policies.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { watching } from './compose.ts';
import { hypervisorInventory } from './domains.ts';
import { serve, steadyClock } from './process.ts';
import { ranSince } from './threads.ts';
import { Histogram, type Pauses, pausesOf, TimeLog, type Times } from './time-log.ts';

/** Whatever is wanted is so already. */
const atOnce: ResourceDriver = {
  // biome-ignore lint/correctness/useYield: it need not ask
  *read() {
    return null;
  },
  plan: () => [],
  verify: () => ({ effective: true }),
  describe: () => 'as wanted',
};
const kinds = ['sticky-mac', 'mac-table-entry', 'service-policy', 'violation-mode'];
const ios = platforms['cisco-ios']!;
const answering = { ...platforms, 'cisco-ios': { ...ios, resources: Object.fromEntries(kinds.map((kind) => [kind, atOnce])) } };

const log = new TimeLog();
const now = steadyClock();
const entries = { lifecycle: 0, gaps: 0, all: 0 };

function take(entry: Entry, { woke }: Engine): void {
  entries.all += 1;
  const meaning = entry.kind === 'event' ? entry.event.meaning : null;
  if (entry.kind === 'event' && meaning?.kind === 'vm.lifecycle') {
    entries.lifecycle += 1;
    log.add(Number(entry.event.target!.slice(3)), now(), woke ? 1 : 0);
  } else if (meaning?.kind === 'source.gap' && meaning.source === 'libvirt') entries.gaps += 1;
}

const appends = new Histogram();
const collections = new Histogram();
const collected = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collections.add(duration);
});

export interface Figures extends HostStats, SourceStats {
  readonly lifecycle: number;
  readonly gaps: number;
  readonly all: number;
  readonly rss: number;
  readonly heapUsed: number;
  /** What V8 has taken for the heap, of which `heapUsed` is in use; what its objects hold outside of it. */
  readonly heapTotal: number;
  readonly external: number;
  readonly cpuMs: number;
  /** By thread since the start. */
  readonly threadMs: Readonly<Record<string, number>>;
}

let runtime: Runtime | undefined;

export type WatcherCalls = typeof calls;
const calls = serve(
  {
    async start(start: { readonly hosts: number; readonly folder: string; readonly data: string }): Promise<void> {
      const inventory = hypervisorInventory(start.hosts, start.folder);
      const policies = await bundlePolicies(fileURLToPath(new URL('../policies', import.meta.url)));
      const onAppend = (ms: number): void => appends.add(ms);
      collected.observe({ entryTypes: ['gc'] });
      runtime = await watching({ inventory, policies, platforms: answering, folder: start.data, onEntry: take, onAppend });
    },
    times: (_: null): Times => log.drain(),
    /** Bytes of heap that a full collection leaves. */
    kept: (_: null): number => {
      globalThis.gc!();
      return process.memoryUsage().heapUsed;
    },
    /** Of all there were since the last call. */
    waits: (_: null): { readonly appends: Pauses; readonly collections: Pauses } => {
      const found = { appends: pausesOf(appends), collections: pausesOf(collections) };
      appends.clear();
      collections.clear();
      return found;
    },
    figures: (_: null): Figures => {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
      const memory = { rss, heapUsed, heapTotal, external };
      const cpuMs = (user + system) / 1000;
      const source = runtime!.sources[0]!.stats();
      return { ...entries, ...runtime!.host.stats(), ...source, ...memory, cpuMs, threadMs: ranSince(new Map()) };
    },
  },
  () => runtime?.stop(),
);
