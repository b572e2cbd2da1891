// Debian's nats-server between an orchestrator and a real Offbox: requests in, outcomes out, over logins, TLS and crashes.
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { type NatsSourceOptions, natsSource } from '../../adapters/source-nats/index.ts';
import { whySkipped } from '../../lab/real/available.ts';
import { eventually, onLines, stop } from '../../lab/real/process.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { Report } from '../../src/ports/reporter.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { startOffbox } from '../cli/offbox.ts';
import { book, requested, uuid } from '../requests/kit.ts';
import { natsProgram, startNatsServer } from './nats-server.ts';

const why = whySkipped({ programs: [natsProgram], privilege: 'none' });
if (why) process.stderr.write(`SKIPPED test/lab/nats.test.ts: ${why}\n`);

const tlsFile = (name: string): string => join(import.meta.dirname, '../fixtures/tls', name);
const pem = (name: string): Promise<string> => readFile(tlsFile(name), 'utf8');

const users = `authorization { users: [
  { user: offbox, password: sesame, permissions: { publish: ["offbox.outcome.>", "_INBOX.>"], subscribe: "offbox.request.>" } }
  { user: nova, password: sesame, permissions: { publish: "offbox.request.nova", subscribe: ["_INBOX.>", "offbox.outcome.>"] } }
] }`;

async function folderOf(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'offbox-nats-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function realServer(config: string, port?: number) {
  const server = await startNatsServer(config, port);
  onTestFinished(() => server.end());
  return server;
}

async function client(url: string, user?: string): Promise<NatsConnection> {
  const connection = await connect({ servers: url, reconnectTimeWait: 100, ...(user ? { user, pass: 'sesame' } : {}) });
  onTestFinished(() => connection.close());
  return connection;
}

async function ask(connection: NatsConnection, body: object, subject = 'offbox.request.nova'): Promise<unknown> {
  return (await connection.request(subject, JSON.stringify(body), { timeout: 5_000 })).json();
}

/** What is published under the outcomes, as it comes. */
async function outcomesOf(connection: NatsConnection): Promise<{ readonly id: string | undefined; readonly report: Report }[]> {
  const heard: { id: string | undefined; report: Report }[] = [];
  connection.subscribe('offbox.outcome.>', {
    callback: (_, message) => {
      heard.push({ id: message.headers?.get('Nats-Msg-Id'), report: message.json<Report>() });
    },
  });
  await connection.flush();
  return heard;
}

async function offboxFolder(url: string): Promise<string> {
  const folder = await folderOf();
  await mkdir(join(folder, 'policies'));
  await writeFile(join(folder, 'secret'), 'sesame\n', { mode: 0o600 });
  const nats = `{ servers: ["${url}"], user: offbox, password: { file: secret } }`;
  await writeFile(join(folder, 'offbox.yaml'), `sources: { nats: ${nats} }\n`);
  const targets = 'kvm1: { platform: frr, address: 192.0.2.1 }, kvm2: { platform: frr, address: 192.0.2.2 }';
  await writeFile(join(folder, 'inventory.yaml'), `targets: { ${targets} }\n`);
  return folder;
}

/** The real command, telling every entry. */
async function offbox(folder: string) {
  const child = startOffbox(folder, 'start', '--json');
  const end = (signal?: NodeJS.Signals): Promise<void> => stop(child, signal);
  onTestFinished(() => end('SIGKILL'));
  const entries: Entry[] = [];
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  onLines(child, (line) => void entries.push(JSON.parse(line) as Entry));
  return { entries, end, ended: once(child, 'exit').then(([code]) => ({ code: code as number, complaint })) };
}

const asked = { ...requested, uuid };

describe.skipIf(why)('an orchestrator behind nats-server', () => {
  it('is answered with the seq of the entry, and hears the outcome of an earlier request', async () => {
    const server = await realServer(users);
    const nova = await client(server.url, 'nova');
    const heard = await outcomesOf(nova);
    const folder = await offboxFolder(server.url);
    const want = { kind: 'report', request: 'r-0', state: 'done', text: 'it runs on kvm2', final: true } as const;
    const intent = { id: 'old@1/9/0', policy: 'old', version: '1', cause: 9, key: 'k', want };
    await mkdir(join(folder, '.offbox'));
    const journal = await openSqliteJournal({ path: join(folder, '.offbox', 'journal.sqlite') });
    await journal.append(
      [
        { kind: 'deploy', policy: 'old', version: '1', runtime: 'test', at: 1 },
        { kind: 'intent', intent, at: realWall.now() },
      ],
      { epoch: 1, lastSeq: 0 },
    );
    await journal.close();

    const first = await offbox(folder);
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(1);
    expect(heard).toEqual([
      { id: 'old%401%2F9%2F0', report: expect.objectContaining({ request: 'r-0', intent: 'old@1/9/0', state: 'done' }) },
    ]);
    const answer = await ask(nova, asked);
    const isRequest = (each: Entry): boolean => each.kind === 'event' && each.event.meaning?.kind === 'vm.migration-requested';
    // Its standard output is another way than NATS.
    await expect.poll(() => first.entries.some(isRequest)).toBe(true);
    const entry = first.entries.find(isRequest);
    expect(answer).toEqual({ request: 'r-1', seq: entry?.seq });
    expect(entry).toMatchObject({ event: { origin: { peer: 'offbox.request.nova', trust: 'authenticated' } } });
    expect(JSON.stringify(first.entries)).not.toContain('sesame');

    // It dies; whoever asks again hears the same, and the outcome is not told once more.
    await first.end('SIGKILL');
    const second = await offbox(folder);
    const again = await eventually('answer', () => ask(nova, asked), { withinMs: 20_000 });
    expect(again).toEqual(answer);
    expect(await ask(nova, { kind: 'migration-done', request: 'r-1' })).toMatchObject({ request: 'r-1' });
    expect(heard).toHaveLength(1);
    await second.end();
  });

  it('is told by its server where nobody hears it', async () => {
    const server = await realServer(users);
    const nova = await client(server.url, 'nova');
    await expect(ask(nova, asked)).rejects.toThrow(/no responders/i);
  });

  it('is served again when nats-server died and came back', async () => {
    const first = await realServer(users);
    const folder = await offboxFolder(first.url);
    const nova = await client(first.url, 'nova');
    const running = await offbox(folder);
    await eventually('answer', () => ask(nova, asked), { withinMs: 20_000 });
    await first.end('SIGKILL');
    await realServer(users, first.port);
    expect(await eventually('answer', () => ask(nova, { ...asked, request: 'r-2' }), { withinMs: 20_000 })).toMatchObject({
      request: 'r-2',
    });
    const gaps = running.entries.flatMap((each) =>
      each.kind === 'event' && each.event.meaning?.kind === 'source.gap' && each.event.meaning.source === 'nats'
        ? [each.event.meaning]
        : [],
    );
    expect(gaps.map(({ targets }) => targets)).toEqual([[], []]);
  });

  it('finds no Offbox where the server does not let it listen: it ends, and says why', async () => {
    const server = await realServer(users.replace('subscribe: "offbox.request.>"', 'subscribe: "other.>"'));
    const { ended } = await offbox(await offboxFolder(server.url));
    const { code, complaint } = await ended;
    expect(code).not.toBe(0);
    expect(complaint).toContain('does not let us hear offbox.request.>');
    expect(complaint).not.toContain('sesame');
  });
});

describe.skipIf(why)('the source against nats-server', () => {
  async function sourceFor(url: string, options: Partial<NatsSourceOptions>) {
    const at = book();
    const common = { subject: 'offbox.request.>', outcomes: 'offbox.outcome', wall: realWall, intake: at.intake };
    const source = natsSource({ ...common, servers: [url], ...options });
    onTestFinished(() => source.stop());
    await source.start(at.sink);
    return { ...at, source };
  }
  const verify = `tls { cert_file: "${tlsFile('server.crt')}", key_file: "${tlsFile('server.key')}", ca_file: "${tlsFile('ca.crt')}", verify: true }`;

  it('speaks TLS with a certificate of its own, and is authenticated by it', async () => {
    const server = await realServer(verify);
    const tls = { ca: await pem('ca.crt'), certificate: await pem('orchestrator.crt'), key: await pem('orchestrator.key') };
    const at = await sourceFor(server.url, { tls });
    expect(at.gaps).toEqual([]);
    const connection = await connect({ servers: server.url, tls: { ca: tls.ca, cert: tls.certificate, key: tls.key } });
    onTestFinished(() => connection.close());
    expect(await ask(connection, requested)).toMatchObject({ request: 'r-1' });
    expect(at.offered[0]?.origin.trust).toBe('authenticated');
  });

  it('speaks to no server that its CA has not signed', async () => {
    const server = await realServer(verify.replace(', verify: true', ''));
    const at = await sourceFor(server.url, { tls: {} });
    expect(at.gaps).toEqual([expect.stringMatching(/not connected: .*certificate/)]);
    expect(at.source.stats().listening[0]).toContain('(not connected)');
  });

  it('has its reports kept once by a JetStream stream, though they are sent twice', async () => {
    const server = await realServer(`jetstream { store_dir: "${await folderOf()}" }`);
    const connection = await client(server.url);
    const api = (verb: string, body: object) => ask(connection, body, `$JS.API.STREAM.${verb}.OUT`);
    await api('CREATE', { name: 'OUT', subjects: ['offbox.outcome.>'], storage: 'memory' });
    const { source } = await sourceFor(server.url, {});
    const report: Report = { intent: 'p@1/9/0', request: 'r-1', state: 'running', text: 'it runs', final: false };
    await source.reporter.report(report);
    await source.reporter.report(report);
    await source.reporter.report({ ...report, intent: 'p@1/9/1', state: 'done', final: true });
    expect(await api('INFO', {})).toMatchObject({ state: { messages: 2 } });
  });

  it('is told where the server does not let it publish outcomes', async () => {
    const server = await realServer(users.replace('"offbox.outcome.>", ', ''));
    const { source } = await sourceFor(server.url, { user: 'offbox', password: 'sesame' });
    const report: Report = { intent: 'p@1/9/0', request: 'r-1', state: 'done', text: 'it runs', final: true };
    await expect(source.reporter.report(report)).rejects.toMatchObject({ code: 'nats-refused', retry: false });
  });
});
