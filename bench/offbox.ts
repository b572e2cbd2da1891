// Owns: Offbox as the benchmark runs it: the real runtime, journal, lease and sources, put together as src/main.ts does,
// but with policies made here (ten thousand files would measure the loading of files) and the data in a temporary folder.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal } from '../adapters/journal-sqlite/index.ts';
import { soloLease } from '../adapters/lease-solo/index.ts';
import { platforms } from '../adapters/platforms/index.ts';
import { syslogSource } from '../adapters/source-syslog/index.ts';
import type { SourceStats } from '../src/ports/source.ts';
import { targetOf } from '../src/runtime/admission.ts';
import { Runtime } from '../src/runtime/runtime.ts';
import { realWall as wall } from '../src/runtime/wall.ts';
import { inventory, policies } from './lines.ts';
import { clockMs, serve } from './process.ts';

export interface Taken {
  /** When the last line was durable and its policies had been asked. */
  readonly at: number;
  readonly matched: number;
  /** Of the whole process, and of its threads by name. */
  readonly cpuMs: number;
  readonly threadMs: Readonly<Record<string, number>>;
  readonly appends: number;
}

const folder = mkdtempSync(join(tmpdir(), 'offbox-bench-'));
let runtime: Runtime | undefined;
let matched = 0;
let taken = 0;
let expected = Number.POSITIVE_INFINITY;
let done: ((at: number) => void) | undefined;

/** Nanoseconds each thread has run, by its name: Linux only, elsewhere nothing. */
function threads(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  try {
    for (const task of readdirSync('/proc/self/task')) {
      const name = readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
      const ran = Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      found.set(name, (found.get(name) ?? 0) + ran);
    }
  } catch {
    // No /proc, or a thread that ended while we looked.
  }
  return found;
}

const listened = (transport: string): number =>
  Number(
    runtime!.sources[0]!.stats()
      .listening.find((place) => place.startsWith(transport))!
      .split(':')
      .at(-1),
  );

export type OffboxCalls = typeof calls;
const calls = serve(
  {
    /** Starts with this many policies; the ports it listens on. */
    async start(count: number): Promise<{ readonly tcp: number; readonly udp: number }> {
      const any = { host: '127.0.0.1', port: 0 };
      runtime = new Runtime({
        wall,
        inventory,
        platforms,
        journal: await openSqliteJournal({ path: join(folder, 'journal.sqlite') }),
        lease: await soloLease({ directory: folder, describe: () => 'the benchmark' }).acquire(),
        policies: policies(count, () => {
          matched += 1;
        }).map((policy) => ({ policy, version: 'bench' })),
        modes: { default: 'enforce', policies: {}, targets: {} },
        actuators: [],
        sources: [
          syslogSource({
            udp: any,
            tcp: any,
            wall,
            targetOf: (peer) => targetOf(inventory, peer),
            platformOf: (peer) => inventory.targets[targetOf(inventory, peer) ?? '']?.platform,
          }),
        ],
        watch: {
          onEntry: ({ kind }) => {
            if (kind !== 'event') return;
            taken += 1;
            if (taken === expected) done?.(clockMs());
          },
          onFailure: (fault) => {
            throw fault;
          },
        },
      });
      await runtime.start();
      return { tcp: listened('tcp'), udp: listened('udp') };
    },
    /** Resolves when this many more lines are durable and decided. */
    async take(lines: number): Promise<Taken> {
      const cpu = process.cpuUsage();
      const before = threads();
      const { appends } = runtime!.host.stats();
      matched = 0;
      taken = 0;
      expected = lines;
      const at = await new Promise<number>((resolve) => {
        done = resolve;
      });
      const { user, system } = process.cpuUsage(cpu);
      const threadMs = Object.fromEntries([...threads()].map(([name, ran]) => [name, (ran - (before.get(name) ?? 0)) / 1e6]));
      return { at, matched, cpuMs: (user + system) / 1000, threadMs, appends: runtime!.host.stats().appends - appends };
    },
    /** What has been received and committed by now. */
    count: (_: null): SourceStats & { readonly taken: number; readonly pending: number } => ({
      ...runtime!.sources[0]!.stats(),
      taken,
      pending: runtime!.host.stats().pending,
    }),
  },
  async () => {
    await runtime?.stop();
    rmSync(folder, { recursive: true });
  },
);
