// The whole source against a NATS server of our own on loopback. The real one is met in test/lab.
import { nkeys } from '@nats-io/transport-node';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { subjectToken } from '../../adapters/source-nats/answers.ts';
import { type NatsSourceOptions, natsSource } from '../../adapters/source-nats/index.ts';
import { TargetError } from '../../src/model/errors.ts';
import { natsFlushMs, requestBytesMax } from '../../src/model/limits.ts';
import type { Report } from '../../src/ports/reporter.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { book, requested } from '../requests/kit.ts';
import { type Client, messageBytes, natsServer, nonce } from './server.ts';

type Server = Awaited<ReturnType<typeof natsServer>>;

async function made(servers: readonly string[], options: Partial<NatsSourceOptions> = {}) {
  const at = book();
  const common = { subject: 'offbox.request.>', outcomes: 'offbox.outcome', wall: realWall, intake: at.intake };
  const source = natsSource({ ...common, servers, ...options });
  onTestFinished(() => source.stop());
  return { ...at, source };
}

async function started(options: Partial<NatsSourceOptions> = {}, serverOptions: Parameters<typeof natsServer>[0] = {}) {
  const server = await natsServer(serverOptions);
  const at = await made([server.url], options);
  await at.source.start(at.sink);
  const client = await server.subscribed.next();
  /** The answer to what is sent. */
  const ask = async (payload: Uint8Array | string, more: Parameters<typeof messageBytes>[2] = {}): Promise<unknown> => {
    client.socket.write(messageBytes(client, payload, { reply: '_INBOX.1', ...more }));
    const { subject, text } = await server.published.next();
    expect(subject).toBe('_INBOX.1');
    return JSON.parse(text);
  };
  return { ...at, server, client, ask };
}

const good = JSON.stringify(requested);
const report: Report = { intent: 'p@1/9/0', request: 'r-1', state: 'running', text: 'it runs', final: false };

describe('a request over NATS', () => {
  it('is answered with its seq after the commit, and not before', async () => {
    const { mode, client, server, offered, commit, lastSeq, source } = await started();
    mode.commits = 'when-told';
    client.socket.write(messageBytes(client, good, { reply: '_INBOX.1', on: 'offbox.request.nova' }));
    await expect.poll(() => offered.length).toBe(1);
    // Answered while the first is not: had that been too, it would stand before this one.
    client.socket.write(messageBytes(client, '{', { reply: '_INBOX.2' }));
    expect((await server.published.next()).subject).toBe('_INBOX.2');
    commit();
    const { subject, text } = await server.published.next();
    expect([subject, JSON.parse(text)]).toEqual(['_INBOX.1', { seq: lastSeq(), request: 'r-1' }]);
    expect(offered[0]?.origin).toEqual({
      source: 'nats',
      peer: 'offbox.request.nova',
      transport: 'nats',
      trust: 'claimed',
      raw: good,
    });
    expect(source.stats()).toMatchObject({ received: 2, dropped: { malformed: 1 } });
  });

  it.each([
    ['malformed', '{', { code: 'malformed' }],
    ['not UTF-8', Uint8Array.of(0xff), { code: 'malformed', cause: 'this is not UTF-8' }],
    ['of a field that there is not', JSON.stringify({ ...requested, urgent: true }), { code: 'malformed', field: 'urgent' }],
    ['for a host nobody knows', JSON.stringify({ ...requested, to: 'kvm9' }), { code: 'unknown-host', field: 'to' }],
    ['too large', ' '.repeat(requestBytesMax + 1), { code: 'too-large' }],
  ])('that is %s is refused with cause and remedy, and counted', async (_, payload, error) => {
    const { ask, source, offered } = await started();
    expect(await ask(payload)).toMatchObject({ error: { ...error, cause: expect.any(String), remedy: expect.any(String) } });
    expect(source.stats()).toMatchObject({ received: 1, dropped: { [error.code]: 1 } });
    expect(offered).toEqual([]);
  });

  it('is put off where there is no room, and told to come again where the journal failed', async () => {
    const { ask, mode, source } = await started();
    mode.room = false;
    expect(await ask(good)).toMatchObject({ error: { code: 'busy' } });
    mode.room = true;
    mode.commits = 'never-durable';
    expect(await ask(good)).toMatchObject({ error: { code: 'lost' } });
    expect(source.stats().dropped).toEqual({ 'no-room': 1, lost: 1 });
  });

  it('without a reply subject is taken and not answered', async () => {
    const { client, ask, offered } = await started();
    client.socket.write(messageBytes(client, good));
    expect(await ask(JSON.stringify({ ...requested, request: 'r-2' }))).toMatchObject({ request: 'r-2' });
    expect(offered).toHaveLength(2);
  });

  it('that is under way is answered before the source stops', async () => {
    const { client, mode, offered, server, source, commit } = await started();
    mode.commits = 'when-told';
    client.socket.write(messageBytes(client, good, { reply: '_INBOX.1' }));
    await expect.poll(() => offered.length).toBe(1);
    const stopped = source.stop();
    commit();
    expect((await server.published.next()).subject).toBe('_INBOX.1');
    await stopped;
  });
});

describe('logging in', () => {
  it.each([
    ['user and password', { user: 'offbox', password: 'sesame' }, { user: 'offbox', pass: 'sesame' }],
    ['a token', { token: 'sesame' }, { auth_token: 'sesame' }],
  ])('with %s makes requests authenticated, and journals none of it', async (_, login, heard) => {
    const { client, ask, offered } = await started(login);
    expect(client.login).toMatchObject(heard);
    await ask(good);
    expect(offered[0]?.origin.trust).toBe('authenticated');
    expect(JSON.stringify(offered)).not.toContain('sesame');
  });

  it('with credentials signs what the server gave, and keeps the seed', async () => {
    const user = nkeys.createUser();
    const seed = Buffer.from(user.getSeed()).toString();
    const credentials = `-----BEGIN NATS USER JWT-----\nthe.jwt\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
    const { client, offered, ask } = await started({ credentials });
    expect(client.login).toMatchObject({ jwt: 'the.jwt' });
    const signature = Buffer.from(client.login.sig as string, 'base64url');
    expect(nkeys.fromPublic(user.getPublicKey()).verify(Buffer.from(nonce), signature)).toBe(true);
    await ask(good);
    expect(JSON.stringify([client.login, offered])).not.toContain(seed);
  });

  it('that is refused keeps Offbox from starting, and says so', async () => {
    const server = await natsServer({ refuses: 'login' });
    const at = await made([server.url], { token: 'sesame' });
    const failure = await at.source.start(at.sink).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ code: 'nats-login' });
    expect(failure?.message).not.toContain('sesame');
  });

  it('and not being let hear requests keeps Offbox from starting too', async () => {
    const server = await natsServer({ refuses: { verb: 'subscription', subject: 'offbox.request.>' } });
    const at = await made([server.url]);
    await expect(at.source.start(at.sink)).rejects.toMatchObject({ code: 'nats-permission' });
  });

  it('does not happen in the clear where TLS is asked for', async () => {
    const server = await natsServer();
    const at = await made([server.url], { tls: {}, token: 'sesame' });
    await at.source.start(at.sink);
    expect(at.gaps).toEqual([expect.stringMatching(/not connected: .*tls/)]);
    expect(server.logins).toEqual([]);
  });

  it('with credentials that are none keeps Offbox from starting, and tells nothing of them', async () => {
    const server = await natsServer();
    const at = await made([server.url], { credentials: 'sesame' });
    await expect(at.source.start(at.sink)).rejects.toMatchObject({
      code: 'nats-credentials',
      message: expect.not.stringContaining('sesame'),
    });
  });
});

describe('a server that is away', () => {
  async function backOn(port: number): Promise<{ readonly server: Server; readonly client: Client }> {
    const server = await natsServer({ port });
    return { server, client: await server.subscribed.next() };
  }

  it('keeps nobody from starting; it is heard from when it comes', async () => {
    const first = await natsServer();
    await first.close();
    const at = await made([first.url]);
    await at.source.start(at.sink);
    expect(at.gaps).toEqual([expect.stringContaining('not connected')]);
    expect(at.source.stats().listening[0]).toContain('(not connected)');
    const { server, client } = await backOn(first.port);
    client.socket.write(messageBytes(client, good, { reply: '_INBOX.1' }));
    expect(JSON.parse((await server.published.next()).text)).toMatchObject({ request: 'r-1' });
    await expect.poll(() => at.gaps.length).toBe(2);
    expect(at.gaps[1]).toContain('connected again');
  });

  it('is subscribed to again when it comes back, and the gap is told', async () => {
    const at = await started();
    at.server.drop();
    const client = await at.server.subscribed.next();
    client.socket.write(messageBytes(client, good, { reply: '_INBOX.1' }));
    expect(JSON.parse((await at.server.published.next()).text)).toMatchObject({ request: 'r-1' });
    await expect.poll(() => at.gaps).toEqual([expect.stringContaining('was lost'), expect.stringContaining('connected again')]);
  });

  it('is told, and asked for again, where the server does not let us hear requests any more', async () => {
    const rules: NonNullable<Parameters<typeof natsServer>[0]> & { refuses?: unknown } = {};
    const { server, source, gaps, lastSeq } = await started({}, rules);
    Object.assign(rules, { refuses: { verb: 'subscription', subject: 'offbox.request.>' } });
    server.drop();
    await expect.poll(() => gaps.join(), { timeout: 10_000 }).toContain('does not let us hear offbox.request.>');
    expect(source.stats().listening[0]).toContain('not heard');
    Object.assign(rules, { refuses: undefined });
    const client = await server.subscribed.next();
    await expect.poll(() => gaps.at(-1), { timeout: 10_000 }).toContain('connected again');
    client.socket.write(messageBytes(client, good, { reply: '_INBOX.1' }));
    expect(JSON.parse((await server.published.next()).text)).toEqual({ seq: lastSeq(), request: 'r-1' });
    expect(source.stats().listening[0]).not.toContain('not heard');
  }, 30_000);

  it('does not keep Offbox from stopping', async () => {
    const first = await natsServer();
    await first.close();
    const at = await made([first.url]);
    await at.source.start(at.sink);
    await at.source.stop();
    expect(at.source.stats().listening).toEqual([]);
  });
});

describe('a report', () => {
  it('is published under its request, marked with its intent, and delivered when the server has it', async () => {
    const { source, server } = await started();
    await source.reporter.report(report);
    const { subject, text, headers } = await server.published.next();
    expect([subject, JSON.parse(text)]).toEqual(['offbox.outcome.r-1', report]);
    expect(headers).toContain('Nats-Msg-Id: p%401%2F9%2F0\r\n');
  });

  it('goes to the inbox too where the request asks for that, until the last one', async () => {
    const { source, server, ask } = await started();
    await ask(good, { headers: 'NATS/1.0\r\nOffbox-Reports: reply\r\n\r\n' });
    await source.reporter.report(report);
    await source.reporter.report({ ...report, intent: 'p@1/9/1', state: 'done', final: true });
    await source.reporter.report({ ...report, intent: 'p@1/9/2', state: 'done', final: true });
    const subjects = server.published.items.map(({ subject }) => subject);
    expect(subjects).toEqual([
      '_INBOX.1',
      'offbox.outcome.r-1',
      '_INBOX.1',
      'offbox.outcome.r-1',
      '_INBOX.1',
      'offbox.outcome.r-1',
    ]);
  });

  it('is not delivered while there is no connection, and may be later', async () => {
    const { source, server } = await started();
    await server.close();
    await expect.poll(() => source.stats().listening[0]).toContain('(not connected)');
    const failure = await source.reporter.report(report).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(TargetError);
    expect(failure).toMatchObject({ code: 'nats-away', retry: true });
  });

  it('is not delivered by a server that does not say that it has it', async () => {
    // The same wait, a hundred times faster.
    const wall = { ...realWall, after: (ms: number, ring: () => void) => realWall.after(ms / 100, ring) };
    const { source } = await started({ wall }, { silent: true });
    await expect(source.reporter.report(report)).rejects.toMatchObject({
      code: 'nats-away',
      retry: true,
      message: expect.stringContaining(`${natsFlushMs / 1_000} s`),
    });
  });

  it('never goes where the server does not let us publish, and says so', async () => {
    const { source } = await started({}, { refuses: { verb: 'publish', subject: 'offbox.outcome.r-1' } });
    await expect(source.reporter.report(report)).rejects.toMatchObject({ code: 'nats-refused', retry: false });
    await source.reporter.report({ ...report, request: 'r-2' });
  });

  it('never goes where it is larger than the server takes', async () => {
    const { source } = await started();
    const text = 'x'.repeat(1_048_577);
    await expect(source.reporter.report({ ...report, text })).rejects.toMatchObject({ code: 'nats-refused', retry: false });
  });

  it('has a subject of one token, whatever the request is called, and no two the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        const token = subjectToken(one);
        expect(token).toMatch(/^[^\s.*>]+$/);
        if (one.toWellFormed() !== other.toWellFormed()) expect(subjectToken(other)).not.toBe(token);
      }),
    );
  });
});

describe('whatever is sent', () => {
  it('is answered, whole or a byte at a time, and brings nothing down', async () => {
    const { client, server, ask } = await started();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        fc.option(fc.string({ unit: 'binary-ascii', maxLength: 60 }), { nil: undefined }),
        fc.boolean(),
        async (payload, headers, whole) => {
          const bytes = messageBytes(client, payload, { reply: '_INBOX.9', ...(headers === undefined ? {} : { headers }) });
          if (whole) client.socket.write(bytes);
          else for (const byte of bytes) client.socket.write(Uint8Array.of(byte));
          const { subject, text } = await server.published.next();
          expect(subject).toBe('_INBOX.9');
          expect(JSON.parse(text)).toHaveProperty('error');
        },
      ),
      { numRuns: 300 },
    );
    expect(await ask(good)).toMatchObject({ request: 'r-1' });
  });

  it('by a server that does not speak NATS brings nothing down either', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    onTestFinished(() => said.mockRestore());
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), async (bytes) => {
        const server = await natsServer();
        const at = await made([server.url]);
        await at.source.start(at.sink);
        const client = await server.subscribed.next();
        await new Promise((sent) => client.socket.write(bytes, sent));
        await at.source.stop();
        await server.close();
      }),
      { numRuns: 50 },
    );
  });
});
