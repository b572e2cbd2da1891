// The control socket, fed with what is no request: it refuses with what is wrong and goes on; nothing of it is ever our fault.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiBodyBytesMax } from '../../src/model/limits.ts';
import { type Api, controlSocket, serveApi } from '../../src/runtime/api.ts';
import type { ShownGateway } from '../../src/runtime/view.ts';
import { type Rig, rig } from './rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'offbox-api-'));
const socketPath = controlSocket(folder);
let on: Rig;
let api: Api;

beforeAll(async () => {
  on = await rig({ policies: [] });
  api = await serveApi(on.runtime, folder);
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function get(path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString('utf8'))));
    });
    sent.on('error', reject);
    sent.end();
  });
}

function post(path: string, body: string | Buffer, type = 'application/json'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path, headers: { 'content-type': type } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () =>
        resolve({ status: answer.statusCode!, body: JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const answer = { intent: 'a@b/1/0', answer: 'done', by: 'ada' };
const paths = ['/resolve', '/emit', '/migrate'] as const;
const commands = (): number => on.ofKind('command').length + on.ofKind('event').length;

describe('the control socket', () => {
  test.each(paths)('refuses at %s what is no JSON, says so, and takes nothing', async (path) => {
    const before = commands();
    for (const body of ['', '{', '{"intent":', 'intent=a', '[1,', Buffer.from([0xff, 0xfe, 0x00])]) {
      const { status, body: said } = await post(path, body);
      expect([status, said]).toEqual([400, { error: expect.any(String), code: 'usage', remedy: 'Mend the request.' }]);
    }
    expect((await post(path, '{}', 'text/xml')).status).toBe(415);
    expect(commands()).toBe(before);
  });

  test.each([
    ['nothing', null],
    ['another thing', [answer]],
    ['no intent', { answer: 'done', by: 'ada' }],
    ['an answer that is none', { ...answer, answer: 'maybe' }],
    ['a field that is not known', { ...answer, also: 'this' }],
    ['an id beyond measure', { ...answer, intent: 'a'.repeat(1_025) }],
    ['a number for a name', { ...answer, by: 7 }],
  ])('refuses an answer with %s', async (_what, body) => {
    const { status, body: said } = await post('/resolve', JSON.stringify(body));
    expect([status, said]).toEqual([400, expect.objectContaining({ code: 'usage' })]);
  });

  test('tells what is wrong with an intent that waits for no answer', async () => {
    const { status, body } = await post('/resolve', JSON.stringify(answer));
    expect([status, body]).toMatchObject([400, { code: 'not-unknown', remedy: expect.stringContaining('offbox show intents') }]);
  });

  test('refuses a body that is too large, and goes on', async () => {
    const { status, body } = await post('/resolve', JSON.stringify({ ...answer, by: 'x'.repeat(apiBodyBytesMax) }));
    expect([status, body]).toMatchObject([413, { code: 'usage' }]);
    expect((await post('/resolve', JSON.stringify(answer))).status).toBe(400);
  });

  test('forgets a request that is cut short, and goes on', async () => {
    const body = JSON.stringify(answer);
    const head = `POST /resolve HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    for (let length = 1; length < head.length + body.length; length += 7) {
      const peer = connect(socketPath);
      peer.on('error', () => undefined).resume();
      await once(peer, 'connect');
      const closed = once(peer, 'close');
      peer.end((head + body).slice(0, length));
      await closed;
    }
    expect(on.ofKind('command')).toEqual([]);
    expect((await post('/resolve', body)).status).toBe(400);
  });

  test('tells with what was read of a member whether its line is up: a dead gateway is not active', async () => {
    await on.pass(1_000);
    const peek = () => on.runtime.executor.peek({ target: 'gw-a', query: 'fhrp' });
    const lines = async () =>
      ((await get('/show/gateways')) as ShownGateway[])[0]!.members.map(({ target, line }) => [target, line]);
    expect(await lines()).toEqual([
      ['gw-a', 'up'],
      ['gw-b', 'up'],
    ]);
    on.world.setUnreachable('gw-a');
    const peeked = peek();
    await on.pass(20_000);
    await peeked;
    expect(await lines()).toEqual([
      ['gw-a', 'down'],
      ['gw-b', 'up'],
    ]);
    on.world.setReachable('gw-a');
    await on.pass(120_000);
    expect(await lines()).toEqual([
      ['gw-a', 'up'],
      ['gw-b', 'up'],
    ]);
  });

  test('refuses whatever comes, without a fault of its own', async () => {
    const before = on.ofKind('command').length;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths, '/migrate/x/cancel', '/nowhere'),
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
          fc
            .record({ intent: fc.anything(), answer: fc.anything(), by: fc.anything() })
            .map((each) => JSON.stringify(each) ?? ''),
          fc.json().map((event) => `{"event":{"meaning":${event},"origin":{}}}`),
        ),
        async (path, body) => {
          const { status } = await post(path, body);
          expect(status).toBeGreaterThanOrEqual(400);
          expect(status).toBeLessThan(500);
        },
      ),
      { numRuns: 300 },
    );
    expect(on.ofKind('command')).toHaveLength(before);
  }, 60_000);
});
