// Owns: how much of a UDP burst arrives: datagrams sent as fast as one process can, received while the journal commits.
import type { OffboxCalls } from './offbox.ts';
import { startPart } from './process.ts';
import type { SenderCalls } from './sender.ts';
import { fixed, median, rateText, tableText } from './table.ts';

export interface Burst {
  readonly sent: number;
  readonly sentPerSecond: number;
  /** Durable and decided, and what the kernel counted as dropped. */
  readonly taken: number;
  readonly kernel: number;
}

/** A burst is over when nothing has come for this long. */
const quietMs = 500;

export async function burst(datagrams: number, bytes: number, rounds: number): Promise<readonly Burst[]> {
  const sender = startPart<SenderCalls>('sender.ts');
  const offbox = startPart<OffboxCalls>('offbox.ts');
  const results: Burst[] = [];
  try {
    const { udp } = await offbox.ask('start', 100);
    for (let round = 0; round < rounds; round += 1) {
      const before = await offbox.ask('count', null);
      const { tookMs } = await sender.ask('burst', { port: udp, datagrams, bytes });
      let after = await offbox.ask('count', null);
      for (let seen = -1; seen !== after.received || after.pending > 0; ) {
        seen = after.received;
        await new Promise((resolve) => setTimeout(resolve, quietMs));
        after = await offbox.ask('count', null);
      }
      results.push({
        sent: datagrams,
        sentPerSecond: (datagrams / tookMs) * 1000,
        taken: after.received - before.received,
        kernel: (after.dropped.kernel ?? 0) - (before.dropped.kernel ?? 0),
      });
    }
  } finally {
    await Promise.all([sender.stop(), offbox.stop()]);
  }
  return results;
}

export function burstText(results: readonly Burst[]): string {
  const rows = results.map(({ sent, sentPerSecond, taken, kernel }, round) => [
    `round ${round + 1}`,
    String(sent),
    rateText(sentPerSecond),
    String(taken),
    `${fixed((taken / sent) * 100, 1)} %`,
    String(kernel),
  ]);
  const share = median(results.map(({ sent, taken }) => taken / sent)) * 100;
  return `${tableText(['', 'sent', 'per second', 'received', '', 'kernel drops'], rows)}\nmedian received: ${fixed(share, 1)} %`;
}
