// Owns: offbox lab: makes things go wrong in the simulated network from another terminal, or runs it as a process of its own.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { writeLabConfig } from './lab-config.ts';
import { labDirectory } from './where.ts';

interface LabCommandOptions {
  readonly dir?: string;
  readonly net: string;
  readonly to?: string;
  readonly fail?: boolean;
  readonly abort?: boolean;
  readonly json?: boolean;
}

export function declareLab(program: Command): void {
  program
    .command('lab')
    .description(
      'the simulated network: up, state, external, or a fault: fail | restore | reload | split | heal | flap | silence | hang | link-down | link-up GATEWAY, fail | restore | hang | unreachable SWITCH, migrate VM --to HYPERVISOR, abort VM, restart-libvirtd | cut | freeze | thaw HYPERVISOR',
    )
    .argument('<verb>', 'what to do')
    .argument('[words...]', 'the gateway, switch, hypervisor or VM, and what the verb takes besides')
    .option('-d, --dir <folder>', "the lab's folder (default: .offbox/lab)")
    .option('--net <number>', 'with up: devices at 127.<number>.0.x', '23')
    .option('--to <hypervisor>', 'with migrate: where to')
    .option('--fail', "with migrate: the destination's QEMU dies")
    .option('--abort', 'with migrate: it is aborted half-way')
    .option('--json', 'print the answer as JSON')
    .action(async (verb: string, words: string[], { dir, net, to, fail, abort, json }: LabCommandOptions) => {
      const { labCommand, labUp, wall } = await import('../main.ts');
      const folder = dir === undefined ? labDirectory() : resolve(dir);
      if (verb === 'up') {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeLabConfig(folder, Number(net));
        await labUp({ dir: folder, net: Number(net), wall });
        return;
      }
      const answer = await labCommand(folder, verb, [
        ...words,
        ...(to === undefined ? [] : [to]),
        ...(fail ? ['fail'] : abort ? ['abort'] : []),
      ]);
      process.stdout.write(
        `${json ? JSON.stringify(answer) : typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2)}\n`,
      );
    });
}
