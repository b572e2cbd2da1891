// Owns: `npm run bench`: what Offbox carries and how fast it reacts, as ratios to what is measured in the same run.
//   npm run bench                              all of it, four minutes
//   npm run bench -- reaction stages           some parts: throughput | stages | burst | reaction | traps | hypervisors | replay
//   npm run bench -- hypervisors --minutes 5   that part for so long, instead of 20 s
import { parseArgs } from 'node:util';
import { bursts, burstText } from './burst.ts';
import { hypervisors, hypervisorsText } from './hypervisors.ts';
import { trapCosts, trapCostsText } from './peers.ts';
import { reactions, reactionText } from './reaction.ts';
import { replays, replaysText } from './replay.ts';
import { stages, stagesText } from './stages.ts';
import { throughput, throughputText } from './throughput.ts';

interface BenchPart {
  readonly title: string;
  readonly run: () => Promise<string>;
}

const samples = 1_000;
const { positionals: asked, values } = parseArgs({ allowPositionals: true, options: { minutes: { type: 'string' } } });
const seconds = values.minutes === undefined ? 20 : Number(values.minutes) * 60;

const parts: Readonly<Record<string, BenchPart>> = {
  throughput: {
    title: 'Lines a second over TCP: receive → parse → journal (durable) → match; 1 % of the lines match one policy each',
    run: async () => throughputText(await throughput({ lines: 200_000, rounds: 5, policies: [1, 10, 100, 1_000, 10_000] })),
  },
  stages: { title: 'Each stage of it by itself', run: async () => stagesText(stages(100_000)) },
  burst: {
    title: 'A burst of 50,000 datagrams of 120 bytes over UDP',
    run: async () => burstText(await bursts({ datagrams: 50_000, bytes: 120, rounds: 5 })),
  },
  reaction: {
    title: 'From a datagram to the first byte of the write, warm SSH sessions, no settle',
    run: async () =>
      reactionText({
        ensure: await reactions('ensure', samples),
        bare: await reactions('bare', samples),
        failover: await reactions('failover', samples),
      }),
  },
  replay: {
    title: 'A journal of 500,000 entries, replayed; and a snapshot',
    run: async () => replaysText(await replays(500_000, 3)),
  },
  traps: { title: 'One SNMPv2c trap', run: async () => trapCostsText(trapCosts(50_000)) },
  hypervisors: {
    title: 'Hypervisors: libvirt events from the socket to the policies, all of them journaled',
    run: async () => hypervisorsText(await hypervisors({ hosts: 500, eventsPerSecond: 50, seconds, floorSeconds: 5 })),
  },
};

const notMeasured = `
What is not measured: TLS, SNMP over the wire, NETCONF; senders and devices on other machines; a device that takes its time
(its own is shown apart, and here is next to nothing); a disk slow to sync; policies that act on every line; hours under load.
Trust the ratios, not the figures. The floor is one thread: TCP → lines → one Map look-up → SQLite (WAL, synchronous FULL),
nothing else; it and Offbox take turns in every round, and a ratio is the median over the rounds.`;

const unknown = asked.find((part) => !Object.hasOwn(parts, part));
if (!(seconds >= 5)) {
  console.error(`--minutes ${values.minutes}: say a number, 0.1 or more`);
  process.exitCode = 2;
} else if (unknown === undefined) {
  for (const part of asked.length > 0 ? asked : Object.keys(parts)) {
    const { title, run } = parts[part]!;
    console.log(`\n${title}\n\n${await run()}`);
  }
  console.log(notMeasured);
} else {
  console.error(`there is no part "${unknown}"; there is: ${Object.keys(parts).join(', ')}`);
  process.exitCode = 2;
}
