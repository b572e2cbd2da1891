// Owns: how much of a UDP burst arrives: datagrams sent as fast as one process can, to Offbox, which journals and decides
// meanwhile; to the floor, a bare socket that only counts; and to the package syslog-server, which only hands on what it gets.
import type { DatagramCalls } from './datagrams.ts';
import type { OffboxCalls } from './offbox.ts';
import { startPart } from './process.ts';
import type { SenderCalls } from './sender.ts';
import type { SyslogServerCalls } from './syslog-server.ts';
import { fixed, median, rateText, tableText } from './table.ts';

export interface BurstOptions {
  readonly datagrams: number;
  readonly bytes: number;
  readonly rounds: number;
}

/** By round; shares from 0 to 1. */
export interface Bursts {
  readonly sentPerSecond: readonly number[];
  readonly offbox: readonly number[];
  /** Of those that did not arrive, those that Offbox knows of from the kernel's counter. */
  readonly lossesKnown: boolean;
  readonly floor: readonly number[];
  readonly syslogServer: readonly number[];
}

interface Receiver {
  readonly port: number;
  /** Received, and in Offbox durable and decided. */
  count(): Promise<number>;
  stop(): Promise<void>;
}

/** A burst is over when nothing has come for this long. */
const quietMs = 300;

async function offboxReceiver(): Promise<Receiver & { dropped(): Promise<number> }> {
  const part = startPart<OffboxCalls>('offbox.ts');
  const { udp: port } = await part.ask('start', 100);
  return {
    port,
    count: async () => {
      const { received, pending } = await part.ask('count', null);
      return received - pending;
    },
    dropped: async () => (await part.ask('count', null)).dropped.kernel ?? 0,
    stop: part.stop,
  };
}

async function floorReceiver(): Promise<Receiver> {
  const part = startPart<DatagramCalls>('datagrams.ts');
  return { port: await part.ask('start', null), count: () => part.ask('count', null), stop: part.stop };
}

async function peerReceiver(): Promise<Receiver> {
  const part = startPart<SyslogServerCalls>('syslog-server.ts');
  return { port: await part.ask('start', null), count: () => part.ask('count', null), stop: part.stop };
}

/** What came more than `before`, once nothing more does. */
async function settled({ count }: Receiver, before: number): Promise<number> {
  let now = await count();
  for (let seen = -1; seen !== now; now = await count()) {
    seen = now;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
  }
  return now - before;
}

export async function bursts({ datagrams, bytes, rounds }: BurstOptions): Promise<Bursts> {
  const sender = startPart<SenderCalls>('sender.ts');
  const [offbox, floor, peer] = await Promise.all([offboxReceiver(), floorReceiver(), peerReceiver()]);
  const sentPerSecond: number[] = [];
  const shares = new Map<Receiver, number[]>([
    [offbox, []],
    [floor, []],
    [peer, []],
  ]);
  let lost = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [receiver, found] of shares) {
        const before = await receiver.count();
        const { tookMs } = await sender.ask('burst', { port: receiver.port, datagrams, bytes });
        const came = await settled(receiver, before);
        sentPerSecond.push((datagrams / tookMs) * 1000);
        found.push(came / datagrams);
        if (receiver === offbox) lost += datagrams - came;
      }
    }
    // The kernel's counter is read once a second.
    await new Promise((resolve) => setTimeout(resolve, lost > 0 ? 1_500 : 0));
    const known = (await offbox.dropped()) === lost;
    const [ours, bare, peers] = [offbox, floor, peer].map((one) => shares.get(one)!) as [number[], number[], number[]];
    return { sentPerSecond, offbox: ours, floor: bare, syslogServer: peers, lossesKnown: known };
  } finally {
    await Promise.all([sender, offbox, floor, peer].map((part) => part.stop()));
  }
}

export function burstText({ sentPerSecond, offbox, floor, syslogServer, lossesKnown }: Bursts): string {
  const percent = (share: number): string => `${fixed(share * 100, 1)} %`;
  const row = (name: string, shares: readonly number[]): readonly string[] => [
    name,
    percent(median(shares)),
    percent(Math.min(...shares)),
    String(shares.filter((share) => share === 1).length),
    String(shares.length),
  ];
  const rows = [
    row('the floor, counted', floor),
    row('Offbox, durable and decided', offbox),
    row('syslog-server, received', syslogServer),
  ];
  const ratio = median(offbox.map((share, round) => share / floor[round]!));
  const table = tableText(['', 'arrived', 'least', 'whole', 'of rounds'], rows);
  return `${table}\nOffbox to the floor: ${fixed(ratio)}\nsent at ${rateText(median(sentPerSecond))}/s; what did not reach Offbox is ${lossesKnown ? '' : 'NOT '}all in its own count of losses`;
}
