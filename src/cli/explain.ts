// Owns: offbox explain: for an entry and a policy why it fired, or which step stopped it, and what became of it.
import type { Command } from 'commander';
import colors from 'picocolors';
import { OperatorError } from '../model/errors.ts';
import { visible } from './terminal.ts';
import { configFile } from './where.ts';

interface ExplainOptions {
  readonly config?: string;
  readonly json?: boolean;
}

const marks = {
  passed: colors.green('✔'),
  fired: colors.green('▸'),
  waiting: colors.yellow('…'),
  stopped: colors.red('✖'),
  missed: colors.yellow('≈'),
} as const;

export function declareExplain(program: Command): void {
  program
    .command('explain')
    .description('why a policy fired on an entry, or which step stopped it')
    .argument('<seq>', 'the entry, as `offbox show events` numbers it')
    .argument('[policy]', 'one policy (default: all)')
    .option('-c, --config <file>', "the configuration (default: ./offbox.yaml, else the lab's)")
    .option('--json', 'print one JSON object a policy')
    .action(explain);
}

async function explain(written: string, policy: string | undefined, { config, json }: ExplainOptions): Promise<void> {
  if (!/^\d+$/.test(written))
    throw new OperatorError(`"${written}" is no entry's number`, {
      code: 'usage',
      remedy: 'Take one from `offbox show events`.',
    });
  const [{ explainJournal }, { loadConfig }] = await Promise.all([import('../main.ts'), import('../runtime/config.ts')]);
  const explanation = await explainJournal(await loadConfig(configFile(config)), Number(written), policy);
  if (json) {
    for (const one of explanation.policies) process.stdout.write(`${JSON.stringify({ entry: explanation.entry, ...one })}\n`);
    return;
  }
  const lines = [`${colors.bold(`entry ${explanation.entry.seq}`)}: ${visible(explanation.said)}`];
  for (const { policy: name, steps, conclusion } of explanation.policies) {
    lines.push('', colors.magenta(name));
    for (const { verdict, step, detail, afterMs, seq } of steps) {
      lines.push(
        `  ${marks[verdict]} ${step.padEnd(9)} ${visible(detail)} ${colors.dim(afterMs === 0 ? '' : `+${(afterMs / 1000).toFixed(3)} s, entry ${seq}`)}`.trimEnd(),
      );
    }
    lines.push(`  ${colors.bold(visible(conclusion))}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
