// Owns: `npm run bench`: what Offbox costs and carries, as ratios to a floor measured in the same run.
//   npm run bench                 all of it, under four minutes
//   npm run bench -- throughput   one part: throughput | stages | burst
import { burst, burstText } from './burst.ts';
import { stages, stagesText } from './stages.ts';
import { throughput, throughputText } from './throughput.ts';

const parts: Readonly<Record<string, { readonly title: string; readonly run: () => Promise<string> }>> = {
  throughput: {
    title: 'Lines a second over TCP: receive → parse → journal (durable) → match; 1 % of the lines match one policy each',
    run: async () => throughputText(await throughput({ lines: 200_000, rounds: 5, policies: [1, 10, 100, 1_000, 10_000] })),
  },
  stages: { title: 'Each stage of it by itself', run: async () => stagesText(stages(100_000)) },
  burst: { title: 'A burst of 50,000 datagrams of 120 bytes over UDP', run: async () => burstText(await burst(50_000, 120, 5)) },
};

const asked = process.argv.slice(2);
const unknown = asked.find((part) => !Object.hasOwn(parts, part));
if (unknown !== undefined) {
  console.error(`there is no part "${unknown}"; there is: ${Object.keys(parts).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const part of asked.length > 0 ? asked : Object.keys(parts)) {
    const { title, run } = parts[part]!;
    console.log(`\n${title}\n`);
    console.log(await run());
  }
  console.log(`
Trust the ratios, not the figures: the floor (TCP → lines → one Map look-up → SQLite, WAL, synchronous FULL) takes its
turns in the same run. Not measured here: TLS, a disk that is slow to sync, senders on other machines, policies that act,
and the time from a datagram to the first byte of a write.`);
}
