// Owns: 500 hypervisors at a steady rate of events: whether every event arrives and is journaled, how long each takes from
// its socket to the policies, what it costs, and whether memory stays flat. Before it the floor: the same from a bare reader.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSqliteJournal } from '../adapters/journal-sqlite/index.ts';
import type { BareWatcherCalls } from './bare-watcher.ts';
import { journalIn } from './compose.ts';
import type { FleetCalls } from './fleet.ts';
import { clockMs, type Part, startPart } from './process.ts';
import { fixed, median, rateText, tableText } from './table.ts';
import { Delays, type Pauses, type Times } from './time-log.ts';
import type { Figures, WatcherCalls } from './watcher.ts';

export interface HypervisorsOptions {
  readonly hosts: number;
  /** Of each. */
  readonly eventsPerSecond: number;
  readonly seconds: number;
  readonly floorSeconds: number;
}

/** Not counted: code warms up, the heap finds its size. */
const warmupSeconds = 10;
const everyMs = 1_000;
/** Between two fetches of times: all of a second at once would take a core for the hundredth of it that is reported. */
const fetchMs = 100;
const lookMs = 20;
/** What was sent last has arrived long before. */
const settleMs = 10_000;

interface Second extends Pick<Figures, 'rss' | 'heapUsed' | 'heapTotal' | 'external'> {
  readonly atMs: number;
}

interface Floor {
  readonly delays: Delays;
  readonly cpuMicros: number;
}

interface Watched {
  readonly delays: Delays;
  readonly seconds: readonly Second[];
  readonly from: Figures;
  readonly to: Figures;
  /** Bytes of heap that a full collection leaves, before and after. */
  readonly kept: readonly [number, number];
  readonly waits: { readonly appends: Pauses; readonly collections: Pauses };
  /** Of the whole run, warm-up included. */
  readonly sent: number;
  /** Lifecycle events that the journal's file holds. */
  readonly journaled: number;
}

export interface Hypervisors extends HypervisorsOptions {
  readonly floor: Floor;
  readonly watched: Watched;
}

interface Receiver {
  times(): Promise<Times>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(so: () => Promise<boolean>): Promise<void> {
  while (!(await so())) await pause(lookMs);
}

/** Says events for so long, fetching the times of both sides, until as many have come as were sent. `each`: once a second. */
async function round(
  fleet: Part<FleetCalls>,
  receiver: Receiver,
  say: { readonly perSecond: number; readonly seconds: number },
  each: () => Promise<void> = async () => undefined,
): Promise<Delays> {
  const delays = new Delays();
  const fetch = async (): Promise<void> => {
    const arrived = await receiver.times();
    delays.sent(await fleet.ask('times', null));
    delays.arrived(arrived);
  };
  await fleet.ask('say', say);
  let looksAt = clockMs() + everyMs;
  for (let at = clockMs() + fetchMs; !(await fleet.ask('said', null)); at += fetchMs) {
    await pause(Math.max(at - clockMs(), 0));
    await fetch();
    if (clockMs() < looksAt) continue;
    await each();
    looksAt += everyMs;
  }
  const deadline = clockMs() + settleMs;
  await until(async () => {
    await fetch();
    return delays.all.total >= delays.sentTotal || clockMs() > deadline;
  });
  return delays;
}

async function floorOf(fleet: Part<FleetCalls>, folder: string, options: HypervisorsOptions): Promise<Floor> {
  const { hosts, eventsPerSecond: perSecond, floorSeconds } = options;
  const part = startPart<BareWatcherCalls>('bare-watcher.ts');
  const receiver = { times: () => part.ask('times', null) };
  try {
    await part.ask('start', { hosts, folder });
    await until(async () => (await fleet.ask('heard', null)) === hosts);
    await round(fleet, receiver, { perSecond, seconds: warmupSeconds / 2 });
    const before = await part.ask('cpuMs', null);
    const delays = await round(fleet, receiver, { perSecond, seconds: floorSeconds });
    return { delays, cpuMicros: (((await part.ask('cpuMs', null)) - before) * 1000) / delays.all.total };
  } finally {
    await part.stop();
  }
}

async function watchedBy(
  fleet: Part<FleetCalls>,
  folder: string,
  data: string,
  options: HypervisorsOptions,
): Promise<Omit<Watched, 'journaled'>> {
  const { hosts, eventsPerSecond: perSecond, seconds: wanted } = options;
  const part = startPart<WatcherCalls>('watcher.ts', ['--expose-gc', ...(process.env.OFFBOX_BENCH_FLAGS?.split(' ') ?? [])]);
  const receiver = { times: () => part.ask('times', null) };
  const figures = (): Promise<Figures> => part.ask('figures', null);
  try {
    await part.ask('start', { hosts, folder, data });
    await until(async () => (await figures()).listening.length === hosts);
    const warm = await round(fleet, receiver, { perSecond, seconds: warmupSeconds });
    const keptFrom = await part.ask('kept', null);
    await part.ask('waits', null);
    const from = await figures();
    const seconds: Second[] = [];
    const delays = await round(fleet, receiver, { perSecond, seconds: wanted }, async () => {
      const { rss, heapUsed, heapTotal, external } = await figures();
      seconds.push({ atMs: clockMs(), rss, heapUsed, heapTotal, external });
    });
    const waits = await part.ask('waits', null);
    const to = await figures();
    const kept = [keptFrom, await part.ask('kept', null)] as const;
    return { delays, seconds, from, to, waits, kept, sent: warm.sentTotal + delays.sentTotal };
  } finally {
    await part.stop();
  }
}

async function journaledIn(data: string): Promise<number> {
  const journal = await readSqliteJournal({ path: journalIn(data) });
  let found = 0;
  for await (const entries of journal.read(1)) {
    for (const entry of entries) if (entry.kind === 'event' && entry.event.meaning?.kind === 'vm.lifecycle') found += 1;
  }
  await journal.close();
  return found;
}

export async function hypervisors(options: HypervisorsOptions): Promise<Hypervisors> {
  const folder = mkdtempSync(join(tmpdir(), 'offbox-fleet-'));
  const data = mkdtempSync(join(tmpdir(), 'offbox-bench-'));
  const fleet = startPart<FleetCalls>('fleet.ts');
  try {
    await fleet.ask('start', { hosts: options.hosts, folder });
    const floor = await floorOf(fleet, folder, options);
    await until(async () => (await fleet.ask('heard', null)) === 0);
    const watched = await watchedBy(fleet, folder, data, options);
    return { ...options, floor, watched: { ...watched, journaled: await journaledIn(data) } };
  } finally {
    await fleet.stop();
    rmSync(folder, { recursive: true });
    rmSync(data, { recursive: true });
  }
}

/** Least squares, per minute, with its standard error. */
export function slope(points: readonly { readonly atMs: number; readonly value: number }[]): {
  readonly perMinute: number;
  readonly error: number;
} {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [points.map(({ atMs }) => atMs / 60_000), points.map(({ value }) => value)];
  const [mx, my] = [mean(x), mean(y)];
  const spread = x.reduce((sum, each) => sum + (each - mx) ** 2, 0);
  const perMinute = x.reduce((sum, each, index) => sum + (each - mx) * (y[index]! - my), 0) / spread;
  const left = y.reduce((sum, each, index) => sum + (each - my - perMinute * (x[index]! - mx)) ** 2, 0);
  return { perMinute, error: Math.sqrt(left / (points.length - 2) / spread) };
}

const mib = (bytes: number): number => bytes / 2 ** 20;

function memoryRow(name: string, seconds: readonly Second[], of: (second: Second) => number): readonly string[] {
  const values = seconds.map((second) => mib(of(second)));
  const quarter = Math.ceil(values.length / 4);
  // What malloc and V8 keep grows to its size in the first minutes: what goes on after them is a leak.
  const later = seconds.slice(Math.floor(seconds.length / 2));
  const { perMinute, error } = slope(later.map((second) => ({ atMs: second.atMs, value: mib(of(second)) })));
  const [first, last] = [median(values.slice(0, quarter)), median(values.slice(-quarter))];
  const flat = perMinute <= 2 * error || perMinute < last / 200;
  const text = `${fixed(perMinute, 1)} ± ${fixed(2 * error, 1)}`;
  return [name, fixed(first, 0), fixed(last, 0), fixed(Math.max(...values), 0), text, flat ? 'flat' : 'NOT FLAT'];
}

function delayRow(name: string, { total, percentile }: { total: number; percentile: (percent: number) => number }) {
  return [name, String(total), ...[50, 90, 99, 99.9, 100].map((percent) => fixed(percentile(percent)))];
}

export function hypervisorsText({ hosts, eventsPerSecond, seconds, floor, watched }: Hypervisors): string {
  const { delays, from, to, sent, journaled } = watched;
  const whole = to.lifecycle === sent && journaled === sent && to.received === sent && to.gaps === 0 && to.dropped.overflow === 0;
  const rowOf = (name: string, histogram: Delays['all']): readonly string[] =>
    delayRow(name, { total: histogram.total, percentile: (percent) => histogram.percentile(percent) });
  const delayed = tableText(
    ['milliseconds from the socket', 'events', 'p50', 'p90', 'p99', 'p99.9', 'most'],
    [
      rowOf('the bare reader, decoded', floor.delays.all),
      rowOf('Offbox, durable and matched', delays.all),
      rowOf('  those that a policy was asked about', delays.marked),
    ],
  );
  const events = to.lifecycle - from.lifecycle;
  const micros = (of: (figures: Figures) => number): number => ((of(to) - of(from)) * 1000) / events;
  const thread = (name: string): string => fixed(micros(({ threadMs }) => threadMs[name] ?? Number.NaN));
  const cost = tableText(
    ['µs CPU an event', 'all', 'main', 'journal', 'events/append', 'entries/event'],
    [
      ['the bare reader', fixed(floor.cpuMicros), '', '', '', ''],
      [
        'Offbox',
        fixed(micros(({ cpuMs }) => cpuMs)),
        thread(to.threadMs.node === undefined ? 'MainThread' : 'node'),
        thread('journal'),
        fixed(events / (to.appends - from.appends), 0),
        fixed((to.all - from.all) / events),
      ],
    ],
  );
  const pauses = (name: string, { total, p50, p99, most }: Pauses): readonly string[] => {
    return [name, String(total), fixed(p50), fixed(p99), fixed(most)];
  };
  const waits = tableText(
    ['milliseconds each', 'times', 'p50', 'p99', 'most'],
    [pauses('an append', watched.waits.appends), pauses('a garbage collection', watched.waits.collections)],
  );
  const memory = tableText(
    ['MiB', 'first quarter', 'last quarter', 'most', 'a minute, second half', ''],
    [
      memoryRow('RSS', watched.seconds, ({ rss }) => rss),
      memoryRow('heap used', watched.seconds, ({ heapUsed }) => heapUsed),
      memoryRow('heap taken', watched.seconds, ({ heapTotal }) => heapTotal),
      memoryRow('outside the heap', watched.seconds, ({ external }) => external),
    ],
  );
  return [
    `${hosts} hypervisors, ${eventsPerSecond} events a second each (${rateText(hosts * eventsPerSecond)}/s), for ${seconds} s after ${warmupSeconds} s to warm up`,
    `sent ${sent}, received ${to.received}, stepped ${to.lifecycle}, in the journal's file ${journaled}; gaps ${to.gaps}, overflows ${to.dropped.overflow}: ${whole ? 'none lost' : 'SOME LOST'}`,
    delayed,
    cost,
    waits,
    memory,
    `heap that a full collection leaves: ${watched.kept.map((bytes) => `${fixed(mib(bytes), 1)} MiB`).join(' at the beginning, ')} at the end`,
  ].join('\n\n');
}
