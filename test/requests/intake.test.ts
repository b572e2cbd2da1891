// What is taken of a request, what is refused, and that the same again is the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../adapters/requests/intake.ts';
import { requestBytesMax, requestsKeptMax, requestsUnderWayMax } from '../../src/model/limits.ts';
import { book, bytesOf, from, otherUuid, requested, uuid } from './kit.ts';

const take = (at: ReturnType<typeof book>, value: unknown): Promise<Answer> => at.intake.take(bytesOf(value), from, at.sink);

describe('a migration asked for', () => {
  it('becomes an event with the UUID of the VM it names, and keeps what was sent', async () => {
    const at = book();
    expect(await take(at, { ...requested, perform: true, allow: ['relax'], bandwidthMiBs: 100 })).toEqual({
      kind: 'taken',
      request: 'r-1',
      seq: at.lastSeq(),
    });
    expect(at.offered).toHaveLength(1);
    expect(at.offered[0]).toMatchObject({
      meaning: {
        kind: 'vm.migration-requested',
        vm: 'web1',
        uuid,
        from: 'kvm1',
        to: 'kvm2',
        request: 'r-1',
        perform: true,
        allow: ['relax'],
        bandwidthMiBs: 100,
      },
      origin: { source: 'http', peer: '127.0.0.1', transport: 'http', trust: 'authenticated' },
    });
    expect(JSON.parse(at.offered[0]!.origin.raw)).toMatchObject({ vm: 'web1' });
  });

  it('is understood without the host it runs on, and by the UUID alone', async () => {
    const at = book();
    const { from: _, ...without } = requested;
    await take(at, { ...without, vm: uuid.toUpperCase() });
    expect(at.offered[0]?.meaning).toMatchObject({ vm: 'web1', uuid, from: 'kvm1' });
  });

  it('needs nobody to know the VM where it says UUID and host', async () => {
    const at = book({ vms: false });
    await take(at, { ...requested, vm: 'new', uuid: otherUuid });
    expect(at.offered[0]?.meaning).toMatchObject({ vm: 'new', uuid: otherUuid, from: 'kvm1' });
  });

  it('tells two VMs of one name apart by their host, and refuses where nothing does', async () => {
    const at = book();
    at.observe('web1', otherUuid, 'kvm2');
    const { from: _, ...without } = requested;
    expect(await take(at, without)).toMatchObject({
      kind: 'refused',
      refusal: { code: 'unknown-vm', field: 'vm', cause: '2 VMs are called "web1"' },
    });
    await take(at, requested);
    expect(at.offered[0]?.meaning).toMatchObject({ uuid });
  });

  it('is not taken for another VM because of a slip in its UUID', async () => {
    const at = book();
    at.observe('web2', otherUuid, 'kvm1');
    expect(await take(at, { ...requested, uuid: otherUuid })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'conflict', field: 'uuid', cause: 'the VM with this UUID is called "web2"' },
    });
    expect(await take(at, { ...requested, vm: uuid, uuid: otherUuid })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'conflict', field: 'uuid' },
    });
    expect(await take(at, { ...requested, uuid: uuid.toUpperCase() })).toMatchObject({ kind: 'taken' });
    expect(at.offered).toHaveLength(1);
  });

  it('is from where the VM runs by now: its hypervisors tell of a migration that came between', async () => {
    const at = book();
    const { from: _, to: __, ...without } = requested;
    const tell = (target: string, event: 'started' | 'resumed' | 'stopped', detail: string): void => {
      const meaning = { kind: 'vm.lifecycle', vm: 'web1', uuid, event, detail } as const;
      at.append({ kind: 'event', event: { target, meaning, origin: { ...from, raw: '' } } });
    };
    tell('kvm2', 'started', 'migrated');
    await take(at, { ...without, to: 'kvm2', request: 'before' });
    tell('kvm2', 'resumed', 'migrated');
    tell('kvm1', 'stopped', 'migrated');
    await take(at, { ...without, to: 'kvm1', request: 'after' });
    expect(at.offered.map(({ meaning }) => meaning)).toMatchObject([
      { from: 'kvm1', to: 'kvm2' },
      { from: 'kvm2', to: 'kvm1' },
    ]);
  });

  it.each([
    ['a name nobody knows', { vm: 'web9' }, { code: 'unknown-vm', field: 'vm', cause: 'no VM called "web9" is known' }],
    ['a host nobody knows', { to: 'kvm9' }, { code: 'unknown-host', field: 'to', cause: 'there is no target "kvm9"' }],
    ['the host it is on', { to: 'kvm1' }, { code: 'conflict', field: 'to' }],
    ['no id', { request: undefined }, { code: 'malformed', field: 'request' }],
    ['an id that is no token', { request: 'a.b' }, { code: 'malformed', field: 'request' }],
    ['a field of another', { callback: 'http://203.0.113.1/' }, { code: 'malformed', field: 'callback' }],
    ['another kind', { kind: 'reboot' }, { code: 'malformed', field: 'kind' }],
    ['a bandwidth of words', { bandwidthMiBs: 'much' }, { code: 'malformed', field: 'bandwidthMiBs' }],
    ['more than may be allowed', { allow: ['relax', 'fly'] }, { code: 'malformed', field: 'allow[1]' }],
    ['a name with a line end', { vm: 'web1\nroot' }, { code: 'malformed', field: 'vm' }],
  ])('is refused with %s, naming field, cause and remedy', async (_, change, refusal) => {
    const at = book();
    const answer = await take(at, { ...requested, ...change });
    expect(answer).toMatchObject({ kind: 'refused', refusal });
    expect(answer.kind === 'refused' && answer.refusal.remedy).toMatch(/^[A-Z].+\.$/);
    expect(at.offered).toEqual([]);
  });

  it.each([
    ['no JSON', bytesOf('{'), 'malformed'],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'malformed'],
    ['nothing', new Uint8Array(), 'malformed'],
    ['too much', Buffer.alloc(requestBytesMax + 1, ' '), 'too-large'],
    ['a depth of thousands', bytesOf('['.repeat(requestBytesMax / 2) + ']'.repeat(requestBytesMax / 2)), 'malformed'],
  ])('is refused where it is %s', async (_, bytes, code) => {
    const at = book();
    expect(await at.intake.take(bytes, from, at.sink)).toMatchObject({ kind: 'refused', refusal: { code } });
  });

  it('is refused where there is no room, and says so', async () => {
    const at = book();
    at.mode.room = false;
    expect(await take(at, requested)).toEqual({ kind: 'busy' });
    at.mode.room = true;
    expect(await take(at, requested)).toMatchObject({ kind: 'taken' });
  });

  it('is not said to be taken before it is durable, nor where it is not', async () => {
    const at = book();
    at.mode.commits = 'when-told';
    let answered = false;
    const answer = take(at, requested).finally(() => {
      answered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    at.commit();
    expect(await answer).toMatchObject({ kind: 'taken' });
    at.mode.commits = 'never-durable';
    expect(await take(at, { ...requested, request: 'r-2' })).toEqual({ kind: 'lost', cause: 'the disk is full' });
  });

  it('is busy once too many are under way', async () => {
    const at = book();
    at.mode.commits = 'when-told';
    const all = Array.from({ length: requestsUnderWayMax }, (_, i) => take(at, { ...requested, request: `r-${i}` }));
    expect(await take(at, { ...requested, request: 'one-more' })).toEqual({ kind: 'busy' });
    at.commit();
    expect(new Set((await Promise.all(all)).map(({ kind }) => kind))).toEqual(new Set(['taken']));
  });
});

describe('the same request again', () => {
  it('gets the seq it has and is no second event, while the first is under way and after', async () => {
    const at = book();
    at.mode.commits = 'when-told';
    const both = [take(at, requested), take(at, { ...requested, perform: false })];
    await Promise.resolve();
    at.commit();
    const [first, second] = await Promise.all(both);
    expect(second).toEqual(first);
    at.mode.commits = 'at-once';
    // The VM has moved meanwhile: it is still the same request.
    at.observe('web1', uuid, 'kvm2');
    expect(await take(at, requested)).toEqual(first);
    expect(at.offered).toHaveLength(1);
  });

  it('is refused where it says something else under the same id', async () => {
    const at = book();
    await take(at, requested);
    expect(await take(at, { ...requested, perform: true })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'conflict', field: 'request' },
    });
    expect(at.offered).toHaveLength(1);
  });

  it('is forgotten once thousands came after it', async () => {
    const at = book();
    await take(at, requested);
    for (let i = 0; i < requestsKeptMax; i += 1)
      at.append({
        kind: 'event',
        event: {
          meaning: { kind: 'vm.migration-requested', vm: 'v', uuid, from: 'a', to: 'b', request: `x${i}`, perform: false },
          origin: { ...from, raw: '' },
        },
      });
    expect(at.requests.status('r-1')).toBeUndefined();
    expect(at.requests.status('x0')).toBeDefined();
  });
});

describe('a migration that ended', () => {
  it.each([
    ['migration-done', 'migrated'],
    ['migration-failed', 'failed'],
    ['migration-cancelled', 'cancelled'],
  ] as const)('%s ends what was asked for, with its VM and hosts', async (kind, how) => {
    const at = book();
    await take(at, requested);
    expect(await take(at, { kind, request: 'r-1', reason: 'as planned' })).toMatchObject({ kind: 'taken' });
    expect(at.offered[1]?.meaning).toEqual({
      kind: 'vm.migration-ended',
      vm: 'web1',
      uuid,
      from: 'kvm1',
      to: 'kvm2',
      how,
      request: 'r-1',
      reason: 'as planned',
    });
    expect(await take(at, { kind, request: 'r-1', reason: 'as planned' })).toMatchObject({ kind: 'taken', seq: at.lastSeq() });
    expect(at.offered).toHaveLength(2);
  });

  it('ends once', async () => {
    const at = book();
    await take(at, requested);
    await take(at, { kind: 'migration-done', request: 'r-1' });
    expect(await take(at, { kind: 'migration-failed', request: 'r-1' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'conflict', field: 'kind' },
    });
  });

  it('must say VM and hosts itself where nobody asked for it here', async () => {
    const at = book();
    expect(await take(at, { kind: 'migration-done', request: 'r-7' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'unknown-request', field: 'request' },
    });
    expect(await take(at, { kind: 'migration-done', request: 'r-7', vm: 'web1', from: 'kvm1', to: 'kvm2' })).toMatchObject({
      kind: 'taken',
    });
    expect(at.offered.map(({ meaning }) => meaning)).toMatchObject([{ kind: 'vm.migration-ended', request: 'r-7' }]);
  });

  it('is refused where it contradicts what was asked for', async () => {
    const at = book();
    await take(at, requested);
    expect(await take(at, { kind: 'migration-done', request: 'r-1', from: 'kvm2', to: 'kvm1' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'conflict', field: 'from' },
    });
    expect(await take(at, { kind: 'migration-done', request: 'r-1', uuid: otherUuid })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'conflict', field: 'uuid' },
    });
  });
});

it('what the document shows is taken', async () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/decisions/0011-requests.md'), 'utf8');
  const examples = /```jsonl\n([\s\S]+?)```/.exec(document)![1]!.trimEnd().split('\n');
  const at = book();
  for (const example of examples) expect(await take(at, example)).toMatchObject({ kind: 'taken', request: 'r-42' });
  expect(at.offered.map(({ meaning }) => meaning?.kind)).toEqual(['vm.migration-requested', 'vm.migration-ended']);
});

describe('whatever is sent', () => {
  const json = fc.json({ maxDepth: 6 });
  const near = fc
    .record(
      {
        kind: fc.constantFrom('migration-requested', 'migration-done', 'migration-failed', '__proto__'),
        request: fc.oneof(fc.constant('r-1'), fc.string()),
        vm: fc.oneof(fc.constant('web1'), fc.string(), fc.constant(uuid), fc.constant('__proto__')),
        uuid: fc.oneof(fc.uuid(), fc.string()),
        from: fc.constantFrom('kvm1', 'kvm2', 'constructor', 'toString'),
        to: fc.constantFrom('kvm1', 'kvm2', 'hasOwnProperty', '__proto__'),
        perform: fc.anything(),
        allow: fc.anything(),
        bandwidthMiBs: fc.double(),
        reason: fc.string(),
      },
      { requiredKeys: ['kind', 'request'] },
    )
    .map((value) => JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)));

  it('is taken or refused, and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(json.map(bytesOf), near.map(bytesOf), fc.uint8Array({ maxLength: 400 })), async (bytes) => {
        const at = book();
        const answer = await at.intake.take(bytes, from, at.sink);
        expect(['taken', 'refused']).toContain(answer.kind);
        expect(at.offered).toHaveLength(answer.kind === 'taken' ? 1 : 0);
        if (answer.kind === 'refused') expect(answer.refusal.remedy).toMatch(/\.$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
