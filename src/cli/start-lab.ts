// Owns: offbox start --lab: brings the simulated network up, runs Offbox beside it, and with --once plays a failover and
// a recovery and judges by what the external router sees.
import { mkdir, rm } from 'node:fs/promises';
import colors from 'picocolors';
import { compose, type Lab, startLab, wall } from '../main.ts';
import { OperatorError } from '../model/errors.ts';
import { loadConfig } from '../runtime/config.ts';
import { runtimeVersion } from '../runtime/version.ts';
import { writeLabConfig } from './lab-config.ts';
import { endOf, watching } from './start.ts';
import { sinceFirst } from './tell.ts';
import { labDirectory } from './where.ts';

const prefix = '23.0.0.0/8';
/** Tries 127.23.0.x first; another lab may be running there. */
const nets = [23, 24, 25, 26, 27, 28, 29, 30];
/** A step of the play that takes longer has failed. */
const stepMs = 40_000;

interface LabRunOptions {
  readonly once?: boolean;
  readonly json?: boolean;
}

export async function startLabRun({ once, json }: LabRunOptions): Promise<number> {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const say = json ? () => undefined : write;
  const directory = labDirectory();
  const lab = await bringUp(directory);
  try {
    const loaded = await loadConfig(await writeLabConfig(directory, lab.net));
    introduce(say, lab);
    const failed = Promise.withResolvers<Error>();
    const runtime = await compose({ ...loaded, watch: { ...watching(write, json, sinceFirst()), onFailure: failed.resolve } });
    if (once) return await play(lab, say).finally(() => runtime.stop());
    say(
      colors.bold(
        '\nNow it runs. From another terminal: offbox lab fail gw-a, offbox lab restore gw-a, offbox show gateways. Ctrl-C ends it.\n',
      ),
    );
    lab.onExternal((routes) => say(colors.bold(`            ${sees(routes)}`)));
    await endOf(runtime, failed.promise);
    return 0;
  } finally {
    await lab.stop();
  }
}

/** A fresh lab each time: its folder holds nothing of worth. */
async function bringUp(directory: string): Promise<Lab & { readonly net: number }> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const net of nets) {
    try {
      return Object.assign(await startLab({ dir: directory, wall, net }), { net });
    } catch (thrown) {
      if (!(thrown instanceof OperatorError && thrown.code === 'lab-address-in-use') || net === nets.at(-1)) throw thrown;
    }
  }
  throw new RangeError('no net to try');
}

function introduce(say: (line: string) => void, lab: Lab): void {
  say(colors.bold(`Offbox ${runtimeVersion}, beside a simulated network`));
  say(`
   ext (AS 65001)      sees ${prefix} from whichever gateway advertises it
    │         │
  gw-a      gw-b       two routers share ${prefix} behind one HSRP address (Vlan10 group 10);
    └── LAN ──┘        the active one must advertise it, and only that one

  policy hsrp-active-advertises: whoever is HSRP active advertises ${prefix}, the other does not
  ${colors.dim(`gw-a ${lab.addresses['gw-a']} (IOS over SSH), gw-b ${lab.addresses['gw-b']} (IOS-XE over NETCONF), real sockets throughout`)}
`);
}

type Routes = ReturnType<Lab['external']>;

function via(routes: Routes): string {
  return routes.find((route) => route.prefix === prefix)?.via.join(' and ') ?? '';
}

function sees(routes: Routes): string {
  const gateways = via(routes);
  return gateways ? `ext now sees ${prefix} via ${gateways}` : `ext now sees no ${prefix}`;
}

/** Failover and recovery, each judged by the external router. */
async function play(lab: Lab, say: (line: string) => void): Promise<number> {
  const seen: string[] = [];
  const unwatch = lab.onExternal((routes) => {
    seen.push(via(routes));
    say(colors.bold(`            ${sees(routes)}`));
  });
  const chapters: readonly {
    readonly title: string;
    readonly act: () => unknown;
    readonly ends: string;
    readonly wrong: string;
  }[] = [
    { title: 'At first: gw-a is active and nobody advertises yet', act: () => undefined, ends: 'gw-a', wrong: 'gw-b' },
    { title: 'Failover: gw-a loses power', act: () => lab.fail('gw-a'), ends: 'gw-b', wrong: 'gw-a' },
    {
      title: 'Recovery: gw-a comes back, preempts, and takes over again',
      act: () => lab.restore('gw-a'),
      ends: 'gw-a',
      wrong: 'gw-b',
    },
  ];
  let failures = 0;
  for (const { title, act, ends, wrong } of chapters) {
    say(`\n${colors.bold(colors.underline(title))}`);
    const from = wall.monotonic();
    const before = seen.length;
    await act();
    const reached = await until(lab, () => via(lab.external()) === ends);
    const lost = title.startsWith('Recovery') && seen.slice(before).includes('');
    if (reached && !lost)
      say(
        colors.green(
          `✔ ${prefix} is reached via ${ends}, and not via ${wrong}, ${((wall.monotonic() - from) / 1000).toFixed(1)} s after`,
        ),
      );
    else {
      failures += 1;
      say(
        colors.red(
          `✖ ${lost ? 'for a moment nobody advertised it' : `after ${stepMs / 1000} s ${sees(lab.external())}; it should be ${ends}`}`,
        ),
      );
    }
  }
  unwatch();
  say(
    failures === 0 ? colors.green('\nAll was as it should be.') : colors.red(`\n${failures} of ${chapters.length} went wrong.`),
  );
  return failures === 0 ? 0 : 1;
}

function until(lab: Lab, holds: () => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = wall.after(stepMs, () => resolve(false));
    const look = (): void => {
      if (!holds()) return;
      cancel();
      resolve(true);
    };
    lab.onExternal(look);
    look();
  });
}
