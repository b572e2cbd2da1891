// Owns: how fast a journal is replayed, beside reading it without the engine; and for how long taking a snapshot of 100,000 keys
// keeps the host from its work at once. The entries are those that the syslog source makes, 1 % of them for one of the policies.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal, readSqliteJournal } from '../adapters/journal-sqlite/index.ts';
import { eventOf, readMessage } from '../adapters/source-syslog/read.ts';
import { Engine } from '../src/core/engine.ts';
import { type Policy, policy } from '../src/core/policy.ts';
import { syslog } from '../src/core/selectors.ts';
import type { NewEntry } from '../src/model/entry.ts';
import type { Event } from '../src/model/event.ts';
import { snapshotSliceMs } from '../src/model/limits.ts';
import { packed } from '../src/runtime/snapshots.ts';
import { lineMaker, policies } from './lines.ts';
import { clockMs } from './process.ts';
import { fixed, median, rateText, tableText } from './table.ts';

const at = 1_800_000_000_000;
const batchEntries = 1_024;

export interface Replays {
  /** Entries a second. */
  readonly reading: number;
  readonly replaying: number;
  /** Milliseconds: the longest piece of a snapshot, all of them, and compressing beside the host; bytes before and after. */
  readonly snapshot: {
    readonly keys: number;
    readonly longestMs: number;
    readonly totalMs: number;
    readonly packMs: number;
    readonly jsonBytes: number;
    readonly bytes: number;
  };
}

export async function replays(entries: number, rounds: number): Promise<Replays> {
  const folder = mkdtempSync(join(tmpdir(), 'offbox-bench-replay-'));
  const path = join(folder, 'journal.sqlite');
  const deployed = policies(1_000);
  await filled(path, deployed, entries);
  const ratesOf = async (step: boolean): Promise<number> => {
    const journal = await readSqliteJournal({ path });
    const engine = new Engine(deployed.map((policy) => ({ policy, version: 'bench' })));
    const from = clockMs();
    let count = 0;
    for await (const batch of journal.read(0)) {
      count += batch.length;
      if (step) for (const entry of batch) engine.step(entry);
    }
    const tookMs = clockMs() - from;
    await journal.close();
    return (count / tookMs) * 1_000;
  };
  const reading: number[] = [];
  const replaying: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    reading.push(await ratesOf(false));
    replaying.push(await ratesOf(true));
  }
  rmSync(folder, { recursive: true });
  return { reading: median(reading), replaying: median(replaying), snapshot: await snapshotOf(100_000) };
}

async function filled(path: string, deployed: readonly Policy[], entries: number): Promise<void> {
  const journal = await openSqliteJournal({ path });
  const make = lineMaker(1_000);
  const deploys = deployed.map(
    ({ name }): NewEntry => ({ kind: 'deploy', policy: name, version: 'bench', runtime: 'bench', at }),
  );
  let { firstSeq: lastSeq } = await journal.append(deploys, { epoch: 1, lastSeq: 0 });
  lastSeq += deploys.length - 1;
  for (let made = 0; made < entries; made += batchEntries) {
    const batch = make(batchEntries).map(
      (raw): NewEntry => ({ kind: 'event', event: eventOf(readMessage('tcp', '127.0.0.1', raw, undefined)), at: at + made }),
    );
    await journal.append(batch, { epoch: 1, lastSeq });
    lastSeq += batch.length;
  }
  await journal.close();
}

/** A policy that waits for quiet with every key it may have. */
async function snapshotOf(keys: number): Promise<Replays['snapshot']> {
  const waiting = policy({
    name: 'waiting',
    on: syslog(),
    key: ({ text }) => text,
    settle: { quiet: '1h' },
    ensure: () => [],
  });
  const engine = new Engine([{ policy: waiting, version: 'bench' }]);
  engine.step({ kind: 'deploy', policy: 'waiting', version: 'bench', runtime: 'bench', at, seq: 1 });
  const origin = { source: 'syslog', peer: '192.0.2.1', transport: 'udp', trust: 'claimed', raw: '' } as const;
  for (let key = 0; key < keys; key += 1) {
    const said = { pri: 189, facility: 23, severity: 5, mnemonic: 'BENCH-5-KEY', host: null, app: null, text: `port ${key}` };
    const event: Event = { target: 'edge1', meaning: null, syslog: said, origin };
    engine.step({ kind: 'event', event, at, seq: key + 2 });
  }
  const from = clockMs();
  const pieces = engine.save();
  let longestMs = clockMs() - from;
  const chunks: Buffer[] = [];
  for (let done = false; !done; ) {
    const sliceFrom = clockMs();
    let text = '';
    while (!done && clockMs() - sliceFrom < snapshotSliceMs) {
      const next = pieces.next();
      if (next.done) done = true;
      else text += next.value;
    }
    chunks.push(Buffer.from(text));
    longestMs = Math.max(longestMs, clockMs() - sliceFrom);
  }
  const totalMs = clockMs() - from;
  const json = Buffer.concat(chunks);
  const blob = await packed(json);
  return { keys, longestMs, totalMs, packMs: clockMs() - from - totalMs, jsonBytes: json.length, bytes: blob.length };
}

export function replaysText({ reading, replaying, snapshot }: Replays): string {
  const rates = tableText(
    ['', 'entries/s', 'of reading'],
    [
      ['read without the engine', rateText(reading), '1.00'],
      ['replayed: read and stepped, 1,000 policies', rateText(replaying), fixed(replaying / reading)],
    ],
  );
  const { keys, longestMs, totalMs, packMs, jsonBytes, bytes } = snapshot;
  const mb = (size: number): string => `${fixed(size / 1e6, 1)} MB`;
  return `${rates}

A snapshot of ${keys} keys: ${mb(jsonBytes)}, ${mb(bytes)} compressed. Written in ${fixed(totalMs, 0)} ms, the host kept from its work for
${fixed(longestMs, 1)} ms at once at the longest; compressed beside it in ${fixed(packMs, 0)} ms.`;
}
