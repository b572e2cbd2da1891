// Owns: offbox lab: makes things go wrong in the simulated network from another terminal, or runs it as a process of its own.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { writeLabConfig } from './lab-config.ts';
import { labDirectory } from './where.ts';

export function declareLab(program: Command): void {
  program
    .command('lab')
    .description(
      'the simulated network: up, state, external, or a fault: fail | restore | reload | split | heal | flap | silence | hang | link-down | link-up GATEWAY, fail | restore | hang | unreachable SWITCH',
    )
    .argument('<verb>', 'what to do')
    .argument('[words...]', 'the gateway or switch, and what the verb takes besides')
    .option('-d, --dir <folder>', "the lab's folder (default: .offbox/lab)")
    .option('--net <number>', 'with up: devices at 127.<number>.0.x', '23')
    .option('--json', 'print the answer as JSON')
    .action(
      async (
        verb: string,
        words: string[],
        { dir, net, json }: { readonly dir?: string; readonly net: string; readonly json?: boolean },
      ) => {
        const { labCommand, labUp, wall } = await import('../main.ts');
        const folder = dir === undefined ? labDirectory() : resolve(dir);
        if (verb === 'up') {
          await mkdir(folder, { recursive: true, mode: 0o700 });
          await writeLabConfig(folder, Number(net));
          await labUp({ dir: folder, net: Number(net), wall });
          return;
        }
        const answer = await labCommand(folder, verb, words);
        process.stdout.write(
          `${json ? JSON.stringify(answer) : typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2)}\n`,
        );
      },
    );
}
