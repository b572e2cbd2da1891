// Owns: the story that `offbox start --lab --once` plays: a failover, a recovery, a migration that succeeds and one that fails,
// each judged from outside: by the external router's routes, the switches' tables and their policy-maps.
import colors from 'picocolors';
import { type Lab, wall } from '../main.ts';
import { askMigration } from '../runtime/migrate.ts';
import type { Runtime } from '../runtime/runtime.ts';

export const prefix = '23.0.0.0/8';
/** A step of the play that takes longer has failed. */
const stepMs = 40_000;
/** Between looks at the network. */
const lookMs = 20;
/** What is still under way at the end of a step gets this long: a sticky address is watched for 5 s. */
const restMs = 8_000;

interface Stage {
  readonly lab: Lab;
  readonly runtime: Runtime;
}

/** What is wrong, or nothing. */
type Judgement = string | undefined;

interface Chapter {
  readonly title: string;
  readonly act: (stage: Stage) => unknown;
  /** It has come to its end. */
  readonly ends: (stage: Stage) => boolean;
  /** Looked at again and again while it goes on. */
  readonly always?: (stage: Stage) => Judgement;
  /** As it is in the end. */
  readonly judge: (stage: Stage) => Judgement;
  readonly right: string;
}

type Routes = ReturnType<Lab['external']>;

export function via(routes: Routes): string {
  return routes.find((route) => route.prefix === prefix)?.via.join(' and ') ?? '';
}

const reachedVia = (gateway: string, other: string): Pick<Chapter, 'ends' | 'judge' | 'right'> => ({
  ends: ({ lab }) => via(lab.external()) === gateway,
  judge: ({ lab }) => (via(lab.external()) === gateway ? undefined : `ext sees ${prefix} via ${via(lab.external()) || 'nobody'}`),
  right: `${prefix} is reached via ${gateway}, and not via ${other}`,
});

const web1 = '52:54:00:aa:bb:01';

function port(lab: Lab, name: string, interfaceName: string) {
  return lab
    .state()
    .switches.find((one) => one.switch === name)!
    .ports.find((one) => one.interface === interfaceName)!;
}

/** Whether a switch port holds the VM's address as secure. */
const holds = (lab: Lab, name: string): boolean =>
  port(lab, name, 'GigabitEthernet1/0/1').secure.some((row) => row.startsWith(web1));
/** The policy-map on the way out of a switch. */
const output = (lab: Lab, name: string): string | null => port(lab, name, 'GigabitEthernet1/0/24').output;
const migrating = (lab: Lab): boolean => lab.state().hypervisors.some(({ vms }) => vms.some(({ migration }) => migration));
const idle = ({ runtime }: Stage): boolean => runtime.engine.ledger.open().every(({ intent }) => intent.want.kind !== 'ensure');

const chapters: readonly Chapter[] = [
  {
    title: 'At first: gw-a is active and nobody advertises yet',
    act: () => undefined,
    ...reachedVia('gw-a', 'gw-b'),
  },
  { title: 'Failover: gw-a loses power', act: ({ lab }) => lab.fail('gw-a'), ...reachedVia('gw-b', 'gw-a') },
  {
    title: 'Recovery: gw-a comes back, preempts, and takes over again',
    act: ({ lab }) => lab.restore('gw-a'),
    always: ({ lab }) => (via(lab.external()) === '' ? 'for a moment nobody advertised it' : undefined),
    ...reachedVia('gw-a', 'gw-b'),
  },
  {
    title: 'A migration is asked for: web1 from kvm1 to kvm2, as `offbox migrate web1 --to kvm2 --allow relax` does',
    act: ({ runtime }) => askMigration(runtime, { vm: 'web1', to: 'kvm2', allow: ['relax'] }),
    ends: (stage) => stage.lab.hypervisors.whereIs('web1') === 'kvm2' && !migrating(stage.lab) && idle(stage),
    always: ({ lab }) =>
      migrating(lab) && output(lab, 'acc-1') !== 'LIVE-MIGRATION'
        ? 'the way was without its policy-map while it migrated'
        : undefined,
    judge: ({ lab }) => {
      if (holds(lab, 'acc-1')) return `acc-1 still holds ${web1}`;
      if (!holds(lab, 'acc-2')) return `acc-2 has not learned ${web1}`;
      return output(lab, 'acc-1') === null ? undefined : `${output(lab, 'acc-1')} is still attached to the uplink of acc-1`;
    },
    right: 'acc-1 has forgotten web1, acc-2 knows it; the policy-map was on the way from beginning to end, and is off again',
  },
  {
    title: 'A migration fails: somebody moves web1 back past Offbox, and the QEMU at kvm1 dies half-way',
    act: ({ lab }) => lab.hypervisors.migrate('web1', 'kvm1', { fail: 'destination' }).catch(() => undefined),
    ends: (stage) => !migrating(stage.lab) && idle(stage) && output(stage.lab, 'acc-2') === 'EDGE-DEFAULT',
    judge: ({ lab }) => {
      if (lab.hypervisors.whereIs('web1') !== 'kvm2') return 'web1 is not on kvm2';
      if (!holds(lab, 'acc-2')) return `acc-2 has lost ${web1}`;
      return output(lab, 'acc-2') === 'EDGE-DEFAULT' ? undefined : `${output(lab, 'acc-2')} is attached to the uplink of acc-2`;
    },
    right: 'web1 is where it was, acc-2 still knows it, and EDGE-DEFAULT is back on the way out of acc-2',
  },
];

export const firstHeading = (): string => heading(chapters[0]!);
const heading = ({ title }: Chapter): string => `\n${colors.bold(colors.underline(title))}`;

/** Plays every chapter; the exit code. */
export async function play(stage: Stage, say: (line: string) => void): Promise<number> {
  let failures = 0;
  for (const chapter of chapters) {
    // The first began with the start.
    if (chapter !== chapters[0]) say(heading(chapter));
    const from = wall.monotonic();
    const wrong = await perform(chapter, stage);
    const took = `${((wall.monotonic() - from) / 1000).toFixed(1)} s`;
    if (wrong === undefined) say(colors.green(`✔ ${chapter.right}, ${took} after`));
    else {
      failures += 1;
      say(colors.red(`✖ ${wrong}`));
    }
    await atRest(stage);
  }
  const end =
    failures === 0 ? colors.green('All was as it should be.') : colors.red(`${failures} of ${chapters.length} went wrong.`);
  say(`\n${end}`);
  return failures === 0 ? 0 : 1;
}

async function perform({ act, ends, always, judge }: Chapter, stage: Stage): Promise<Judgement> {
  let seen: Judgement;
  const acted = Promise.resolve(act(stage));
  let over = false;
  void acted.then(
    () => (over = true),
    () => (over = true),
  );
  for (const until = wall.monotonic() + stepMs; wall.monotonic() < until; await wall.sleep(lookMs)) {
    seen ??= always?.(stage);
    if (over && ends(stage)) break;
  }
  await acted;
  return seen ?? judge(stage);
}

/** Until nothing of what was wanted is under way: what comes next is told apart. A dead gateway's answer is not waited for. */
async function atRest(stage: Stage): Promise<void> {
  for (let spentMs = 0; spentMs < restMs && !restful(stage); spentMs += lookMs) await wall.sleep(lookMs);
}

const restful = ({ runtime }: Stage): boolean =>
  runtime.engine.ledger.open().every(({ intent, held }) => intent.want.kind !== 'ensure' || held !== undefined);
