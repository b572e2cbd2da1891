// Owns: the time from a datagram to the first byte of the write it leads to, on warm sessions and without settle; the
// devices' own time apart. Twice: one resource wanted (read, plan, durable attempt, write), and an HSRP failover (both
// gateways read first). Beside them the floor (bare.ts), the same commands from a script that neither thinks nor remembers.
import type { BareCalls } from './bare.ts';
import type { DeviceCalls, Reaction } from './device.ts';
import { type Part, startPart } from './process.ts';
import type { Journaling, ReactorCalls } from './reactor.ts';
import { fixed, percentile, tableText } from './table.ts';
import type { Pauses } from './time-log.ts';

/** Not counted: by then V8 has compiled most of what it will. */
const warmups = 400;
/** Of those the first are shown apart: so it reacts when it has just been started, or has had nothing to do. */
const coldest = 30;

export type Reacting = 'bare' | 'ensure' | 'failover';

export interface Reacted {
  readonly found: readonly Reaction[];
  readonly cold: readonly Reaction[];
  /** Of all that the journal was given meanwhile: until its write three appends are taken, one after another, and the last is synced. */
  readonly journal?: Journaling;
}

export async function reactions(reacting: Reacting, samples: number): Promise<Reacted> {
  const device = startPart<DeviceCalls>('device.ts');
  const reactor = reacting === 'bare' ? startPart<BareCalls>('bare.ts') : startPart<ReactorCalls>('reactor.ts');
  try {
    const devices = await device.ask('start', null);
    const port = await (reactor.ask as Part<ReactorCalls>['ask'])('start', { reacting: reacting as 'ensure', ...devices });
    const found: Reaction[] = [];
    for (let sample = 0; sample < warmups + samples; sample += 1) {
      await (reactor.ask as Part<BareCalls>['ask'])('idle', null);
      if (sample === warmups && reacting !== 'bare') await (reactor as Part<ReactorCalls>).ask('journal', null);
      const asked = sample % 4 < 2 ? 'wanted' : 'unwanted';
      const what = reacting === 'failover' ? 'active' : asked;
      found.push(await device.ask('provoke', { what, index: sample % 2, port }));
    }
    const journal = reacting === 'bare' ? {} : { journal: await (reactor as Part<ReactorCalls>).ask('journal', null) };
    return { found: found.slice(warmups), cold: found.slice(0, coldest), ...journal };
  } finally {
    await Promise.all([reactor.stop(), device.stop()]);
  }
}

const waited = (what: string, { p50, p90, p99 }: Pauses): readonly string[] => [what, fixed(p50), fixed(p90), fixed(p99)];

function rowsOf(name: string, { found, cold, journal }: Reacted): readonly (readonly string[])[] {
  const row = (what: string, of: (reaction: Reaction) => number, reactions = found): readonly string[] => {
    const values = reactions.map(of);
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
    row(`  its first ${coldest}, in cold code`, ({ totalMs }) => totalMs, cold),
    ...(journal
      ? [waited('  until the journal takes an append', journal.appends), waited('  until one is durable', journal.syncs)]
      : []),
  ];
}

export function reactionText(found: Readonly<Record<Reacting, Reacted>>): string {
  const { bare, ensure, failover } = found;
  const rows = [...rowsOf('one resource', ensure), ...rowsOf('HSRP failover', failover), ...rowsOf('the bare script', bare)];
  const of = ({ found: reactions }: Reacted, share: number): number =>
    percentile(
      reactions.map(({ totalMs }) => totalMs),
      share,
    );
  const ratio = (share: number): string => fixed(of(ensure, share) / of(bare, share));
  return `${tableText(['milliseconds', 'p50', 'p90', 'p99'], rows)}\none resource to the bare script: ${ratio(50)} at p50, ${ratio(99)} at p99`;
}
