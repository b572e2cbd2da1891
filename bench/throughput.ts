// Owns: lines per second through receive → parse → journal (durable) → match over TCP, with few policies and with many, as
// a ratio to the floor. Floor and Offbox take turns, round by round, so that what else the machine does hits both.
import type { FloorCalls } from './floor.ts';
import { matchEvery } from './lines.ts';
import type { OffboxCalls, Taken } from './offbox.ts';
import { type Part, startPart } from './process.ts';
import type { SenderCalls } from './sender.ts';
import { fixed, median, rateText, tableText } from './table.ts';

export interface ThroughputOptions {
  readonly lines: number;
  /** The first, which warms up, is not counted. */
  readonly rounds: number;
  readonly policies: readonly number[];
}

interface Subject {
  readonly name: string;
  readonly rules: number;
  readonly key: number;
  readonly port: number;
  take(lines: number): Promise<Pick<Taken, 'at' | 'matched' | 'cpuMs'> & Partial<Taken>>;
  stop(): Promise<void>;
}

export interface Throughput {
  readonly name: string;
  readonly perSecond: number;
  /** To the floor of the same round, the median of the rounds. */
  readonly ratio: number;
  readonly cpuMicros: number;
  readonly threadMicros: Readonly<Record<string, number>>;
  readonly linesPerAppend: number;
}

async function floor(rules: number): Promise<Subject> {
  const part = startPart<FloorCalls>('floor.ts');
  const port = await part.ask('start', rules);
  return { name: 'floor', rules, key: -1, port, take: (lines) => part.ask('take', lines), stop: part.stop };
}

async function offbox(policies: number): Promise<Subject> {
  const part = startPart<OffboxCalls>('offbox.ts');
  const { tcp } = await part.ask('start', policies);
  return {
    name: `${policies}`,
    rules: policies,
    key: policies,
    port: tcp,
    take: (lines) => part.ask('take', lines),
    stop: part.stop,
  };
}

interface Run extends Partial<Taken> {
  readonly ms: number;
  readonly cpuMs: number;
}

async function once(sender: Part<SenderCalls>, { rules, key, port, take, name }: Subject, lines: number): Promise<Run> {
  await sender.ask('load', { port, lines, rules, key });
  const taking = take(lines);
  const [from, taken] = await Promise.all([sender.ask('send', null), taking]);
  if (taken.matched !== lines / matchEvery) throw new Error(`${name}: ${taken.matched} of ${lines / matchEvery} matches`);
  return { ...taken, ms: taken.at - from };
}

export async function throughput({ lines, rounds, policies }: ThroughputOptions): Promise<readonly Throughput[]> {
  const sender = startPart<SenderCalls>('sender.ts');
  const subjects = await Promise.all([floor(Math.max(...policies)), ...policies.map(offbox)]);
  const runs = subjects.map((): Run[] => []);
  try {
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, subject] of subjects.entries()) {
        const run = await once(sender, subject, lines);
        if (round > 0) runs[index]!.push(run);
      }
    }
  } finally {
    await Promise.all([sender, ...subjects].map((part) => part.stop()));
  }
  return subjects.map(({ name }, index) => summary(name, lines, runs[index]!, runs[0]!));
}

function summary(name: string, lines: number, runs: readonly Run[], floors: readonly Run[]): Throughput {
  const micros = (of: (run: Run) => number): number => (median(runs.map(of)) / lines) * 1000;
  const names = Object.keys(runs[0]?.threadMs ?? {});
  return {
    name,
    perSecond: (lines / median(runs.map(({ ms }) => ms))) * 1000,
    ratio: median(runs.map(({ ms }, round) => floors[round]!.ms / ms)),
    cpuMicros: micros(({ cpuMs }) => cpuMs),
    threadMicros: Object.fromEntries(names.map((thread) => [thread, micros(({ threadMs }) => threadMs?.[thread] ?? 0)])),
    linesPerAppend: lines / median(runs.map(({ appends }) => appends ?? Number.NaN)),
  };
}

export function throughputText(results: readonly Throughput[]): string {
  const rows = results.map(({ name, perSecond, ratio, cpuMicros, threadMicros, linesPerAppend }) => [
    name === 'floor' ? 'floor' : `Offbox, ${name} ${name === '1' ? 'policy' : 'policies'}`,
    rateText(perSecond),
    fixed(ratio),
    fixed(cpuMicros),
    fixed(threadMicros.node ?? threadMicros.MainThread ?? Number.NaN),
    fixed(threadMicros['offbox-syslog'] ?? Number.NaN),
    fixed(threadMicros.journal ?? Number.NaN),
    fixed(linesPerAppend, 0),
  ]);
  const head = ['', 'lines/s', 'of floor', 'µs CPU/line', 'main', 'receiver', 'journal', 'lines/append'];
  return tableText(head, rows);
}
