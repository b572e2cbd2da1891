// From a snapshot and the entries after it, an engine ends where every entry from the first would have brought it.
import fc from 'fast-check';
import { filter, map, merge, mergeMap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/core/engine.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import type { SavedEngine } from '../../src/core/saved-engine.ts';
import {
  bgpNetwork,
  exclusive,
  fhrp,
  type Policy,
  policy,
  type SyslogEvent,
  servicePolicy,
  syslog,
  vm,
} from '../../src/index.ts';
import type { Entry, EntryOf } from '../../src/model/entry.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { OutcomeKind } from '../../src/model/outcome.ts';
import { recover } from '../../src/runtime/recovery.ts';
import { Requests } from '../../src/runtime/requests.ts';
import { type KeptSnapshot, packed, piecesOf, type SnapshotJournal } from '../../src/runtime/snapshots.ts';
import { runtimeVersion } from '../../src/runtime/version.ts';
import { eventOf, gap, hsrpEvent, Rig, row, textEvent } from '../core/rig.ts';

const byTarget = ({ target }: SyslogEvent): string => target;

const policies: readonly Policy[] = [
  policy({
    name: 'advertises',
    on: fhrp.changed(),
    settle: { quiet: '2s', atMost: '6s' },
    resync: '1m',
    ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
  }),
  policy({
    name: 'holds',
    on: vm.migrationRequested(),
    until: vm.migrationEnded(),
    atMost: '90s',
    replace: true,
    hold: ({ from }) => servicePolicy({ target: from, interface: 'Gi1' }, 'output', 'LIVE'),
  }),
  policy({
    name: 'counts',
    on: syslog(),
    pipe: (events, { perKey, threshold, absent, dampening, suppress }) =>
      merge(
        events.pipe(
          perKey(byTarget, (one) =>
            one.pipe(
              threshold(3, '20s'),
              suppress('30s'),
              map(({ event }) => event),
            ),
          ),
        ),
        events.pipe(
          absent(({ text }: SyslogEvent) => text === 'b', {
            after: ({ text }: SyslogEvent) => text === 'a',
            within: '5s',
            key: byTarget,
          }),
        ),
        events.pipe(
          dampening({ key: byTarget, halfLife: '30s', suppress: 2000, reuse: 750, maxSuppress: '2m' }),
          filter(({ kind }: { kind: string }) => kind === 'nothing'),
        ),
      ).pipe(map((event) => bgpNetwork(event as SyslogEvent, '10.0.0.0/8'))),
  }),
  policy({
    name: 'asks',
    on: syslog(),
    pipe: (events, { read, act, notice, perKey, threshold }) =>
      events.pipe(
        filter(({ text }) => text !== 'b'),
        // Asks, counts the answers, acts, and says what came of it: it waits twice.
        mergeMap((event) => read(event.target, 'fhrp').pipe(map((rows) => ({ target: event.target, rows: rows.length })))),
        perKey(
          (asked) => asked.target,
          (one) => one.pipe(threshold(2, '60s')),
        ),
        mergeMap((event) =>
          act(bgpNetwork(event, '11.0.0.0/8')).pipe(mergeMap(({ kind }) => notice(kind, `${event.target} ${event.rows}`))),
        ),
      ),
  }),
];

const deployed = (version = 'v1'): readonly DeployedPolicy[] => policies.map((policy) => ({ policy, version }));

type Action =
  | { readonly do: 'say'; readonly text: string; readonly target: string }
  | { readonly do: 'hsrp'; readonly target: string; readonly to: 'active' | 'standby' }
  | { readonly do: 'answer'; readonly which: number; readonly how: number }
  | { readonly do: 'move'; readonly vm: number; readonly word: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'gap' | 'snapshot' };

const say = (text: string, target: string): Action => ({ do: 'say', text, target });
const snapshot: Action = { do: 'snapshot' };

const target = fc.constantFrom('r1', 'r2', 'r3');
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const), text: fc.constantFrom('a', 'b', 'c'), target }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hsrp' as const), target, to: fc.constantFrom('active', 'standby') }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(5), how: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), vm: fc.nat(2), word: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 700, 2_000, 5_000, 31_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('gap' as const, 'snapshot' as const, 'snapshot' as const) }) },
);

/** Anything but a snapshot: there is one writing at a time. */
const still = action.filter((one) => one.do !== 'snapshot');

const outcomes: readonly OutcomeKind[] = ['done', 'already', 'failed', 'held', 'unknown', 'superseded'];

/** An engine that lives through random actions, and takes snapshots of itself: their blobs by digest. */
class Life {
  readonly rig = new Rig(policies);
  readonly requests = new Requests();
  readonly blobs = new Map<string, Uint8Array>();
  #previous: number | undefined;
  #taken: readonly KeptSnapshot[] = [];

  async live(actions: readonly Action[]): Promise<void> {
    for (const one of actions) {
      if (one.do === 'say') this.rig.event(textEvent(one.text, one.target));
      else if (one.do === 'hsrp') this.rig.event(hsrpEvent(one.target, one.to));
      else if (one.do === 'pass') this.rig.pass(one.ms);
      else if (one.do === 'gap') this.rig.event(gap());
      else if (one.do === 'answer') this.#answer(one.which, one.how);
      else if (one.do === 'move') this.rig.event(this.#word(one.vm, one.word));
      else await this.#snapshot();
    }
  }

  #answer(which: number, how: number): void {
    const open = this.rig.engine.ledger.open();
    const { intent } = open[which % Math.max(open.length, 1)] ?? {};
    if (intent?.want.kind === 'read') {
      const rows = [row(how < 3 ? 'active' : 'standby')];
      this.rig.reading(intent, how > 7 ? { kind: 'unreachable', reason: 'gone' } : { kind: 'rows', rows });
    } else if (intent?.want.kind === 'ensure') {
      if (how % 2 === 0) this.rig.feed({ kind: 'attempt', intent: intent.id, deadlineMs: 100, plan: [], before: null });
      this.rig.outcome(intent, outcomes[how % outcomes.length]!);
    }
  }

  #word(number: number, word: number) {
    const named = { vm: `vm${number}`, uuid: `uuid-${number}` };
    const way = { ...named, from: 'r1', to: 'r2' };
    if (word === 0) return eventOf('r1', { kind: 'vm.migration-requested', ...way, request: `q${number}`, perform: false });
    if (word === 1) return eventOf('r1', { kind: 'vm.migration-ended', ...way, how: 'cancelled' });
    if (word === 2) return eventOf('r2', { kind: 'vm.lifecycle', ...named, event: 'started', detail: 'migrated' });
    if (word === 3) return eventOf('r2', { kind: 'vm.lifecycle', ...named, event: 'resumed', detail: 'migrated' });
    if (word === 4) return eventOf('r1', { kind: 'vm.lifecycle', ...named, event: 'stopped', detail: 'migrated' });
    return eventOf('r1', { kind: 'vm.listed', uuids: [`uuid-${number}`] });
  }

  async #snapshot(): Promise<void> {
    const { engine, entries } = this.rig;
    const through = entries.length;
    const parts = { older: this.#taken, derived: [], requests: this.requests.save(), engine: engine.save() };
    const blob = await packed(Buffer.from([...piecesOf(parts)].join('')));
    const digest = `digest-${through}`;
    this.blobs.set(digest, blob);
    const policies = engine.versionsLeft();
    const unsettled = [...engine.unsettled()];
    const previous = this.#previous === undefined ? {} : { previous: this.#previous };
    this.#previous = through + 1;
    this.#taken = [
      ...this.#taken,
      { seq: through + 1, through, at: engine.clock.now(), digest, unsettled: unsettled.length > 0 },
    ];
    this.rig.feed({ kind: 'snapshot', through, digest, runtime: runtimeVersion, policies, unsettled, ...previous });
  }

  /** The journal as it was after `length` entries; those before `first` are forgotten. */
  journal(length: number, blobs: ReadonlyMap<string, Uint8Array> = this.blobs, first = 1): SnapshotJournal {
    const entries = this.rig.entries.slice(0, length);
    return {
      async *read(from) {
        const each = 7;
        for (let at = Math.max(from, first) - 1; at < length; at += each) yield entries.slice(at, at + each);
      },
      async *ofKind(kind, from) {
        const since = Math.max(from, first);
        yield entries.filter((entry): entry is EntryOf<typeof kind> => entry.seq >= since && entry.kind === kind);
      },
      tail: async () => ({ lastSeq: length, lastAt: entries.at(-1)?.at ?? 0, epoch: 1 }),
      getBlob: async (digest) => blobs.get(digest),
    };
  }
}

/** A snapshot that is begun now and written bit by bit while life goes on is as one that is written at once. */
async function writtenMeanwhile(before: readonly Action[], after: readonly Action[], each: number): Promise<[string, string]> {
  const life = new Life();
  await life.live(before);
  const { engine } = life.rig;
  const atOnce = [...engine.save()].join('');
  const pieces = engine.save();
  let written = '';
  for (const action of after) {
    await life.live([action]);
    for (let count = 0; count < each; count += 1) written += pieces.next().value ?? '';
  }
  return [written + [...pieces].join(''), atOnce];
}

/** All that is known, without what says nothing: the order in which alarms of different policies were set. */
function known(engine: Engine): unknown {
  const saved = JSON.parse([...engine.save()].join('')) as SavedEngine;
  const cells = Object.entries(saved.cells).filter(([, { cells: some, dropped }]) => some.length + dropped > 0);
  return {
    ...saved,
    clock: saved.clock.now,
    nextDue: engine.clock.nextDue(),
    cells: Object.fromEntries(
      cells.map(([path, table]) => [path, table.cells.map(([prefix, key, { data, dueAt }]) => [prefix, key, data, dueAt])]),
    ),
  };
}

const byId = (intents: readonly Intent[]) => [...intents].map((intent) => JSON.stringify(intent)).sort();

/** Steps the rest, and returns what is wanted because of it. */
function later(engine: Engine, entries: readonly Entry[]): readonly string[] {
  return byId(entries.flatMap((entry) => engine.step(entry).intents));
}

async function recovered(life: Life, length: number, blobs?: ReadonlyMap<string, Uint8Array>, version?: string) {
  const some = deployed(version);
  const engine = new Engine(some);
  return { engine, ...(await recover({ engine, policies: some, journal: life.journal(length, blobs) })) };
}

/** The same as without any snapshot, and the same ever after. */
async function expectAlike(life: Life, length: number, fast: Awaited<ReturnType<typeof recovered>>): Promise<void> {
  const slow = await recovered(life, length, new Map());
  expect([slow.restored, slow.said.length > 0]).toEqual([0, fast.restored > 0]);
  expect(byId(fast.intents)).toEqual(byId(slow.intents));
  expect([fast.lastSeq, fast.lastAt, fast.nextDue]).toEqual([slow.lastSeq, slow.lastAt, slow.nextDue]);
  expect(fast.divergences).toEqual(slow.divergences);
  const rest = life.rig.entries.slice(length);
  expect(later(fast.engine, rest)).toEqual(later(slow.engine, rest));
}

describe('a snapshot and the entries after it', () => {
  test('end where all entries end, and want the same later, wherever Offbox stopped', async () => {
    let used = 0;
    let alone = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 60 }), async (actions) => {
        const life = new Life();
        await life.live(actions);
        const { entries } = life.rig;
        const whole = new Engine(deployed());
        for (let length = 1; length <= entries.length; length += 1) {
          whole.step(entries[length - 1]!);
          const fast = await recovered(life, length);
          used += fast.restored > 0 ? 1 : 0;
          alone += fast.said.some((text) => text.includes('alone')) ? 1 : 0;
          const [ours, theirs] = [known(fast.engine), known(whole)];
          if (JSON.stringify(ours) !== JSON.stringify(theirs)) expect(ours).toEqual(theirs);
          // The rig appends one by one what the host appends together.
          const next = entries[length]?.kind;
          if (next !== 'intent' && next !== 'quarantine') expect(fast.divergences).toEqual([]);
          if (length % 4 === 0) await expectAlike(life, length, fast);
        }
      }),
      { numRuns: 10 },
    );
    // It was about something.
    expect(used).toBeGreaterThan(20);
    expect(alone).toBeGreaterThan(0);
  }, 60_000);

  test('are of one moment, whatever happens while it is written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(still), fc.array(still), fc.nat(3), async (before, after, each) => {
        const [written, atOnce] = await writtenMeanwhile(before, after, each);
        expect(written).toBe(atOnce);
      }),
      { numRuns: 60 },
    );
  });

  test('are enough where the newest is damaged: an older one stands in, and that is said', async () => {
    const life = new Life();
    await life.live([say('a', 'r1'), snapshot, say('b', 'r2'), snapshot, say('b', 'r3')]);
    const [older, newer] = [...life.blobs.keys()];
    const cut = new Map(life.blobs).set(newer!, life.blobs.get(newer!)!.subarray(0, 100));
    const whole = await recovered(life, life.rig.entries.length);
    const found = await recovered(life, life.rig.entries.length, cut);
    expect(`digest-${found.restored}`).toBe(older);
    expect(found.said.join()).toMatch(/the snapshot of entry \d+ cannot be used/);
    expect(known(found.engine)).toEqual(known(whole.engine));
  });

  test('warm an edited policy by the recorded past alone, and leave the others as they were', async () => {
    const life = new Life();
    await life.live([say('a', 'r1'), say('a', 'r1'), snapshot, say('b', 'r2')]);
    const edited = policies.map((policy) => ({ policy, version: policy.name === 'counts' ? 'v2' : 'v1' }));
    const engine = new Engine(edited);
    const { said, restored } = await recover({ engine, policies: edited, journal: life.journal(life.rig.entries.length) });
    const whole = await recovered(life, life.rig.entries.length, new Map());
    expect(said).toEqual(['counts, asks: replayed alone from entry 1 on']);
    expect(restored).toBeGreaterThan(0);
    const now = known(engine) as { readonly cells: unknown };
    expect(now.cells).toEqual((known(whole.engine) as { readonly cells: unknown }).cells);
  });

  test('warm it from a later one where the beginning is forgotten and another policy waited for an answer there', async () => {
    const life = new Life();
    const answer: Action = { do: 'answer', which: 0, how: 0 };
    await life.live([say('a', 'r1'), snapshot, answer, snapshot, say('a', 'r2'), snapshot]);
    const { entries } = life.rig;
    const taken = entries.filter((entry): entry is EntryOf<'snapshot'> => entry.kind === 'snapshot');
    expect(taken.map(({ unsettled }) => unsettled)).toEqual([['asks'], [], ['asks']]);
    const edited = policies.map((policy) => ({ policy, version: policy.name === 'counts' ? 'v2' : 'v1' }));
    const engine = new Engine(edited);
    const journal = life.journal(entries.length, life.blobs, taken[0]!.through + 1);
    const { said, divergences } = await recover({ engine, policies: edited, journal });
    expect(said).toEqual([`counts, asks: replayed alone from entry ${taken[1]!.through + 1} on`]);
    expect(divergences).toEqual([]);
    expect(engine.unsettled()).toEqual(['asks']);
  });
});
