// Owns: offbox decode: how Offbox reads what comes on standard input, one JSON object a line.
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { OperatorError, summaryOf } from '../model/errors.ts';

export function declareDecode(program: Command): void {
  program
    .command('decode')
    .description('read syslog lines, or SNMP notifications as hex one a line, from standard input; print how Offbox reads each')
    .argument('<what>', 'syslog or trap')
    .option('-p, --platform <name>', "read syslog as this platform's")
    .option('--json', 'it always prints JSON')
    .action(decode);
}

async function decode(what: string, { platform }: { readonly platform?: string }): Promise<void> {
  const { decodeSyslog, decodeTrapHex } = await import('../main.ts');
  const { platformNameSchema } = await import('../model/target.ts');
  if (what !== 'syslog' && what !== 'trap')
    throw new OperatorError(`there is no "${what}" to decode`, { code: 'usage', remedy: 'There is syslog and trap.' });
  const known = platformNameSchema.optional().safeParse(platform);
  if (!known.success)
    throw new OperatorError(`there is no platform "${platform}"`, {
      code: 'usage',
      remedy: `There is: ${platformNameSchema.options.join(', ')}.`,
    });
  let number = 0;
  for await (const line of createInterface({ input: process.stdin.setEncoding('utf8'), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() === '') continue;
    try {
      const decoded = what === 'syslog' ? decodeSyslog(line, known.data) : decodeTrapHex(line);
      process.stdout.write(`${JSON.stringify(decoded)}\n`);
    } catch (thrown) {
      process.stderr.write(`line ${number}: ${summaryOf(thrown)}\n`);
      process.exitCode = 1;
    }
  }
}
