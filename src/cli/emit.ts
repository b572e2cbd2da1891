// Owns: offbox emit: puts an event in by hand. Exits 0 only after it is in the journal.
import type { Command } from 'commander';
import colors from 'picocolors';
import { z } from 'zod';
import { OperatorError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { meaningSchema } from '../model/meaning.ts';
import type { Inventory } from '../model/target.ts';
import { admit } from '../runtime/admission.ts';
import { controlSocket } from '../runtime/api.ts';
import { ask } from './client.ts';
import { configFile } from './where.ts';

interface EmitOptions {
  readonly config?: string;
  readonly target?: string;
  readonly json?: boolean;
}

const forms = '\'%HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active\' or \'{"kind":"config.changed"}\'';

export function declareEmit(program: Command): void {
  program
    .command('emit')
    .description(
      'put an event in by hand: a syslog line, or a meaning as JSON; policies see it, and read the device before they act',
    )
    .argument('<event>', forms)
    .option('-t, --target <name>', 'the target it speaks of, where its line does not name it (default: none of the inventory)')
    .option('-c, --config <file>', "the configuration (default: ./offbox.yaml, else the lab's)")
    .option('--json', 'print the answer as JSON')
    .action(emit);
}

async function emit(text: string, { config, target, json }: EmitOptions): Promise<void> {
  if (text.trim() === '')
    throw new OperatorError('the event is empty', { code: 'usage', remedy: `Write a syslog line or a meaning: ${forms}.` });
  const [{ dataFolder, readSyslog }, { loadConfig }] = await Promise.all([import('../main.ts'), import('../runtime/config.ts')]);
  const loaded = await loadConfig(configFile(config));
  const known = target === undefined ? undefined : loaded.inventory.targets[target];
  if (target !== undefined && !known) {
    throw new OperatorError(`there is no target "${target}"`, {
      code: 'usage',
      remedy: `The inventory has: ${Object.keys(loaded.inventory.targets).join(', ')}.`,
    });
  }
  const said = text.trimStart().startsWith('{') ? { meaning: meaningFrom(text) } : readSyslog(text, known?.platform);
  const origin: Event['origin'] = { source: 'emit', peer: 'local', transport: 'local', trust: 'claimed', raw: text };
  const event: Event = { ...(target === undefined ? {} : { target }), ...said, because: 'emit', origin };
  const answer = (await ask(controlSocket(dataFolder(loaded)), 'POST', '/emit', { event })) as
    | { readonly seq: number }
    | undefined;
  if (!answer)
    throw new OperatorError('Offbox does not run here', {
      code: 'not-running',
      remedy: 'Start it with `offbox start`; nothing was taken.',
    });
  // Its line may say whose it is; a gap is of everybody.
  if (admit(event, loaded.inventory).target === undefined && event.meaning?.kind !== 'source.gap')
    process.stderr.write(`${colors.yellow(namelessText(loaded.inventory))}\n`);
  process.stdout.write(
    json ? `${JSON.stringify(answer)}\n` : `taken as entry ${answer.seq}; see \`offbox explain ${answer.seq}\`\n`,
  );
}

function namelessText({ targets }: Inventory): string {
  const names = Object.keys(targets);
  return `No target was named: this is taken as from \`local\`, which is none of the inventory's. Name one with --target${names.length > 0 ? `: ${names.join(', ')}` : ''}.`;
}

function meaningFrom(text: string): Event['meaning'] {
  try {
    return meaningSchema.parse(JSON.parse(text));
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown) : (thrown as Error).message;
    throw new OperatorError(`this is no meaning: ${why}`, {
      code: 'usage',
      remedy: 'Write it as `offbox decode syslog` prints one.',
    });
  }
}
