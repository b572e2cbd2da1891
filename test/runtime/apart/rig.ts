// Offbox as `offbox start` puts it together, in this process: real policies on disk, their own thread, a real journal, syslog over TCP.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readSqliteJournal } from '../../../adapters/journal-sqlite/index.ts';
import { compose } from '../../../src/main.ts';
import type { Entry, EntryOf } from '../../../src/model/entry.ts';
import type { Rebuilt } from '../../../src/runtime/apart/apart.ts';
import { loadConfig } from '../../../src/runtime/config.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { linkOffbox, linkRxjs } from '../../linked.ts';

export interface Home {
  readonly folder: string;
  write(name: string, text: string): void;
  remove(name: string): void;
}

/** A folder that has all but its policies. */
export function homeIn(folder: string): Home {
  const path = (name: string): string => join(folder, 'policies', `${name}.ts`);
  return {
    folder,
    write: (name, text) => writeFileSync(path(name), text),
    remove: (name) => rmSync(path(name)),
  };
}

/** Gone when the test is over. */
export function homeWith(policies: Readonly<Record<string, string>>): Home {
  const folder = mkdtempSync(join(tmpdir(), 'offbox-apart-'));
  linkOffbox(folder);
  linkRxjs(folder);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'inventory.yaml'), 'targets:\n  gw: { platform: frr, address: 127.0.0.1 }\n');
  writeFileSync(
    join(folder, 'offbox.yaml'),
    "inventory: inventory.yaml\nsources:\n  syslog: { tcp: '127.0.0.1:0' }\nmodes: { default: observe }\n",
  );
  const home = homeIn(folder);
  for (const [name, text] of Object.entries(policies)) home.write(name, text);
  return home;
}

/** A policy that says a notice for each message of a mnemonic, with its text; `before` is done first, with the event as `event`. */
export function telling(name: string, mnemonic: string, before = '', top = ''): string {
  return `import { policy, syslog } from 'offbox';
import { mergeMap } from 'rxjs';
${top}
export default policy({
  name: '${name}',
  on: syslog({ mnemonic: '${mnemonic}' }),
  pipe: (events, { notice }) =>
    events.pipe(
      mergeMap((event) => {
        ${before}
        return notice('${name}', event.text);
      }),
    ),
});
`;
}

/** `spins` does not come back from `HELLO: poison`, and `good` hears what it hears. */
export function homeOfOneThatSpins(): Home {
  return homeWith({
    good: telling('good', 'HELLO'),
    spins: telling('spins', 'HELLO', "while (event.text === 'poison');"),
  });
}

export interface Offbox {
  readonly runtime: Runtime;
  readonly entries: Entry[];
  readonly rebuilt: Rebuilt[];
  readonly warnings: string[];
  readonly failures: Error[];
  readonly reloadFaults: string[];
  ofKind<K extends Entry['kind']>(kind: K): readonly EntryOf<K>[];
  /** What a policy has said, in order. */
  notices(policy: string): readonly string[];
  /** Resolves when the journal has it. */
  until(what: string, is: () => boolean, withinMs?: number): Promise<void>;
  /** Sends messages over TCP; resolves when all were handed to the kernel. */
  say(lines: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export const line = (mnemonic: string, text: string): string => `<189>: *Nov 23 03:31:09.857: %TEST-5-${mnemonic}: ${text}`;

/** Stopped when the test is over. `keeps`: what is remembered of the entries, where they are many. */
export async function started(home: Home, keeps: (entry: Entry) => boolean = () => true): Promise<Offbox> {
  const entries: Entry[] = [];
  const rebuilt: Rebuilt[] = [];
  const [warnings, failures, reloadFaults] = [[], [], []] as [string[], Error[], string[]];
  let heard: () => void = () => undefined;
  const hear =
    <T>(list: T[]) =>
    (one: T): void => {
      list.push(one);
      heard();
    };
  const runtime = await compose({
    ...(await loadConfig(join(home.folder, 'offbox.yaml'))),
    warn: hear(warnings),
    watch: {
      onEntry: (entry) => {
        if (keeps(entry)) hear(entries)(entry);
      },
      onRebuilt: hear(rebuilt),
      onFailure: hear(failures),
      onReloadFailed: hear(reloadFaults),
      onReload: () => heard(),
    },
  });
  onTestFinished(() => runtime.stop());
  const ofKind = <K extends Entry['kind']>(kind: K) =>
    entries.filter((entry) => entry.kind === kind) as unknown as readonly EntryOf<K>[];
  const [, address = ''] = /tcp (\S+)/.exec(runtime.sources[0]!.stats().listening.join(' ')) ?? [];
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  return {
    runtime,
    entries,
    rebuilt,
    warnings,
    failures,
    reloadFaults,
    ofKind,
    notices: (policy) =>
      ofKind('intent').flatMap(({ intent }) =>
        intent.policy === policy && intent.want.kind === 'notice' ? [intent.want.text] : [],
      ),
    until: (what, is, withinMs = 20_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`never: ${what}; the last: ${JSON.stringify(entries.slice(-8))}`)),
          withinMs,
        );
        heard = () => {
          if (!is()) return;
          clearTimeout(timer);
          resolve();
        };
        heard();
      }),
    say: (lines) => sent(port, lines),
    stop: () => runtime.stop(),
  };
}

/** Resolves when all lines were handed over and the other end has closed. */
export function sent(port: number, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(`${lines.join('\n')}\n`));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** What the journal on disk holds, read apart from whoever writes it. */
export async function journaled(home: Home): Promise<readonly Entry[]> {
  const journal = await readSqliteJournal({ path: join(home.folder, '.offbox', 'journal.sqlite') });
  const entries: Entry[] = [];
  for await (const batch of journal.read(0)) entries.push(...batch);
  await journal.close();
  return entries;
}
