// A disk that really is full: Offbox in a process of its own, its journal on a file system of 16 MiB, beside a simulated gateway. It
// stops acting before it stops remembering, says what it does not keep, and goes on when there is room.
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { eventually } from '../../lab/real/process.ts';
import { ask } from '../../src/cli/client.ts';
import type { Entry } from '../../src/model/entry.ts';
import { controlSocket } from '../../src/runtime/api.ts';
import type { ShownEvent, ShownIntent } from '../../src/runtime/view.ts';
import { runOffbox, startOffbox } from '../cli/offbox.ts';
import { openPrivileged, type Terminal, type TestLab, testLab } from '../lab-sim/helpers.ts';
import { linkOffbox } from '../linked.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-full-'));
const disk = join(home, 'disk');
mkdirSync(disk);
const often = { withinMs: 60_000, everyMs: 50 };
const mebibyte = 1024 * 1024;

/** Mounts the small file system; returns why that cannot be done. */
function mounted(): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', disk], { stdio: 'pipe' });
    return undefined;
  } catch (thrown) {
    return `a file system cannot be mounted here: ${String(thrown).split('\n')[0]}`;
  }
}
const why = mounted();
if (why) process.stderr.write(`SKIPPED test/lab/full-disk.test.ts: ${why}\n`);
afterAll(() => {
  if (!why) execFileSync('umount', ['-l', disk]);
  rmSync(home, { recursive: true });
});

const data = join(disk, 'data');
const filler = join(disk, 'filler');
const socket = controlSocket(data);

const freeBytes = (): number => {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
};

/** Something else fills the disk but for so much. */
function fill(leaveBytes: number): void {
  rmSync(filler, { force: true });
  writeFileSync(filler, Buffer.alloc(Math.max(freeBytes() - leaveBytes, 0)));
}

/** An Offbox that runs, with all that it has said. */
class Running {
  readonly child = startOffbox(home, 'start');
  said = '';

  constructor() {
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
      });
    }
  }

  async says(form: RegExp): Promise<RegExpExecArray> {
    return eventually(`word of ${form}`, async () => form.exec(this.said) ?? undefined, often).catch((thrown: unknown) => {
      throw new Error(`it says ${this.said}`, { cause: thrown });
    });
  }

  async listening(): Promise<{ readonly url: string; readonly port: number }> {
    const [, port, url] = await this.says(/runs: .*syslog udp [\d.]+:(\d+).*http http ([\d.]+:\d+)/);
    return { url: `http://${url}`, port: Number(port) };
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }
}

const shown = <T>(what: string): Promise<readonly T[]> => ask(socket, 'GET', `/show/${what}`) as Promise<readonly T[]>;
const emit = (): Promise<unknown> =>
  ask(socket, 'POST', '/emit', {
    event: {
      target: 'gw-a',
      meaning: { kind: 'config.changed' },
      origin: { source: 'emit', peer: 'local', transport: 'local', trust: 'claimed', raw: '' },
    },
  });
const ensures = async (): Promise<readonly ShownIntent[]> =>
  (await shown<ShownIntent>('intents')).filter(({ intent }) => intent.want.kind === 'ensure');

describe.skipIf(why)(`a full disk${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: TestLab;
  let gateway: Terminal;
  let running: Running;
  let url: string;
  let port: number;
  const acknowledged: string[] = [];
  const networks = async (): Promise<readonly string[]> =>
    [...(await gateway.say('show running-config')).matchAll(/^\s*network (\S+)/gm)].map(([, one]) => one!);

  /** Asks for a migration that is not to be performed; the status it is answered with. */
  async function request(): Promise<number> {
    request.count += 1;
    const id = `r-${request.count}`;
    const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f';
    const body = JSON.stringify({ kind: 'migration-requested', request: id, vm: 'web1', uuid, from: 'gw-a', to: 'gw-b' });
    const { status } = await fetch(`${url}/requests`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (status === 202) acknowledged.push(id);
    return status;
  }
  request.count = 0;

  beforeAll(async () => {
    lab = await testLab();
    gateway = await openPrivileged(lab, 'gw-a');
    linkOffbox(home);
    mkdirSync(join(home, 'policies'));
    writeFileSync(
      join(home, 'policies', 'wanting.ts'),
      `import { bgpNetwork, config, policy } from 'offbox';
export default policy({ name: 'wanting', on: config.changed(), ensure: ({ target }) => bgpNetwork({ target }, '23.0.0.0/8') });
`,
    );
    writeFileSync(
      join(home, 'offbox.yaml'),
      `inventory: ${lab.lab.inventoryPath}
data: disk/data
sources: { syslog: { udp: '127.0.0.1:0' }, http: { listen: '127.0.0.1:0' } }
journal: { maxBytes: ${64 * mebibyte} }
modes: { default: enforce }
`,
    );
    running = new Running();
    ({ url, port } = await running.listening());
  });

  afterAll(async () => {
    if (running?.child.exitCode === null && running.child.signalCode === null) await running.end('SIGKILL');
    gateway?.client.end();
    await gateway?.ended;
    await lab?.end();
  });

  test('with little room it remembers what comes, and does nothing', async () => {
    expect(await request()).toBe(202);
    fill(2 * mebibyte);
    await running.says(/the journal has room for \S+ MiB more: nothing is done on any target/);
    await emit();
    await eventually('intent', async () => (await ensures()).length === 1, often);
    for (let count = 0; count < 20; count += 1) expect(await request()).toBe(202);
    expect(await ensures()).toMatchObject([{ state: 'open', attempts: 0 }]);
    expect(await networks()).toEqual([]);
  });

  test('with none it refuses what comes, counts it, and shows it', async () => {
    fill(0);
    // What of its log is used again has room for some more.
    await eventually('refusal', async () => (await request()) >= 400, often);
    await running.says(/has no room: .*Nothing is decided or done, and what comes is not kept, until there is room/s);
    expect([429, 503]).toContain(await request());
    await expect(emit()).rejects.toThrow('no room');
    const peer = createSocket('udp4');
    const dropped = async (): Promise<number> =>
      (await shown<{ source: string; dropped: Record<string, number> }>('sources')).find(({ source }) => source === 'syslog')!
        .dropped['no-room']!;
    const before = await dropped();
    for (let count = 0; count < 100; count += 1) peer.send(`<189>${count}: gw-a: %SYS-5-TEST: a line`, port, '127.0.0.1');
    await eventually('count of dropped lines', async () => (await dropped()) >= before + 100, often);
    peer.close();
    expect((await runOffbox(home, ['show', 'sources'])).out).toMatch(/syslog .*no-room \d+/);
    expect(await networks()).toEqual([]);
  });

  test('when there is room again it says how much was not kept, remembers, and does what waited', async () => {
    // As log files are rotated: in place.
    truncateSync(filler, 0);
    const [, told] = await running.says(/the journal has room again; (\d+) events were not kept/);
    expect(Number(told)).toBeGreaterThanOrEqual(100);
    await running.says(/what waited is done now/);
    await eventually('outcome of what waited', async () => (await ensures())[0]?.state === 'done', often);
    expect(await networks()).toEqual(['23.0.0.0']);
    expect(await request()).toBe(202);
    const gaps = (await shown<ShownEvent>('events')).flatMap(({ event: { meaning } }) =>
      meaning?.kind === 'source.gap' && meaning.source === 'journal' ? [meaning.reason] : [],
    );
    expect(gaps).toEqual([`it had no room: ${told} events were not kept`]);
  });

  test('nothing acknowledged is missing after it is killed and started again', async () => {
    fill(0);
    await eventually('refusal', async () => (await request()) >= 400, often);
    await running.end('SIGKILL');
    const { code, err } = await runOffbox(home, ['start']);
    expect([code, err]).toEqual([1, expect.stringContaining('Free disk space, then start again.')]);
    truncateSync(filler, 0);
    running = new Running();
    ({ url, port } = await running.listening());
    expect(await request()).toBe(202);
    await running.end('SIGTERM');
    expect(running.child.exitCode).toBe(0);
    const journal = await readSqliteJournal({ path: join(data, 'journal.sqlite') });
    const entries: Entry[] = [];
    for await (const batch of journal.read(0)) entries.push(...batch);
    await journal.close();
    const found = entries.flatMap((entry) =>
      entry.kind === 'event' && entry.event.meaning?.kind === 'vm.migration-requested' ? [entry.event.meaning.request] : [],
    );
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(found.filter((id) => acknowledged.includes(id))).toEqual(acknowledged);
    expect(new Set(found).size).toBe(found.length);
  });
});
