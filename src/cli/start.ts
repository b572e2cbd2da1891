// Owns: offbox start: runs; with --lab beside a simulated network, telling the story; with --once plays it and judges.
import type { Command } from 'commander';
import colors from 'picocolors';
import { OperatorError } from '../model/errors.ts';
import { kindOf } from '../model/written-event.ts';
import type { VersionChange } from '../runtime/reload.ts';
import type { Watcher } from '../runtime/runtime.ts';
import { runtimeVersion } from '../runtime/version.ts';
import { realWall, stayAlive, timeText } from '../runtime/wall.ts';
import { twice } from './interrupt.ts';
import { teller } from './tell.ts';
import { startFile } from './where.ts';

interface StartOptions {
  readonly config: string;
  readonly lab?: boolean;
  readonly once?: boolean;
  readonly json?: boolean;
}

export function declareStart(program: Command): void {
  program
    .command('start')
    .description('run: listen, decide, act, and tell it as it happens')
    .option('-c, --config <file>', 'the configuration', 'offbox.yaml')
    .option('--lab', 'run beside a simulated network that needs nothing else')
    .option('--once', 'with --lab: play a failover, a recovery and two migrations, check what the network sees, and end')
    .option('--json', 'print every entry as one JSON object a line')
    .action(async (options: StartOptions) => {
      if (options.once && !options.lab)
        throw new OperatorError('--once plays what befalls the simulated network', { code: 'usage', remedy: 'Add --lab.' });
      if (options.lab) {
        const { startLabRun } = await import('./start-lab.ts');
        process.exitCode = await startLabRun(options);
      } else await startRun(options);
    });
}

async function startRun({ config: file, json }: StartOptions): Promise<void> {
  const [{ compose }, { loadConfig }] = await Promise.all([import('../main.ts'), import('../runtime/config.ts')]);
  const loaded = await loadConfig(startFile(file));
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const failed = Promise.withResolvers<Error>();
  const runtime = await compose({
    ...loaded,
    watch: {
      ...watching(write, json, timeText),
      onFailure: failed.resolve,
    },
  });
  // Signals are heard before anybody is told that it runs.
  const end = endOf(runtime, failed.promise);
  const listening = runtime.sources.flatMap((source) => source.stats().listening.map((where) => `${source.name} ${where}`));
  if (!json)
    write(
      colors.bold(
        `Offbox ${runtimeVersion} runs: ${runtime.policies.length} policies, ${Object.keys(loaded.inventory.targets).length} targets, ${listening.join(', ') || 'no sources'}`,
      ),
    );
  await end;
}

/** A network says thousands of things a second: only what reaches a policy is told, and what follows from it. */
function onlyWhatMatters(write: (line: string) => void, time: (at: number) => string): NonNullable<Watcher['onEntry']> {
  const tell = teller(write, time);
  return (entry, engine) => {
    if (entry.kind !== 'event' || engine.woke || kindOf(entry.event) === 'source.gap') tell(entry, engine);
  };
}

/** What `start` prints: the story, or every entry as JSON. */
export function watching(write: (line: string) => void, json: boolean | undefined, time: (at: number) => string): Watcher {
  const onWarning = (text: string): void => void process.stderr.write(`${colors.yellow(text)}\n`);
  if (json) return { onEntry: (entry: object) => write(JSON.stringify(entry)), onWarning };
  return {
    onEntry: onlyWhatMatters(write, time),
    onRecovered: ({ entries, restored }, tookMs) => {
      const from = restored > 0 ? `went on from the snapshot at entry ${restored}, ` : '';
      if (entries + restored > 0) write(colors.dim(`${from}replayed ${entries} entries in ${Math.round(tookMs)} ms`));
    },
    onWarning,
    onRebuilt: ({ entries, restored, tookMs }) => {
      const from = restored > 0 ? `from the snapshot at entry ${restored} and ` : 'from ';
      write(
        colors.bold(
          `policies decide again after ${Math.round(tookMs)} ms, ${from}${entries} entries; what came meanwhile they are given now`,
        ),
      );
    },
    onReload: (changes) => {
      for (const change of changes) write(colors.bold(reloadText(change)));
    },
    onReloadFailed: (why) => write(colors.red(`the policies on disk are not put in force, the ones that run go on: ${why}`)),
    onDivergence: ({ policy, seq, expected, found }) =>
      write(
        colors.red(
          `policy ${policy} only observes from now on: at entry ${seq} it derives ${expected}, recorded is ${found}. Was it changed without a new version? See \`offbox explain ${seq} ${policy}\`.`,
        ),
      ),
  };
}

/** `policy x: 1a2b… → 3c4d…; kept 0.settle; made anew from the journal: 1.threshold`. */
function reloadText({ policy, from, to, kept, reset }: VersionChange): string {
  if (to === undefined) return `policy ${policy} is gone: it is stopped, what it held is released`;
  const version = from === undefined ? `${to}, new` : `${from} → ${to}`;
  const memory = [
    ...(kept.length > 0 ? [`kept ${kept.join(', ')}`] : []),
    ...(reset.length > 0 ? [`made anew from the journal: ${reset.join(', ')}`] : []),
  ];
  return [`policy ${policy}: ${version}`, ...memory].join('; ');
}

/** Waits for a signal or a failure, then stops in order. A second signal ends at once. */
export async function endOf(runtime: { stop(): Promise<void> }, failure: Promise<Error>): Promise<void> {
  const signalled = Promise.withResolvers<undefined>();
  const hear = twice(
    realWall,
    () => signalled.resolve(undefined),
    () => process.exit(130),
  );
  // One listener for all of them: without any, be it for a moment, the next signal would end us as it is.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, hear);
  const endStay = stayAlive();
  const fault = await Promise.race([signalled.promise, failure]);
  // We end already: a signal is the second.
  if (fault) hear();
  endStay();
  await runtime.stop();
  if (fault) throw fault;
}
