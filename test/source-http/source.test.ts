// The whole source over real sockets on loopback: who gets in, what is answered and when, and what a client cannot do.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type HttpSourceOptions, httpSource } from '../../adapters/source-http/index.ts';
import { requestBytesMax } from '../../src/model/limits.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { book, requested } from '../requests/kit.ts';

const token = 'a-token-of-some-length';
const bearer = { authorization: `Bearer ${token}` };
const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8');

type Made = Pick<HttpSourceOptions, 'token' | 'tls' | 'clients' | 'requestMs'>;

async function started(options: Made = { token }) {
  const at = book();
  const source = httpSource({ host: '127.0.0.1', port: 0, intake: at.intake, book: at.requests, wall: realWall, ...options });
  await source.start(at.sink);
  onTestFinished(() => source.stop());
  const [scheme = '', address = ''] = source.stats().listening[0]!.split(' ');
  const url = `${scheme}://${address}`;
  const port = Number(address.split(':').at(-1));
  const json = { 'content-type': 'application/json' };
  const post = (body: unknown, headers: Record<string, string> = bearer) =>
    fetch(`${url}/requests`, {
      method: 'POST',
      headers: { ...json, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const get = (id: string, headers: Record<string, string> = bearer) => fetch(`${url}/requests/${id}`, { headers });
  return { ...at, source, url, port, post, get };
}

describe('a request over HTTP', () => {
  it('is answered with its seq after the commit, and not before', async () => {
    const at = await started();
    at.mode.commits = 'when-told';
    let answered = false;
    const answer = at.post(requested).finally(() => {
      answered = true;
    });
    await expect.poll(() => at.offered.length).toBe(1);
    expect(answered).toBe(false);
    at.commit();
    const response = await answer;
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/requests/r-1');
    expect(await response.json()).toEqual({ seq: at.lastSeq(), request: 'r-1' });
    expect(at.offered[0]?.origin).toMatchObject({ source: 'http', peer: '127.0.0.1', trust: 'authenticated' });
    expect(JSON.stringify(at.offered)).not.toContain(token);
  });

  it.each([
    ['malformed', '{', 400, { code: 'malformed' }],
    ['of a field that there is not', { ...requested, callback: 'http://203.0.113.1/' }, 400, { field: 'callback' }],
    ['for a host nobody knows', { ...requested, to: 'kvm9' }, 400, { code: 'unknown-host', field: 'to' }],
    ['too large', ' '.repeat(requestBytesMax + 1), 413, { code: 'too-large' }],
  ])('that is %s is refused with problem details and counted', async (_, body, status, problem) => {
    const at = await started();
    const response = await at.post(body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const told = (await response.json()) as { readonly code: string };
    expect(told).toMatchObject({ status, ...problem, detail: expect.any(String), remedy: expect.any(String) });
    expect(at.source.stats().dropped).toEqual({ [told.code]: 1 });
    expect(at.offered).toEqual([]);
  });

  it('that asks for something else under the same id is a conflict', async () => {
    const at = await started();
    await at.post(requested);
    expect((await at.post({ ...requested, perform: true })).status).toBe(409);
    const again = await at.post(requested);
    expect([again.status, await again.json()]).toEqual([202, { seq: at.lastSeq(), request: 'r-1' }]);
  });

  it('is put off where there is no room, and told to come again where the journal failed', async () => {
    const at = await started();
    at.mode.room = false;
    const busy = await at.post(requested);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '1']);
    at.mode.room = true;
    at.mode.commits = 'never-durable';
    const lost = await at.post(requested);
    expect([lost.status, lost.headers.get('retry-after')]).toEqual([503, '1']);
    expect(at.source.stats().dropped).toEqual({ 'no-room': 1, lost: 1 });
  });

  it('is not read as anything but JSON', async () => {
    const at = await started();
    expect((await at.post(requested, { ...bearer, 'content-type': 'text/plain' })).status).toBe(415);
    const nothing = await fetch(`${at.url}/requests`, { method: 'POST', headers: bearer });
    expect(nothing.status).toBe(400);
    expect((await fetch(`${at.url}/elsewhere`, { headers: bearer })).status).toBe(404);
  });
});

describe('what became of a request', () => {
  it('is told: nothing yet, then the last report', async () => {
    const at = await started();
    expect((await at.get('r-1')).status).toBe(404);
    await at.post(requested);
    const seq = at.lastSeq();
    expect(await (await at.get('r-1')).json()).toEqual({ request: 'r-1', seq, state: 'received', text: '', final: false });
    for (const [n, state] of (['running', 'done'] as const).entries()) {
      const want = { kind: 'report', request: 'r-1', state, text: `it is ${state}`, final: state === 'done' } as const;
      at.append({ kind: 'intent', intent: { id: `p@1/9/${n}`, policy: 'p', version: '1', cause: 9, key: 'k', want } });
    }
    expect(await (await at.get('r-1')).json()).toMatchObject({
      request: 'r-1',
      seq,
      intent: 'p@1/9/1',
      state: 'done',
      text: 'it is done',
      final: true,
    });
  });

  it('is told to those who may send requests, and to nobody else', async () => {
    const at = await started();
    await at.post(requested);
    expect((await at.get('r-1', {})).status).toBe(401);
  });
});

describe('whoever may not come in', () => {
  it.each([
    ['without a token', {}],
    ['with another token', { authorization: 'Bearer another-token-of-length' }],
    ['with half of it', { authorization: `Bearer ${token.slice(0, 8)}` }],
    ['with more than it', { authorization: `Bearer ${token}x` }],
    ['with another scheme', { authorization: `Basic ${token}` }],
    ['with an empty token', { authorization: 'Bearer ' }],
  ])('%s hears 401 and nothing else', async (_, headers) => {
    const at = await started();
    const response = await at.post(requested, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.text()).not.toContain(token);
    expect(at.offered).toEqual([]);
    expect(at.source.stats().dropped).toEqual({ login: 1 });
  });

  it('gets no short token to guess', () => {
    const { intake, requests } = book();
    expect(() => httpSource({ host: '127.0.0.1', port: 0, intake, book: requests, wall: realWall, token: 'short' })).toThrow(
      /too short/,
    );
  });

  it('is believed less where nobody is asked for anything', async () => {
    const at = await started({});
    expect((await at.post(requested, {})).status).toBe(202);
    expect(at.offered[0]?.origin.trust).toBe('claimed');
  });
});

describe('with client certificates', () => {
  const tls = { certificate: pem('server.crt'), key: pem('server.key'), clientCa: pem('ca.crt') };

  function send(port: number, client: string | undefined, headers: Record<string, string> = {}): Promise<number> {
    const identity = client === undefined ? {} : { cert: pem(`${client}.crt`), key: pem(`${client}.key`) };
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: '/requests', method: 'POST', ca: pem('ca.crt'), agent: false as const };
      const request = httpsRequest({ ...options, ...identity, headers: { 'content-type': 'application/json', ...headers } });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
      request.end(JSON.stringify(requested));
    });
  }

  it('takes those whose subject is on the list, as authenticated', async () => {
    const at = await started({ tls, clients: ['orchestrator.example'] });
    expect(await send(at.port, 'orchestrator')).toBe(202);
    expect(at.offered[0]?.origin.trust).toBe('authenticated');
  });

  it('turns away another subject of the same CA, and whoever has no certificate', async () => {
    const at = await started({ tls, clients: ['orchestrator.example'] });
    expect(await send(at.port, 'stranger')).toBe(403);
    await expect(send(at.port, undefined)).rejects.toThrow();
    expect(at.offered).toEqual([]);
  });

  it('asks for the token too where there is one', async () => {
    const at = await started({ tls, clients: ['orchestrator.example'], token });
    expect(await send(at.port, 'orchestrator')).toBe(401);
    expect(await send(at.port, 'orchestrator', bearer)).toBe(202);
  });
});

describe('a client that means harm', () => {
  async function raw(port: number, text: string | Uint8Array): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port });
    let heard = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      heard += part;
    });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(text);
    await once(socket, 'close');
    return heard;
  }

  it.each([
    ['headers', `POST /requests HTTP/1.1\r\nHost: x\r\nX-Slow: `],
    [
      'body',
      `POST /requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    ],
  ])('is cut off where it never ends its %s', async (_, text) => {
    const at = await started({ token, requestMs: 200 });
    expect(await raw(at.port, text)).toContain('408');
  });

  it('does not keep the source from stopping by sending slowly', async () => {
    const at = await started({ token, requestMs: 300 });
    const socket = connect(at.port, '127.0.0.1').on('error', () => undefined);
    socket.write('POST /requests HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const drip = setInterval(() => socket.write('a'), 50);
    onTestFinished(() => clearInterval(drip));
    await expect.poll(() => at.source.stats().received).toBe(0);
    await once(socket, 'ready').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await at.source.stop();
    await expect.poll(() => socket.closed).toBe(true);
  });

  it('is cut off where its headers are too long', async () => {
    const at = await started();
    expect(await raw(at.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`)).toContain('431');
  });

  it('is cut off where its body grows past the bound without saying how long it is', async () => {
    const at = await started();
    const head = `POST /requests HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    expect(await raw(at.port, head + chunk + chunk)).toContain('413');
  });

  it('brings nothing down with whatever it sends as a body', async () => {
    const at = await started();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string({ maxLength: 300 })), async (body) => {
        const response = await at.post(body);
        expect([400, 409]).toContain(response.status);
        await response.text();
      }),
      { numRuns: 300 },
    );
    expect((await at.post(requested)).status).toBe(202);
  });

  it('brings nothing down with whatever it sends instead of HTTP', async () => {
    const at = await started({ token, requestMs: 300 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        // An end of the headers, so that nothing waits for more of them.
        await raw(at.port, Buffer.concat([bytes, Buffer.from('\r\n\r\n')]));
      }),
      { numRuns: 100 },
    );
    expect((await at.post(requested)).status).toBe(202);
  });
});

describe('the source', () => {
  it('says what is wrong where it cannot listen', async () => {
    const at = await started();
    const other = httpSource({ host: '127.0.0.1', port: at.port, intake: at.intake, book: at.requests, wall: realWall, token });
    await expect(other.start(at.sink)).rejects.toThrow(/cannot be listened on.*sources\.http\.listen/);
  });

  it('answers what is under way before it stops', async () => {
    const at = await started();
    at.mode.commits = 'when-told';
    const answer = at.post(requested);
    await expect.poll(() => at.offered.length).toBe(1);
    const stopped = at.source.stop();
    at.commit();
    expect((await answer).status).toBe(202);
    await stopped;
    await expect(at.post(requested)).rejects.toThrow();
  });
});
