// Owns: offbox show: what is so, from the running Offbox, or from the journal of a stopped one.
import type { Command } from 'commander';
import colors from 'picocolors';
import type { Remembered } from '../core/cells.ts';
import { OperatorError } from '../model/errors.ts';
import { cellEventsMax, cellKeysMax } from '../model/limits.ts';
import { controlSocket, type Shown, shownKinds, shownOf } from '../runtime/api.ts';
import { meaningText, resourceText } from '../runtime/narrate.ts';
import type { ShownRequest } from '../runtime/requests.ts';
import type { ShownEvent, ShownGateway, ShownIntent, ShownVm, View } from '../runtime/view.ts';
import { timeText } from '../runtime/wall.ts';
import { ask } from './client.ts';
import { type Row, table } from './table.ts';
import { configFile } from './where.ts';

interface ShowOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly last: string;
  readonly wide?: boolean;
}

interface ShownPolicy {
  readonly name: string;
  readonly version: string;
  readonly revision?: string;
  readonly mode?: string;
  readonly state: string;
  readonly reason?: string;
  readonly since: number;
  readonly remembered: readonly Remembered[];
  readonly describe: string;
}

interface ShownTarget {
  readonly target: string;
  readonly platform: string;
  readonly address: string;
  readonly state: string;
  readonly since: number;
  readonly reason?: string;
  readonly waiting: number;
  readonly held: number;
  readonly reads: readonly string[];
  readonly ensures: readonly string[];
}

export function declareShow(program: Command): void {
  program
    .command('show')
    .description(`show ${shownKinds.join(' | ')}`)
    .argument('<what>', shownKinds.join(', '))
    .option('-c, --config <file>', "the configuration (default: ./offbox.yaml, else the lab's)")
    .option('-n, --last <count>', 'of events, intents and requests only the newest', '50')
    .option('-w, --wide', 'of targets also the platform and what can be read and ensured there, of policies what they remember')
    .option('--json', 'print one JSON object a line, with all there is')
    .action(async (what: string, options: ShowOptions) => show(shownOf(what), options));
}

async function show(what: Shown, { config, json, last, wide }: ShowOptions): Promise<void> {
  if (!/^[1-9]\d*$/.test(last))
    throw new OperatorError(`"${last}" is no count`, { code: 'usage', remedy: 'Write a number, such as --last 20.' });
  const [{ dataFolder }, { loadConfig }] = await Promise.all([import('../main.ts'), import('../runtime/config.ts')]);
  const loaded = await loadConfig(configFile(config));
  const answer = (await ask(controlSocket(dataFolder(loaded)), 'GET', `/show/${what}`)) ?? (await fromJournal(what, loaded));
  const all = Array.isArray(answer) ? (answer as readonly object[]) : [answer as object];
  const items = what === 'events' || what === 'intents' || what === 'requests' ? all.slice(-Number(last)) : all;
  const lines = json ? items.map((item) => JSON.stringify(item)) : table(shownRows(what, items, wide));
  process.stdout.write(lines.length > (json ? 0 : 1) ? `${lines.join('\n')}\n` : json ? '' : `no ${what}\n`);
}

const stoppedText = 'Offbox does not run here: this is what it knew when it stopped.';

/** Replays the journal: what a stopped Offbox knew when it stopped. */
async function fromJournal(what: Shown, loaded: Parameters<typeof import('../main.ts')['viewJournal']>[0]): Promise<unknown> {
  if (what === 'targets' || what === 'sources') {
    throw new OperatorError(`Offbox does not run here, and ${what} are known only while it does`, {
      code: 'not-running',
      remedy: 'Start it with `offbox start`.',
    });
  }
  const { viewJournal } = await import('../main.ts');
  const view: View = await viewJournal(loaded);
  // Aside: what is shown reads as if it were so now.
  process.stderr.write(`${colors.yellow(stoppedText)}\n`);
  return view[what]();
}

/** Of everything what fits a terminal; `wide`: all. */
export function shownRows(what: Shown, items: readonly object[], wide = false): readonly Row[] {
  return items.flatMap((item) => rowsOf[what](item as never, wide));
}

const rowsOf: Readonly<Record<Shown, (item: never, wide: boolean) => readonly Row[]>> = {
  vms: ({ vm, uuid, places, macs, migration }: ShownVm) => [
    {
      vm,
      on: places.map(({ host, place, off }) => `${host}${off ? ' (off)' : place === 'here' ? '' : ` (${place})`}`).join(', '),
      migration: migration
        ? `${migration.from || '?'} → ${migration.to}, ${migration.phase} since ${timeText(migration.since)}`
        : '',
      macs: macs.join(', '),
      uuid,
    },
  ],
  policies: (policy: ShownPolicy, wide) => [
    {
      policy: policy.name,
      state: policy.reason ? `${policy.state}: ${policy.reason}` : policy.state,
      mode: policy.mode ?? '-',
      version: policy.version,
      git: policy.revision ?? '-',
      ...(wide ? { since: policy.since ? timeText(policy.since) : '-' } : {}),
      // What there was no room for must be seen.
      remembers: wide || policy.remembered.some(isLost) ? memoryText(policy.remembered) : '',
      says: policy.describe,
    },
  ],
  targets: (target: ShownTarget, wide) => [
    {
      target: target.target,
      line: target.state,
      reason: target.reason ?? '',
      since: timeText(target.since),
      waiting: target.waiting,
      held: target.held,
      ...(wide ? { platform: target.platform } : {}),
      address: target.address,
      reads: wide ? target.reads.join(', ') : target.reads.length,
      ensures: wide ? target.ensures.join(', ') || '-' : target.ensures.length,
    },
  ],
  gateways: ({ gateway, prefixes, members }: ShownGateway) =>
    members.map(({ target, row, role, known, since, line }) => ({
      gateway,
      prefixes: prefixes.join(' '),
      member: target,
      row,
      role,
      known,
      since: since ? timeText(since) : '-',
      line: line ?? '',
    })),
  facts: ({ fhrp, targets }: ReturnType<View['facts']>) => [
    ...fhrp.map(({ gateway, target, role, state, by, at, seq }) => ({
      fact: `${gateway} ${target}`,
      value: `${role} (${state})`,
      known: by,
      since: timeText(at),
      seq,
    })),
    ...targets.map(({ target, reachable, at, reason }) => ({
      fact: target,
      value: reachable ? 'reachable' : `unreachable: ${reason}`,
      known: 'read',
      since: timeText(at),
      seq: '',
    })),
  ],
  events: ({ seq, at, event }: ShownEvent) => [
    {
      seq,
      at: timeText(at),
      source: event.origin.source,
      target: event.target ?? event.origin.peer,
      meaning: event.meaning ? meaningText(event.meaning) : '-',
      said: event.syslog
        ? `${event.syslog.mnemonic ?? ''} ${event.syslog.text}`.trim().slice(0, 80)
        : (event.snmp?.name ?? event.snmp?.oid ?? ''),
    },
  ],
  intents: ({ seq, at, intent, state, outcome }: ShownIntent) => [
    {
      seq,
      at: timeText(at),
      cause: intent.cause,
      policy: intent.policy,
      outcome: state,
      // What `offbox resolve` asks for.
      id: state === 'unknown' ? intent.id : '',
      // Last, where it may be folded: what a notice says is long, and so is a reason.
      wants: [wantText(intent.want), outcome?.reason].filter(Boolean).join(': '),
    },
  ],
  requests: ({ request, seq, vm, from, to, state, text, since }: ShownRequest) => [
    {
      request,
      seq: seq ?? '-',
      vm: vm ?? '-',
      from: from ?? '-',
      to: to ?? '-',
      state,
      since: since ? timeText(since) : '-',
      says: text,
    },
  ],
  sources: ({
    source,
    listening,
    received,
    dropped,
  }: {
    source: string;
    listening: readonly string[];
    received: number;
    dropped: Readonly<Record<string, number>>;
  }) => [
    {
      source,
      listening: listening.join(', '),
      received,
      dropped:
        Object.entries(dropped)
          .map(([cause, count]) => `${cause} ${count}`)
          .join(', ') || '0',
    },
  ],
};

export function wantText(want: ShownIntent['intent']['want']): string {
  if (want.kind === 'notice') return `notice: ${want.text}`;
  if (want.kind === 'report') return `report on ${want.request}: ${want.state}: ${want.text}`;
  return want.kind === 'read'
    ? `read ${[want.query, want.about].filter(Boolean).join(' ')} on ${want.target}`
    : `${want.resource.target}: ${resourceText(want.resource)} ${want.desired}`;
}

const isLost = ({ droppedKeys, droppedEvents }: Remembered): boolean => droppedKeys + droppedEvents > 0;

/** `12 keys`; what there was no room for, and where, and how much room there is. */
export function memoryText(remembered: readonly Remembered[]): string {
  const keys = remembered.reduce((sum, one) => sum + one.keys, 0);
  const lost = remembered.filter(isLost).map(({ place, droppedKeys, droppedEvents }) => {
    const what = [
      droppedKeys > 0 ? `${droppedKeys} of more than ${cellKeysMax} keys` : '',
      droppedEvents > 0 ? `${droppedEvents} events of keys with more than ${cellEventsMax}` : '',
    ];
    return `${place.slice(place.indexOf('/') + 1)} dropped ${what.filter(Boolean).join(' and ')}`;
  });
  return [`${keys} keys`, ...lost].join('; ');
}
