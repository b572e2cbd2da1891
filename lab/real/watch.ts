// Owns: watching the data plane while something is done to the network: whose route the far side has, and whether pings pass.
import { RuntimeFault } from '../../src/model/errors.ts';
import type { LabNode } from './node.ts';
import { onLines, start, stop } from './process.ts';

/** The next hops stayed the same from one time to another (milliseconds of performance.now). */
export interface Span {
  readonly via: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

export interface NextHopWatch {
  /** What was seen so far, oldest first; neighbouring spans differ. */
  spans(): readonly Span[];
  stop(): Promise<readonly Span[]>;
}

interface RouteJson {
  readonly gateway?: string;
  readonly nexthops?: readonly { readonly gateway?: string }[];
}

/** The next hops in one line of `ip -j route show`. */
export function nextHopsOf(line: string): readonly string[] {
  const routes = JSON.parse(line) as readonly RouteJson[];
  const hops = routes.flatMap((route) => [route.gateway, ...(route.nexthops ?? []).map(({ gateway }) => gateway)]);
  return hops.filter((hop) => hop !== undefined).sort();
}

/**
 * Asks the kernel of the node again and again. It is asked, not listened to (`ip monitor`): the kernel does not announce
 * the routes it flushes with a vanished interface. One `ip -batch` answers all: a process a sample would load the machine.
 */
export function watchNextHops(node: LabNode, prefix: string, everyMs: number): NextHopWatch {
  const spans: Span[] = [];
  const child = start(node.network(['ip', '-j', '-force', '-batch', '-']));
  let unanswered = false;
  child.stdin?.on('error', () => {}); // the node was killed; what was seen stands
  onLines(child, (line) => {
    unanswered = false;
    const at = performance.now();
    const via = nextHopsOf(line);
    const last = spans.at(-1);
    if (last) spans[spans.length - 1] = { ...last, toMs: at };
    if (last?.via.join() !== via.join()) spans.push({ via, fromMs: at, toMs: at });
  });
  const ask = () => {
    if (unanswered) return;
    unanswered = true;
    child.stdin?.write(`route show ${prefix}\n`);
  };
  ask();
  const timer = setInterval(ask, everyMs);
  return {
    spans: () => spans,
    async stop() {
      clearInterval(timer);
      await stop(child);
      return spans;
    },
  };
}

/** How long the longest span lasted of which this holds. 0 where there was none. */
export function longestMs(spans: readonly Span[], holds: (via: readonly string[]) => boolean): number {
  return Math.max(0, ...spans.filter(({ via }) => holds(via)).map(({ fromMs, toMs }) => toMs - fromMs));
}

/** `10.0.2.2 for 1.2 s, nobody for 3.4 s, …`: for people. */
export function describeSpans(spans: readonly Span[]): string {
  return spans.map(({ via, fromMs, toMs }) => `${via.join('+') || 'nobody'} ${((toMs - fromMs) / 1000).toFixed(2)} s`).join(', ');
}

export interface PingReport {
  readonly sent: number;
  readonly received: number;
  /** The longest time without an answer beyond the interval, the end of the run included. */
  readonly outageMs: number;
  /** Whether the last second had answers. */
  readonly passing: boolean;
}

export interface PingWatch {
  /** Resolves with the next answer that comes after the call, rejects when none came in ten seconds. */
  answer(): Promise<void>;
  /** Resolves when this many more were sent, answered or not. */
  sent(count: number): Promise<void>;
  stop(): Promise<PingReport>;
}

/** Pings and keeps the sequence numbers that were answered: sequence times interval is the time, whatever the machine did. */
export function watchPing(node: LabNode, address: string, everyMs: number): PingWatch {
  const child = start(node.network(['ping', '-n', '-O', '-i', String(everyMs / 1000), address]));
  const answered = new Set<number>();
  let waiting: { readonly over: () => boolean; readonly resolve: () => void }[] = [];
  let last = 0;
  onLines(child, (line) => {
    // `64 bytes from …: icmp_seq=7 …`; `no answer yet for icmp_seq=8`; `From 10.0.2.1 icmp_seq=9 Destination Net Unreachable`.
    const match = /icmp_seq=(\d+)/.exec(line);
    if (!match) return;
    last = Math.max(last, Number(match[1]));
    if (/bytes from/.test(line)) answered.add(Number(match[1]));
    for (const { over, resolve } of waiting) if (over()) resolve();
    waiting = waiting.filter(({ over }) => !over());
  });
  const gone = new Promise<never>((_, reject) => {
    child.once('exit', () => {
      const remedy = 'Stop the ping before its node.';
      reject(new RuntimeFault(`[lab] ping in ${node.name} ended`, { code: 'lab-ping', remedy }));
    });
  });
  gone.catch(() => {}); // heard by who waits
  const until = (over: () => boolean) => Promise.race([new Promise<void>((resolve) => waiting.push({ over, resolve })), gone]);
  return {
    answer: async () => {
      const before = answered.size;
      const tries = last + 10_000 / everyMs;
      await until(() => answered.size > before || last >= tries);
      if (answered.size > before) return;
      const remedy = 'Look at the gateway and at the route back.';
      throw new RuntimeFault(`[lab] no answer from ${address} in ${node.name}`, { code: 'lab-ping', remedy });
    },
    sent: (count) => {
      const goal = last + count;
      return until(() => last >= goal);
    },
    async stop() {
      await stop(child, 'SIGINT');
      const sequence = [0, ...[...answered].sort((a, b) => a - b), last + 1];
      const missing = sequence.slice(1).map((seq, index) => seq - sequence[index]! - 1);
      const lastSecond = [...answered].some((seq) => seq > last - 1_000 / everyMs);
      return { sent: last, received: answered.size, outageMs: Math.max(0, ...missing) * everyMs, passing: lastSecond };
    },
  };
}
