// Owns: the time from a datagram to the first byte of the write it leads to, on warm sessions and without settle; the
// devices' own time apart. Twice: one resource wanted (read, plan, durable attempt, write), and an HSRP failover (both
// gateways read first).
import type { DeviceCalls, Reaction } from './device.ts';
import { startPart } from './process.ts';
import type { ReactorCalls } from './reactor.ts';
import { fixed, percentile, tableText } from './table.ts';

/** Not counted: code and sessions warm up. */
const warmups = 30;

export type Reacting = 'ensure' | 'failover';

export async function reactions(reacting: Reacting, samples: number): Promise<readonly Reaction[]> {
  const device = startPart<DeviceCalls>('device.ts');
  const reactor = startPart<ReactorCalls>('reactor.ts');
  try {
    const port = await reactor.ask('start', { reacting, ...(await device.ask('start', null)) });
    const found: Reaction[] = [];
    for (let sample = 0; sample < warmups + samples; sample += 1) {
      await reactor.ask('idle', null);
      const asked = sample % 4 < 2 ? 'wanted' : 'unwanted';
      const what = reacting === 'failover' ? 'active' : asked;
      found.push(await device.ask('provoke', { what, index: sample % 2, port }));
    }
    return found.slice(warmups);
  } finally {
    await Promise.all([reactor.stop(), device.stop()]);
  }
}

function rowsOf(name: string, found: readonly Reaction[]): readonly (readonly string[])[] {
  const row = (what: string, of: (reaction: Reaction) => number): readonly string[] => {
    const values = found.map(of);
    return [what, fixed(percentile(values, 50)), fixed(percentile(values, 90)), fixed(percentile(values, 99))];
  };
  const commands = percentile(
    found.map(({ asked }) => asked),
    50,
  );
  return [
    row(`${name}: datagram → first byte of the write`, ({ totalMs }) => totalMs),
    row(`  the devices, answering ${commands} commands`, ({ deviceMs }) => deviceMs),
    row('  the rest: Offbox, SSH on both sides, loopback', ({ totalMs, deviceMs }) => totalMs - deviceMs),
  ];
}

export function reactionText(found: Readonly<Record<Reacting, readonly Reaction[]>>): string {
  const rows = [...rowsOf('one resource', found.ensure), ...rowsOf('HSRP failover', found.failover)];
  return tableText(['milliseconds', 'p50', 'p90', 'p99'], rows);
}
