// Owns: the process that watches the hypervisors: Offbox with the policies it ships, switches that answer at once, and what
// it counts: each lifecycle event when it was durable and the policies that listen to it had been asked.
import { PerformanceObserver } from 'node:perf_hooks';
import { platforms } from '../adapters/platforms/index.ts';
import hsrpActiveAdvertises from '../policies/hsrp-active-advertises.ts';
import migrationPreflight from '../policies/migration-preflight.ts';
import migrationRequestedAppliesQos from '../policies/migration-requested-applies-qos.ts';
import migrationRequestedRelaxesPortSecurity from '../policies/migration-requested-relaxes-port-security.ts';
import vmMigratedClearsStickyMac from '../policies/vm-migrated-clears-sticky-mac.ts';
import type { Policy } from '../src/core/policy.ts';
import type { Entry } from '../src/model/entry.ts';
import type { ResourceDriver } from '../src/ports/platform.ts';
import type { SourceStats } from '../src/ports/source.ts';
import type { HostStats } from '../src/runtime/host.ts';
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

const shipped = [
  hsrpActiveAdvertises,
  migrationPreflight,
  migrationRequestedAppliesQos,
  migrationRequestedRelaxesPortSecurity,
  vmMigratedClearsStickyMac,
];

const log = new TimeLog();
const now = steadyClock();
/** Policies asked by the entry that is being stepped. */
let asked = 0;

/** As it is, and counts when it is asked. */
function counted(policy: Policy): Policy {
  const { ensure, hold } = policy;
  const seen = <A extends readonly unknown[], R>(work: (...args: A) => R) => {
    return (...args: A): R => {
      asked += 1;
      return work(...args);
    };
  };
  return {
    ...policy,
    ...(ensure ? { ensure: seen(ensure) } : {}),
    ...(hold ? { hold: { ...hold, desires: seen(hold.desires) } } : {}),
  };
}

const entries = { lifecycle: 0, gaps: 0, all: 0 };

function take(entry: Entry): void {
  entries.all += 1;
  const meaning = entry.kind === 'event' ? entry.event.meaning : null;
  if (entry.kind === 'event' && meaning?.kind === 'vm.lifecycle') {
    entries.lifecycle += 1;
    log.add(Number(entry.event.target!.slice(3)), now(), asked > 0 ? 1 : 0);
  } else if (meaning?.kind === 'source.gap' && meaning.source === 'libvirt') entries.gaps += 1;
  asked = 0;
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
      const policies = shipped.map(counted);
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
