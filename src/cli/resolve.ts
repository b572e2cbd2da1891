// Owns: offbox resolve: an operator's answer for an intent of which Offbox cannot tell what became.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { answerSchema } from '../model/answer.ts';
import { OperatorError } from '../model/errors.ts';
import { controlSocket } from '../runtime/api.ts';
import { ask } from './client.ts';
import { configFile } from './where.ts';

interface ResolveOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function declareResolve(program: Command): void {
  program
    .command('resolve')
    .description(
      'say what became of an intent that is unknown: done, failed, or again (it is tried again, through state and rails)',
    )
    .argument('<intent>', 'its id, as `offbox show intents` tells it')
    .argument('<answer>', 'done, failed or again')
    .option('-c, --config <file>', "the configuration (default: ./offbox.yaml, else the lab's)")
    .option('--json', 'print one JSON object')
    .action(resolve);
}

async function resolve(intent: string, given: string, { config, json }: ResolveOptions): Promise<void> {
  const { data: answer } = answerSchema.safeParse(given);
  if (!answer) {
    throw new OperatorError(`"${given}" is no answer`, { code: 'usage', remedy: 'Answer done, failed or again.' });
  }
  const [{ dataFolder }, { loadConfig }] = await Promise.all([import('../main.ts'), import('../runtime/config.ts')]);
  const socket = controlSocket(dataFolder(await loadConfig(configFile(config))));
  const by = userInfo().username;
  const answered = (await ask(socket, 'POST', '/resolve', { intent, answer, by })) as { readonly seq: number } | undefined;
  if (!answered)
    throw new OperatorError('Offbox does not run here', { code: 'not-running', remedy: 'Start it with `offbox start`.' });
  process.stdout.write(json ? `${JSON.stringify(answered)}\n` : `taken as entry ${answered.seq}\n`);
}
