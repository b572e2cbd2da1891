// Owns: offbox explain: for an entry and a policy why it fired, or which step stopped it, and what became of it.
import type { Command } from 'commander';
import colors from 'picocolors';
import { OperatorError } from '../model/errors.ts';
import type { Explanation } from '../runtime/explain.ts';
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
    .description(
      'why a policy fired on an event, or which step stopped it; of an intent, or what was done for one, why it was wanted',
    )
    .argument('<seq>', 'the entry, as the # in the terminal and `offbox show events` number it')
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
  process.stdout.write(`${(json ? asJson(explanation) : asText(explanation)).join('\n')}\n`);
}

/** One object a policy; where there is none, one for the entry. */
function asJson({ entry, said, policies, cause, note }: Explanation): readonly string[] {
  const notes = note === undefined ? {} : { note };
  const objects = [
    ...policies.map((one) => ({ entry, ...one })),
    ...(cause?.policies ?? []).map((one) => ({ entry, cause: cause!.entry, ...one, ...notes })),
  ];
  const alone = { entry, said, ...(cause ? { cause: cause.entry } : {}), ...notes };
  return (objects.length > 0 ? objects : [alone]).map((object) => JSON.stringify(object));
}

function asText({ entry, said, policies, cause, note }: Explanation): readonly string[] {
  const head = (text: string, what: string): string => `${colors.bold(text)}: ${visible(what)}`;
  const { seq } = entry;
  return [
    head(`entry ${seq}`, said),
    ...policies.flatMap(policyLines),
    ...(cause ? ['', head(`entry ${seq} was caused by ${nameOf(cause.entry)}`, cause.said)] : []),
    ...(cause?.policies ?? []).flatMap(policyLines),
    ...(note === undefined ? [] : [visible(note)]),
  ];
}

const nameOf = ({ kind, seq }: Explanation['entry']): string => (kind === 'event' ? `event ${seq}` : `entry ${seq}`);

function policyLines({ policy, steps, conclusion }: Explanation['policies'][number]): readonly string[] {
  const lines = ['', colors.magenta(policy)];
  for (const { verdict, step, detail, afterMs, seq } of steps) {
    lines.push(
      `  ${marks[verdict]} ${step.padEnd(9)} ${visible(detail)} ${colors.dim(afterMs === 0 ? '' : `+${(afterMs / 1000).toFixed(3)} s, entry ${seq}`)}`.trimEnd(),
    );
  }
  return [...lines, `  ${colors.bold(visible(conclusion))}`];
}
