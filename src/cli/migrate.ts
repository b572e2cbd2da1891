// Owns: offbox migrate: asks the running Offbox for a migration and follows it with a progress bar. Ctrl-C cancels it and waits
// until it is over; a second one ends the waiting, for a policy that was stopped tells of no end. Exits 0 when the VM is there, 1 when it was refused, failed or was cancelled.
import type { Command } from 'commander';
import colors from 'picocolors';
import { OperatorError } from '../model/errors.ts';
import { controlSocket } from '../runtime/api.ts';
import { allowed, bandwidthMiBsMax, type MigrationAsked, type MigrationStatus } from '../runtime/migrate.ts';
import { ask } from './client.ts';
import { Interrupt } from './interrupt.ts';
import { visible } from './terminal.ts';
import { configFile } from './where.ts';

interface MigrateOptions {
  readonly to: string;
  readonly allow?: string;
  readonly bandwidth?: string;
  readonly config?: string;
  readonly json?: boolean;
}

const lookMs = 250;
const barWidth = 30;

export function declareMigrate(program: Command): void {
  program
    .command('migrate')
    .description('migrate a VM: preflight, QoS on the path, the migration itself, checks; policies do it, this follows')
    .argument('<vm>', 'its name or UUID')
    .requiredOption('--to <hypervisor>', 'where to')
    .option('--allow <what>', 'relax: hold `violation restrict` on its ports meanwhile; post-copy; both with a comma')
    .option('--bandwidth <MiB/s>', 'no more than this')
    .option('-c, --config <file>', "the configuration (default: ./offbox.yaml, else the lab's)")
    .option('--json', 'print one JSON object a change')
    .action(migrate);
}

async function migrate(vm: string, options: MigrateOptions): Promise<void> {
  const body = wanted(vm, options);
  const [{ dataFolder, wall }, { loadConfig }] = await Promise.all([import('../main.ts'), import('../runtime/config.ts')]);
  const socket = controlSocket(dataFolder(await loadConfig(configFile(options.config))));
  const interrupt = new Interrupt(
    (request) => ask(socket, 'POST', `/migrate/${encodeURIComponent(request)}/cancel`, {}),
    leave,
    wall,
  );
  process.on('SIGINT', interrupt.hear);
  try {
    const asked = (await ask(socket, 'POST', '/migrate', body)) as MigrationAsked | undefined;
    if (!asked)
      throw new OperatorError('Offbox does not run here', { code: 'not-running', remedy: 'Start it with `offbox start`.' });
    interrupt.cancels(asked.request);
    const teller = options.json ? jsonTeller() : screenTeller(asked);
    for (;;) {
      const status = (await ask(socket, 'GET', `/migrate/${encodeURIComponent(asked.request)}`)) as MigrationStatus | undefined;
      if (!status)
        throw new OperatorError('Offbox has stopped', { code: 'not-running', remedy: 'Start it again: it goes on by itself.' });
      teller(status);
      if (status.report.final) {
        process.exitCode = status.report.state === 'done' ? 0 : 1;
        return;
      }
      await wall.sleep(lookMs);
    }
  } finally {
    process.off('SIGINT', interrupt.hear);
  }
}

function leave(): never {
  process.stderr.write(
    'It is cancelled, and nobody has said yet that it is over: see `offbox show requests` and `offbox show policies`.\n',
  );
  process.exit(130);
}

function wanted(vm: string, { to, allow, bandwidth }: MigrateOptions): unknown {
  const words = allow?.split(',').map((word) => word.trim());
  const strange = words?.find((word) => !(allowed as readonly string[]).includes(word));
  if (strange !== undefined)
    throw new OperatorError(`--allow does not take "${strange}"`, {
      code: 'usage',
      remedy: `Write ${allowed.join(', ')}, or both with a comma: --allow ${allowed.join(',')}.`,
    });
  const mib = bandwidth === undefined ? undefined : Number(bandwidth);
  if (mib !== undefined && !(Number.isInteger(mib) && mib > 0 && mib <= bandwidthMiBsMax))
    throw new OperatorError(`--bandwidth does not take "${bandwidth}"`, {
      code: 'usage',
      remedy: `Write whole MiB a second, 1 to ${bandwidthMiBsMax}, such as 100.`,
    });
  return {
    vm,
    to,
    ...(words === undefined ? {} : { allow: words }),
    ...(mib === undefined ? {} : { bandwidthMiBs: mib }),
  };
}

type Teller = (status: MigrationStatus) => void;

/** One object a change. */
function jsonTeller(): Teller {
  let before = '';
  return (status) => {
    const now = JSON.stringify(status);
    if (now !== before) process.stdout.write(`${now}\n`);
    before = now;
  };
}

function screenTeller({ vm, from, to, seq }: MigrationAsked): Teller {
  const write = (text: string): void => void process.stdout.write(text);
  const tty = process.stdout.isTTY;
  let before = '';
  write(`${vm} from ${from} to ${to}, asked for as entry ${seq}; Ctrl-C cancels it\n`);
  return ({ report: { state, text, final }, progress }) => {
    if (state !== before) {
      const mark = state === 'done' ? colors.green('✔') : final ? colors.red('✖') : '▸';
      write(`${tty ? '\r\u001b[K' : ''}${mark} ${state}${text ? `: ${visible(text)}` : ''}\n`);
    }
    before = state;
    if (tty && progress && !final) write(`\r\u001b[K${bar(progress)}`);
  };
}

function bar({ processed, total }: { readonly processed: number; readonly total: number }): string {
  const share = total > 0 ? Math.min(processed / total, 1) : 0;
  const done = Math.round(share * barWidth);
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return `  ${'█'.repeat(done)}${'░'.repeat(barWidth - done)} ${Math.round(share * 100)} %  ${mib(processed)} of ${mib(total)}`;
}
