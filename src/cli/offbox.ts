// Owns: the command line: which verbs there are. One verb a file; each is loaded only when it is called.
// Exit codes: 0 done, 1 found something wrong, 2 wrong usage.
import { Command, CommanderError } from 'commander';
import colors from 'picocolors';
import { messageOf, OperatorError } from '../model/errors.ts';
import { runtimeVersion } from '../runtime/version.ts';
import { verbs } from './verbs.ts';

async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('offbox')
    .description('Off-box EEM: event-driven network automation that runs beside the network, and proves what it did.')
    .version(runtimeVersion)
    .exitOverride()
    .showHelpAfterError('Add --help to see what it takes.')
    .configureOutput({ outputError: (text, write) => write(colors.red(text)) });
  for (const declare of verbs) declare(program);
  await program.parseAsync(argv, { from: 'user' });
}

// Who reads what is said may go (`| head`, a terminal, a log): whoever runs goes on without, whoever only answers is done.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (process.argv[2] !== 'start') process.exit();
  });

try {
  await run(process.argv.slice(2));
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else {
    console.error(`${colors.red('offbox:')} ${messageOf(thrown)}`);
    process.exitCode = thrown instanceof OperatorError && thrown.code === 'usage' ? 2 : 1;
  }
}
