// A migration that is asked for on the control socket: the id it gets, and what can be cancelled.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask } from '../../src/cli/client.ts';
import { Facts } from '../../src/core/facts.ts';
import { requestIdSchema } from '../../src/model/request.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { controlSocket, serveApi } from '../../src/runtime/api.ts';
import { askMigration, cancelMigration, type MigrationAsked, migrationStatus } from '../../src/runtime/migrate.ts';
import { Requests } from '../../src/runtime/requests.ts';
import { entriesOf, web1 } from '../core/vm-words.ts';

const libvirt = { transport: 'unix', uri: 'qemu:///system' };
const targets = Object.fromEntries(
  ['kvm1', 'kvm2', 'kvm3'].map((name) => [name, { platform: 'libvirt', address: '127.0.0.1', libvirt }]),
);

/** A VM on kvm1, and a journal of numbers that takes what is emitted a turn later. */
function world(vm = web1, { state = 'running', listeners = ['p'] }: { state?: string; listeners?: readonly string[] } = {}) {
  const facts = new Facts();
  const requests = new Requests();
  let seq = 0;
  const take = (body: object): number => {
    seq += 1;
    const entry = { ...body, seq, at: seq } as never;
    facts.fold(entry);
    requests.take(entry);
    return seq;
  };
  const emit = async (event: object): Promise<number> => {
    await Promise.resolve();
    return take({ kind: 'event', event });
  };
  const report = (request: string, state: string, final: boolean): number => {
    const want = { kind: 'report', request, state, text: '', final };
    return take({ kind: 'intent', intent: { id: `p@v1/${seq}/0`, policy: 'p', version: 'v1', cause: 1, key: '', want } });
  };
  take({ kind: 'inventory', inventory: inventorySchema.parse({ targets }) });
  for (const body of entriesOf('kvm1', 'lists running/booted', vm)) take(body);
  const host = { stats: () => ({ lastSeq: seq }), emit };
  const executor = { peek: async () => ({ kind: 'rows', rows: [] }) };
  const engine = { facts, listeners: () => listeners };
  const view = { requests: () => requests.all(), policies: () => [{ name: 'p', state }] };
  const runtime = { engine, view, host, executor } as never;
  return { runtime, report, lastSeq: () => seq };
}

test('two that are asked for at once are two requests', async () => {
  const { runtime } = world();
  const asked = await Promise.all(['kvm2', 'kvm3'].map((to) => askMigration(runtime, { vm: 'web1', to })));
  expect(new Set(asked.map(({ request }) => request)).size).toBe(2);
  for (const { request, seq } of asked) expect(await migrationStatus(runtime, request), `${seq}`).toBeDefined();
});

test.each([
  ['web.1 (München)', 'offbox-4-web-1--M-nchen-'],
  ['x'.repeat(255), `offbox-4-${'x'.repeat(55)}`],
])('has an id that can be asked for, whatever its VM is called: %s', async (vm, id) => {
  const { runtime } = world({ ...web1, vm });
  const folder = mkdtempSync(join(tmpdir(), 'offbox-migrate-'));
  const api = await serveApi(runtime, folder);
  onTestFinished(async () => {
    await api.close();
    rmSync(folder, { recursive: true });
  });
  const socket = controlSocket(folder);
  const { request } = (await ask(socket, 'POST', '/migrate', { vm, to: 'kvm2' })) as MigrationAsked;
  expect(await ask(socket, 'GET', `/migrate/${encodeURIComponent(request)}`)).toMatchObject({ report: { state: 'received' } });
  expect(requestIdSchema.safeParse(request).success).toBe(true);
  expect(request).toBe(id);
});

test('one that is over is not cancelled any more: the next of the same VM goes on', async () => {
  const { runtime, report, lastSeq } = world();
  const { request } = await askMigration(runtime, { vm: 'web1', to: 'kvm2' });
  report(request, 'refused', true);
  const next = await askMigration(runtime, { vm: 'web1', to: 'kvm2' });
  const before = lastSeq();
  await expect(cancelMigration(runtime, request)).rejects.toMatchObject({ code: 'usage' });
  expect(lastSeq()).toBe(before);
  expect(await cancelMigration(runtime, next.request)).toEqual({ seq: before + 1 });
});

test.each([
  ['nobody listens', { listeners: [] }],
  ['who listens is stopped', { state: 'stopped' }],
])('is refused, and taken by nobody, where %s: nothing would ever become of it', async (_what, policies) => {
  const { runtime, lastSeq } = world(web1, policies);
  const before = lastSeq();
  await expect(askMigration(runtime, { vm: 'web1', to: 'kvm2' })).rejects.toMatchObject({
    code: 'usage',
    summary: 'no policy that runs takes requests for migrations',
  });
  expect(lastSeq()).toBe(before);
});

test('one that is asked for and not begun is not said to be on', async () => {
  const { runtime } = world();
  await askMigration(runtime, { vm: 'web1', to: 'kvm2' });
  await expect(askMigration(runtime, { vm: 'web1', to: 'kvm3' })).rejects.toMatchObject({
    summary: 'web1 is asked to be migrated to kvm2',
  });
});
