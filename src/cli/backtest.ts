// Owns: offbox backtest: what the policies as they are now would have done over the recorded past, as a diff. Exits 1 where it
// differs from what was done: usable in a pull request.
import type { Command } from 'commander';
import colors from 'picocolors';
import { OperatorError } from '../model/errors.ts';
import { durationMs } from '../model/time.ts';
import type { BacktestReport, Change } from '../runtime/backtest.ts';
import { timeOf, timeText } from '../runtime/wall.ts';
import { wantText } from './show.ts';
import { visible } from './terminal.ts';
import { configFile } from './where.ts';

interface BacktestCliOptions {
  readonly policy?: string;
  readonly from?: string;
  readonly to?: string;
  readonly journal?: string;
  readonly asDeployed?: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

const barWidth = 30;

export function declareBacktest(program: Command): void {
  program
    .command('backtest')
    .description('what the policies would have done over the recorded past: + would be wanted, - would not be any more')
    .option('--policy <file>', 'this policy alone, as its file is now')
    .option('--from <when>', 'tell from here on: 2026-11-23T03:00:00Z, or how long ago: 7d')
    .option('--to <when>', 'and no later than this')
    .option('--journal <file>', "another journal than the configuration's")
    .option(
      '--as-deployed',
      'each version over the time it ran, from the bundles in the journal: finds no difference, or Offbox has one',
    )
    .option('-c, --config <file>', "the configuration (default: ./offbox.yaml, else the lab's)")
    .option('--json', 'print one JSON object a difference, and one with the sums')
    .action(run);
}

async function run({ policy, from, to, journal, asDeployed, config, json }: BacktestCliOptions): Promise<void> {
  const [{ backtestJournal, wall }, { loadConfig }] = await Promise.all([import('../main.ts'), import('../runtime/config.ts')]);
  const now = wall.now();
  const span = spanOf(from, to, now);
  const begun = wall.monotonic();
  const report = await backtestJournal(await loadConfig(configFile(config)), {
    ...(policy === undefined ? {} : { policy }),
    ...(journal === undefined ? {} : { journal }),
    ...(asDeployed ? { asDeployed } : {}),
    ...span,
    onProgress: process.stderr.isTTY && !json ? bar : () => undefined,
  });
  if (process.stderr.isTTY && !json) process.stderr.write('\r\u001b[K');
  const lines = json ? jsonLines(report) : textLines(report, wall.monotonic() - begun);
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = report.changes.length > 0 || report.faults.length > 0 ? 1 : 0;
}

function spanOf(from: string | undefined, to: string | undefined, now: number): { readonly from?: number; readonly to?: number } {
  const span = {
    ...(from === undefined ? {} : { from: whenOf(from, now) }),
    ...(to === undefined ? {} : { to: whenOf(to, now) }),
  };
  if (span.from !== undefined && span.to !== undefined && span.from > span.to) {
    throw new OperatorError(`--from ${from} is later than --to ${to}, and nothing lies between`, {
      code: 'usage',
      remedy: 'Exchange the two: how long ago counts back from now, so that 7d is before 1d.',
    });
  }
  return span;
}

/** A time, or how long ago. */
function whenOf(written: string, now: number): number {
  const time = timeOf(written);
  if (time !== undefined) return time;
  try {
    return now - durationMs(written as `${number}s`);
  } catch {
    throw new OperatorError(`"${written}" is no time`, {
      code: 'usage',
      remedy: 'Write 2026-11-23T03:00:00Z, or 7d for seven days ago.',
    });
  }
}

function bar(share: number): void {
  const done = Math.round(Math.min(share, 1) * barWidth);
  process.stderr.write(`\r\u001b[K  ${'█'.repeat(done)}${'░'.repeat(barWidth - done)} ${Math.round(share * 100)} %`);
}

function jsonLines({ changes, ...sums }: BacktestReport): readonly string[] {
  return [...changes.map((change) => JSON.stringify(change)), JSON.stringify({ ...sums, changes: changes.length })];
}

function textLines(report: BacktestReport, tookMs: number): readonly string[] {
  const { entries, same, changes, unknown, assumed, faults } = report;
  const rate = `${entries} entries in ${(tookMs / 1000).toFixed(1)} s`;
  const open = [
    ...(unknown > 0 ? [`${unknown} readings that nobody had taken`] : []),
    ...(assumed > 0 ? [`${assumed} outcomes assumed`] : []),
  ];
  return [
    ...changes.map(changeLine),
    ...faults.map(({ policy, cause, reason }) => colors.red(visible(`! ${policy} at entry ${cause}: ${reason}`))),
    `${rate}: ${same} intents alike, ${changes.length} differ${open.length > 0 ? ` (${open.join(', ')})` : ''}; modes and rails are not simulated`,
  ];
}

function changeLine({ change, at, cause, policy, key, want }: Change): string {
  const line = visible(`${change} ${timeText(at)} #${cause} ${policy}${key === '' ? '' : ` (${key})`}: ${wantText(want)}`);
  return change === '+' ? colors.green(line) : colors.red(line);
}
