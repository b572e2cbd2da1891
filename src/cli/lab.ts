// Owns: offbox lab: makes things go wrong in the simulated network from another terminal, or runs it as a process of its own.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { OperatorError } from '../model/errors.ts';
import { makeFolder } from '../runtime/make-folder.ts';
import { writeLabConfig } from './lab-config.ts';
import { labDirectory } from './where.ts';

/** Of one octet of an address. */
const netMax = 255;

interface LabCommandOptions {
  readonly dir?: string;
  readonly net?: string;
  readonly to?: string;
  readonly fail?: boolean;
  readonly abort?: boolean;
  readonly json?: boolean;
}

const verbsText = `
What can be asked:
  up                             the lab as a process of its own
  state, external                what is so; what the external router sees
  fail GATEWAY|SWITCH            it loses its power
  hang GATEWAY|SWITCH            it accepts sessions and says nothing
  restore GATEWAY|SWITCH         ends every fault of it: fail, hang, silence, link-down, unreachable; boots it where it is off
  reload GATEWAY [stale]         stale: an old network statement is in its startup configuration
  flap GATEWAY [TIMES [EVERY-MS]]
  link-down, link-up GATEWAY     its link to the LAN
  split GATEWAY                  it is cut off from the others; \`heal\` ends it
  heal                           the LAN is whole again
  silence GATEWAY                its syslog and traps get lost; \`restore\` ends it
  unreachable SWITCH             its management network is gone, and it forwards; \`restore\` ends it
  migrate VM --to HYPERVISOR     past Offbox; --fail or --abort: it goes wrong
  abort VM                       the migration that is on
  restart-libvirtd HYPERVISOR
  cut HYPERVISOR                 ends the connections to its libvirtd, once
  freeze HYPERVISOR              its libvirtd answers nothing; \`thaw\` ends it
  thaw HYPERVISOR`;

export function declareLab(program: Command): void {
  program
    .command('lab')
    .description('the simulated network: up, state, external, or something that goes wrong in it (see below)')
    .argument('<verb>', 'what to do')
    .argument('[words...]', 'the gateway, switch, hypervisor or VM, and what the verb takes besides')
    .option('-d, --dir <folder>', "the lab's folder (default: .offbox/lab)")
    .option('--net <number>', 'with up: devices at 127.<number>.0.x (default: 23)')
    .option('--to <hypervisor>', 'with migrate: where to')
    .option('--fail', "with migrate: the destination's QEMU dies")
    .option('--abort', 'with migrate: it is aborted half-way')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', verbsText)
    .action(lab);
}

async function lab(verb: string, words: readonly string[], options: LabCommandOptions): Promise<void> {
  const { dir, json } = options;
  refuseStrangers(verb, options);
  const asked = verb === 'migrate' ? migrationWords(words, options) : words;
  const net = verb === 'up' ? netOf(options.net) : undefined;
  const { labCommand, labUp, wall } = await import('../main.ts');
  const folder = dir === undefined ? labDirectory() : resolve(dir);
  if (net !== undefined) {
    await makeFolder(folder, 'the lab', 'Name another with --dir, or go to a folder where you may write.');
    await writeLabConfig(folder, net);
    await labUp({ dir: folder, net, wall });
    return;
  }
  const answer = await labCommand(folder, verb, asked);
  process.stdout.write(
    `${json ? JSON.stringify(answer) : typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2)}\n`,
  );
}

const usage = (what: string, remedy: string): OperatorError => new OperatorError(what, { code: 'usage', remedy });

/** An option that the verb does not take would be a wish unheard. */
function refuseStrangers(verb: string, options: LabCommandOptions): void {
  const owners = { to: 'migrate', fail: 'migrate', abort: 'migrate', net: 'up' } as const;
  for (const option of ['to', 'fail', 'abort', 'net'] as const) {
    const owner = owners[option];
    if (options[option] !== undefined && verb !== owner)
      throw usage(`${verb} takes no --${option}`, `It goes with ${owner}: leave it out here.`);
  }
}

function migrationWords(words: readonly string[], { to, fail, abort }: LabCommandOptions): readonly string[] {
  if (fail && abort) throw usage('--fail and --abort are two endings', 'Leave one of them out: a migration has one.');
  const where = [...words, ...(to === undefined ? [] : [to])];
  // Where the hypervisor is missing, an ending would be taken for it.
  return where.length < 2 ? where : [...where, ...(fail ? ['fail'] : abort ? ['abort'] : [])];
}

function netOf(written = '23'): number {
  if (/^\d{1,3}$/.test(written) && Number(written) <= netMax) return Number(written);
  throw usage(`--net does not take "${written}"`, `Write a whole number, 0 to ${netMax}: the devices are at 127.<number>.0.x.`);
}
