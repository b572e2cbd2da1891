// Owns: offbox start --lab: brings the simulated network up, runs Offbox beside it, and with --once plays a failover and
// a recovery and judges by what the external router sees.
import { mkdir, rm } from 'node:fs/promises';
import colors from 'picocolors';
import { compose, type Lab, startLab, wall } from '../main.ts';
import { OperatorError } from '../model/errors.ts';
import { loadConfig } from '../runtime/config.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { runtimeVersion } from '../runtime/version.ts';
import { writeLabConfig } from './lab-config.ts';
import { endOf, watching } from './start.ts';
import { numberWidth, sinceFirst } from './tell.ts';
import { visible } from './terminal.ts';
import { labDirectory } from './where.ts';

const prefix = '23.0.0.0/8';
/** Tries 127.23.0.x first; another lab may be running there. */
const nets = [23, 24, 25, 26, 27, 28, 29, 30];
/** A step of the play that takes longer has failed. */
const stepMs = 40_000;
/** What is still under way at the end of a step gets this long, and is looked at this often. */
const restMs = 2_000;
const restStepMs = 50;

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
    if (once) say(heading(chapters[0]!));
    const failed = Promise.withResolvers<Error>();
    const watch = watching(write, json, time);
    const runtime = await compose({ ...loaded, watch: { ...watch, onFailure: failed.resolve } });
    if (once) return await play(lab, runtime, say).finally(() => runtime.stop());
    say(
      `\n${colors.bold('It runs; Ctrl-C ends it.')} From another terminal, in this folder: npx offbox lab fail gw-a, then lab restore gw-a;\nnpx offbox show gateways; npx offbox explain 3, or whatever # stands beside a line.\n`,
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
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
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
  return gateways ? `now sees ${prefix} via ${gateways}` : `now sees no ${prefix}`;
}

interface Chapter {
  readonly title: string;
  readonly act: (lab: Lab) => unknown;
  readonly ends: string;
  readonly wrong: string;
  /** From beginning to end somebody advertises. */
  readonly seamless?: true;
}

const chapters: readonly Chapter[] = [
  { title: 'At first: gw-a is active and nobody advertises yet', act: () => undefined, ends: 'gw-a', wrong: 'gw-b' },
  { title: 'Failover: gw-a loses power', act: (lab) => lab.fail('gw-a'), ends: 'gw-b', wrong: 'gw-a' },
  {
    title: 'Recovery: gw-a comes back, preempts, and takes over again',
    act: (lab) => lab.restore('gw-a'),
    ends: 'gw-a',
    wrong: 'gw-b',
    seamless: true,
  },
];

const heading = ({ title }: Chapter): string => `\n${colors.bold(colors.underline(title))}`;

/** Failover and recovery, each judged by the external router. */
async function play(lab: Lab, runtime: Runtime, say: (line: string) => void): Promise<number> {
  const seen: string[] = [];
  const unwatch = lab.onExternal((routes) => seen.push(via(routes)));
  let failures = 0;
  for (const chapter of chapters) {
    const { act, ends, wrong, seamless } = chapter;
    // The first began with the start.
    if (chapter !== chapters[0]) say(heading(chapter));
    const from = wall.monotonic();
    const before = seen.length;
    await act(lab);
    const reached = await until(lab, () => via(lab.external()) === ends);
    const tookMs = wall.monotonic() - from;
    await atRest(runtime);
    const lost = seamless && seen.slice(before).includes('');
    if (reached && !lost)
      say(colors.green(`✔ ${prefix} is reached via ${ends}, and not via ${wrong}, ${(tookMs / 1000).toFixed(1)} s after`));
    else {
      failures += 1;
      say(
        colors.red(
          `✖ ${lost ? 'for a moment nobody advertised it' : `after ${stepMs / 1000} s ext ${sees(lab.external())}; it should be via ${ends}`}`,
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

/** Until nothing of what was wanted is under way: what comes next is told apart. A dead gateway's answer is not waited for. */
async function atRest(runtime: Runtime): Promise<void> {
  const wanted = (): boolean =>
    runtime.view.intents().some(({ state, intent }) => state === 'open' && intent.want.kind === 'ensure');
  for (let spentMs = 0; spentMs < restMs && wanted(); spentMs += restStepMs) await wall.sleep(restStepMs);
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
