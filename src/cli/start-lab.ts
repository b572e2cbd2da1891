// Owns: offbox start --lab: brings the simulated network up and runs Offbox beside it; with --once it plays the story of
// lab-story.ts.
import { rm } from 'node:fs/promises';
import colors from 'picocolors';
import { compose, type Lab, refuseAnotherLab, startLab, wall } from '../main.ts';
import { OperatorError } from '../model/errors.ts';
import { loadConfig } from '../runtime/config.ts';
import { makeFolder } from '../runtime/make-folder.ts';
import { runtimeVersion } from '../runtime/version.ts';
import { writeLabConfig } from './lab-config.ts';
import { firstHeading, play, prefix, via } from './lab-story.ts';
import { endOf, watching } from './start.ts';
import { numberWidth, sinceFirst } from './tell.ts';
import { visible } from './terminal.ts';
import { labDirectory } from './where.ts';

/** Tries 127.23.0.x first; another lab may be running there. */
const nets = [23, 24, 25, 26, 27, 28, 29, 30];

interface LabRunOptions {
  readonly once?: boolean;
  readonly json?: boolean;
}

export async function startLabRun({ once, json }: LabRunOptions): Promise<number> {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const say = json ? () => undefined : write;
  const time = sinceFirst();
  /** What is no entry: what is done to the network, and what comes of it. */
  const beside = (what: string, who: string, text: string): void =>
    say(colors.bold(`${time(wall.now())} ${' '.repeat(numberWidth)}  ▪ ${what.padEnd(8)} ${who.padEnd(6)} ${text}`));
  const directory = labDirectory();
  const lab = await bringUp(directory, (verb, words) => {
    if (verb !== 'state' && verb !== 'external') beside('lab', '', visible([verb, ...words].join(' ')));
  });
  lab.onExternal((routes) => beside('network', 'ext', sees(routes)));
  try {
    const loaded = await loadConfig(await writeLabConfig(directory, lab.net));
    introduce(say, lab);
    if (once) say(firstHeading());
    const failed = Promise.withResolvers<Error>();
    const watch = watching(write, json, time);
    const runtime = await compose({ ...loaded, watch: { ...watch, onFailure: failed.resolve } });
    if (once) return await play({ lab, runtime }, say).finally(() => runtime.stop());
    say(
      `\n${colors.bold('It runs; Ctrl-C ends it.')} From another terminal, in this folder: npx offbox lab fail gw-a, then lab restore gw-a;\nnpx offbox migrate web1 --to kvm2 --allow relax; npx offbox show gateways; npx offbox explain N, where N is any # beside a line.\n`,
    );
    await endOf(runtime, failed.promise);
    return 0;
  } finally {
    await lab.stop();
  }
}

/** A fresh lab each time: its folder holds nothing of worth, and is its owner's alone. */
async function bringUp(
  directory: string,
  onVerb: (verb: string, words: readonly string[]) => void,
): Promise<Lab & { readonly net: number }> {
  await refuseAnotherLab(directory);
  await rm(directory, { recursive: true, force: true });
  await makeFolder(directory, 'the lab', 'Go to a folder where you may write.');
  for (const net of nets) {
    try {
      return Object.assign(await startLab({ dir: directory, wall, net, onVerb }), { net });
    } catch (thrown) {
      if (!(thrown instanceof OperatorError && thrown.code === 'lab-address-in-use') || net === nets.at(-1)) throw thrown;
    }
  }
  throw new RangeError('no net to try');
}

function introduce(say: (line: string) => void, lab: Lab): void {
  say(colors.bold(`Offbox ${runtimeVersion}, beside a simulated network`));
  const { addresses } = lab;
  say(`
   ext (AS 65001)      sees ${prefix} from whichever gateway advertises it
    │         │
  gw-a      gw-b       two routers share ${prefix} behind one HSRP address (Vlan10 group 10)
    └── LAN ──┘

  kvm1 ── acc-1 ═══════ VXLAN ═══════ acc-2 ── kvm2      VMs move between the hypervisors, and keep their addresses
          (port security, QoS)  (port security, QoS)

  hsrp-active-advertises                     whoever is HSRP active advertises ${prefix}, the other does not
  vm-migrated-clears-sticky-mac              a VM has moved: its old port forgets its sticky address
  migration-requested-applies-qos            LIVE-MIGRATION is on the way while a VM moves, and off however that ends
  migration-requested-relaxes-port-security  where the request allows it, no violation shuts the VM's ports down meanwhile
  migration-preflight                        a requested migration is checked first, then begun
  ${colors.dim(`gw-a ${addresses['gw-a']}, acc-1 ${addresses['acc-1']} (IOS over SSH), gw-b ${addresses['gw-b']}, acc-2 ${addresses['acc-2']} (IOS-XE over NETCONF), kvm1 ${addresses.kvm1}, kvm2 ${addresses.kvm2} (libvirt)`)}
  ${colors.dim('real sockets throughout')}
`);
}

function sees(routes: ReturnType<Lab['external']>): string {
  const gateways = via(routes);
  return gateways ? `now sees ${prefix} via ${gateways}` : `now sees no ${prefix}`;
}
