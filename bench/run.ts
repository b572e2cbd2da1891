// Owns: `npm run bench`: which parts run, how long, and what is printed.
import { parseArgs } from 'node:util';
import { stages, stagesText } from './stages.ts';
import { throughput, throughputText } from './throughput.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lines: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    policies: { type: 'string', default: '1,10,100,1000,10000' },
    flags: { type: 'string', default: '' },
  },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);
for (const part of positionals) {
  if (part === 'stages') say(stagesText(stages(100_000)));
  if (part === 'throughput')
    say(throughputText(await throughput({ lines: Number(values.lines), rounds: Number(values.rounds), policies: values.policies.split(',').map(Number) })));
}
