// Owns: the process that receives, journals and matches for throughput and burst, and what it counts while it does.
import type { Engine } from '../src/core/engine.ts';
import type { Entry } from '../src/model/entry.ts';
import type { SourceStats } from '../src/ports/source.ts';
import { type Composed, composed } from './compose.ts';
import { inventory, policyBundles } from './lines.ts';
import { clockMs, serve } from './process.ts';
import { ranSince, threads } from './threads.ts';

export interface Taken {
  /** When the last line was durable and its policies had answered. */
  readonly at: number;
  readonly matched: number;
  /** Of the whole process, and of its threads by name. */
  readonly cpuMs: number;
  readonly threadMs: Readonly<Record<string, number>>;
  readonly appends: number;
}

let offbox: Composed | undefined;
let matched = 0;
let taken = 0;
let expected = Number.POSITIVE_INFINITY;
/** Of what is expected. */
let last = Number.POSITIVE_INFINITY;
let done: ((at: number) => void) | undefined;

function count({ kind, seq }: Entry, { woke }: Engine): void {
  if (kind !== 'event') return;
  taken += 1;
  if (woke) matched += 1;
  if (taken === expected) last = seq;
}

function decided(through: number): void {
  if (through < last) return;
  last = Number.POSITIVE_INFINITY;
  done?.(clockMs());
}

export type OffboxCalls = typeof calls;
const calls = serve(
  {
    /** Starts with this many policies; the ports it listens on. */
    async start(many: number): Promise<Composed['ports']> {
      offbox = await composed({ inventory, policies: policyBundles(many), password: '', onEntry: count, onDecided: decided });
      return offbox.ports;
    },
    /** Resolves when this many more lines are durable and decided. */
    async take(lines: number): Promise<Taken> {
      const { host } = offbox!.runtime;
      const cpu = process.cpuUsage();
      const before = threads();
      const { appends } = host.stats();
      matched = 0;
      taken = 0;
      expected = lines;
      const at = await new Promise<number>((resolve) => {
        done = resolve;
      });
      const { user, system } = process.cpuUsage(cpu);
      return { at, matched, cpuMs: (user + system) / 1000, threadMs: ranSince(before), appends: host.stats().appends - appends };
    },
    /** What has been received and committed by now. */
    count: (_: null): SourceStats & { readonly taken: number; readonly pending: number } => ({
      ...offbox!.runtime.sources[0]!.stats(),
      taken,
      pending: offbox!.runtime.host.stats().pending,
    }),
  },
  () => offbox?.stop(),
);
